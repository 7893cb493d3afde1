//! What is in the organization itself.

use sql::{Row, Tx, args};

use super::{Hashes, find};
use crate::document::format::words::{
    Channel, Currency, HostedTool, Interval, KeyScope, MemberRole, NotificationChannel,
    OrganizationDataRetention, OrganizationRetention, Origin, OwnerType, SpendLimit, UserRole,
};
use crate::document::format::{
    AdminKey, Alert, Certificate, Document, Group, GroupMember, Invite, InvitedTo, Model, Owner,
    User, VERSION,
};
use crate::document::read::hex;
use crate::error::{Error, Result};

/// Reads everything but projects and who has which further role.
pub fn read(tx: &mut Tx<'_>, organization: &str, hashes: Hashes) -> Result<Document> {
    let mut document = itself(tx, organization)?;
    policies(tx, organization, &mut document)?;
    document.models = models(tx, organization)?;
    document.users = users(tx, organization)?;
    document.groups = groups(tx, organization)?;
    document.invites = invites(tx, organization, hashes)?;
    document.admin_api_keys = admin_keys(tx, organization, hashes)?;
    document.certificates = certificates(tx, organization)?;
    Ok(document)
}

/// What the store holds and no version of this program ever wrote.
pub fn unknown(what: &str, word: &str) -> Error {
    Error::internal(format!("the store holds the {what} '{word}'"))
}

/// The hash of a secret in a column, if it is to be told.
pub fn told_hash(row: &Row<'_>, column: usize, hashes: Hashes) -> sql::Result<Option<String>> {
    let hash: Option<Vec<u8>> = row.get(column)?;
    Ok(hash.filter(|_| hashes == Hashes::Included).map(|hash| hex(&hash)))
}

/// A document that stands in a column.
pub fn stored<T: serde::de::DeserializeOwned>(text: &str) -> sql::Result<T> {
    serde_json::from_str(text).map_err(|error| sql::Error::Statement(error.to_string()))
}

fn itself(tx: &mut Tx<'_>, organization: &str) -> Result<Document> {
    let sql =
        "SELECT id, slug, name, default_project_id, created_at FROM organizations WHERE id = $1";
    let read = |row: &Row<'_>| {
        Ok(Document {
            version: Some(VERSION),
            id: Some(row.get(0)?),
            slug: Some(row.get(1)?),
            name: Some(row.get(2)?),
            default_project_id: Some(row.get(3)?),
            created_at: Some(row.get(4)?),
            ..Document::default()
        })
    };
    let found = tx.one(sql, args![organization], read)?;
    found.ok_or_else(|| Error::not_found("Organization", organization))
}

fn policies(tx: &mut Tx<'_>, organization: &str, document: &mut Document) -> Result<()> {
    let sql = "SELECT data_retention, spend_limit, hosted_tools FROM policies
        WHERE organization_id = $1 AND project_id = ''";
    let read = |row: &Row<'_>| {
        Ok((
            row.get::<Option<String>>(0)?,
            row.get::<Option<i64>>(1)?,
            row.get::<Option<String>>(2)?,
        ))
    };
    let Some((retention, limit, tools)) = tx.one(sql, args![organization], read)? else {
        return Ok(());
    };
    if let Some(word) = retention {
        let kind = OrganizationRetention::from_name(&word)
            .ok_or_else(|| unknown("data retention", &word))?;
        document.data_retention = Some(OrganizationDataRetention { kind });
    }
    document.spend_limit = limit.map(spend_limit);
    document.required_hosted_tools = tools.as_deref().map(named_tools).transpose()?;
    Ok(())
}

/// A limit of so many cents.
pub fn spend_limit(threshold_amount: i64) -> SpendLimit {
    SpendLimit { threshold_amount, currency: Currency::Usd, interval: Interval::Month }
}

/// The tools that a column names.
pub fn named_tools(words: &str) -> Result<Vec<HostedTool>> {
    let named = words.split(' ').filter(|word| !word.is_empty());
    let tool = |word| HostedTool::from_name(word).ok_or_else(|| unknown("hosted tool", word));
    named.map(tool).collect()
}

