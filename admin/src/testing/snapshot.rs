//! Everything that is in a store, as text: how a test knows that a refused request changed nothing.

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
        "audit_events",
        &["organization_id", "id", "kind", "project_id", "actor_id", "resource_id", "payload"],
    ),
    ("organizations", &["id", "slug", "name", "default_project_id", "created_at"]),
    (
        "project_members",
        &[
            "organization_id",
            "project_id",
            "user_id",
            "user_email",
            "user_name",
            "role",
            "added_at",
        ],
    ),
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

/// All rows of all tables, one line a row, in a fixed order.
pub async fn take(store: &Store) -> Vec<String> {
    let read = |tx: &mut sql::Tx<'_>| {
        let mut lines = Vec::new();
        for (table, columns) in TABLES {
            let texts: Vec<_> =
                columns.iter().map(|column| format!("CAST({column} AS TEXT)")).collect();
            let width = columns.len();
            lines.extend(tx.all(
                &format!("SELECT {} FROM {table}", texts.join(", ")),
                args![],
                |row| {
                    let cells: sql::Result<Vec<Option<String>>> =
                        (0..width).map(|column| row.get(column)).collect();
                    Ok(format!("{table} {:?}", cells?))
                },
            )?);
        }
        lines.sort_unstable();
        assert_eq!(divergent_copies(tx)?, Vec::<String>::new());
        Ok::<_, sql::Error>(lines)
    };
    store.read(read).await.expect("the store can be read")
}

/// The members of whom a membership says something else than the people's table does.
pub fn divergent_copies(tx: &mut sql::Tx<'_>) -> sql::Result<Vec<String>> {
    let sql = "SELECT m.user_id FROM project_members m
               JOIN users u ON u.organization_id = m.organization_id AND u.id = m.user_id
               WHERE u.email <> m.user_email OR COALESCE(u.name, '-') <> COALESCE(m.user_name, '-')";
    tx.all(sql, args![], |row| row.get(0))
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
