use serde_json::{Value, json};

use super::{LIST, der, events, upload, upload_text};
use crate::resources::certificates::der::{COMMON_NAME, COUNTRY, PRINTABLE, Parts, UTF8, name};
use crate::testing::Api;

/// What is read in three certificates that a common tool made, which are not valid yet when they are uploaded here.
const MADE: [(&str, &str, &str); 3] = [
    (
        "ec",
        include_str!("../examples/ec.pem"),
        "44fd4d3f87c198e3537f354c43f1fb14e1eba1b07ba533a87f5f2cc744cb160b",
    ),
    (
        "ed25519",
        include_str!("../examples/ed25519.pem"),
        "96b97caee2ecd06ec211af22261b10ff5b03fcfd5f48f4920fb44799fd03563f",
    ),
    (
        "rsa",
        include_str!("../examples/rsa.pem"),
        "7bc0330e593839ade30e85d0728d1c36d168d7dd5a73fc482f2a4904d00d5ee3",
    ),
];

#[tokio::test]
async fn a_certificate_is_uploaded_shown_renamed_listed_and_deleted() {
    let api = Api::new().await;
    let text = der::certificate("client");
    let made = api.post(LIST, json!({ "certificate": text, "name": "Client" })).await;
    let id = made.id();
    assert!(id.starts_with("cert_") && id.len() == 29, "{id}");
    let details = made.ok()["certificate_details"].clone();
    let mut certificate = json!({
        "object": "certificate", "id": id, "name": "Client", "created_at": 1_750_000_000,
        "certificate_details": {
            "valid_at": 1_735_689_600, "expires_at": 2_051_222_400, "subject": "CN=client",
            "fingerprint_sha256": details["fingerprint_sha256"],
        },
    });
    assert_eq!(*made.ok(), certificate, "and whether it is active is not told");
    let one = format!("{LIST}/{id}");
    assert_eq!(*api.get(&one).await.ok(), certificate);
    certificate["name"] = json!("Renamed");
    assert_eq!(*api.post(&one, json!({ "name": "Renamed" })).await.ok(), certificate);
    assert_eq!(*api.get(&one).await.ok(), certificate);
    certificate["object"] = json!("organization.certificate");
    certificate["active"] = json!(false);
    assert_eq!(api.get(LIST).await.ok()["data"], json!([certificate]));
    api.delete(&one).await.ok();
    api.get(&one).await.refused(404, "not_found", (), "Certificate with id");
    api.post(&one, json!({ "x": 1 })).await.refused(404, "not_found", (), "Certificate with id");
    api.delete(&one).await.refused(404, "not_found", (), "Certificate with id");
    assert_eq!(api.get(LIST).await.ids(), Vec::<String>::new());
    let name = |name: &str| json!({ "id": id, "name": name });
    let mut deleted = name("Renamed");
    deleted["certificate"] = json!(text);
    let expected = [
        ("certificate.created", name("Client")),
        ("certificate.updated", name("Renamed")),
        ("certificate.deleted", deleted),
    ];
    assert_eq!(events(&api).await, expected.map(|(kind, told)| (kind.to_owned(), None, told)));
}

#[tokio::test]
async fn certificates_of_common_tools_are_read() {
    let api = Api::new().await;
    for (kind, text, fingerprint) in MADE {
        let made = api.post(LIST, json!({ "certificate": text })).await;
        let host = format!("{kind}.example.com");
        assert_eq!(made.ok()["name"], host);
        let details = &made.ok()["certificate_details"];
        assert_eq!(details["subject"], format!("C=DE, O=Example GmbH, CN={host}"));
        assert_eq!(details["valid_at"], 1_795_524_793);
        assert_eq!(details["expires_at"], 2_583_924_793_i64);
        assert_eq!(details["fingerprint_sha256"], fingerprint);
        let content = api.get(&format!("{LIST}/{}?include[]=content", made.id())).await;
        assert_eq!(content.ok()["certificate_details"]["content"], text);
    }
}

#[tokio::test]
async fn what_is_harmless_around_and_in_the_lines_is_taken_and_kept_as_it_was_sent() {
    let api = Api::new().await;
    let text = der::certificate("client");
    let content = text.lines().filter(|line| !line.starts_with('-'));
    let unbroken = der::framed("CERTIFICATE", &content.collect::<String>());
    for text in [
        text.replace('\n', "\r\n"),
        format!("\n \t{text}\r\n\n"),
        text.trim_end().to_owned(),
        text.replace('\n', " \n"),
        text.replace("-----\nMI", "-----\n\nMI"),
        unbroken,
    ] {
        let id = upload_text(&api, &text).await;
        let shown = api.get(&format!("{LIST}/{id}?include=content")).await;
        assert_eq!(shown.ok()["certificate_details"]["content"], text);
    }
    let fingerprints: Vec<_> = api.get(LIST).await.ok()["data"]
        .as_array()
        .expect("a page")
        .iter()
        .map(|row| row["certificate_details"]["fingerprint_sha256"].clone())
        .collect();
    assert!(fingerprints.iter().all(|one| *one == fingerprints[0]), "it is the same certificate");
}

