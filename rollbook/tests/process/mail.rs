//! Alerts on their way to people, by a mail server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::spawn;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::commands::on;
use crate::database::Database;
use crate::server::{Server, Start};
use crate::wire::Client;

/// A message as the mail server got it.
#[derive(Debug)]
struct Mail {
    /// What the sender said to log in with.
    login: Option<String>,
    to: Vec<String>,
    text: String,
    /// Whoever sends into it lets the mail server acknowledge the message; who drops it lets the connection end.
    go_on: Sender<()>,
}

impl Mail {
    fn header(&self, name: &str) -> &str {
        let line = self.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in:\n{}", self.text))
    }

    fn acknowledge(&self) {
        self.go_on.send(()).unwrap();
    }
}

/// A mail server that refuses addresses which begin with `nobody`, and shows every message before it takes it.
struct Post {
    port: u16,
    mails: Receiver<Mail>,
}

impl Post {
    fn open() -> Self {
        Self::with_tls(None)
    }

    fn with_tls(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, mails) = channel();
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, tls) = (seen.clone(), tls.clone());
                spawn(move || match tls {
                    Some(config) => {
                        let session = ServerConnection::new(config).unwrap();
                        converse(StreamOwned::new(session, stream), &seen);
                    }
                    None => converse(stream, &seen),
                });
            }
        });
        Self { port, mails }
    }

    /// How a server reaches it without TLS.
    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    /// The next message.
    fn next(&self) -> Mail {
        self.mails.recv().unwrap()
    }
}

/// One connection. Whatever breaks ends it.
fn converse(stream: impl Read + Write, seen: &Sender<Mail>) {
    let mut stream = BufReader::new(stream);
    let (mut login, mut to) = (None, Vec::new());
    let mut answer = "220 test".to_owned();
    loop {
        let Ok(()) = stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()) else { return };
        let _ = stream.get_mut().flush();
        let mut line = String::new();
        if !matches!(stream.read_line(&mut line), Ok(1..)) {
            return;
        }
        let line = line.trim_end();
        answer = match line.split([' ', ':']).next().unwrap() {
            "EHLO" => "250-test\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => {
                login = Some(line.to_owned());
                "235 welcome".to_owned()
            }
            "RCPT" if line.contains("<nobody") => "550 no such mailbox".to_owned(),
            "RCPT" => {
                to.push(line.to_owned());
                "250 ok".to_owned()
            }
            "DATA" => {
                let _ = stream.get_mut().write_all(b"354 go on\r\n");
                let _ = stream.get_mut().flush();
                let Some(text) = data(&mut stream) else { return };
                let (go_on, gone_on) = channel();
                let (login, to) = (login.clone(), std::mem::take(&mut to));
                if seen.send(Mail { login, to, text, go_on }).is_err() || gone_on.recv().is_err() {
                    return;
                }
                "250 taken".to_owned()
            }
            "QUIT" => return,
            _ => "250 ok".to_owned(),
        };
    }
}

/// A message, up to the full stop behind it.
fn data(stream: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if !matches!(stream.read_line(&mut text), Ok(1..)) {
            return None;
        }
    }
    // Lines that were folded are one.
    Some(text.replace("\r\n ", " ").replace("=\r\n", ""))
}

/// A server whose tokens cost a dollar each, and mail goes there.
fn start(database: &Database, url: &str) -> Start {
    Start::with_key(database)
        .flag("--price", "m input_tokens=1")
        .flag("--smtp-url", url)
        .flag("--smtp-from", "Rollbook <rollbook@example.com>")
}

fn alert(client: &Client, place: &str, cents: i64, recipients: &[&str]) -> String {
    let channel = json!({ "type": "email", "recipients": recipients, "subject_prefix": "[spend]" });
    let body = json!({
        "threshold_amount": cents, "currency": "USD", "interval": "month", "notification_channel": channel
    });
    let (status, alert) = client.post(&format!("/v1/organization{place}/spend_alerts"), &body);
    assert_eq!(status, 200, "{alert}");
    alert["id"].as_str().unwrap().to_owned()
}

fn project(client: &Client, name: &str) -> String {
    let (status, project) = client.post("/v1/organization/projects", &json!({ "name": name }));
    assert_eq!(status, 200, "{project}");
    project["id"].as_str().unwrap().to_owned()
}

