//! Differences of certificates.

use super::Difference;

pub const ACCEPTED: &[Difference] = &[
    (
        "POST /organization/certificates body certificate.maxLength: ours only",
        "a certificate has a bound, so that nobody stores something in it",
    ),
    (
        "POST /organization/certificates 200 object.enum: [\"certificate\"] instead of [\"certificate\",\"organization.certificate\",\"organization.project.certificate\"]",
        OBJECT,
    ),
    (
        "GET /organization/certificates/{certificate_id} 200 object.enum: [\"certificate\"] instead of [\"certificate\",\"organization.certificate\",\"organization.project.certificate\"]",
        OBJECT,
    ),
    (
        "POST /organization/certificates/{certificate_id} 200 object.enum: [\"certificate\"] instead of [\"certificate\",\"organization.certificate\",\"organization.project.certificate\"]",
        OBJECT,
    ),
    (
        "* 200 active: theirs only",
        "by the published prose it is not sent of a certificate by itself, which is active nowhere in particular",
    ),
    ("* 200 certificate_details required: ours demands more", DETAILS),
    ("* 200 data[] certificate_details required: ours demands more", DETAILS),
    ("* 200 certificate_details subject: ours only", EXTRA),
    ("* 200 data[] certificate_details subject: ours only", EXTRA),
    ("* 200 certificate_details fingerprint_sha256: ours only", EXTRA),
    ("* 200 data[] certificate_details fingerprint_sha256: ours only", EXTRA),
];

const OBJECT: &str =
    "lists have schemas of their own, so of a certificate by itself there is one word";
const DETAILS: &str = "members that are always sent are promised";
const EXTRA: &str = "tells which certificate it is without reading it, which only this server does";
