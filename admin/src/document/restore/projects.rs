//! Projects and what is in them.

use serde_json::{Map, json};
use sql::args;

use super::complete::after;
use super::walk::{Walk, pairs};
use super::whole::words;
use crate::audit::Event;
use crate::document::fault::Refusal;
use crate::document::format::words::MemberRole;
use crate::document::format::{Account, Member, Project, RateLimit};
use crate::domain::role::ProjectRole;
use crate::resources::project_users::store as members;
use crate::resources::rate_limits::limits::Limits;
use crate::resources::rate_limits::store::{self as limits, PREFIX};
use crate::resources::service_accounts::store as accounts;

/// The role of the store behind a word; none where there is none.
pub fn project_role(role: Option<MemberRole>) -> Option<ProjectRole> {
    ProjectRole::from_name(role?.name())
}

impl Walk<'_, '_> {
    /// The project itself, its custom roles, and who is in it.
    pub(super) fn project(
        &mut self,
        before: Option<&Project>,
        wanted: &Project,
    ) -> Result<(), Refusal> {
        let mut after = after!(wanted, before, self.now);
        let tools = before.and_then(|before| before.hosted_tool_permissions.as_ref());
        let said = wanted.hosted_tool_permissions.as_ref();
        let said = said.map(|said| said.over(tools)).or_else(|| tools.cloned());
        after.hosted_tool_permissions = said.filter(|said| !said.disabled().is_empty());
        let differences = after.differences(before);
        if self.note(("project", None), &after.id, before.is_some(), differences) {
            self.write_project(before, &after)?;
        }
        let none = Project::default();
        let there = before.unwrap_or(&none);
        self.roles(Some(&after), &there.roles, &wanted.roles)?;
        self.members(&after, &there.users, &wanted.users)?;
        self.accounts(&after, &there.service_accounts, &wanted.service_accounts)
    }

    fn write_project(&mut self, before: Option<&Project>, after: &Project) -> Result<(), Refusal> {
        let id = self.id();
        self.write(
            "INSERT INTO projects (organization_id, id, name, created_at, archived_at, external_key_id, residency, geography)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (organization_id, id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at,
                 archived_at = excluded.archived_at, external_key_id = excluded.external_key_id,
                 residency = excluded.residency, geography = excluded.geography",
            args![
                &id,
                &after.id,
                &after.name,
                after.created_at,
                after.archived_at,
                after.external_key_id.as_deref(),
                after.residency.as_deref(),
                after.geography.as_deref()
            ],
        )?;
        let event = |kind, payload| Event::new(kind, &after.id, payload).in_project(&after.id);
        if before.is_none() {
            let data = json!({ "name": after.name, "title": after.name });
            self.record(&event("project.created", json!({ "id": after.id, "data": data })))?;
        } else {
            let is_renamed = before.is_some_and(|before| before.name != after.name);
            let requested = if is_renamed { json!({ "title": after.name }) } else { json!({}) };
            let payload = json!({ "id": after.id, "changes_requested": requested });
            self.record(&event("project.updated", payload))?;
        }
        let was_archived = before.is_some_and(|before| before.archived_at.is_some());
        if after.archived_at.is_some() && !was_archived {
            self.record(&event("project.archived", json!({ "id": after.id })))?;
        }
        self.write_policies(before, after)
    }

    /// What is set for a project is told by the event of the project.
    fn write_policies(&mut self, before: Option<&Project>, after: &Project) -> Result<(), Refusal> {
        let said = |project: &Project| {
            let limits = (project.data_retention.clone(), project.spend_limit.clone());
            (limits, project.model_permissions.clone(), project.hosted_tool_permissions.clone())
        };
        if before.map(said).unwrap_or_default() == said(after) {
            return Ok(());
        }
        let id = self.id();
        let models = after.model_permissions.as_ref();
        let tools = after.hosted_tool_permissions.as_ref().map(|tools| words(&tools.disabled()));
        self.write(
            "INSERT INTO policies (organization_id, project_id, data_retention, spend_limit, model_mode, model_ids, hosted_tools)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (organization_id, project_id) DO UPDATE SET data_retention = excluded.data_retention,
                 spend_limit = excluded.spend_limit, model_mode = excluded.model_mode, model_ids = excluded.model_ids,
                 hosted_tools = excluded.hosted_tools",
            args![
                &id,
                &after.id,
                after.data_retention.as_ref().map(|retention| retention.kind.name()),
                after.spend_limit.as_ref().map(|limit| limit.threshold_amount),
                models.map(|models| models.mode.name()),
                models.map(|models| json!(models.model_ids).to_string()).as_deref(),
                tools.as_deref()
            ],
        )?;
        Ok(())
    }

    fn members(
        &mut self,
        project: &Project,
        before: &[Member],
        wanted: &[Member],
    ) -> Result<(), Refusal> {
        for (_, old, new) in pairs(before, wanted) {
            let after = after!(new, old, self.now);
            let differences = after.differences(old);
            if !self.note(("member", Some(&project.id)), &after.id, old.is_some(), differences) {
                continue;
            }
            let role = project_role(after.role);
            let given = role.filter(|_| old.is_some_and(|old| old.role != after.role));
            // Who gives a role must find the one that was there.
            let there = old.filter(|_| given.is_some()).map_or(role, |old| project_role(old.role));
            let added_at = after.added_at.unwrap_or(self.now);
            self.leave_to(|tx, by| {
                members::put(tx, by.organization_id(), &project.id, &after.id, there, added_at)
            })?;
            let named = json!({ "role": role.map_or("none", ProjectRole::name) });
            if old.is_none() {
                let payload = json!({ "id": after.id, "data": named });
                self.record(&Event::new("user.added", &after.id, payload).in_project(&project.id))?;
                continue;
            }
            let level = self.level(Some(project));
            if let Some(role) = given {
                let (person, within) = (after.id.clone(), level.project);
                self.leave_to(move |tx, by| {
                    let Some(within) = within else { return Ok(()) };
                    let member = members::find(tx, by.organization_id(), &within.id, &person)?;
                    members::modify(tx, by, &within, member, role).map(drop)
                })?;
            } else {
                let payload = json!({ "id": after.id, "changes_requested": named });
                self.record(&level.place(Event::new("user.updated", &after.id, payload)))?;
            }
        }
        Ok(())
    }