fn models(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Model>> {
    let sql = "SELECT id, origin, created_at, max_requests_per_minute, max_tokens_per_minute, max_images_per_minute,
                   max_audio_megabytes_per_minute, max_requests_per_day, max_batch_tokens_per_day
               FROM models WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        let origin: String = row.get(1)?;
        Ok(Model {
            id: row.get(0)?,
            origin: Some(Origin::from_name(&origin).unwrap_or(Origin::Command)),
            created_at: row.get(2)?,
            max_requests_per_1_minute: row.get(3)?,
            max_tokens_per_1_minute: row.get(4)?,
            max_images_per_1_minute: row.get(5)?,
            max_audio_megabytes_per_1_minute: row.get(6)?,
            max_requests_per_1_day: row.get(7)?,
            batch_1_day_max_input_tokens: row.get(8)?,
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn users(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<User>> {
    let sql =
        "SELECT id, email, name, role, added_at, technical_level, developer_persona FROM users
               WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        let role = row
            .text(3)?
            .map_or(UserRole::None, |role| UserRole::from_name(role).unwrap_or(UserRole::None));
        Ok(User {
            id: row.get(0)?,
            email: row.get(1)?,
            name: row.get(2)?,
            role: Some(role),
            added_at: row.get(4)?,
            technical_level: row.get(5)?,
            developer_persona: row.get(6)?,
            roles: Vec::new(),
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn groups(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Group>> {
    let sql = "SELECT id, name, created_at FROM groups WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        let (id, name, created_at) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Group { id, name, created_at, users: Vec::new(), roles: Vec::new() })
    };
    let mut groups = tx.all(sql, args![organization], read)?;
    let sql = "SELECT group_id, user_id, added_at FROM group_members
               WHERE organization_id = $1 ORDER BY group_id, user_id";
    let read = |row: &Row<'_>| {
        Ok((row.get::<String>(0)?, GroupMember { id: row.get(1)?, added_at: row.get(2)? }))
    };
    for (group, member) in tx.all(sql, args![organization], read)? {
        let group = find(&mut groups, &group).ok_or_else(|| unknown("group", &group))?;
        group.users.push(member);
    }
    Ok(groups)
}

fn invites(tx: &mut Tx<'_>, organization: &str, hashes: Hashes) -> Result<Vec<Invite>> {
    let sql = "SELECT id, email, role, projects, created_at, expires_at, accepted_at, token_hash FROM invites
               WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        let (role, projects): (String, String) = (row.get(2)?, row.get(3)?);
        let projects: Vec<(String, String)> = stored(&projects)?;
        let to = |(id, role): (String, String)| InvitedTo {
            id,
            role: MemberRole::from_name(&role).unwrap_or(MemberRole::Member),
        };
        let projects: Vec<_> = projects.into_iter().map(to).collect();
        Ok(Invite {
            id: row.get(0)?,
            email: row.get(1)?,
            role: UserRole::from_name(&role).unwrap_or_default(),
            projects: Some(projects),
            created_at: row.get(4)?,
            expires_at: row.get(5)?,
            accepted_at: row.get(6)?,
            token_sha256: told_hash(row, 7, hashes)?,
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn admin_keys(tx: &mut Tx<'_>, organization: &str, hashes: Hashes) -> Result<Vec<AdminKey>> {
    let sql = "SELECT id, owner_id, name, redacted_value, scopes, created_at, expires_at, secret_hash FROM admin_api_keys
               WHERE organization_id = $1 ORDER BY id";
    let read = |row: &Row<'_>| {
        let scopes: String = row.get(4)?;
        let owner = Owner { kind: OwnerType::User, id: row.get(1)?, ..Owner::default() };
        Ok(AdminKey {
            id: row.get(0)?,
            owner,
            name: row.get(2)?,
            redacted_value: row.get(3)?,
            scopes: Some(scopes.split(' ').filter_map(KeyScope::from_name).collect()),
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
            secret_sha256: told_hash(row, 7, hashes)?,
            value: None,
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

fn certificates(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<Certificate>> {
    let sql = "SELECT c.id, c.name, c.content, c.created_at, a.certificate_id
               FROM certificates c
               LEFT JOIN certificate_activations a
                   ON a.organization_id = $1 AND a.project_id = '' AND a.certificate_id = c.id
               WHERE c.organization_id = $1 ORDER BY c.id";
    let read = |row: &Row<'_>| {
        Ok(Certificate {
            id: row.get(0)?,
            name: row.get(1)?,
            content: row.get(2)?,
            created_at: row.get(3)?,
            active: Some(row.text(4)?.is_some()),
        })
    };
    Ok(tx.all(sql, args![organization], read)?)
}

/// Every alert, with the project that it is of; empty for the organization.
pub fn alerts(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, Alert)>> {
    let sql = "SELECT project_id, id, threshold_amount, recipients, subject_prefix, created_at FROM spend_alerts
               WHERE organization_id = $1 ORDER BY project_id, id";
    let read = |row: &Row<'_>| {
        let recipients: String = row.get(3)?;
        let notification_channel = NotificationChannel {
            kind: Channel::Email,
            recipients: stored(&recipients)?,
            subject_prefix: row.get(4)?,
        };
        let alert = Alert {
            id: row.get(1)?,
            threshold_amount: row.get(2)?,
            notification_channel,
            currency: Some(Currency::Usd),
            interval: Some(Interval::Month),
            created_at: row.get(5)?,
        };
        Ok((row.get(0)?, alert))
    };
    Ok(tx.all(sql, args![organization], read)?)
}
