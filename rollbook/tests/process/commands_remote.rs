//! Commands against servers that are not ours: slow down, point elsewhere, answer nonsense.

use admin::domain::clock::SystemRandom;
use admin::domain::secret::{ADMIN_PREFIX, PlainKey};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::commands::Ran;
use crate::database::Database;
use crate::server::{KEY, Start};

const PAGE: &str = r#"{"object":"list","data":[
    {"id":"user-a","email":"a@example.com"},{"id":"user-b","email":"b@example.com"}],"has_more":false}"#;

/// A server that answers its requests with these, in turn, and then ends.
struct Scripted {
    url: String,
    requests: JoinHandle<Vec<String>>,
}

impl Scripted {
    fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = std::thread::spawn(move || {
            answers.iter().map(|answer| exchange(&listener, answer)).collect()
        });
        Self { url, requests }
    }

    /// What a command did, and the requests it sent. The command must use up all answers.
    fn run(self, arguments: &[&str]) -> (Ran, Vec<String>) {
        self.run_with(KEY, arguments)
    }

    /// The same with another key.
    fn run_with(self, key: &str, arguments: &[&str]) -> (Ran, Vec<String>) {
        let start = Start::program(arguments).flag("--server", &self.url);
        let ran = Ran::of(start.env("OPENAI_ADMIN_KEY", key).env("ROLLBOOK_ADMIN_KEY", ""));
        (ran, self.requests.join().unwrap())
    }
}

