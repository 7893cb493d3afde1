//! People, groups and invitations.

use serde_json::json;
use sql::args;

use super::complete::after;
use super::keys::Secrets;
use super::walk::{Walk, pairs};
use crate::audit::Event;
use crate::document::change::Action;
use crate::document::fault::Refusal;
use crate::document::format::words::UserRole;
use crate::document::format::{Document, User};
use crate::document::read::hash_of;
use crate::domain::role::OrganizationRole;
use crate::resources::project_users::shown;
use crate::resources::users::store::{self as users, Changes, fold};

/// The role of the store behind a word; none where there is none.
pub fn organization_role(role: Option<UserRole>) -> Option<OrganizationRole> {
    OrganizationRole::from_name(role?.name())
}

impl Walk<'_, '_> {
    /// The people: everybody but owners who cease to be some, or those alone. They wait for whoever follows them.
    pub(super) fn people(
        &mut self,
        before: &Document,
        wanted: &Document,
        are_ceasing: bool,
    ) -> Result<(), Refusal> {
        for (_, old, new) in pairs(&before.users, &wanted.users) {
            let after = after!(new, old, self.now);
            let was_owner = old.is_some_and(|old| old.role == Some(UserRole::Owner));
            let is_ceasing = was_owner && after.role != Some(UserRole::Owner);
            if is_ceasing != are_ceasing {
                continue;
            }
            let differences = after.differences(old);
            if !self.note(("user", None), &after.id, old.is_some(), differences) {
                continue;
            }
            match old {
                None => self.add_user(&after)?,
                Some(old) => self.change_user(old, &after)?,
            }
            if is_ceasing {
                let ending = before.admin_api_keys.iter().filter(|key| key.owner.id == after.id);
                for key in ending {
                    self.tell(Action::Ended, ("admin key", None), &key.id, Vec::new());
                }
            }
        }
        Ok(())
    }

    fn add_user(&mut self, after: &User) -> Result<(), Refusal> {
        let (id, role) = (self.id(), organization_role(after.role));
        self.write(
            "INSERT INTO users (organization_id, id, email, email_folded, name, role, technical_level, developer_persona, added_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                &id,
                &after.id,
                &after.email,
                &fold(&after.email),
                after.name.as_deref(),
                role.map(OrganizationRole::name),
                after.technical_level.as_deref(),
                after.developer_persona.as_deref(),
                after.added_at
            ],
        )?;
        let told = role.map_or("none", OrganizationRole::name);
        let payload = json!({ "id": after.id, "data": { "role": told } });
        self.record(&Event::new("user.added", &after.id, payload))
    }

    fn change_user(&mut self, old: &User, after: &User) -> Result<(), Refusal> {
        let id = self.id();
        let is_role_change = old.role != after.role;
        if is_role_change {
            let (person, role) = (after.id.clone(), organization_role(after.role));
            self.leave_to(move |tx, by| {
                let user = users::find(tx, by.organization_id(), &person)?;
                match role {
                    Some(_) => {
                        let changes = Changes { role, ..Changes::default() };
                        users::modify(tx, by, &user, &changes).map(drop)
                    }
                    None => users::set_built_in(tx, by, &user, None),
                }
            })?;
        }
        self.write(
            "UPDATE users SET email = $3, email_folded = $4, name = $5, technical_level = $6, developer_persona = $7, added_at = $8
             WHERE organization_id = $1 AND id = $2",
            args![
                &id,
                &after.id,
                &after.email,
                &fold(&after.email),
                after.name.as_deref(),
                after.technical_level.as_deref(),
                after.developer_persona.as_deref(),
                after.added_at
            ],
        )?;
        if old.email != after.email || old.name != after.name {
            let person = (after.name.as_deref(), after.email.as_str());
            self.leave_to(|tx, by| shown::renew(tx, by.organization_id(), &after.id, person))?;
        }
        // The function that changes a role tells of that itself, unless the person has none any more.
        if is_role_change && after.role != Some(UserRole::None) {
            return Ok(());
        }
        let requested = if is_role_change { json!({ "role": "none" }) } else { json!({}) };
        let payload = json!({ "id": after.id, "changes_requested": requested });
        self.record(&Event::new("user.updated", &after.id, payload))
    }

    /// The groups, without who is in them.
    pub(super) fn groups(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        for (_, old, new) in pairs(&before.groups, &wanted.groups) {
            let after = after!(new, old, self.now);
            if !self.note(("group", None), &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let id = self.id();
            self.write(
                "INSERT INTO groups (organization_id, id, name, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (organization_id, id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at",
                args![&id, &after.id, &after.name, after.created_at],
            )?;
            let event = if old.is_none() {
                let payload = json!({ "id": after.id, "data": { "group_name": after.name } });
                Event::new("group.created", &after.id, payload)
            } else {
                let requested = json!({ "group_name": after.name });
                let payload = json!({ "id": after.id, "changes_requested": requested });
                Event::new("group.updated", &after.id, payload)
            };
            self.record(&event)?;
        }
        Ok(())
    }

    /// Who is in the groups. As everywhere else, the record has no type of event for that.
    pub(super) fn group_members(
        &mut self,
        before: &Document,
        wanted: &Document,
    ) -> Result<(), Refusal> {
        for (_, old, new) in pairs(&before.groups, &wanted.groups) {
            let there = old.map_or(&[][..], |old| &old.users);
            for (_, old, member) in pairs(there, &new.users) {
                let after = after!(member, old, self.now);
                let both = format!("{} {}", new.id, after.id);
                if !self.note(("group member", None), both, old.is_some(), after.differences(old)) {
                    continue;
                }
                let id = self.id();
                self.write(
                    "INSERT INTO group_members (organization_id, group_id, user_id, added_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organization_id, group_id, user_id) DO UPDATE SET added_at = excluded.added_at",
                    args![&id, &new.id, &after.id, after.added_at],
                )?;
            }
        }
        Ok(())
    }

    /// The invitations. For one that changes the record has no closer type of event than that it was sent.
    pub(super) fn invites(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        for (place, old, new) in pairs(&before.invites, &wanted.invites) {
            let after = after!(new, old, self.now);
            if !self.note(("invite", None), &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let projects = after.projects.iter().flatten();
            let projects: Vec<_> = projects.map(|to| json!([to.id, to.role.name()])).collect();
            let hash = after.token_sha256.as_deref().and_then(hash_of);
            let id = self.id();
            let path = || format!("$.invites[{place}].token_sha256");
            self.ensure_free(Secrets::Links, hash.as_ref(), ("", &after.id), path)?;
            self.write_secret(
                "INSERT INTO invites (organization_id, id, email, email_folded, role, projects, token_hash, created_at, expires_at,
                     accepted_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (organization_id, id) DO UPDATE SET email = excluded.email, email_folded = excluded.email_folded,
                     role = excluded.role, projects = excluded.projects, token_hash = excluded.token_hash,
                     created_at = excluded.created_at, expires_at = excluded.expires_at, accepted_at = excluded.accepted_at",
                args![
                    &id,
                    &after.id,
                    &after.email,
                    &fold(&after.email),
                    after.role.name(),
                    &json!(projects).to_string(),
                    hash.as_ref().map(<[u8; 32]>::as_slice),
                    after.created_at,
                    after.expires_at,
                    after.accepted_at
                ],
                path,
            )?;
            let data = json!({ "email": after.email, "role": after.role.name() });
            let payload = json!({ "id": after.id, "data": data });
            self.record(&Event::new("invite.sent", &after.id, payload))?;
        }
        Ok(())
    }
}
