//! The organization itself, and who and what is in it.

use std::fmt::Display;

use super::Check;
use crate::document::format::words::{MemberRole, NotificationChannel, SpendLimit, UserRole};
use crate::document::format::{Alert, Assigned, Document, Keyed, Model, Role};
use crate::domain::id::is_possible_id;
use crate::domain::level::LevelKind;
use crate::domain::permission;
use crate::domain::role::BuiltIn;
use crate::organization::fault_of_slug;
use crate::resources::certificates::{pem, store as certificates};
use crate::resources::rate_limits::limits::UNLIMITED;
use crate::resources::rate_limits::models::fault_of_name;
use crate::resources::spend_limits::wire::LARGEST_AMOUNT;
use crate::resources::users::store::fold;

/// The one of this id among what was there, which is sorted.
pub fn before<'a, T: Keyed>(all: &'a [T], id: &str) -> Option<&'a T> {
    all.get(all.binary_search_by(|one| one.key().cmp(id)).ok()?)
}

/// The row in which somebody's mightiest built-in role stands.
#[derive(Clone, Copy)]
pub enum Seat {
    /// There is none, as for groups, and for service accounts in the organization.
    Absent,
    /// It is there, with this role or none in it.
    Holds(Option<BuiltIn>),
}

impl Check<'_> {
    /// The organization's own members.
    pub(super) fn itself(&mut self, before: &Document, wanted: &Document) {
        if let Some(fault) = wanted.slug.as_deref().and_then(fault_of_slug) {
            self.ensure(false, "$.slug", || fault.to_owned());
        }
        self.ensure(is_possible_id(&self.organization.id), "$.id", || {
            "must have 1 to 256 bytes and no control characters".to_owned()
        });
        self.text(wanted.name.as_ref(), 1, 255, "$.name");
        let default = self.organization.default_project_id.as_str();
        let is_same = wanted.default_project_id.as_deref().is_none_or(|id| id == default);
        self.ensure(is_same, "$.default_project_id", || {
            format!("the default project is {default} and stays so")
        });
        let is_there = self.known.projects.contains(default);
        self.ensure(is_there, "$.default_project_id", || {
            format!("the project '{default}' is not in the document")
        });
        self.spend_limit(wanted.spend_limit.as_ref(), "$.spend_limit");
        let has_owner = self.known.users.values().any(|role| *role == UserRole::Owner);
        self.ensure(has_owner, "$.users", || {
            let there = if before.id.is_some() { "keeps" } else { "has" };
            format!("the organization {there} no owner; give somebody the role 'owner'")
        });
    }

    /// People and groups.
    pub(super) fn people(&mut self, _: &Document, wanted: &Document) {
        self.ids(&wanted.users, "$.users", "id");
        for (place, user) in wanted.users.iter().enumerate() {
            let path = format_args!("$.users[{place}]");
            self.email(&user.email, format_args!("{path}.email"));
            let holder = self.known.emails.get(&fold(&user.email)).copied();
            self.ensure(holder == Some(&user.id), format_args!("{path}.email"), || {
                format!("is the address of {}", holder.unwrap_or_default())
            });
            let is_account = self.known.accounts.contains_key(user.id.as_str());
            self.ensure(!is_account, format_args!("{path}.id"), || {
                "is the id of a service account".to_owned()
            });
            self.text(user.name.as_ref(), 0, 255, format_args!("{path}.name"));
            let (level, persona) = (user.technical_level.as_ref(), user.developer_persona.as_ref());
            self.text(level, 0, 255, format_args!("{path}.technical_level"));
            self.text(persona, 0, 255, format_args!("{path}.developer_persona"));
            let role = self.known.users.get(user.id.as_str()).copied().unwrap_or_default();
            let seat = match role {
                UserRole::Owner => Some(BuiltIn::OrganizationOwner),
                UserRole::Reader => Some(BuiltIn::OrganizationReader),
                UserRole::None => None,
            };
            self.assigned(&user.roles, "", Seat::Holds(seat), format_args!("{path}.roles"));
        }
        self.ids(&wanted.groups, "$.groups", "id");
        for (place, group) in wanted.groups.iter().enumerate() {
            let path = format_args!("$.groups[{place}]");
            self.text(Some(&group.name), 1, 255, format_args!("{path}.name"));
            self.ids(&group.users, format_args!("{path}.users"), "id");
            for (place, member) in group.users.iter().enumerate() {
                let id = member.id.as_str();
                let is_there =
                    self.known.users.contains_key(id) || self.known.accounts.contains_key(id);
                self.ensure(is_there, format_args!("{path}.users[{place}].id"), || {
                    format!("there is neither a user nor a service account '{id}'")
                });
            }
            self.assigned(&group.roles, "", Seat::Absent, format_args!("{path}.roles"));
        }
        self.roles(&wanted.roles, "", "$");
    }

    /// Custom roles of a level.
    pub(super) fn roles(&mut self, roles: &[Role], project: &str, path: impl Display) {
        let path = format_args!("{path}.roles");
        self.ids(roles, path, "id");
        let level = if project.is_empty() { LevelKind::Organization } else { LevelKind::Project };
        for (place, role) in roles.iter().enumerate() {
            let path = format_args!("{path}[{place}]");
            self.ensure(!role.id.starts_with("role-api-"), format_args!("{path}.id"), || {
                "begins like the id of a built-in role; those are not written down".to_owned()
            });
            self.text(Some(&role.name), 1, 255, format_args!("{path}.name"));
            self.text(role.description.as_ref(), 0, 512, format_args!("{path}.description"));
            let holder = self.known.role_names.get(&(project, role.name.as_str())).copied();
            let is_free =
                holder == Some(&role.id) && BuiltIn::from_name(level, &role.name).is_none();
            self.ensure(is_free, format_args!("{path}.name"), || {
                format!("another role is called '{}' here", role.name)
            });
            self.permissions(&role.permissions, format_args!("{path}.permissions"));
        }
    }

    /// Permissions, each once.
    pub(super) fn permissions(&mut self, tokens: &[String], path: impl Display) {
        let mut seen = std::collections::HashSet::new();
        for (place, token) in tokens.iter().enumerate() {
            let path = format_args!("{path}[{place}]");
            if let Some(fault) = permission::fault(token) {
                self.ensure(false, path, || format!("'{token}' {fault}"));
            }
            self.ensure(seen.insert(token), path, || format!("'{token}' is there twice"));
        }
    }

    /// Roles that somebody has beside the one in their own row, which is the mightiest of the built-in ones. Groups have no such row.
    pub(super) fn assigned(
        &mut self,
        roles: &[Assigned],
        project: &str,
        seat: Seat,
        path: impl Display,
    ) {
        self.ids(roles, &path, "id");
        let (level, place) = if project.is_empty() {
            (LevelKind::Organization, self.organization.id.as_str())
        } else {
            (LevelKind::Project, project)
        };
        for (number, role) in roles.iter().enumerate() {
            let path = format_args!("{path}[{number}].id");
            let Some(built_in) = BuiltIn::from_id(level, place, &role.id) else {
                let is_there = self.known.roles.contains(&(project, role.id.as_str()));
                self.ensure(is_there, path, || format!("there is no role '{}' here", role.id));
                continue;
            };
            let is_below = match seat {
                Seat::Absent => true,
                Seat::Holds(_) if built_in == BuiltIn::ProjectViewer => true,
                // The mightier role is the smaller one.
                Seat::Holds(role) => role.is_some_and(|role| role <= built_in),
            };
            self.ensure(is_below, path, || {
                format!("is mightier than 'role'; write \"role\": \"{}\"", built_in.name())
            });
        }
    }

    /// What may be spent.
    pub(super) fn spend_limit(&mut self, limit: Option<&SpendLimit>, path: impl Display) {
        let amount = limit.map(|limit| limit.threshold_amount);
        self.number(amount, 1, LARGEST_AMOUNT, format_args!("{path}.threshold_amount"));
    }

    /// Alerts of a level.
    pub(super) fn alerts(&mut self, alerts: &[Alert], path: impl Display) {
        let path = format_args!("{path}.spend_alerts");
        self.ids(alerts, path, "id");
        for (place, alert) in alerts.iter().enumerate() {
            let path = format_args!("{path}[{place}]");
            let amount = Some(alert.threshold_amount);
            self.number(amount, 0, LARGEST_AMOUNT, format_args!("{path}.threshold_amount"));
            let path = format_args!("{path}.notification_channel");
            let NotificationChannel { recipients, subject_prefix, .. } =
                &alert.notification_channel;
            self.ensure(
                (1..=100).contains(&recipients.len()),
                format_args!("{path}.recipients"),
                || "must name 1 to 100 addresses".to_owned(),
            );
            for (place, recipient) in recipients.iter().enumerate() {
                self.email(recipient, format_args!("{path}.recipients[{place}]"));
            }
            self.text(subject_prefix.as_ref(), 0, 255, format_args!("{path}.subject_prefix"));
        }
    }

    /// Models, certificates and alerts.
    pub(super) fn things(&mut self, there: &Document, wanted: &Document) {
        self.ids(&wanted.models, "$.models", "id");
        for (place, model) in wanted.models.iter().enumerate() {
            let path = format_args!("$.models[{place}]");
            if let Some(fault) = fault_of_name(&model.id) {
                self.ensure(false, format_args!("{path}.id"), || fault.to_owned());
            }
            for (name, limit) in limits_of_model(model) {
                self.number(limit, 0, UNLIMITED, format_args!("{path}.{name}"));
            }
        }
        self.ids(&wanted.certificates, "$.certificates", "id");
        let count = i64::try_from(self.known.certificates.len()).unwrap_or(i64::MAX);
        self.ensure(count <= certificates::MOST, "$.certificates", || {
            format!("an organization can have {} certificates", certificates::MOST)
        });
        for (place, certificate) in wanted.certificates.iter().enumerate() {
            let path = format_args!("$.certificates[{place}]");
            self.text(certificate.name.as_ref(), 1, 255, format_args!("{path}.name"));
            match before(&there.certificates, &certificate.id) {
                Some(old) => {
                    let is_same = old.content == certificate.content;
                    self.ensure(is_same, format_args!("{path}.content"), || {
                        "another certificate is kept under this id; write it under another one"
                            .to_owned()
                    });
                }
                None => {
                    if let Err(fault) = pem::read(&certificate.content) {
                        self.ensure(false, format_args!("{path}.content"), || fault.to_string());
                    }
                }
            }
        }
        self.alerts(&wanted.spend_alerts, "$");
    }

    /// Admin keys, whose owners are owners, and invitations.
    pub(super) fn keys_and_invites(&mut self, there: &Document, wanted: &Document) {
        self.ids(&wanted.admin_api_keys, "$.admin_api_keys", "id");
        for (place, key) in wanted.admin_api_keys.iter().enumerate() {
            let path = format_args!("$.admin_api_keys[{place}]");
            self.text(key.name.as_ref(), 0, 255, format_args!("{path}.name"));
            self.text(key.redacted_value.as_ref(), 1, 255, format_args!("{path}.redacted_value"));
            self.hash(key.secret_sha256.as_ref(), format_args!("{path}.secret_sha256"));
            let role = self.known.users.get(key.owner.id.as_str());
            self.ensure(role == Some(&UserRole::Owner), format_args!("{path}.owner.id"), || {
                format!(
                    "'{}' is no owner of the organization, and nobody else holds admin keys",
                    key.owner.id
                )
            });
            let old = before(&there.admin_api_keys, &key.id);
            let is_same = old.is_none_or(|old| old.owner.id == key.owner.id);
            self.ensure(is_same, format_args!("{path}.owner.id"), || {
                "is somebody else's key already; write it under another id".to_owned()
            });
        }
        self.ids(&wanted.invites, "$.invites", "id");
        for (place, invite) in wanted.invites.iter().enumerate() {
            let path = format_args!("$.invites[{place}]");
            self.email(&invite.email, format_args!("{path}.email"));
            self.hash(invite.token_sha256.as_ref(), format_args!("{path}.token_sha256"));
            self.ensure(invite.role != UserRole::None, format_args!("{path}.role"), || {
                "must be owner or reader".to_owned()
            });
            for (place, to) in invite.projects.iter().flatten().enumerate() {
                let path = format_args!("{path}.projects[{place}]");
                let is_there = self.known.projects.contains(to.id.as_str());
                self.ensure(is_there, format_args!("{path}.id"), || {
                    format!("there is no project '{}'", to.id)
                });
                let is_role = to.role != MemberRole::None;
                self.ensure(is_role, format_args!("{path}.role"), || {
                    "must be owner or member".to_owned()
                });
            }
        }
    }
}

fn limits_of_model(model: &Model) -> [(&'static str, Option<i64>); 6] {
    [
        ("max_requests_per_1_minute", model.max_requests_per_1_minute),
        ("max_tokens_per_1_minute", model.max_tokens_per_1_minute),
        ("max_images_per_1_minute", model.max_images_per_1_minute),
        ("max_audio_megabytes_per_1_minute", model.max_audio_megabytes_per_1_minute),
        ("max_requests_per_1_day", model.max_requests_per_1_day),
        ("batch_1_day_max_input_tokens", model.batch_1_day_max_input_tokens),
    ]
}
