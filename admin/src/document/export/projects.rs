//! What is in projects.

use sql::{Row, Tx, args};

use super::organization::{alerts, named_tools, spend_limit, stored, told_hash, unknown};
use super::{Hashes, find};
use crate::document::format::words::{
    HostedToolPermissions, MemberRole, Mode, ModelPermissions, OwnerType, ProjectDataRetention,
    ProjectRetention,
};
use crate::document::format::{
    Account, Activation, Document, GroupInProject, Member, Owner, Project, ProjectKey, RateLimit,
};
use crate::error::Result;
use crate::resources::rate_limits::store::PREFIX;

/// Reads the projects with everything that is in them, but who has which further role.
pub fn read(
    tx: &mut Tx<'_>,
    organization: &str,
    hashes: Hashes,
    document: &mut Document,
) -> Result<()> {
    document.projects = projects(tx, organization)?;
    policies(tx, organization, document)?;
    for (project, member) in members(tx, organization)? {
        within(document, &project)?.users.push(member);
    }
    for (project, group) in groups(tx, organization)? {
        within(document, &project)?.groups.push(group);
    }
    for (project, account) in accounts(tx, organization)? {
        within(document, &project)?.service_accounts.push(account);
    }
    for (project, key) in keys(tx, organization, hashes)? {
        within(document, &project)?.api_keys.push(key);
    }
    for (project, limit) in rate_limits(tx, organization)? {
        within(document, &project)?.rate_limits.push(limit);
    }
    for (project, alert) in alerts(tx, organization)? {
        if project.is_empty() {
            document.spend_alerts.push(alert);
        } else {
            within(document, &project)?.spend_alerts.push(alert);
        }
    }
    for (project, certificate) in activations(tx, organization)? {
        within(document, &project)?.certificates.push(certificate);
    }
    Ok(())
}

/// The project of this id in a document.
pub fn within<'a>(document: &'a mut Document, project: &str) -> Result<&'a mut Project> {
    find(&mut document.projects, project).ok_or_else(|| unknown("project", project))
}

