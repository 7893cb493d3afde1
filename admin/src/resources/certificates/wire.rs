//! Certificates as they are sent and received.

use std::fmt::Write;

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{pem, store};
use crate::error::{Error, Result};
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::query::Query;
use crate::http::reply::literal;

literal!(
    /// Names a certificate by itself.
    CertificateObject = "certificate"
);
literal!(
    /// Names a certificate as the organization sees it.
    OrganizationCertificateObject = "organization.certificate"
);
literal!(
    /// Names a certificate as a project sees it.
    ProjectCertificateObject = "organization.project.certificate"
);
literal!(
    /// Names the end of a certificate.
    CertificateDeletedObject = "certificate.deleted"
);
literal!(
    /// Names what became active in the organization.
    OrganizationActivationObject = "organization.certificate.activation"
);
literal!(
    /// Names what is not active in the organization any more.
    OrganizationDeactivationObject = "organization.certificate.deactivation"
);
literal!(
    /// Names what became active in a project.
    ProjectActivationObject = "organization.project.certificate.activation"
);
literal!(
    /// Names what is not active in a project any more.
    ProjectDeactivationObject = "organization.project.certificate.deactivation"
);

/// What a certificate says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateDetails {
    /// When it begins to be valid, in Unix seconds.
    #[schema(format = "unixtime")]
    valid_at: i64,
    /// When it ends to be valid, in Unix seconds.
    #[schema(format = "unixtime")]
    expires_at: i64,
    /// For whom it was made.
    subject: String,
    /// The SHA-256 of the certificate, in 64 hexadecimal digits.
    fingerprint_sha256: String,
}

impl From<&store::Certificate> for CertificateDetails {
    fn from(certificate: &store::Certificate) -> Self {
        let mut fingerprint = String::with_capacity(64);
        for byte in &certificate.fingerprint {
            write!(fingerprint, "{byte:02x}").expect("a string takes everything");
        }
        Self {
            valid_at: certificate.valid_at,
            expires_at: certificate.expires_at,
            subject: certificate.subject.clone(),
            fingerprint_sha256: fingerprint,
        }
    }
}

/// The same, with the certificate itself for those who ask for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateDetailsWithContent {
    #[serde(flatten)]
    details: CertificateDetails,
    /// The certificate as it was uploaded; only where it was asked for.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// A certificate.
#[derive(Debug, Serialize, ToSchema)]
pub struct Certificate {
    object: CertificateObject,
    /// The certificate's id.
    id: String,
    /// What people call it.
    #[schema(required)]
    name: Option<String>,
    /// When it was uploaded, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    certificate_details: CertificateDetailsWithContent,
}

impl Certificate {
    /// A certificate by itself, with its text or without.
    #[must_use]
    pub fn with(certificate: store::Certificate, content: Option<String>) -> Self {
        let details = CertificateDetails::from(&certificate);
        Self {
            object: CertificateObject,
            id: certificate.id,
            name: certificate.name,
            created_at: certificate.created_at,
            certificate_details: CertificateDetailsWithContent { details, content },
        }
    }
}

impl From<store::Certificate> for Certificate {
    fn from(certificate: store::Certificate) -> Self {
        Self::with(certificate, None)
    }
}

/// A certificate at a level, which spells the object's name.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedCertificate<O> {
    object: O,
    /// The certificate's id.
    id: String,
    /// What people call it.
    #[schema(required)]
    name: Option<String>,
    /// When it was uploaded, in Unix seconds.
    #[schema(format = "unixtime")]
    created_at: i64,
    certificate_details: CertificateDetails,
    /// Whether it is active there.
    active: bool,
}

impl<O: Default> From<store::Placed> for PlacedCertificate<O> {
    fn from(placed: store::Placed) -> Self {
        let certificate = placed.certificate;
        Self {
            object: O::default(),
            certificate_details: CertificateDetails::from(&certificate),
            id: certificate.id,
            name: certificate.name,
            created_at: certificate.created_at,
            active: placed.is_active,
        }
    }
}

impl<O> Identified for PlacedCertificate<O> {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Certificates after they were activated or deactivated: all that were named, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnedCertificates<A, O> {
    object: A,
    /// The certificates as they are now.
    data: Vec<PlacedCertificate<O>>,
}

impl<A: Default, O: Default> From<Vec<store::Placed>> for TurnedCertificates<A, O> {
    fn from(rows: Vec<store::Placed>) -> Self {
        Self { object: A::default(), data: rows.into_iter().map(Into::into).collect() }
    }
}

/// The answer to a deletion.
#[derive(Debug, Serialize, ToSchema)]
pub struct CertificateDeleted {
    object: CertificateDeletedObject,
    /// The id of what was deleted.
    id: String,
}

impl CertificateDeleted {
    /// Confirms the deletion of this id.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self { object: CertificateDeletedObject, id }
    }
}

/// What the document says of the query of one certificate; [`wants_content`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct CertificateParams {
    /// What else to show: `content` for the certificate itself.
    #[param(inline, nullable = false)]
    include: Option<Vec<Included>>,
}

/// What can be shown of a certificate beside what always is.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its description is used")]
enum Included {
    Content,
}

/// Whether the certificate itself is asked for.
pub fn wants_content(query: &Query) -> Result<bool> {
    let words = query.list("include").unwrap_or_default();
    match words.iter().find(|word| **word != "content") {
        Some(other) => Err(Error::unsupported_value("include", other, &["content"])),
        None => Ok(!words.is_empty()),
    }
}

/// A certificate to upload.
#[derive(Debug, ToSchema)]
pub struct UploadCertificateRequest {
    /// What to call it, 1 to 255 characters; without this, the common name that stands in it.
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// The certificate: one PEM block and nothing else.
    #[schema(value_type = String, max_length = 65_536)]
    pub certificate: Pem,
}

/// A certificate as it was sent, and what was read in it.
#[derive(Debug)]
pub struct Pem {
    /// The text.
    pub text: String,
    /// What it says.
    pub read: pem::Certificate,
}

impl FromFields for UploadCertificateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let text = fields.required_text("certificate", 1..=pem::LONGEST)?;
        let read = pem::read(&text).map_err(|fault| {
            let message = format!("Invalid value for 'certificate': the text {fault}");
            Error::invalid("invalid_value", message).param("certificate")
        })?;
        let name = fields.present_text("name", 1..=255)?;
        Ok(Self { name, certificate: Pem { text, read } })
    }
}

/// A change of a certificate, of which only the name can be changed.
#[derive(Debug, ToSchema)]
pub struct ModifyCertificateRequest {
    /// What to call it from now on, 1 to 255 characters.
    #[schema(nullable = false)]
    pub name: Option<String>,
}

impl FromFields for ModifyCertificateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        Ok(Self { name: fields.present_text("name", 1..=255)? })
    }
}

/// Certificates to activate or deactivate.
#[derive(Debug, ToSchema)]
pub struct ToggleCertificatesRequest {
    /// Their ids, at most ten.
    #[schema(min_items = 1, max_items = 10)]
    pub certificate_ids: Vec<String>,
}

impl FromFields for ToggleCertificatesRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let certificate_ids = fields.required_texts_within("certificate_ids", 1..=10, 1..=255)?;
        Ok(Self { certificate_ids })
    }
}
