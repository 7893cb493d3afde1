//! Texts that are no certificate. None of them may be taken, and none may end in anything but a refusal that names the argument.

use proptest::prelude::*;
use serde_json::json;

use super::LIST;
use crate::resources::certificates::der::{
    BITS, COMMON_NAME, INTEGER, OID, PRINTABLE, Parts, SEQUENCE, SET, TIME, UTC_TIME, UTF8, block,
    certificate, framed, name, sequence, tlv, validity, version,
};
use crate::resources::certificates::pem;
use crate::testing::Api;

/// What the table says of a text: what it is, and words of the refusal.
type Case = (&'static str, String);

const NOT_PEM: &str = "is not a PEM block";
const PRIVATE_KEY: &str = "holds a private key";
const SEVERAL: &str = "holds more than one block";
const AROUND: &str = "holds something before or after the block";
const BASE64: &str = "are not base64";
const X509: &str = "does not hold exactly one X.509 certificate";
const DATES: &str = "ends to be valid before it begins";

/// No frame, or half of one.
fn frames() -> Vec<(Case, &'static str)> {
    let (good, der) = (certificate("x"), Parts::of("x").der());
    let hex: Vec<String> = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let bare: String = good.lines().filter(|line| !line.starts_with('-')).collect();
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    [
        ("a word", "certificate".to_owned()),
        ("white space", " \r\n\t\n".to_owned()),
        ("a path", "/etc/ssl/certs/client.pem".to_owned()),
        ("an address", "https://example.com/client.pem".to_owned()),
        ("bare base64", bare),
        ("hexadecimal digits", hex.concat()),
        ("the first line alone", begin.to_owned()),
        ("the last line alone", end.to_owned()),
        ("no last line", good.replace(end, "")),
        ("no first line", good.replace(begin, "")),
        ("another label at the end", good.replace("END CERTIFICATE", "END CERT")),
        ("four dashes", good.replace("-----", "----")),
        ("six dashes", good.replace("-----", "------")),
        ("small letters", good.replace("CERTIFICATE", "certificate")),
        ("no space in the first line", good.replace("BEGIN ", "BEGIN")),
        ("no label", good.replace("CERTIFICATE", "")),
        ("something behind the first line", good.replace(begin, &format!("{begin} x"))),
        ("all in one line", good.replace('\n', " ")),
        ("line ends that are spelled out", good.replace('\n', "\\n")),
        ("line ends of old", good.replace('\n', "\r")),
        ("a mark of byte order", format!("\u{feff}{good}")),
        ("in quotation marks", format!("\"{good}\"")),
    ]
    .map(|case| (case, NOT_PEM))
    .into()
}

/// A frame around something else, or something else around it.
fn blocks() -> Vec<(Case, &'static str)> {
    let (good, key) = (certificate("x"), sequence(&[tlv(INTEGER, &[0])]));
    let keyed = |label: &str| block(label, &key);
    let own = keyed("PRIVATE KEY");
    let mut cases: Vec<(Case, &'static str)> = [
        ("a private key", own.clone()),
        ("a private key of RSA", keyed("RSA PRIVATE KEY")),
        ("a private key of an elliptic curve", keyed("EC PRIVATE KEY")),
        ("an encrypted private key", keyed("ENCRYPTED PRIVATE KEY")),
        ("a private key for a shell", keyed("OPENSSH PRIVATE KEY")),
        ("a private key first", format!("{own}{good}")),
        ("a private key last", format!("{good}{own}")),
        ("a private key in one line", own.replace('\n', "")),
        ("the end of a private key", format!("{good}-----END PRIVATE KEY-----")),
    ]
    .map(|case| (case, PRIVATE_KEY))
    .into();
    cases.extend([
        (("a request", keyed("CERTIFICATE REQUEST")), "a block of 'CERTIFICATE REQUEST'"),
        (("an older request", keyed("NEW CERTIFICATE REQUEST")), "'NEW CERTIFICATE REQUEST'"),
        (("a public key", keyed("PUBLIC KEY")), "a block of 'PUBLIC KEY'"),
        (("a revocation list", keyed("X509 CRL")), "a block of 'X509 CRL'"),
        (("a container", keyed("PKCS7")), "a block of 'PKCS7'"),
        (("what one tool adds trust to", keyed("TRUSTED CERTIFICATE")), "'TRUSTED CERTIFICATE'"),
        (("an older label", keyed("X509 CERTIFICATE")), "a block of 'X509 CERTIFICATE'"),
        (("parameters first", keyed("EC PARAMETERS") + &good), "a block of 'EC PARAMETERS'"),
        (("a long label", keyed(&"A".repeat(500))), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'."),
        (("two certificates", format!("{good}{good}")), SEVERAL),
        (("a chain", [good.as_str(); 3].join("\n\n")), SEVERAL),
        (("a certificate and a request", good.clone() + &keyed("CERTIFICATE REQUEST")), SEVERAL),
        (("one within another", framed("CERTIFICATE", good.trim_end())), SEVERAL),
        (("the last line first", format!("-----END CERTIFICATE-----\n{good}")), AROUND),
        (("what it is for first", format!("subject=CN = x\n{good}")), AROUND),
        (("a comment first", format!("# client\n{good}")), AROUND),
        (("something last", format!("{good}\nx")), AROUND),
        (("two last lines", format!("{good}-----END CERTIFICATE-----")), AROUND),
    ]);
    cases
}

/// A frame around what is no base64.
fn lines() -> Vec<(Case, &'static str)> {
    let good = certificate("x");
    let bare: String = good.lines().filter(|line| !line.starts_with('-')).collect();
    let content = bare.trim_end_matches('=').to_owned();
    let of = |lines: &str| framed("CERTIFICATE", lines);
    let replaced = |with: &str| of(&format!("{}{with}{}", &bare[..8], &bare[9..]));
    [
        ("another character", replaced("!")),
        ("the alphabet of addresses", replaced("_")),
        ("a letter that looks alike", replaced("А")),
        ("a space within a line", replaced(" ")),
        (
            "a character too many",
            of(&format!("{content}{}", "A".repeat((5 - content.len() % 4) % 4))),
        ),
        ("padding within", replaced("=")),
        ("padding alone", of("====")),
        ("too much padding", of(&format!("{content}===="))),
        ("one character", of("M")),
        ("bits behind the end", of("MB==")),
        ("headers", of(&format!("Proc-Type: 4,ENCRYPTED\n\n{bare}"))),
        ("lines that are indented", good.replace("\nMI", "\n  MI")),
    ]
    .map(|case| (case, BASE64))
    .into()
}

/// Base64 of what is no certificate.
fn contents() -> Vec<(Case, &'static str)> {
    let good = Parts::of("x");
    let der = good.der();
    let of = |bytes: &[u8]| block("CERTIFICATE", bytes);
    let mut cut = der.clone();
    cut.pop();
    let mut longer = der.clone();
    longer.push(0);
    let mut endless = der.clone();
    endless.splice(1..4, [0x80]);
    let deep = (0..2000).fold(Vec::new(), |inner, _| tlv(SEQUENCE, &inner));
    let request = sequence(&[
        sequence(&[tlv(INTEGER, &[0]), good.subject.clone(), good.key.clone(), vec![0xa0, 0]]),
        good.algorithm.clone(),
        good.signature.clone(),
    ]);
    let key = sequence(&[tlv(INTEGER, &[0]), good.algorithm.clone(), tlv(4, &[7; 32])]);
    let dates = |validity: Vec<u8>| Parts { validity, ..good.clone() }.pem();
    let named = |subject: Vec<u8>| Parts { subject, ..good.clone() }.pem();
    let utc = |text: &str| dates(validity(text, "350101000000Z"));
    let generalized =
        |text: &str| dates(sequence(&[tlv(TIME, text.as_bytes()), tlv(TIME, b"20350101000000Z")]));
    let common = tlv(OID, COMMON_NAME);
    let pair = sequence(&[common.clone(), tlv(UTF8, b"x")]);
    let three = [common.clone(), tlv(UTF8, b"x"), tlv(UTF8, b"y")];
    let mut cases: Vec<(Case, &'static str)> = [
        ("nothing", framed("CERTIFICATE", "")),
        ("a text", of(b"certificate")),
        ("zeros", of(&[0; 256])),
        ("one byte less", of(&cut)),
        ("one byte more", of(&longer)),
        ("two of them", of(&der.repeat(2))),
        ("half of it", of(&der[..der.len() / 2])),
        ("an empty sequence", of(&sequence(&[]))),
        ("a set", of(&tlv(SET, &der[4..]))),
        ("a length without end", of(&endless)),
        ("a length beyond everything", of(&[SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff, 1])),
        ("a length of a length", of(&[SEQUENCE, 0xff, 1])),
        ("sequences in sequences", of(&deep)),
        ("a request", of(&request)),
        ("a private key", of(&key)),
        ("a key alone", of(&good.key)),
        ("no signature", of(&sequence(&[sequence(&[]), good.algorithm.clone()]))),
        ("a version that is not there", Parts { version: version(7), ..good.clone() }.pem()),
        ("a serial number of letters", Parts { serial: tlv(UTF8, b"1"), ..good.clone() }.pem()),
        ("no serial number", Parts { serial: Vec::new(), ..good.clone() }.pem()),
        ("no algorithm", Parts { algorithm: Vec::new(), ..good.clone() }.pem()),
        ("no issuer", Parts { issuer: Vec::new(), ..good.clone() }.pem()),
        ("no subject", named(Vec::new())),
        ("no key", Parts { key: Vec::new(), ..good.clone() }.pem()),
        (
            "a signature that is no bits",
            Parts { signature: tlv(INTEGER, &[1]), ..good.clone() }.pem(),
        ),
        (
            "bits without a number of spare ones",
            Parts { signature: tlv(BITS, &[]), ..good.clone() }.pem(),
        ),
        ("a subject that is a text", named(tlv(PRINTABLE, b"CN=x"))),
        ("an attribute without a value", named(sequence(&[tlv(SET, &sequence(&[common]))]))),
        (
            "an attribute without a kind",
            named(sequence(&[tlv(SET, &sequence(&[tlv(UTF8, b"x")]))])),
        ),
        ("a set of nothing", named(sequence(&[tlv(SET, &[])]))),
        ("an attribute of three", named(sequence(&[tlv(SET, &sequence(&three))]))),
        (
            "a set with something behind",
            named(sequence(&[tlv(SET, &[&pair[..], &[5, 0]].concat())])),
        ),
        ("a name with something behind", named(sequence(&[tlv(SET, &pair), tlv(UTF8, b"x")]))),
        ("no dates", dates(Vec::new())),
        ("one date", dates(sequence(&[tlv(UTC_TIME, b"250101000000Z")]))),
        ("dates that are texts", dates(sequence(&[tlv(UTF8, b"2025"), tlv(UTF8, b"2035")]))),
        ("a thirteenth month", utc("251301000000Z")),
        ("the thirtieth of February", utc("250230000000Z")),
        ("a twenty-fifth hour", utc("250101250000Z")),
        ("a date of letters", utc("yymmddhhmmssZ")),
        ("a date of nothing", utc("")),
        ("a long date that is short", generalized("2025")),
        ("a long date of letters", generalized("yyyymmddhhmmssZ")),
    ]
    .map(|case| (case, X509))
    .into();
    cases.extend([
        (("an end before the beginning", utc("350101000001Z")), DATES),
        (("an end of long ago", dates(validity("250101000000Z", "500101000000Z"))), DATES),
    ]);
    cases
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_with_its_reason() {
    let api = Api::new().await;
    let cases = [frames(), blocks(), lines(), contents()].concat();
    assert!(cases.len() >= 60, "{} are tried", cases.len());
    for ((what, text), fragment) in cases {
        let refused = api.post(LIST, json!({ "certificate": text, "name": what })).await;
        refused.refused(400, "invalid_value", "certificate", fragment);
        let told = refused.body["error"]["message"].as_str().unwrap_or_default();
        assert!(told.starts_with("Invalid value for 'certificate': the text "), "{what}: {told}");
        assert!(told.len() < 220, "{what}: a refusal does not repeat what was sent");
    }
    assert_eq!(api.get(LIST).await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn texts_of_no_length_or_too_much_of_it_are_refused() {
    let api = Api::new().await;
    let post = async |text: &str| api.post(LIST, json!({ "certificate": text })).await;
    post("").await.refused(400, "empty_string", "certificate", "empty string");
    post(&format!("{}\0", certificate("x"))).await.refused(
        400,
        "invalid_value",
        "certificate",
        "NUL",
    );
    let good = certificate("x");
    let longest = good.clone() + &" ".repeat(pem::LONGEST - good.len());
    post(&longest).await.ok();
    let fragment = "Expected at most 65536 characters, but got 65537.";
    post(&(longest + " ")).await.refused(400, "string_above_max_length", "certificate", fragment);
    let large = block("CERTIFICATE", &vec![0x30; 1 << 16]);
    post(&large).await.refused(400, "string_above_max_length", "certificate", "65536");
}

#[test]
fn a_subject_that_cannot_be_spelled_keeps_nobody_out() {
    let subject = name(&[(COMMON_NAME, UTF8, b"\xff\xfe")]);
    let read = pem::read(&Parts { subject, ..Parts::of("x") }.pem()).expect("it is a certificate");
    assert_eq!(read.common_name, None);
    let subject = name(&[(COMMON_NAME, UTF8, "x".repeat(3000).as_bytes())]);
    let read = pem::read(&Parts { subject, ..Parts::of("x") }.pem()).expect("it is a certificate");
    assert_eq!((read.subject.len(), read.common_name.map(|name| name.len())), (1024, Some(255)));
}

proptest! {
    /// Whatever is done to a certificate, reading it ends, and ends in a value.
    #[test]
    fn reading_always_ends(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut der = Parts::of("client").der();
        for (place, byte) in &changes {
            let place = place.index(der.len());
            der[place] = *byte;
        }
        let _ = pem::read(&block("CERTIFICATE", &der));
        let _ = pem::read(&block("CERTIFICATE", &der[..cut.index(der.len())]));
        let mut text = certificate("client").into_bytes();
        for (place, byte) in &changes {
            let place = place.index(text.len());
            text[place] = *byte;
        }
        let _ = pem::read(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn reading_any_text_ends(text in any::<String>(), label in "[A-Z ]{0,20}") {
        let _ = pem::read(&text);
        let _ = pem::read(&framed(&label, &text));
    }
}
