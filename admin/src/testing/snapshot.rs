//! Everything that is in a store, as text: how a test knows that a refused request changed nothing.

use std::iter::repeat_n;
use std::sync::LazyLock;

use sql::{Engine, Store, args};

/// Every table, with the columns whose change would be a change. When a key was last used is none.
pub const TABLES: &[(&str, &[&str])] = &[
    (
        "admin_api_keys",
        &[
            "organization_id",
            "id",
            "owner_id",
            "name",
            "redacted_value",
            "scopes",
            "created_at",
            "expires_at",
        ],
    ),
    (
        "audit_actors",
        &["organization_id", "actor", "kind", "actor_id", "user_id", "email", "email_folded"],
    ),
    (
        "audit_events",
        &[
            "organization_id",
            "id",
            "kind",
            "effective_at",
            "project_id",
            "actor",
            "resource_id",
            "payload",
        ],
    ),
    ("audit_resources", &["organization_id", "resource_id", "event_id"]),
    ("audit_seals", &["organization_id", "number"]),
    ("audit_tail", &["organization_id", "id"]),
    ("certificate_activations", &["organization_id", "project_id", "certificate_id"]),
    (
        "certificates",
        &[
            "organization_id",
            "id",
            "name",
            "content",
            "subject",
            "valid_at",
            "expires_at",
            "created_at",
        ],
    ),
    (
        "fired_alerts",
        &[
            "organization_id",
            "project_id",
            "alert_id",
            "month",
            "threshold_amount",
            "spent",
            "recipients",
            "subject_prefix",
            "fired_at",
            "delivered_at",
        ],
    ),
    ("former_names", &["organization_id", "kind", "id", "name", "email"]),
    ("group_members", &["organization_id", "group_id", "user_id", "added_at"]),
    ("groups", &["organization_id", "id", "name", "created_at"]),
    (
        "invites",
        &[
            "organization_id",
            "id",
            "email",
            "email_folded",
            "role",
            "projects",
            "created_at",
            "expires_at",
            "accepted_at",
        ],
    ),
    (
        "models",
        &[
            "organization_id",
            "id",
            "max_requests_per_minute",
            "max_tokens_per_minute",
            "max_images_per_minute",
            "max_audio_megabytes_per_minute",
            "max_requests_per_day",
            "max_batch_tokens_per_day",
            "origin",
            "created_at",
        ],
    ),
    ("organizations", &["id", "slug", "name", "default_project_id", "created_at"]),
    (
        "policies",
        &[
            "organization_id",
            "project_id",
            "data_retention",
            "spend_limit",
            "model_mode",
            "model_ids",
            "hosted_tools",
        ],
    ),
    (
        "prices",
        &["organization_id", "model", "measure", "effective_from", "price", "units", "created_at"],
    ),
    (
        "project_api_keys",
        &[
            "organization_id",
            "project_id",
            "id",
            "owner_kind",
            "owner_id",
            "name",
            "redacted_value",
            "scopes",
            "created_at",
            "expires_at",
            "owner_left_at",
            "owner_email",
            "owner_name",
            "owner_added_at",
        ],
    ),
    ("project_groups", &["organization_id", "project_id", "group_id", "created_at"]),
    ("project_members", &["organization_id", "project_id", "user_id", "shown", "role", "added_at"]),
    (
        "projects",
        &[
            "organization_id",
            "id",
            "name",
            "external_key_id",
            "residency",
            "geography",
            "created_at",
            "archived_at",
        ],
    ),
    (
        "rate_limits",
        &[
            "organization_id",
            "project_id",
            "model_id",
            "max_requests_per_minute",
            "max_tokens_per_minute",
            "max_images_per_minute",
            "max_audio_megabytes_per_minute",
            "max_requests_per_day",
            "max_batch_tokens_per_day",
        ],
    ),
    (
        "role_assignments",
        &[
            "organization_id",
            "project_id",
            "principal_type",
            "principal_id",
            "role_id",
            "created_at",
        ],
    ),
    (
        "roles",
        &[
            "organization_id",
            "project_id",
            "id",
            "name",
            "description",
            "permissions",
            "reaches_projects",
            "created_at",
            "updated_at",
            "created_by",
        ],
    ),
    ("service_accounts", &["organization_id", "project_id", "id", "name", "role", "created_at"]),
    (
        "spend_alerts",
        &[
            "organization_id",
            "project_id",
            "id",
            "threshold_amount",
            "recipients",
            "subject_prefix",
            "created_at",
        ],
    ),
    (
        "usage_batches",
        &["organization_id", "id", "received_at", "first_time", "last_time", "events"],
    ),
    ("usage_id_chunks", &["organization_id", "run_id"]),
    ("usage_id_runs", &["organization_id", "id", "ids", "last_time"]),
    ("usage_segments", &["organization_id", "kind", "width", "start", "number"]),
    ("usage_series", &["organization_id", "id", "kind", "dimensions"]),
    ("usage_spend", &["organization_id", "project_id", "month", "amount"]),
    ("usage_tail", &["organization_id", "batch_id"]),
    (
        "users",
        &[
            "organization_id",
            "id",
            "email",
            "name",
            "role",
            "technical_level",
            "developer_persona",
            "added_at",
        ],
    ),
];