fn spend(client: &Client, project: &str, id: &str, dollars: i64) {
    use admin::domain::clock::{Clock, SystemClock};
    let event = json!([{
        "id": id, "time": SystemClock.now(), "kind": "completions", "model": "m", "input_tokens": dollars,
        "project_id": project, "api_key_id": "key_x",
    }]);
    let (status, answer) = client.post("/rollbook/v1/usage_events", &event);
    assert_eq!((status, &answer["accepted"]), (200, &json!(1)), "{answer}");
}

/// The alerts that fired, as the command line tells them.
fn fired(database: &Database) -> Vec<Value> {
    let listed = on(database, &["alerts", "list", "--json"]).ok();
    listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ready(start: Start) -> (Server, Client) {
    let server = start.start();
    let client = Client::of(&server);
    (server, client)
}

#[test]
fn everybody_whom_an_alert_names_gets_a_message_of_their_own() {
    let (database, post) = (Database::fresh(), Post::open());
    let (server, client) = ready(start(&database, &post.url()));
    let project = project(&client, "Søk");
    let id =
        alert(&client, &format!("/projects/{project}"), 1000, &["a@example.com", "b@example.com"]);
    spend(&client, &project, "1", 9);
    assert_eq!(fired(&database), [] as [Value; 0]);
    spend(&client, &project, "2", 3);
    for name in ["a", "b"] {
        let mail = post.next();
        assert_eq!(mail.to, [format!("RCPT TO:<{name}@example.com>")]);
        assert_eq!(mail.header("From"), "Rollbook <rollbook@example.com>");
        assert_eq!(mail.header("To"), format!("{name}@example.com"));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        assert!(mail.header("Subject").starts_with("[spend] "), "{}", mail.text);
        assert!(mail.text.contains("$12.00") && mail.text.contains("$10.00"), "{}", mail.text);
        assert!(mail.text.contains(&id), "{}", mail.text);
        assert_eq!(mail.login, None);
        mail.acknowledge();
    }
    server.log.wait_for("told 2 of 2 recipients of an alert");
    let [row] = &fired(&database)[..] else { panic!() };
    assert_eq!((&row["alert_id"], &row["project_id"]), (&json!(id), &json!(project)));
    assert_eq!((&row["threshold_amount"], &row["spent"]), (&json!(1000), &json!("12")));
    assert!(row["delivered_at"].is_i64(), "{row}");
    let table = on(&database, &["alerts", "list"]).ok();
    assert!(table.contains("Søk") && table.contains("10.00") && table.contains("12.00"), "{table}");
    server.stop();
}

#[test]
fn a_message_that_was_not_acknowledged_is_sent_again_also_by_the_next_process() {
    let (database, post) = (Database::fresh(), Post::open());
    let (mut server, client) = ready(start(&database, &post.url()));
    let project = project(&client, "One");
    alert(&client, "", 100, &["a@example.com"]);
    spend(&client, &project, "1", 1);
    let first = post.next();
    let name = first.header("Message-ID").to_owned();
    // The connection ends without a word.
    drop(first);
    let again = post.next();
    assert_eq!(again.header("Message-ID"), name);
    assert!(server.log.wait_for("alerts wait to be delivered").contains("the next try is in"));
    server.kill();
    drop(again);
    let server = start(&database, &post.url()).start();
    let third = post.next();
    assert_eq!(third.header("Message-ID"), name);
    third.acknowledge();
    server.log.wait_for("told 1 of 1 recipients");
    server.stop();
    assert!(fired(&database)[0]["delivered_at"].is_i64());
}

#[test]
fn a_mailbox_that_does_not_exist_keeps_nobody_else_from_being_told() {
    let (database, post) = (Database::fresh(), Post::open());
    let (server, client) = ready(start(&database, &post.url()));
    let project = project(&client, "One");
    alert(&client, "", 100, &["nobody@example.com", "a@example.com"]);
    spend(&client, &project, "1", 1);
    let mail = post.next();
    assert_eq!(mail.to, ["RCPT TO:<a@example.com>"]);
    mail.acknowledge();
    let line = server.log.wait_for("the mail server refuses nobody@example.com");
    assert!(line.contains("no such mailbox"), "{line}");
    // The others do not wait for its further tries.
    alert(&client, "", 200, &["b@example.com"]);
    spend(&client, &project, "2", 1);
    let mail = post.next();
    assert_eq!(mail.to, ["RCPT TO:<b@example.com>"]);
    mail.acknowledge();
    server.log.wait_for("told 1 of 1 recipients");
    server.log.wait_for("told 1 of 2 recipients");
    server.stop();
}

#[test]
fn without_a_mail_server_an_alert_goes_into_the_log() {
    let database = Database::fresh();
    let (server, client) = ready(Start::with_key(&database).flag("--price", "m input_tokens=1"));
    let project = project(&client, "One");
    alert(&client, "", 150, &["a@example.com"]);
    spend(&client, &project, "1", 2);
    let line = server.log.wait_for("nobody is told");
    assert!(line.contains("has spent $2.00") && line.contains("smtp-url"), "{line}");
    server.stop();
    assert!(fired(&database)[0]["delivered_at"].is_i64());
}

#[test]
fn the_password_is_told_to_the_mail_server_only() {
    const SECRET: &str = "s3cret-of-the-test";
    let (database, post) = (Database::fresh(), Post::open());
    let url = format!("smtp://ada%40example.com@127.0.0.1:{}?tls=none", post.port);
    let (code, _, log) = start(&database, &url).run();
    assert!(code == 2 && log.contains("there is no password"), "{log}");
    let (server, client) = ready(start(&database, &url).env("ROLLBOOK_SMTP_PASSWORD", SECRET));
    let project = project(&client, "One");
    alert(&client, "", 100, &["a@example.com"]);
    spend(&client, &project, "1", 1);
    let mail = post.next();
    // NUL, the user, NUL, the password; in Base64.
    let login = "AUTH PLAIN AGFkYUBleGFtcGxlLmNvbQBzM2NyZXQtb2YtdGhlLXRlc3Q=";
    assert_eq!(mail.login.as_deref(), Some(login));
    mail.acknowledge();
    server.log.wait_for("told 1 of 1");
    let (out, log) = server.stop();
    assert!(!out.contains(SECRET) && !log.contains(SECRET), "{log}");
    let file = database.folder().join("password");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let check = Start::program(&["check-config", "--database", &database.url, "--smtp-url", &url]);
    let check = check.flag("--smtp-from", "a@example.com").flag("--smtp-password-file", &file);
    let (code, out, err) = check.run();
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("alerts go to 127.0.0.1") && !out.contains(SECRET), "{out}");
}