    fn accounts(
        &mut self,
        project: &Project,
        before: &[Account],
        wanted: &[Account],
    ) -> Result<(), Refusal> {
        let id = self.id();
        for (_, old, new) in pairs(before, wanted) {
            let after = after!(new, old, self.now);
            let kind = ("service account", Some(project.id.as_str()));
            if !self.note(kind, &after.id, old.is_some(), after.differences(old)) {
                continue;
            }
            let role = project_role(after.role);
            let name = role.map_or("none", ProjectRole::name);
            let level = self.level(Some(project));
            let Some(old) = old else {
                self.write(
                    "INSERT INTO service_accounts (organization_id, project_id, id, name, role, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6)",
                    args![&id, &project.id, &after.id, &after.name, role.map(ProjectRole::name), after.created_at],
                )?;
                let payload = json!({ "id": after.id, "data": { "role": name } });
                self.record(&level.place(Event::new(
                    "service_account.created",
                    &after.id,
                    payload,
                )))?;
                continue;
            };
            let is_role_change = old.role != after.role;
            if let Some(role) = role.filter(|_| is_role_change) {
                let account = after.id.clone();
                let place = self.level(Some(project));
                self.leave_to(move |tx, by| {
                    let found =
                        accounts::find(tx, by.organization_id(), place.project_key(), &account)?;
                    let changes =
                        accounts::Changes { role: Some(role), ..accounts::Changes::default() };
                    accounts::modify(tx, by, &place, &found, &changes).map(drop)
                })?;
            }
            self.write(
                "UPDATE service_accounts SET name = $4, role = $5, created_at = $6
                 WHERE organization_id = $1 AND project_id = $2 AND id = $3",
                args![
                    &id,
                    &project.id,
                    &after.id,
                    &after.name,
                    role.map(ProjectRole::name),
                    after.created_at
                ],
            )?;
            if !is_role_change || role.is_none() {
                let requested = if is_role_change { json!({ "role": name }) } else { json!({}) };
                let payload = json!({ "id": after.id, "changes_requested": requested });
                self.record(&level.place(Event::new(
                    "service_account.updated",
                    &after.id,
                    payload,
                )))?;
            }
        }
        Ok(())
    }

    /// What is in the project beside people.
    pub(super) fn content_of_project(
        &mut self,
        number: usize,
        before: Option<&Project>,
        wanted: &Project,
    ) -> Result<(), Refusal> {
        let none = Project::default();
        let there = before.unwrap_or(&none);
        let id = self.id();
        for (_, old, new) in pairs(&there.groups, &wanted.groups) {
            let after = after!(new, old, self.now);
            let kind = ("project group", Some(wanted.id.as_str()));
            if self.note(kind, &after.group_id, old.is_some(), after.differences(old)) {
                self.write(
                    "INSERT INTO project_groups (organization_id, project_id, group_id, created_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (organization_id, project_id, group_id) DO UPDATE SET created_at = excluded.created_at",
                    args![&id, &wanted.id, &after.group_id, after.created_at],
                )?;
            }
        }
        self.project_keys(number, wanted, &there.api_keys, &wanted.api_keys)?;
        self.rate_limits(wanted, &there.rate_limits, &wanted.rate_limits)?;
        self.alerts(Some(wanted), &there.spend_alerts, &wanted.spend_alerts)?;
        for (_, old, new) in pairs(&there.certificates, &wanted.certificates) {
            let is_active = new.active.unwrap_or(true);
            if is_active == old.is_some() {
                continue;
            }
            let after = after!(new, old, self.now);
            let kind = ("active certificate", Some(wanted.id.as_str()));
            self.note(kind, &new.id, old.is_some(), after.differences(old));
            self.turn(Some(wanted), &new.id, None, is_active)?;
        }
        Ok(())
    }

    fn rate_limits(
        &mut self,
        project: &Project,
        before: &[RateLimit],
        wanted: &[RateLimit],
    ) -> Result<(), Refusal> {
        for (_, old, new) in pairs(before, wanted) {
            let after = after!(new, old, self.now);
            let differences = after.differences(old);
            let kind = ("rate limit", Some(project.id.as_str()));
            if !self.note(kind, &after.id, old.is_some(), differences) {
                continue;
            }
            let model = after.id.strip_prefix(PREFIX).unwrap_or(&after.id);
            let own = Limits([
                after.max_requests_per_1_minute,
                after.max_tokens_per_1_minute,
                after.max_images_per_1_minute,
                after.max_audio_megabytes_per_1_minute,
                after.max_requests_per_1_day,
                after.batch_1_day_max_input_tokens,
            ]);
            self.leave_to(|tx, by| {
                Ok(limits::write(tx, by.organization_id(), &project.id, model, &own)?)
            })?;
            let told = after.differences(old).into_iter();
            let told: Map<_, _> = told.map(|one| (one.name.to_owned(), one.after)).collect();
            let payload = json!({ "id": after.id, "changes_requested": told });
            let event = Event::new("rate_limit.updated", &after.id, payload);
            self.record(&event.in_project(&project.id))?;
        }
        Ok(())
    }
}