/// One statement for all of them: a server answers it in one round trip instead of one for each table. Whoever has fewer columns
/// than others fills up with nothing.
static ALL_ROWS: LazyLock<String> = LazyLock::new(|| {
    let width = TABLES.iter().map(|(_, columns)| columns.len()).max().unwrap_or_default();
    let rows_of = |(table, columns): &(&str, &[&str])| {
        let cells = columns.iter().map(|column| format!("CAST({column} AS TEXT)"));
        let cells: Vec<_> = cells.chain(repeat_n("NULL".into(), width - columns.len())).collect();
        format!("SELECT '{table}', {}, {} FROM {table}", columns.len(), cells.join(", "))
    };
    TABLES.iter().map(rows_of).collect::<Vec<_>>().join(" UNION ALL ")
});

/// All rows of all tables, one line a row, in a fixed order.
pub async fn take(store: &Store) -> Vec<String> {
    let read = |tx: &mut sql::Tx<'_>| {
        let mut lines = tx.all(&ALL_ROWS, args![], |row| {
            let (table, width): (String, i64) = (row.get(0)?, row.get(1)?);
            let width = usize::try_from(width).expect("a table has columns");
            let cells: sql::Result<Vec<Option<String>>> =
                (2..2 + width).map(|column| row.get(column)).collect();
            Ok(format!("{table} {:?}", cells?))
        })?;
        lines.sort_unstable();
        assert_eq!(divergent_copies(tx)?, Vec::<String>::new());
        assert_eq!(orphans(tx)?, Vec::<String>::new());
        Ok::<_, sql::Error>(lines)
    };
    store.read(read).await.expect("the store can be read")
}

/// The members of whom a membership shows something else than the people's table says, or than its own row does.
pub fn divergent_copies(tx: &mut sql::Tx<'_>) -> sql::Result<Vec<String>> {
    let sql =
        "SELECT m.user_id, u.name, u.email, m.role, m.added_at, m.shown FROM project_members m
               JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id";
    let shown = tx.all(sql, args![], |row| {
        let (name, email): (Option<String>, String) = (row.get(1)?, row.get(2)?);
        let shown: serde_json::Value = row
            .text(5)?
            .and_then(|rest| serde_json::from_str(&format!("{{{rest}")).ok())
            .unwrap_or_default();
        let right = serde_json::json!({
            "name": name.as_ref().unwrap_or(&email),
            "email": email,
            "role": row.text(3)?.unwrap_or("member"),
            "added_at": row.get::<i64>(4)?,
        });
        (shown != right).then(|| row.get(0)).transpose()
    })?;
    Ok(shown.into_iter().flatten().collect())
}

