//! Certificates: rules and rows.

use serde_json::{Value, json};
use sql::{Row, Tx, args};

use super::pem;
use crate::audit::{self, Author, Event};
use crate::domain::id::is_possible_id;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Kind, Result};
use crate::resources::level::Level;

/// How many certificates an organization can have.
pub const MOST: i64 = 50;

/// How many of the places where a certificate is active are named to whoever wants to delete it.
const NAMED_PLACES: i64 = 3;

/// A certificate of the organization.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The id.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// For whom it was made.
    pub subject: String,
    /// The SHA-256 of what is in it.
    pub fingerprint: Vec<u8>,
    /// When it begins to be valid, in seconds.
    pub valid_at: i64,
    /// When it ends to be valid, in seconds.
    pub expires_at: i64,
    /// When it was uploaded, in seconds.
    pub created_at: i64,
}

impl Certificate {
    /// Reads `id, name, subject, fingerprint, valid_at, expires_at, created_at`.
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            subject: row.get(2)?,
            fingerprint: row.get(3)?,
            valid_at: row.get(4)?,
            expires_at: row.get(5)?,
            created_at: row.get(6)?,
        })
    }

    /// What events say of it. The published payloads have no name that is null.
    #[must_use]
    pub fn told(&self) -> Value {
        let mut told = json!({ "id": self.id });
        if let Some(name) = &self.name {
            told["name"] = json!(name);
        }
        told
    }
}

/// A certificate as one level sees it.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The certificate.
    pub certificate: Certificate,
    /// Whether it is active there.
    pub is_active: bool,
}

impl Placed {
    /// Reads the columns of the certificate and then one that is empty where it is not active.
    pub fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let certificate = Certificate::from_row(row)?;
        Ok(Self { certificate, is_active: row.get::<Option<String>>(7)?.is_some() })
    }
}

/// There is no such certificate.
#[must_use]
pub fn not_found(id: &str) -> Error {
    Error::not_found("Certificate", id)
}

/// A page of the organization's certificates by id, each with whether it is active at this level.
pub fn list(tx: &mut Tx<'_>, level: &Level, page: &PageRequest) -> Result<Slice<Placed>> {
    // Both bounds, because then either engine knows that few rows lie between.
    let sql = match page.order {
        Order::Ascending => {
            "SELECT c.id, c.name, c.subject, c.fingerprint, c.valid_at, c.expires_at, c.created_at, a.certificate_id
             FROM (SELECT id, name, subject, fingerprint, valid_at, expires_at, created_at FROM certificates
                   WHERE organization_id = $1 AND id > $3 AND id < $4 ORDER BY id LIMIT $5) c
             LEFT JOIN certificate_activations a
                 ON a.organization_id = $1 AND a.project_id = $2 AND a.certificate_id = c.id
             ORDER BY c.id"
        }
        Order::Descending => {
            "SELECT c.id, c.name, c.subject, c.fingerprint, c.valid_at, c.expires_at, c.created_at, a.certificate_id
             FROM (SELECT id, name, subject, fingerprint, valid_at, expires_at, created_at FROM certificates
                   WHERE organization_id = $1 AND id > $3 AND id < $4 ORDER BY id DESC LIMIT $5) c
             LEFT JOIN certificate_activations a
                 ON a.organization_id = $1 AND a.project_id = $2 AND a.certificate_id = c.id
             ORDER BY c.id DESC"
        }
    };
    let (organization, project) = (&level.organization, level.project_key());
    let this = args![organization, project, &page.above, &page.below, page.fetch()];
    Ok(page.cut(tx.all(sql, this, Placed::from_row)?))
}

