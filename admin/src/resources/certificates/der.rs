//! Certificates for tests, put together piece by piece. Nobody here checks a signature, so none has to be made, and each piece can
//! be replaced by a wrong one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub const INTEGER: u8 = 0x02;
pub const BITS: u8 = 0x03;
pub const OID: u8 = 0x06;
pub const UTF8: u8 = 0x0c;
pub const PRINTABLE: u8 = 0x13;
pub const UTC_TIME: u8 = 0x17;
pub const TIME: u8 = 0x18;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// The kinds of attributes of a name.
pub const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];

/// A value with its tag and length.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let bytes = content.len().to_be_bytes();
    let length: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match (length.as_slice(), content.len()) {
        (_, 0..0x80) => out.extend(length.last().or(Some(&0))),
        (length, _) => {
            out.push(0x80 | u8::try_from(length.len()).expect("a machine word is short"));
            out.extend(length);
        }
    }
    out.extend(content);
    out
}

/// Values in a sequence.
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// A name of one attribute for each of these.
pub fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let attribute = |(kind, tag, value): &(&[u8], u8, &[u8])| {
        tlv(SET, &sequence(&[tlv(OID, kind), tlv(*tag, value)]))
    };
    sequence(&attributes.iter().map(attribute).collect::<Vec<_>>())
}

/// From when until when, as `YYMMDDhhmmssZ`.
pub fn validity(begin: &str, end: &str) -> Vec<u8> {
    sequence(&[tlv(UTC_TIME, begin.as_bytes()), tlv(UTC_TIME, end.as_bytes())])
}

/// The pieces of a certificate, each with its tag and length.
#[derive(Clone)]
pub struct Parts {
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub validity: Vec<u8>,
    pub subject: Vec<u8>,
    pub key: Vec<u8>,
    pub signature: Vec<u8>,
}

impl Parts {
    /// Of a certificate for this name, valid in the years 2025 to 2034.
    pub fn of(subject: &str) -> Self {
        let elliptic = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let curve = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let signed = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let point = [&[0, 4][..], &[7; 64]].concat();
        Self {
            version: version(2),
            serial: tlv(INTEGER, &[1]),
            algorithm: sequence(&[tlv(OID, &signed)]),
            issuer: name(&[(COMMON_NAME, UTF8, b"Example CA")]),
            validity: validity("250101000000Z", "350101000000Z"),
            subject: name(&[(COMMON_NAME, UTF8, subject.as_bytes())]),
            key: sequence(&[sequence(&[tlv(OID, &elliptic), tlv(OID, &curve)]), tlv(BITS, &point)]),
            signature: tlv(BITS, &[0; 65]),
        }
    }

    /// The certificate.
    pub fn der(&self) -> Vec<u8> {
        let this = self.clone();
        let signed = [
            this.version,
            this.serial,
            this.algorithm.clone(),
            this.issuer,
            this.validity,
            this.subject,
            this.key,
        ];
        sequence(&[sequence(&signed), this.algorithm, this.signature])
    }

    /// The certificate as it is uploaded.
    pub fn pem(&self) -> String {
        block("CERTIFICATE", &self.der())
    }
}

/// A version as it stands in a certificate: one less than it is called.
pub fn version(number: u8) -> Vec<u8> {
    tlv(VERSION, &tlv(INTEGER, &[number]))
}

/// A certificate for this name, as it is uploaded.
pub fn certificate(subject: &str) -> String {
    Parts::of(subject).pem()
}

/// A block of PEM with this label and these bytes.
pub fn block(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    framed(label, &lines.join("\n"))
}

/// A block of PEM with this label and these lines.
pub fn framed(label: &str, lines: &str) -> String {
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}