fn projects(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Project>> {
    let sql = "SELECT id, name, created_at, archived_at, external_key_id, residency, geography FROM projects
               WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        Ok(Project {
            id: row.get(0)?,
            name: row.get(1)?,
            created_at: row.get(2)?,
            archived_at: row.get(3)?,
            external_key_id: row.get(4)?,
            residency: row.get(5)?,
            geography: row.get(6)?,
            ..Project::default()
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

type Text = Option<String>;

fn policies(tx: &mut Tx<'_>, organization: &str, document: &mut Document) -> Result<()> {
    let sql = "SELECT project_id, data_retention, spend_limit, model_mode, model_ids, hosted_tools FROM policies
               WHERE organization_id = $1 AND project_id > '' ORDER BY project_id";
    let read = |row: &Row<'_>| {
        let models: (Text, Text) = (row.get(3)?, row.get(4)?);
        Ok((
            row.get::<String>(0)?,
            row.get::<Text>(1)?,
            row.get::<Option<i64>>(2)?,
            models,
            row.get::<Text>(5)?,
        ))
    };
    for (id, retention, limit, (mode, models), tools) in tx.all(sql, args![organization], read)? {
        let project = within(document, &id)?;
        if let Some(word) = retention {
            let kind = ProjectRetention::from_name(&word)
                .ok_or_else(|| unknown("data retention", &word))?;
            project.data_retention = Some(ProjectDataRetention { kind });
        }
        project.spend_limit = limit.map(spend_limit);
        if let Some(word) = mode {
            let mode = Mode::from_name(&word).ok_or_else(|| unknown("list of models", &word))?;
            let model_ids = stored(models.as_deref().unwrap_or("[]"))?;
            project.model_permissions = Some(ModelPermissions { mode, model_ids });
        }
        let tools = tools.as_deref().map(named_tools).transpose()?;
        project.hosted_tool_permissions = tools.map(|tools| HostedToolPermissions::without(&tools));
    }
    Ok(())
}

fn role(row: &Row<'_>, column: usize) -> sql::Result<Option<MemberRole>> {
    let role = row.text(column)?.and_then(MemberRole::from_name);
    Ok(Some(role.unwrap_or(MemberRole::None)))
}

fn members(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, Member)>> {
    let sql = "SELECT project_id, user_id, role, added_at FROM project_members
               WHERE organization_id = $1 ORDER BY project_id, user_id";
    let read = |row: &Row<'_>| {
        let (id, role, added_at) = (row.get(1)?, role(row, 2)?, row.get(3)?);
        Ok((row.get(0)?, Member { id, role, added_at, roles: Vec::new() }))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn groups(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, GroupInProject)>> {
    let sql = "SELECT project_id, group_id, created_at FROM project_groups
               WHERE organization_id = $1 ORDER BY project_id, group_id";
    let read = |row: &Row<'_>| {
        let (group_id, created_at) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, GroupInProject { group_id, created_at, roles: Vec::new() }))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn accounts(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, Account)>> {
    let sql = "SELECT project_id, id, name, role, created_at FROM service_accounts
               WHERE organization_id = $1 ORDER BY project_id, id";
    let read = |row: &Row<'_>| {
        let account = Account {
            id: row.get(1)?,
            name: row.get(2)?,
            role: role(row, 3)?,
            created_at: row.get(4)?,
            ..Account::default()
        };
        Ok((row.get(0)?, account))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn keys(tx: &mut Tx<'_>, organization: &str, hashes: Hashes) -> Result<Vec<(String, ProjectKey)>> {
    let sql = "SELECT project_id, id, owner_kind, owner_id, name, redacted_value, scopes, created_at, expires_at,
                   owner_left_at, owner_email, owner_name, owner_added_at, secret_hash
               FROM project_api_keys WHERE organization_id = $1 ORDER BY project_id, id";
    let read = |row: &Row<'_>| {
        let (kind, scopes): (String, Option<String>) = (row.get(2)?, row.get(6)?);
        let owner = Owner {
            kind: OwnerType::from_name(&kind).unwrap_or(OwnerType::ServiceAccount),
            id: row.get(3)?,
            left_at: row.get(9)?,
            email: row.get(10)?,
            name: row.get(11)?,
            added_at: row.get(12)?,
        };
        let tokens = |scopes: String| {
            scopes.split(' ').filter(|token| !token.is_empty()).map(str::to_owned).collect()
        };
        let key = ProjectKey {
            id: row.get(1)?,
            owner,
            name: row.get(4)?,
            redacted_value: row.get(5)?,
            scopes: scopes.map(tokens),
            created_at: row.get(7)?,
            expires_at: row.get(8)?,
            secret_sha256: told_hash(row, 13, hashes)?,
            value: None,
        };
        Ok((row.get(0)?, key))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn rate_limits(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, RateLimit)>> {
    let sql = "SELECT project_id, model_id, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                   max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
               FROM rate_limits WHERE organization_id = $1 ORDER BY project_id, model_id";
    let read = |row: &Row<'_>| {
        let model: String = row.get(1)?;
        let limit = RateLimit {
            id: format!("{PREFIX}{model}"),
            max_requests_per_1_minute: row.get(2)?,
            max_tokens_per_1_minute: row.get(3)?,
            max_images_per_1_minute: row.get(4)?,
            max_audio_megabytes_per_1_minute: row.get(5)?,
            max_requests_per_1_day: row.get(6)?,
            batch_1_day_max_input_tokens: row.get(7)?,
        };
        Ok((row.get(0)?, limit))
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn activations(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, Activation)>> {
    let sql = "SELECT project_id, certificate_id FROM certificate_activations
               WHERE organization_id = $1 AND project_id > '' ORDER BY project_id, certificate_id";
    let read =
        |row: &Row<'_>| Ok((row.get(0)?, Activation { id: row.get(1)?, active: Some(true) }));
    Ok(tx.all(sql, args![organization], read)?)
}