/// The certificate of this id, or 404.
pub fn find(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Certificate> {
    if !is_possible_id(id) {
        return Err(not_found(id));
    }
    let sql =
        "SELECT id, name, subject, fingerprint, valid_at, expires_at, created_at FROM certificates
        WHERE organization_id = $1 AND id = $2";
    let found = tx.one(sql, args![organization, id], Certificate::from_row)?;
    found.ok_or_else(|| not_found(id))
}

/// The text of a certificate that is there, as it was sent.
pub fn content(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<String> {
    let sql = "SELECT content FROM certificates WHERE organization_id = $1 AND id = $2";
    tx.one(sql, args![organization, id], |row| row.get(0))?.ok_or_else(|| not_found(id))
}

/// A certificate about to be kept.
#[derive(Debug, Clone)]
pub struct NewCertificate {
    /// The id to be.
    pub id: String,
    /// What people want to call it.
    pub name: Option<String>,
    /// The text as it was sent.
    pub content: String,
    /// What was read in it.
    pub read: pem::Certificate,
}

/// Keeps a certificate. The same one may be there several times.
pub fn create(tx: &mut Tx<'_>, by: &Author, new: &NewCertificate) -> Result<Certificate> {
    let sql = "SELECT id FROM certificates WHERE organization_id = $1 LIMIT $2";
    let there = tx.all(sql, args![by.organization_id(), MOST], |_| Ok(()))?;
    if i64::try_from(there.len()).unwrap_or(MOST) >= MOST {
        let message = format!(
            "An organization can have {MOST} certificates. Delete one that is not needed any more."
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    let certificate = Certificate {
        id: new.id.clone(),
        name: new.name.clone().or_else(|| new.read.common_name.clone()),
        subject: new.read.subject.clone(),
        fingerprint: new.read.fingerprint.to_vec(),
        valid_at: new.read.valid_at,
        expires_at: new.read.expires_at,
        created_at: by.now,
    };
    tx.execute(
        "INSERT INTO certificates (organization_id, id, name, content, subject, fingerprint, valid_at, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            by.organization_id(),
            &certificate.id,
            certificate.name.as_deref(),
            &new.content,
            &certificate.subject,
            certificate.fingerprint.as_slice(),
            certificate.valid_at,
            certificate.expires_at,
            certificate.created_at
        ],
    )?;
    append(tx, by, "certificate.created", &certificate, certificate.told())?;
    Ok(certificate)
}

/// Gives a certificate another name.
pub fn rename(
    tx: &mut Tx<'_>,
    by: &Author,
    certificate: Certificate,
    name: Option<&str>,
) -> Result<Certificate> {
    let Some(name) = name.filter(|name| certificate.name.as_deref() != Some(name)) else {
        return Ok(certificate);
    };
    let sql = "UPDATE certificates SET name = $3 WHERE organization_id = $1 AND id = $2";
    tx.execute(sql, args![by.organization_id(), &certificate.id, name])?;
    let after = Certificate { name: Some(name.to_owned()), ..certificate };
    append(tx, by, "certificate.updated", &after, after.told())?;
    Ok(after)
}

/// Deletes a certificate that is active nowhere. In an archived project it can not be deactivated any more, so there it counts for
/// nothing and goes as well.
pub fn delete(tx: &mut Tx<'_>, by: &Author, certificate: &Certificate) -> Result<()> {
    let this = args![by.organization_id(), &certificate.id];
    let places = active_places(tx, by.organization_id(), &certificate.id)?;
    if !places.is_empty() {
        let message = format!(
            "Certificate '{}' is active in {}. Deactivate it there first.",
            certificate.id,
            places.join(", ")
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    let mut told = certificate.told();
    told["certificate"] = json!(content(tx, by.organization_id(), &certificate.id)?);
    // The certificate is a range, because then only the index by certificate fits.
    tx.execute(
        "DELETE FROM certificate_activations
         WHERE organization_id = $1 AND (certificate_id, project_id) >= ($2, '') AND certificate_id <= $2",
        this,
    )?;
    tx.execute("DELETE FROM certificates WHERE organization_id = $1 AND id = $2", this)?;
    append(tx, by, "certificate.deleted", certificate, told)
}

/// Where a certificate is active, the organization first. Of many places the first few are named.
fn active_places(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Vec<String>> {
    let sql = "SELECT a.project_id FROM certificate_activations a
        LEFT JOIN projects p ON p.organization_id = a.organization_id AND p.id = a.project_id
        WHERE a.organization_id = $1 AND (a.certificate_id, a.project_id) >= ($2, '') AND a.certificate_id <= $2
            AND p.archived_at IS NULL
        ORDER BY a.certificate_id, a.project_id LIMIT $3";
    let place = |row: &Row<'_>| {
        let project: String = row.get(0)?;
        Ok(match project.as_str() {
            "" => "the organization".to_owned(),
            project => format!("project '{project}'"),
        })
    };
    let mut places = tx.all(sql, args![organization, id, NAMED_PLACES + 1], place)?;
    if i64::try_from(places.len()).is_ok_and(|count| count > NAMED_PLACES) {
        places.pop();
        places.push("and others".to_owned());
    }
    Ok(places)
}

fn append(
    tx: &mut Tx<'_>,
    by: &Author,
    kind: &'static str,
    certificate: &Certificate,
    payload: Value,
) -> Result<()> {
    audit::append(tx, by, &Event::new(kind, &certificate.id, payload))
}
