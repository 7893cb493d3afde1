//! The organization itself, what is set for it, and what belongs to it as a whole.

use serde_json::json;
use sql::{Arg, args};

use super::complete::after;
use super::walk::{Walk, pairs};
use crate::audit::Event;
use crate::document::change::Action;
use crate::document::fault::Refusal;
use crate::document::format::shape::difference;
use crate::document::format::words::HostedTool;
use crate::document::format::{Alert, Document, Model, Project};
use crate::resources::certificates::pem;

impl Walk<'_, '_> {
    /// The row of the organization.
    pub(super) fn itself(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        let was_there = before.id.is_some();
        let after = |before: &Option<String>, wanted: &Option<String>| {
            wanted.clone().or_else(|| before.clone()).unwrap_or_default()
        };
        let (slug, name) = (after(&before.slug, &wanted.slug), after(&before.name, &wanted.name));
        let created_at = wanted.created_at.or(before.created_at).unwrap_or(self.now);
        let differences = [
            difference("slug", before.slug.as_ref(), &slug),
            difference("name", before.name.as_ref(), &name),
            difference("created_at", before.created_at.as_ref(), &created_at),
        ];
        let differences = differences.into_iter().flatten().collect();
        let id = self.id();
        if !self.note(("organization", None), id.clone(), was_there, differences) {
            return Ok(());
        }
        let default_project = self.organization.default_project_id.clone();
        self.write(
            "INSERT INTO organizations (id, slug, name, default_project_id, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, name = excluded.name, created_at = excluded.created_at",
            args![&id, &slug, &name, &default_project, created_at],
        )?;
        self.organization.slug = slug;
        // As when it is founded at a first start, its coming is told by that of its default project.
        if was_there {
            self.record(&Event::new("organization.updated", &id, json!({ "id": id })))
        } else {
            Ok(())
        }
    }

    /// What is set for the organization.
    pub(super) fn policies_of_organization(
        &mut self,
        before: &Document,
        wanted: &Document,
    ) -> Result<(), Refusal> {
        let retention = wanted.data_retention.clone().or_else(|| before.data_retention.clone());
        let limit = wanted.spend_limit.clone().or_else(|| before.spend_limit.clone());
        let tools = wanted.required_hosted_tools.as_deref().map(sorted);
        let tools = tools
            .or_else(|| before.required_hosted_tools.clone())
            .filter(|tools| !tools.is_empty());
        let differences = [
            difference("data_retention", Some(&before.data_retention), &retention),
            difference("spend_limit", Some(&before.spend_limit), &limit),
            difference("required_hosted_tools", Some(&before.required_hosted_tools), &tools),
        ];
        let differences: Vec<_> = differences.into_iter().flatten().collect();
        if differences.is_empty() {
            return Ok(());
        }
        let id = self.id();
        self.tell(Action::Updated, ("policy", None), id.clone(), differences);
        let retention = retention.map(|retention| retention.kind.name());
        let words = tools.map(|tools| words(&tools));
        self.write(
            "INSERT INTO policies (organization_id, project_id, data_retention, spend_limit, hosted_tools) VALUES ($1, '', $2, $3, $4)
             ON CONFLICT (organization_id, project_id) DO UPDATE SET data_retention = excluded.data_retention,
                 spend_limit = excluded.spend_limit, hosted_tools = excluded.hosted_tools",
            args![&id, retention, limit.map(|limit| limit.threshold_amount), words.as_deref()],
        )?;
        self.record(&self.level(None).changed())
    }

    /// The operator's models.
    pub(super) fn models(&mut self, before: &Document, wanted: &Document) -> Result<(), Refusal> {
        let mut is_change = false;
        for (_, old, new) in pairs(&before.models, &wanted.models) {
            let after: Model = after!(new, old, self.now);
            let differences = after.differences(old);
            if !self.note(("model", None), &after.id, old.is_some(), differences) {
                continue;
            }
            is_change = true;
            let id = self.id();
            let origin = after.origin.map_or("command", |origin| origin.name());
            let arguments = [
                Arg::from(&id),
                Arg::from(&after.id),
                Arg::from(origin),
                Arg::from(after.created_at),
                Arg::from(after.max_requests_per_1_minute),
                Arg::from(after.max_tokens_per_1_minute),
                Arg::from(after.max_images_per_1_minute),
                Arg::from(after.max_audio_megabytes_per_1_minute),
                Arg::from(after.max_requests_per_1_day),
                Arg::from(after.batch_1_day_max_input_tokens),
            ];
            self.write(
                "INSERT INTO models (organization_id, id, origin, created_at, max_requests_per_minute, max_tokens_per_minute,
                     max_images_per_minute, max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (organization_id, id) DO UPDATE SET
                     origin = excluded.origin, created_at = excluded.created_at,
                     max_requests_per_minute = excluded.max_requests_per_minute,
                     max_tokens_per_minute = excluded.max_tokens_per_minute,
                     max_images_per_minute = excluded.max_images_per_minute,
                     max_audio_megabytes_per_minute = excluded.max_audio_megabytes_per_minute,
                     max_requests_per_day = excluded.max_requests_per_day,
                     max_batch_tokens_per_day = excluded.max_batch_tokens_per_day",
                &arguments,
            )?;
        }
        // One event for all, as where models come from the settings.
        let id = self.id();
        if is_change {
            self.record(&Event::new("organization.updated", &id, json!({ "id": id })))
        } else {
            Ok(())
        }
    }

