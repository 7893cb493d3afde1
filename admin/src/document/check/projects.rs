//! What is in a project.

use super::Check;
use super::organization::{Seat, before};
use crate::document::format::words::{MemberRole, OwnerType};
use crate::document::format::{Document, Project, ProjectKey, RateLimit};
use crate::domain::role::{BuiltIn, ProjectRole};
use crate::resources::projects::RESIDENCIES;
use crate::resources::rate_limits::limits::UNLIMITED;
use crate::resources::rate_limits::store::PREFIX;

impl Check<'_> {
    /// A project with everything in it.
    pub(super) fn project(&mut self, number: usize, there: &Document, project: &Project) {
        let path = format!("$.projects[{number}]");
        let path = path.as_str();
        let old = before(&there.projects, &project.id);
        self.own_members(path, old, project);
        self.roles(&project.roles, &project.id, path);
        self.members(path, old, project);
        self.accounts(path, old, project);
        self.ids(&project.groups, format_args!("{path}.groups"), "group_id");
        for (place, group) in project.groups.iter().enumerate() {
            let path = format_args!("{path}.groups[{place}]");
            let is_there = self.known.groups.contains(group.group_id.as_str());
            self.ensure(is_there, format_args!("{path}.group_id"), || {
                format!("there is no group '{}'", group.group_id)
            });
            let old = old.and_then(|old| before(&old.groups, &group.group_id));
            let has_role = !group.roles.is_empty() || old.is_some();
            self.ensure(has_role, format_args!("{path}.roles"), || {
                "a group is in a project as long as it has a role there; name one".to_owned()
            });
            self.assigned(&group.roles, &project.id, Seat::Absent, format_args!("{path}.roles"));
        }
        self.ids(&project.api_keys, format_args!("{path}.api_keys"), "id");
        for (place, key) in project.api_keys.iter().enumerate() {
            let old = old.and_then(|old| before(&old.api_keys, &key.id));
            self.key(&format!("{path}.api_keys[{place}]"), project, old, key);
        }
        self.rate_limits(path, &project.rate_limits);
        self.alerts(&project.spend_alerts, path);
        self.ids(&project.certificates, format_args!("{path}.certificates"), "id");
        for (place, certificate) in project.certificates.iter().enumerate() {
            let is_there = self.known.certificates.contains(certificate.id.as_str());
            self.ensure(is_there, format_args!("{path}.certificates[{place}].id"), || {
                format!("there is no certificate '{}'", certificate.id)
            });
        }
    }

    fn own_members(&mut self, path: &str, old: Option<&Project>, project: &Project) {
        self.text(Some(&project.name), 1, 255, format_args!("{path}.name"));
        let texts =
            [("external_key_id", &project.external_key_id), ("geography", &project.geography)];
        for (name, text) in texts {
            self.text(text.as_ref(), 0, 255, format_args!("{path}.{name}"));
        }
        let residency = project.residency.as_deref();
        let is_known = residency.is_none_or(|residency| RESIDENCIES.contains(&residency));
        self.ensure(is_known, format_args!("{path}.residency"), || {
            format!("must be one of {}", RESIDENCIES.join(", "))
        });
        if project.id == self.organization.default_project_id {
            let is_active = project.archived_at.is_none();
            self.ensure(is_active, format_args!("{path}.archived_at"), || {
                "the default project cannot be archived".to_owned()
            });
            let is_same = old.is_none_or(|old| {
                let after = project.over(Some(old));
                let told = |project: &Project| {
                    (
                        project.name.clone(),
                        project.external_key_id.clone(),
                        project.geography.clone(),
                    )
                };
                told(old) == told(&after)
            });
            self.ensure(is_same, path, || "the default project cannot be changed".to_owned());
        }
        if let Some(old) = old {
            let is_same = residency.is_none() || project.residency == old.residency;
            self.ensure(is_same, format_args!("{path}.residency"), || {
                "cannot change; create another project with it".to_owned()
            });
        }
        self.spend_limit(project.spend_limit.as_ref(), format_args!("{path}.spend_limit"));
        let models = project.model_permissions.as_ref();
        let old = old.and_then(|old| old.model_permissions.as_ref());
        // What was exported may name models that are gone, as what is in a list already may stay in it.
        let is_kept = models.is_some() && old == models;
        let ids = models.map_or(&[][..], |models| &models.model_ids);
        self.ensure(ids.len() <= 1000, format_args!("{path}.model_permissions.model_ids"), || {
            "must name 1000 models at most".to_owned()
        });
        for (place, id) in ids.iter().enumerate() {
            let fits = is_kept || (!id.is_empty() && id.len() <= 255);
            self.ensure(fits, format_args!("{path}.model_permissions.model_ids[{place}]"), || {
                "must have 1 to 255 bytes".to_owned()
            });
        }
    }

    fn members(&mut self, path: &str, old: Option<&Project>, project: &Project) {
        self.ids(&project.users, format_args!("{path}.users"), "id");
        for (place, member) in project.users.iter().enumerate() {
            let path = format_args!("{path}.users[{place}]");
            let is_there = self.known.users.contains_key(member.id.as_str());
            self.ensure(is_there, format_args!("{path}.id"), || {
                format!("there is no user '{}' in the organization", member.id)
            });
            let there = old.and_then(|old| before(&old.users, &member.id));
            let role = member.role.or(there.and_then(|there| there.role));
            let seat = Seat::Holds(seat(role));
            self.assigned(&member.roles, &project.id, seat, format_args!("{path}.roles"));
        }
    }

    fn accounts(&mut self, path: &str, old: Option<&Project>, project: &Project) {
        self.ids(&project.service_accounts, format_args!("{path}.service_accounts"), "id");
        for (place, account) in project.service_accounts.iter().enumerate() {
            let path = format_args!("{path}.service_accounts[{place}]");
            self.text(Some(&account.name), 1, 255, format_args!("{path}.name"));
            let is_here = !self.known.displaced.contains(account.id.as_str());
            self.ensure(is_here, format_args!("{path}.id"), || {
                format!("a service account '{}' is in another project", account.id)
            });
            let there = old.and_then(|old| before(&old.service_accounts, &account.id));
            let role = account.role.or(there.and_then(|there| there.role));
            let seat = Seat::Holds(seat(role));
            self.assigned(&account.roles, &project.id, seat, format_args!("{path}.roles"));
            let path = format_args!("{path}.organization_roles");
            self.assigned(&account.organization_roles, "", Seat::Absent, path);
            let owner = BuiltIn::OrganizationOwner.alias();
            let is_owner = account.organization_roles.iter().any(|role| role.id.starts_with(owner));
            self.ensure(!is_owner, path, || {
                "a service account cannot own the organization".to_owned()
            });
        }
    }

    fn key(&mut self, path: &str, project: &Project, old: Option<&ProjectKey>, key: &ProjectKey) {
        self.text(key.name.as_ref(), 0, 255, format_args!("{path}.name"));
        self.text(key.redacted_value.as_ref(), 1, 255, format_args!("{path}.redacted_value"));
        self.hash(key.secret_sha256.as_ref(), format_args!("{path}.secret_sha256"));
        self.permissions(key.scopes.as_deref().unwrap_or_default(), format_args!("{path}.scopes"));
        let owner = &key.owner;
        let is_there = match owner.kind {
            OwnerType::User => {
                owner.left_at.is_some() || self.known.users.contains_key(owner.id.as_str())
            }
            OwnerType::ServiceAccount => {
                self.known.accounts.get(owner.id.as_str()) == Some(&project.id.as_str())
            }
        };
        self.ensure(is_there, format_args!("{path}.owner.id"), || match owner.kind {
            OwnerType::User => format!("there is no user '{}' in the organization", owner.id),
            OwnerType::ServiceAccount => {
                format!("there is no service account '{}' in the project", owner.id)
            }
        });
        let is_same =
            old.is_none_or(|old| old.owner.id == owner.id && old.owner.kind == owner.kind);
        self.ensure(is_same, format_args!("{path}.owner"), || {
            "is somebody else's key already; write it under another id".to_owned()
        });
    }

    fn rate_limits(&mut self, path: &str, limits: &[RateLimit]) {
        self.ids(limits, format_args!("{path}.rate_limits"), "id");
        for (place, limit) in limits.iter().enumerate() {
            let path = format_args!("{path}.rate_limits[{place}]");
            let model = limit.id.strip_prefix(PREFIX);
            let is_there = model.is_some_and(|model| self.known.models.contains(model));
            self.ensure(is_there, format_args!("{path}.id"), || {
                format!(
                    "must be '{PREFIX}' and the id of a model; there is none for '{}'",
                    limit.id
                )
            });
            let numbers = [
                ("max_requests_per_1_minute", limit.max_requests_per_1_minute),
                ("max_tokens_per_1_minute", limit.max_tokens_per_1_minute),
                ("max_images_per_1_minute", limit.max_images_per_1_minute),
                ("max_audio_megabytes_per_1_minute", limit.max_audio_megabytes_per_1_minute),
                ("max_requests_per_1_day", limit.max_requests_per_1_day),
                ("batch_1_day_max_input_tokens", limit.batch_1_day_max_input_tokens),
            ];
            for (name, number) in numbers {
                self.number(number, 0, UNLIMITED, format_args!("{path}.{name}"));
            }
        }
    }
}

/// The built-in role that stands in a row for which this is said.
fn seat(role: Option<MemberRole>) -> Option<BuiltIn> {
    let role = role.unwrap_or(MemberRole::Member);
    ProjectRole::from_name(role.name()).map(BuiltIn::from)
}
