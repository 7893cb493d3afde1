//! A certificate as it is uploaded: one PEM block with one X.509 certificate in it, and nothing else.
//!
//! The frame is read here, and strictly: what else may stand in such a text is a chain or, by mistake, a private key, and readers that
//! skip what they do not know would let either in. Whether somebody signed the certificate is no question that is asked here.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::{FromDer, Header, Tag};
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser;
use x509_parser::x509::X509Version;

/// The longest text that is read, in characters.
pub const LONGEST: usize = 65_536;

/// The only block that is taken.
const LABEL: &str = "CERTIFICATE";

/// How much of the subject and of its common name is kept, in characters.
const LONGEST_SUBJECT: usize = 1024;
const LONGEST_NAME: usize = 255;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// For whom it was made, in one line.
    pub subject: String,
    /// The part of it that names somebody.
    pub common_name: Option<String>,
    /// The SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// When it begins to be valid, in seconds.
    pub valid_at: i64,
    /// When it ends to be valid, in seconds.
    pub expires_at: i64,
}

/// Why a text is no certificate. Reads on after "Invalid value for 'certificate': the text".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no block, or one without its end.
    NotPem,
    /// There is a private key in it. Nothing of the text may be told to anybody.
    PrivateKey,
    /// The block is something else.
    OtherBlock(String),
    /// There is more than one block.
    Several,
    /// There is something else beside the block.
    TextAround,
    /// What is in the block is no base64.
    BadBase64,
    /// What the base64 says is no certificate, or more than one.
    NotX509,
    /// The certificate ends before it begins.
    Dates,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotPem => {
                "is not a PEM block. Send the lines from '-----BEGIN CERTIFICATE-----' to '-----END CERTIFICATE-----'."
            }
            Self::PrivateKey => {
                "holds a private key. Never send one to anybody; upload the certificate that belongs to it, and use another key from now on."
            }
            Self::OtherBlock(label) => {
                return write!(out, "is a block of '{label}'. Send a block of 'CERTIFICATE'.");
            }
            Self::Several => "holds more than one block. Upload each certificate by itself.",
            Self::TextAround => {
                "holds something before or after the block. Send the lines of the block alone."
            }
            Self::BadBase64 => "has lines between its first and last that are not base64.",
            Self::NotX509 => "is a block that does not hold exactly one X.509 certificate in DER.",
            Self::Dates => "is a certificate that ends to be valid before it begins to be.",
        })
    }
}

/// Reads a text that should be a certificate.
pub fn read(text: &str) -> Result<Certificate, Fault> {
    let der = STANDARD.decode(block(text)?).map_err(|_| Fault::BadBase64)?;
    // What extensions say is of no interest here, so that nobody's mistakes in them are.
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (rest, certificate) = parser.parse(&der).map_err(|_| Fault::NotX509)?;
    if !rest.is_empty() || certificate.version().0 > X509Version::V3.0 {
        return Err(Fault::NotX509);
    }
    let validity = certificate.validity();
    let (valid_at, expires_at) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if valid_at > expires_at {
        return Err(Fault::Dates);
    }
    let subject = certificate.subject();
    if !is_name(subject.as_raw()) {
        return Err(Fault::NotX509);
    }
    let common_name = subject.iter_common_name().find_map(|name| name.as_str().ok());
    Ok(Certificate {
        subject: shown(&subject.to_string(), LONGEST_SUBJECT),
        common_name: common_name
            .map(|name| shown(name, LONGEST_NAME))
            .filter(|name| !name.is_empty()),
        fingerprint: Sha256::digest(&der).into(),
        valid_at,
        expires_at,
    })
}

/// The base64 of the only block of a text, without the ends of its lines.
fn block(text: &str) -> Result<String, Fault> {
    // Wherever and however it stands there.
    if text.contains("PRIVATE KEY-----") {
        return Err(Fault::PrivateKey);
    }
    let text = text.trim_ascii();
    let mut begins = text.split('\n').filter_map(|line| label(line, "-----BEGIN "));
    match (begins.next(), begins.next()) {
        (None, _) => return Err(Fault::NotPem),
        (Some(LABEL), None) => {}
        (Some(LABEL), Some(_)) => return Err(Fault::Several),
        (Some(other), _) => return Err(Fault::OtherBlock(other.chars().take(40).collect())),
    }
    let mut lines = text.split('\n');
    if lines.next().and_then(|line| label(line, "-----BEGIN ")).is_none() {
        return Err(Fault::TextAround);
    }
    let mut content = String::with_capacity(text.len());
    while let Some(line) = lines.next() {
        match label(line, "-----END ") {
            Some(LABEL) if lines.next().is_none() => return Ok(content),
            Some(LABEL) => return Err(Fault::TextAround),
            Some(_) => return Err(Fault::NotPem),
            None => content.push_str(line.trim_ascii_end()),
        }
    }
    Err(Fault::NotPem)
}

/// The label of a line that begins or ends a block. Labels are capital letters, so that a refusal never repeats anything else.
fn label<'a>(line: &'a str, beginning: &str) -> Option<&'a str> {
    let label = line.trim_ascii_end().strip_prefix(beginning)?.strip_suffix("-----")?;
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    Some(label).filter(|label| !label.is_empty() && label.bytes().all(is_letter))
}

/// Whether a name is one to its end: the parser stops where it does not go on, and what it has read by then would be shown as the
/// whole name.
fn is_name(der: &[u8]) -> bool {
    let is_attribute = |content: &[u8]| {
        let kind = value(content).filter(|(tag, ..)| *tag == Tag::Oid);
        kind.and_then(|(.., rest)| value(rest)).is_some_and(|(.., rest)| rest.is_empty())
    };
    let is_part =
        |content: &[u8]| !content.is_empty() && each(content, Tag::Sequence, is_attribute);
    each(der, Tag::Sequence, |parts| each(parts, Tag::Set, is_part))
}

/// Whether there are values of this kind and nothing else, and this holds for what is in each.
fn each(mut der: &[u8], kind: Tag, holds: impl Fn(&[u8]) -> bool) -> bool {
    while !der.is_empty() {
        match value(der) {
            Some((tag, content, rest)) if tag == kind && holds(content) => der = rest,
            _ => return false,
        }
    }
    true
}

/// The first value of some: its kind, what is in it, and what is behind it.
fn value(der: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let (rest, header) = Header::from_der(der).ok()?;
    let (rest, content) = header.parse_der_content(rest).ok()?;
    Some((header.tag(), content, rest))
}

/// A text of a certificate as it is kept: in one line, and not longer than this.
fn shown(text: &str, most: usize) -> String {
    let visible =
        |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    text.chars().map(visible).take(most).collect()
}