#[tokio::test]
async fn the_name_is_what_was_sent_or_what_stands_in_the_certificate() {
    let api = Api::new().await;
    let named = |subject: Vec<u8>| Parts { subject, ..Parts::of("x") }.pem();
    let long = "x".repeat(300);
    for (text, expected) in [
        (der::certificate("client"), json!("client")),
        (named(name(&[(COUNTRY, PRINTABLE, b"DE")])), Value::Null),
        (named(name(&[])), Value::Null),
        (named(name(&[(COMMON_NAME, UTF8, b"")])), Value::Null),
        (
            named(name(&[(COMMON_NAME, UTF8, b"first"), (COMMON_NAME, UTF8, b"second")])),
            json!("first"),
        ),
        (named(name(&[(COMMON_NAME, UTF8, b"a\0b\nc")])), json!("a\u{fffd}b\u{fffd}c")),
        (der::certificate(&long), json!(long[..255])),
    ] {
        let made = api.post(LIST, json!({ "certificate": text })).await;
        assert_eq!(made.ok()["name"], expected);
        assert_eq!(api.get(&format!("{LIST}/{}", made.id())).await.ok()["name"], expected);
        let told = events(&api).await.pop().expect("there is one").2;
        assert_eq!(told.get("name"), expected.as_str().map(|name| json!(name)).as_ref());
        let made = api.post(LIST, json!({ "certificate": text, "name": "Mine" })).await;
        assert_eq!(made.ok()["name"], "Mine");
    }
}

#[tokio::test]
async fn the_certificate_itself_is_shown_to_whoever_asks_for_it() {
    let api = Api::new().await;
    let text = der::certificate("client");
    let one = format!("{LIST}/{}", upload_text(&api, &text).await);
    for query in ["", "?include=", "?surprise=content"] {
        let shown = api.get(&format!("{one}{query}")).await;
        assert_eq!(shown.ok()["certificate_details"].get("content"), None, "{query}");
    }
    for query in ["?include[]=content", "?include=content", "?include[]=content&include[]=content"]
    {
        let shown = api.get(&format!("{one}{query}")).await;
        assert_eq!(shown.ok()["certificate_details"]["content"], text, "{query}");
    }
    for query in ["?include[]=key", "?include=content,key"] {
        let refused = api.get(&format!("{one}{query}")).await;
        refused.refused(400, "invalid_value", "include", "Supported values are: 'content'.");
    }
    // What the path names comes before the query.
    let nothing = api.get(&format!("{LIST}/cert_x?include=key")).await;
    nothing.refused(404, "not_found", (), "Certificate with id 'cert_x' not found.");
}

#[tokio::test]
async fn the_same_name_is_no_change() {
    let api = Api::new().await;
    let one = format!("{LIST}/{}", upload(&api, "client").await);
    let before = events(&api).await;
    for body in [json!({}), json!({ "name": "client" })] {
        assert_eq!(api.post(&one, body).await.ok()["name"], "client");
    }
    assert_eq!(events(&api).await, before);
}

/// Ruling 5.24, and every member that is at fault is named.
#[tokio::test]
async fn ruling_5_24_bodies_are_refused_member_by_member() {
    let api = Api::new().await;
    let one = format!("{LIST}/{}", upload(&api, "client").await);
    let text = der::certificate("client");
    let long = "x".repeat(256);
    for path in [LIST, &one] {
        let body = |name: Value| {
            let mut body = json!({ "name": name });
            if path == LIST {
                body["certificate"] = json!(text);
            }
            body
        };
        let post = async |name: Value| api.post(path, body(name)).await;
        post(json!("")).await.refused(400, "empty_string", "name", "empty");
        post(json!(long)).await.refused(400, "string_above_max_length", "name", "255");
        post(Value::Null).await.refused(400, "invalid_type", "name", "null");
        let mut unknown = body(json!("x"));
        unknown["content"] = json!(text);
        api.post(path, unknown).await.refused(400, "unknown_parameter", "content", "'content'");
    }
    let body = json!({ "content": text });
    api.post(LIST, body).await.refused(
        400,
        "missing_required_parameter",
        "certificate",
        "'certificate'",
    );
}

#[tokio::test]
async fn an_organization_has_fifty_certificates_and_not_one_more() {
    let api = Api::new().await.unwatched();
    let mut last = String::new();
    for number in 0..50 {
        last = upload(&api, &format!("client-{number}")).await;
    }
    let body = json!({ "certificate": der::certificate("one more") });
    let refused = api.post(LIST, body.clone()).await;
    refused.refused(400, (), (), "An organization can have 50 certificates.");
    let other = api.found("second").await;
    api.request("POST", LIST).key(&other.key).json(&body).send().await.ok();
    api.delete(&format!("{LIST}/{last}")).await.ok();
    api.post(LIST, body).await.ok();
}

#[tokio::test]
async fn the_same_certificate_may_be_uploaded_again() {
    let api = Api::new().await;
    let (first, second) = (upload(&api, "client").await, upload(&api, "client").await);
    assert_ne!(first, second);
    assert_eq!(api.get(LIST).await.ids(), [second, first], "the newest comes first");
}