/// Rows that speak of somebody or something that is gone, which no constraint of the store forbids.
pub fn orphans(tx: &mut sql::Tx<'_>) -> sql::Result<Vec<String>> {
    let nobody = |place: &str, column: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM users u WHERE u.organization_id = {place}.organization_id AND u.id = {place}.{column})
             AND NOT EXISTS (SELECT 1 FROM service_accounts s
                 WHERE s.organization_id = {place}.organization_id AND s.id = {place}.{column})"
        )
    };
    let queries = [
        ("in a group, and gone", format!("SELECT m.user_id FROM group_members m WHERE {}", nobody("m", "user_id"))),
        (
            "with a role, and gone",
            format!(
                "SELECT a.principal_id FROM role_assignments a WHERE a.principal_type = 'user' AND {}",
                nobody("a", "principal_id")
            ),
        ),
        (
            "a group with a role, and gone",
            "SELECT a.principal_id FROM role_assignments a WHERE a.principal_type = 'group' AND NOT EXISTS (
                 SELECT 1 FROM groups g WHERE g.organization_id = a.organization_id AND g.id = a.principal_id)"
                .to_owned(),
        ),
        (
            "a role that is assigned, and gone",
            "SELECT a.role_id FROM role_assignments a WHERE (a.role_id < 'role-api-' OR a.role_id >= 'role-api.') AND NOT EXISTS (
                 SELECT 1 FROM roles r
                 WHERE r.organization_id = a.organization_id AND r.project_id = a.project_id AND r.id = a.role_id)"
                .to_owned(),
        ),
        (
            "a group in a project without a role there",
            "SELECT p.group_id FROM project_groups p WHERE NOT EXISTS (
                 SELECT 1 FROM role_assignments a WHERE a.organization_id = p.organization_id AND a.project_id = p.project_id
                     AND a.principal_type = 'group' AND a.principal_id = p.group_id)"
                .to_owned(),
        ),
        (
            "a group with a role in a project that it is not in",
            "SELECT a.principal_id FROM role_assignments a
             WHERE a.project_id <> '' AND a.principal_type = 'group' AND NOT EXISTS (
                 SELECT 1 FROM project_groups p WHERE p.organization_id = a.organization_id AND p.project_id = a.project_id
                     AND p.group_id = a.principal_id)"
                .to_owned(),
        ),
        (
            "a person with a role in a project that they are not in",
            "SELECT a.principal_id FROM role_assignments a
             JOIN users u ON u.organization_id = a.organization_id AND u.id = a.principal_id
             WHERE a.project_id <> '' AND a.principal_type = 'user' AND NOT EXISTS (
                 SELECT 1 FROM project_members m WHERE m.organization_id = a.organization_id
                     AND m.project_id = a.project_id AND m.user_id = a.principal_id)"
                .to_owned(),
        ),
        (
            "a key of somebody who is gone",
            "SELECT k.id FROM project_api_keys k WHERE k.owner_kind = 'user' AND k.owner_left_at IS NULL AND NOT EXISTS (
                 SELECT 1 FROM users u WHERE u.organization_id = k.organization_id AND u.id = k.owner_id)"
                .to_owned(),
        ),
        (
            "a key of a service account that is gone",
            "SELECT k.id FROM project_api_keys k WHERE k.owner_kind = 'service_account' AND NOT EXISTS (
                 SELECT 1 FROM service_accounts s WHERE s.organization_id = k.organization_id
                     AND s.project_id = k.project_id AND s.id = k.owner_id)"
                .to_owned(),
        ),
    ];
    let found = |(what, sql): &(&str, String)| {
        format!("SELECT '{what}', {}", sql.strip_prefix("SELECT ").expect("it is a query"))
    };
    let all: Vec<_> = queries.iter().map(found).collect();
    tx.all(&all.join(" UNION ALL "), args![], |row| {
        Ok(format!("{}: {}", row.get::<String>(0)?, row.get::<String>(1)?))
    })
}

/// The tables that the store has, besides the migrator's own.
pub async fn tables(store: &Store) -> Vec<String> {
    let sql = match store.engine() {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        Engine::Postgres => {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let read = move |tx: &mut sql::Tx<'_>| tx.all(sql, args![], |row| row.get::<String>(0));
    let mut names: Vec<String> = store.read(read).await.expect("the catalog can be read");
    names.retain(|name| name != "schema_migrations");
    names.sort_unstable();
    names
}
