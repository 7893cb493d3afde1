//! Custom roles, and who has which role.

use serde_json::json;
use sql::args;

use super::complete::after;
use super::people::organization_role;
use super::projects::project_role;
use super::walk::{Walk, pairs};
use crate::audit::Event;
use crate::document::fault::Refusal;
use crate::document::format::words::UserRole;
use crate::document::format::{Assigned, Document, Project, Role};
use crate::domain::permission::Permissions;
use crate::domain::role::BuiltIn;
use crate::holdings::Kind;
use crate::resources::level::Level;

/// Somebody with roles at a level.
pub struct Holder<'a> {
    /// Person and account, or group.
    pub kind: Kind,
    /// The id.
    pub id: &'a str,
    /// The built-in role in their own row.
    pub seat: Option<BuiltIn>,
    /// Whether that is another one than before, which takes all other built-in ones away.
    pub is_seat_new: bool,
}

/// The id by which a role is stored: of a built-in one its alias, in whatever spelling it was told.
pub fn stored_id<'a>(level: &Level, id: &'a str) -> &'a str {
    BuiltIn::from_id(level.kind(), level.resource_id(), id).map_or(id, |role| role.alias())
}

impl Walk<'_, '_> {
    /// The custom roles of a level.
    pub(super) fn roles(
        &mut self,
        project: Option<&Project>,
        before: &[Role],
        wanted: &[Role],
    ) -> Result<(), Refusal> {
        let level = self.level(project);
        let within = project.map(|project| project.id.as_str());
        for (_, old, new) in pairs(before, wanted) {
            let mut after = after!(new, old, self.now);
            if old.is_some_and(|old| old.updated_at == after.updated_at && is_other(old, &after)) {
                after.updated_at = Some(self.now);
            }
            if !self.note(("role", within), &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let permissions: Permissions = after.permissions.iter().map(String::as_str).collect();
            self.write(
                "INSERT INTO roles (organization_id, project_id, id, name, description, permissions, reaches_projects, created_at,
                     updated_at, created_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (organization_id, project_id, id) DO UPDATE SET name = excluded.name,
                     description = excluded.description, permissions = excluded.permissions,
                     reaches_projects = excluded.reaches_projects, created_at = excluded.created_at,
                     updated_at = excluded.updated_at, created_by = excluded.created_by",
                args![
                    &level.organization,
                    level.project_key(),
                    &after.id,
                    &after.name,
                    after.description.as_deref(),
                    &after.permissions.join(" "),
                    permissions.reaches_projects(),
                    after.created_at,
                    after.updated_at,
                    after.created_by.as_deref()
                ],
            )?;
            let (place, resource) = (level.kind().resource_type(), level.resource_id());
            let event = if old.is_none() {
                let payload = json!({
                    "id": after.id, "role_name": after.name, "permissions": after.permissions,
                    "resource_type": place, "resource_id": resource,
                });
                Event::new("role.created", &after.id, payload)
            } else {
                let requested = json!({ "role_name": after.name, "resource_type": place, "resource_id": resource });
                let payload = json!({ "id": after.id, "changes_requested": requested });
                Event::new("role.updated", &after.id, payload)
            };
            self.record(&level.place(event))?;
        }
        Ok(())
    }

    /// Who has which role, everywhere.
    pub(super) fn rights(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        for (_, old, new) in pairs(&before.users, &wanted.users) {
            let role = new.role.or(old.and_then(|old| old.role)).or(Some(UserRole::default()));
            let holder = Holder {
                kind: Kind::User,
                id: &new.id,
                seat: organization_role(role).map(BuiltIn::from),
                is_seat_new: old.is_some_and(|old| old.role != role),
            };
            self.assign(None, &holder, old.map_or(&[], |old| &old.roles), &new.roles)?;
        }
        for (_, old, new) in pairs(&before.groups, &wanted.groups) {
            let holder = Holder { kind: Kind::Group, id: &new.id, seat: None, is_seat_new: false };
            self.assign(None, &holder, old.map_or(&[], |old| &old.roles), &new.roles)?;
        }
        for (_, old, new) in pairs(&before.projects, &wanted.projects) {
            self.rights_in(old, new)?;
        }
        Ok(())
    }

    fn rights_in(&mut self, before: Option<&Project>, project: &Project) -> Result<(), Refusal> {
        let there = before.map_or(&[][..], |before| &before.users);
        for (_, old, new) in pairs(there, &project.users) {
            let after = after!(new, old, self.now);
            let holder = Holder {
                kind: Kind::User,
                id: &new.id,
                seat: project_role(after.role).map(BuiltIn::from),
                is_seat_new: old.is_some_and(|old| old.role != after.role),
            };
            self.assign(Some(project), &holder, old.map_or(&[], |old| &old.roles), &new.roles)?;
        }
        let there = before.map_or(&[][..], |before| &before.service_accounts);
        for (_, old, new) in pairs(there, &project.service_accounts) {
            let after = after!(new, old, self.now);
            let holder = Holder {
                kind: Kind::User,
                id: &new.id,
                seat: project_role(after.role).map(BuiltIn::from),
                is_seat_new: old.is_some_and(|old| old.role != after.role),
            };
            self.assign(Some(project), &holder, old.map_or(&[], |old| &old.roles), &new.roles)?;
            let holder = Holder { seat: None, is_seat_new: false, ..holder };
            let there = old.map_or(&[][..], |old| &old.organization_roles);
            self.assign(None, &holder, there, &new.organization_roles)?;
        }
        let there = before.map_or(&[][..], |before| &before.groups);
        for (_, old, new) in pairs(there, &project.groups) {
            let holder =
                Holder { kind: Kind::Group, id: &new.group_id, seat: None, is_seat_new: false };
            self.assign(Some(project), &holder, old.map_or(&[], |old| &old.roles), &new.roles)?;
        }
        Ok(())
    }

    /// Gives somebody the roles of a level that they do not have.
    fn assign(
        &mut self,
        project: Option<&Project>,
        holder: &Holder<'_>,
        before: &[Assigned],
        wanted: &[Assigned],
    ) -> Result<(), Refusal> {
        if wanted.is_empty() {
            return Ok(());
        }
        let level = self.level(project);
        let within = project.map(|project| project.id.as_str());
        for new in wanted {
            let role = stored_id(&level, &new.id);
            let built_in = BuiltIn::from_id(level.kind(), level.resource_id(), role);
            if built_in.is_some() && built_in == holder.seat {
                continue;
            }
            let is_gone = holder.is_seat_new && built_in.is_some();
            let old = before.iter().find(|old| old.id == role).filter(|_| !is_gone);
            let mut after = after!(new, old, self.now);
            role.clone_into(&mut after.id);
            let both = format!("{} {role}", holder.id);
            if !self.note(("role assignment", within), both, old.is_some(), after.differences(old))
            {
                continue;
            }
            self.write(
                "INSERT INTO role_assignments (organization_id, project_id, principal_type, principal_id, role_id, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (organization_id, project_id, principal_type, principal_id, role_id)
                     DO UPDATE SET created_at = excluded.created_at",
                args![
                    &level.organization,
                    level.project_key(),
                    holder.kind.name(),
                    holder.id,
                    role,
                    after.created_at
                ],
            )?;
            if old.is_none() {
                let kind = "role.assignment.created";
                self.record(&level.assignment(kind, role, holder.id, holder.kind))?;
            }
        }
        Ok(())
    }
}

/// Whether a role says something else than before, apart from when it was changed.
fn is_other(old: &Role, after: &Role) -> bool {
    old.name != after.name
        || old.permissions != after.permissions
        || old.description != after.description
}