#[test]
fn a_mail_server_is_spoken_to_with_tls_and_must_be_who_it_says() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (database, post) = (Database::fresh(), Post::with_tls(Some(Arc::new(config))));
    let url = format!("smtps://localhost:{}", post.port);
    let (server, client) = ready(start(&database, &url));
    let project = project(&client, "One");
    alert(&client, "", 100, &["a@example.com"]);
    spend(&client, &project, "1", 1);
    let line = server.log.wait_for("alerts wait to be delivered");
    assert!(line.to_lowercase().contains("certificate"), "{line}");
    server.stop();
    let trusted = database.folder().join("trusted.pem");
    std::fs::write(&trusted, cert.pem()).unwrap();
    let server = start(&database, &url).env("SSL_CERT_FILE", &trusted).start();
    post.next().acknowledge();
    server.log.wait_for("told 1 of 1");
    server.stop();
}

#[test]
fn a_mail_server_that_is_gone_keeps_nobody_waiting() {
    let database = Database::fresh();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}?tls=none", listener.local_addr().unwrap());
    let (server, client) = ready(start(&database, &url));
    let project = project(&client, "One");
    alert(&client, "", 100, &["a@example.com"]);
    spend(&client, &project, "1", 1);
    // It takes the connection and says nothing.
    let silent: TcpStream = listener.accept().unwrap().0;
    spend(&client, &project, "2", 1);
    assert_eq!(client.get("/v1/organization/projects").0, 200);
    let (_, log) = server.stop();
    assert!(log.contains("an alert was on its way when the server stopped"), "{log}");
    drop(silent);
}