    /// The certificates, and where the organization has them active.
    pub(super) fn certificates(
        &mut self,
        before: &Document,
        wanted: &Document,
    ) -> Result<(), Refusal> {
        for (place, old, new) in pairs(&before.certificates, &wanted.certificates) {
            let mut after = after!(new, old, self.now);
            let id = self.id();
            let was_active = old.and_then(|old| old.active) == Some(true);
            let is_active = after.active == Some(true);
            let read = if old.is_none() {
                Some(Self::read_certificate(place, &after.content)?)
            } else {
                None
            };
            if let Some(read) = &read {
                after.name = after.name.or_else(|| read.common_name.clone());
            }
            let differences = after.differences(old);
            if !self.note(("certificate", None), &after.id, old.is_some(), differences) {
                continue;
            }
            let mut told = json!({ "id": after.id });
            if let Some(name) = &after.name {
                told["name"] = json!(name);
            }
            if let Some(read) = read {
                self.write(
                    "INSERT INTO certificates (organization_id, id, name, content, subject, fingerprint, valid_at, expires_at,
                         created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    args![
                        &id,
                        &after.id,
                        after.name.as_deref(),
                        &after.content,
                        &read.subject,
                        &read.fingerprint,
                        read.valid_at,
                        read.expires_at,
                        after.created_at
                    ],
                )?;
                self.record(&Event::new("certificate.created", &after.id, told))?;
            } else if old
                .is_some_and(|old| old.name != after.name || old.created_at != after.created_at)
            {
                self.write(
                    "UPDATE certificates SET name = $3, created_at = $4 WHERE organization_id = $1 AND id = $2",
                    args![&id, &after.id, after.name.as_deref(), after.created_at],
                )?;
                self.record(&Event::new("certificate.updated", &after.id, told))?;
            }
            if was_active != is_active {
                self.turn(None, &after.id, after.name.as_deref(), is_active)?;
            }
        }
        Ok(())
    }

    fn read_certificate(place: usize, content: &str) -> Result<pem::Certificate, Refusal> {
        pem::read(content).map_err(|fault| {
            let path = format!("$.certificates[{place}].content");
            Refusal::Faulty(vec![crate::document::Fault::at(path, fault.to_string())])
        })
    }

    /// Makes a certificate active at a level, or ends that.
    pub(super) fn turn(
        &mut self,
        project: Option<&Project>,
        certificate: &str,
        name: Option<&str>,
        is_active: bool,
    ) -> Result<(), Refusal> {
        let level = self.level(project);
        let this = [
            Arg::from(&level.organization),
            Arg::from(level.project_key()),
            Arg::from(certificate),
        ];
        let (sql, kind) = if is_active {
            let sql = "INSERT INTO certificate_activations (organization_id, project_id, certificate_id) VALUES ($1, $2, $3)
                ON CONFLICT DO NOTHING";
            (sql, "certificates.activated")
        } else {
            let sql = "DELETE FROM certificate_activations
                WHERE organization_id = $1 AND project_id = $2 AND certificate_id = $3";
            (sql, "certificates.deactivated")
        };
        self.write(sql, &this)?;
        let mut told = json!({ "id": certificate });
        if let Some(name) = name {
            told["name"] = json!(name);
        }
        let event = Event::new(kind, certificate, json!({ "certificates": [told] }));
        self.record(&level.place(event))
    }

    /// The alerts of a level.
    pub(super) fn alerts(
        &mut self,
        project: Option<&Project>,
        before: &[Alert],
        wanted: &[Alert],
    ) -> Result<(), Refusal> {
        let level = self.level(project);
        for (_, old, new) in pairs(before, wanted) {
            let after = after!(new, old, self.now);
            let within = project.map(|project| project.id.as_str());
            if !self.note(("spend alert", within), &after.id, old.is_some(), after.differences(old))
            {
                continue;
            }
            let channel = &after.notification_channel;
            self.write(
                "INSERT INTO spend_alerts (organization_id, project_id, id, threshold_amount, recipients, subject_prefix, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (organization_id, project_id, id) DO UPDATE SET threshold_amount = excluded.threshold_amount,
                     recipients = excluded.recipients, subject_prefix = excluded.subject_prefix, created_at = excluded.created_at",
                args![
                    &level.organization,
                    level.project_key(),
                    &after.id,
                    after.threshold_amount,
                    &json!(channel.recipients).to_string(),
                    channel.subject_prefix.as_deref(),
                    after.created_at
                ],
            )?;
            self.record(&level.changed())?;
        }
        Ok(())
    }
}

/// Tools in the order in which they are told, each once.
pub fn sorted(tools: &[HostedTool]) -> Vec<HostedTool> {
    HostedTool::ALL.iter().copied().filter(|tool| tools.contains(tool)).collect()
}

/// Tools as a column has them.
pub fn words(tools: &[HostedTool]) -> String {
    let words: Vec<_> = tools.iter().map(|tool| tool.name()).collect();
    words.join(" ")
}
