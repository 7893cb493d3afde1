//! Keys of both kinds. One without a secret opens nothing, so it is told of and not made.

use serde_json::json;
use sql::{Row, args};

use super::complete::after;
use super::walk::{Walk, pairs, taken};
use crate::audit::Event;
use crate::document::change::Action;
use crate::document::fault::Refusal;
use crate::document::format::{Document, Project, ProjectKey};
use crate::document::read::hash_of;

/// Where secrets of a kind are kept, each of which can stand there once.
#[derive(Debug, Clone, Copy)]
pub enum Secrets {
    /// Admin keys.
    AdminKeys,
    /// Keys of projects.
    ProjectKeys,
    /// Links of invitations.
    Links,
}

impl Walk<'_, '_> {
    /// Refuses a secret that something else has. A rehearsal asks; otherwise the statement that writes it finds out.
    pub(super) fn ensure_free(
        &mut self,
        kind: Secrets,
        hash: Option<&[u8; 32]>,
        (project, id): (&str, &str),
        path: impl Fn() -> String,
    ) -> Result<(), Refusal> {
        let Some(hash) = hash.filter(|_| !self.is_writing()) else { return Ok(()) };
        let sql = match kind {
            Secrets::AdminKeys => {
                "SELECT organization_id, '', id FROM admin_api_keys WHERE secret_hash = $1"
            }
            Secrets::ProjectKeys => {
                "SELECT organization_id, project_id, id FROM project_api_keys WHERE secret_hash = $1"
            }
            Secrets::Links => "SELECT organization_id, '', id FROM invites WHERE token_hash = $1",
        };
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found: Option<(String, String, String)> = self.tx.one(sql, args![hash], read)?;
        let this = (self.id(), project.to_owned(), id.to_owned());
        if found.is_some_and(|found| found != this) { Err(taken(path())) } else { Ok(()) }
    }

    /// The admin keys.
    pub(super) fn admin_keys(
        &mut self,
        before: &Document,
        wanted: &Document,
    ) -> Result<(), Refusal> {
        for (place, old, new) in pairs(&before.admin_api_keys, &wanted.admin_api_keys) {
            let after = after!(new, old, self.now);
            let Some(hash) = after.secret_sha256.as_deref().and_then(hash_of) else {
                self.tell(Action::LeftOut, ("admin key", None), &after.id, Vec::new());
                continue;
            };
            if !self.note(("admin key", None), &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let path = || format!("$.admin_api_keys[{place}].secret_sha256");
            self.ensure_free(Secrets::AdminKeys, Some(&hash), ("", &after.id), path)?;
            let scopes = after.scopes.as_deref().unwrap_or_default();
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
            let id = self.id();
            self.write_secret(
                "INSERT INTO admin_api_keys (organization_id, id, owner_id, name, secret_hash, redacted_value, scopes, created_at,
                     expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 ON CONFLICT (organization_id, id) DO UPDATE SET name = excluded.name, secret_hash = excluded.secret_hash,
                     redacted_value = excluded.redacted_value, scopes = excluded.scopes, created_at = excluded.created_at,
                     expires_at = excluded.expires_at",
                args![
                    &id,
                    &after.id,
                    &after.owner.id,
                    after.name.as_deref(),
                    &hash,
                    after.redacted_value.as_deref(),
                    &scopes.join(" "),
                    after.created_at,
                    after.expires_at
                ],
                path,
            )?;
            self.record(&told(&after.id, old.is_some(), &json!(scopes)))?;
        }
        Ok(())
    }

    /// The keys of a project.
    pub(super) fn project_keys(
        &mut self,
        number: usize,
        project: &Project,
        before: &[ProjectKey],
        wanted: &[ProjectKey],
    ) -> Result<(), Refusal> {
        let within = Some(project.id.as_str());
        for (place, old, new) in pairs(before, wanted) {
            let after = after!(new, old, self.now);
            let Some(hash) = after.secret_sha256.as_deref().and_then(hash_of) else {
                self.tell(Action::LeftOut, ("api key", within), &after.id, Vec::new());
                continue;
            };
            if !self.note(("api key", within), &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let path = || format!("$.projects[{number}].api_keys[{place}].secret_sha256");
            self.ensure_free(Secrets::ProjectKeys, Some(&hash), (&project.id, &after.id), path)?;
            let (id, owner) = (self.id(), &after.owner);
            self.write_secret(
                "INSERT INTO project_api_keys (organization_id, project_id, id, owner_kind, owner_id, name, secret_hash,
                     redacted_value, scopes, created_at, expires_at, owner_left_at, owner_email, owner_name, owner_added_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
                 ON CONFLICT (organization_id, project_id, id) DO UPDATE SET name = excluded.name,
                     secret_hash = excluded.secret_hash, redacted_value = excluded.redacted_value, scopes = excluded.scopes,
                     created_at = excluded.created_at, expires_at = excluded.expires_at,
                     owner_left_at = excluded.owner_left_at, owner_email = excluded.owner_email,
                     owner_name = excluded.owner_name, owner_added_at = excluded.owner_added_at",
                args![
                    &id,
                    &project.id,
                    &after.id,
                    owner.kind.name(),
                    &owner.id,
                    after.name.as_deref(),
                    &hash,
                    after.redacted_value.as_deref(),
                    after.scopes.as_ref().map(|scopes| scopes.join(" ")).as_deref(),
                    after.created_at,
                    after.expires_at,
                    owner.left_at,
                    owner.email.as_deref(),
                    owner.name.as_deref(),
                    owner.added_at
                ],
                path,
            )?;
            let scopes = json!(after.scopes.unwrap_or_default());
            self.record(&told(&after.id, old.is_some(), &scopes).in_project(&project.id))?;
        }
        Ok(())
    }
}

fn told(id: &str, was_there: bool, scopes: &serde_json::Value) -> Event {
    if was_there {
        let payload = json!({ "id": id, "changes_requested": { "scopes": scopes } });
        Event::new("api_key.updated", id, payload)
    } else {
        Event::new("api_key.created", id, json!({ "id": id, "data": { "scopes": scopes } }))
    }
}