/// Takes one connection, reads one request and answers it.
fn exchange(listener: &TcpListener, answer: &str) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    while !request.ends_with("\r\n\r\n") {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        request += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    request + &String::from_utf8(body).unwrap()
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

fn many(headers: &str) -> String {
    answer(
        429,
        headers,
        r#"{"error":{"message":"Slow down.","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
    )
}

#[test]
fn a_server_that_asks_for_patience_gets_it_within_bounds() {
    let soon = many("retry-after-ms: 1\r\n");
    let (ran, requests) = Scripted::new(vec![soon.clone(), soon.clone(), answer(200, "", PAGE)])
        .run(&["user", "list", "--json"]);
    assert_eq!((ran.ok().lines().count(), requests.len()), (2, 3));
    assert!(requests.iter().all(|request| request.contains(&format!("Bearer {KEY}"))));

    let (ran, _) =
        Scripted::new(vec![soon.clone(), soon.clone(), soon.clone(), soon]).run(&["user", "list"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("Slow down.") && ran.stderr.contains("rate_limit_exceeded"),
        "{}",
        ran.stderr
    );
    let (ran, _) = Scripted::new(vec![many("retry-after: 3600\r\n")]).run(&["user", "list"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("3600"), "{}", ran.stderr);
}

#[test]
fn a_change_of_unknown_outcome_is_not_sent_again() {
    let unknown = answer(
        503,
        "retry-after: 1\r\nx-should-retry: false\r\n",
        r#"{"error":{"message":"Outcome unknown."}}"#,
    );
    let (ran, requests) = Scripted::new(vec![unknown]).run(&["project", "create", "Search"]);
    assert_eq!((ran.code, requests.len()), (1, 1));
    assert!(
        requests[0].starts_with("POST /v1/organization/projects ")
            && requests[0].ends_with(r#"{"name":"Search"}"#)
    );
}

#[test]
fn the_key_goes_nowhere_else() {
    let elsewhere = answer(302, "location: http://elsewhere.example/v1\r\n", "");
    let (ran, _) = Scripted::new(vec![elsewhere]).run(&["user", "list"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("http://elsewhere.example/v1") && !ran.stderr.contains(KEY),
        "{}",
        ran.stderr
    );
}

#[test]
fn refusals_are_told_in_the_servers_words_with_an_exit_code_of_their_kind() {
    for (status, body, code, word) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: ***.","code":"invalid_api_key","param":null}}"#,
            5,
            "invalid_api_key",
        ),
        (
            403,
            r#"{"error":"You have insufficient permissions for this operation."}"#,
            5,
            "insufficient",
        ),
        (404, r#"{"error":{"message":"Gone.","code":null,"param":"user_id"}}"#, 4, "user_id"),
        (400, r#"{"error":{"message":"\u001b[31mWrong."}}"#, 1, r"\u{1b}[31mWrong."),
        (500, r"{}", 1, "500"),
        (200, "<html>", 1, "--server"),
        (200, r#"{"data":7}"#, 1, "not a list"),
    ] {
        let (ran, _) = Scripted::new(vec![answer(status, "", body)]).run(&["user", "list"]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stderr.contains(word) && ran.stdout.is_empty(), "{ran:?}");
    }
}

#[test]
fn a_refused_key_that_fails_its_checksum_may_be_mistyped() {
    let refusal = r#"{"error":{"message":"Incorrect API key provided: ***.","code":"invalid_api_key","param":null}}"#;
    let told = |key: &str| {
        let (ran, _) =
            Scripted::new(vec![answer(401, "", refusal)]).run_with(key, &["user", "list"]);
        assert!(ran.code == 5 && ran.stderr.contains("invalid_api_key"), "{ran:?}");
        assert!(!ran.stderr.contains(key), "{ran:?}");
        ran.stderr.contains("may be mistyped")
    };
    let made = PlainKey::generate(ADMIN_PREFIX, &SystemRandom);
    let (body, last) = made.expose().split_at(made.expose().len() - 1);
    assert!(!told(made.expose()), "a key made here, deleted since");
    assert!(told(&format!("{body}{}", if last == "a" { "b" } else { "a" })));
    assert!(!told(&format!("{}x", made.expose())), "of another length: somebody else's, or chosen");
}

#[test]
fn a_filter_that_a_server_ignores_removes_nobody_else() {
    let deleted = r#"{"object":"organization.user.deleted","id":"user-b","deleted":true}"#;
    let script = vec![answer(200, "", PAGE), answer(200, "", deleted)];
    let (ran, requests) = Scripted::new(script).run(&["user", "remove", "B@example.com", "--yes"]);
    ran.ok();
    assert!(
        requests[0]
            .starts_with("GET /v1/organization/users?emails%5B%5D=B%40example.com&limit=100 "),
        "{requests:?}"
    );
    assert!(requests[1].starts_with("DELETE /v1/organization/users/user-b "), "{requests:?}");
}

#[test]
fn a_list_is_walked_by_its_cursor_and_one_without_an_end_is_noticed() {
    let page = |last: &str, more: bool| {
        answer(
            200,
            "",
            &format!(r#"{{"data":[{{"id":"{last}"}}],"last_id":"{last}","has_more":{more}}}"#),
        )
    };
    let (ran, requests) = Scripted::new(vec![page("user-a", true), page("user-b", false)])
        .run(&["user", "list", "--json"]);
    assert_eq!(ran.ok(), "{\"id\":\"user-a\"}\n{\"id\":\"user-b\"}\n");
    assert!(requests[1].contains("limit=100&after=user-a "), "{requests:?}");
    let (ran, _) = Scripted::new(vec![page("user-a", true), page("user-a", true)])
        .run(&["user", "list", "--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no end"), "{}", ran.stderr);
}

#[test]
fn without_a_key_nothing_is_sent() {
    let start = Start::program(&["user", "list", "--server", "http://127.0.0.1:1"]);
    let ran = Ran::of(start.env("OPENAI_ADMIN_KEY", "").env("ROLLBOOK_ADMIN_KEY", " "));
    assert_eq!(ran.code, 5);
    assert!(ran.stderr.contains("ROLLBOOK_ADMIN_KEY"), "{}", ran.stderr);
    let start = Start::program(&["user", "list", "--server", "rollbook.example.com"]);
    assert_eq!(start.env("OPENAI_ADMIN_KEY", KEY).run().0, 2);
}

#[test]
fn a_certificate_counts_if_the_system_trusts_it() {
    let database = Database::fresh();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = (database.folder().join("chain.pem"), database.folder().join("key.pem"));
    std::fs::write(&chain, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let server =
        Start::with_key(&database).flag("--tls-cert", &chain).flag("--tls-key", &key).start();
    let url = format!("https://localhost:{}/v1/", server.address().port());
    let start = || {
        Start::program(&["user", "list", "--json"])
            .flag("--server", &url)
            .env("OPENAI_ADMIN_KEY", KEY)
    };
    assert_eq!(Ran::of(start().env("SSL_CERT_FILE", &chain)).ok().lines().count(), 1);
    let ran = Ran::of(start());
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("certificate"), "{}", ran.stderr);
}
