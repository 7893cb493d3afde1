//! The demo does what its introduction says.

use serde_json::Value;
use ureq::Agent;

use crate::server::{Server, Start};
use crate::wire::Raw;

/// What a printed curl line would do.
fn replay(line: &str) -> Value {
    let words: Vec<_> = line.split('\'').collect();
    let [command, header, _, url, ""] = *words else { panic!("not a curl line: {line}") };
    assert_eq!(command.trim(), "curl -s -H");
    let (name, value) = header.split_once(": ").unwrap();
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let text =
        agent.get(url).header(name, value).call().unwrap().body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn start() -> (Server, String) {
    let server = Start::program(&["demo", "--listen", "127.0.0.1:0"]).start();
    let introduction = server.stdout_until("Ctrl-C");
    (server, introduction)
}

#[test]
fn its_commands_show_a_page_the_next_one_and_the_archived_project() {
    let (server, introduction) = start();
    let commands: Vec<_> =
        introduction.lines().filter(|line| line.trim().starts_with("curl ")).collect();
    let [first, next, archived] = *commands else { panic!("{introduction}") };
    let (first, next, archived) = (replay(first), replay(next), replay(archived));
    let (ids, next_ids) = (ids(&first), ids(&next));
    assert_eq!((ids.len(), next_ids.len()), (3, 3));
    assert!(ids[2] < next_ids[0] && first["last_id"] == ids[2], "{first} {next}");
    assert_eq!((&first["has_more"], &next["has_more"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(archived["error"]["code"], "project_archived");
    server.stop();
}

#[test]
fn its_projects_have_used_something_that_has_a_price() {
    let (server, introduction) = start();
    let shown = introduction.lines().filter(|line| line.contains(" rollbook usage show "));
    let shown: Vec<_> = shown.map(|line| run(line.trim())).collect();
    let [by_project, costs] = &shown[..] else { panic!("{introduction}") };
    let first = by_project.lines().nth(1).unwrap();
    assert!(first.starts_with("Storefront ") && first.ends_with('█'), "{by_project}");
    assert!(!costs.lines().last().unwrap().ends_with(" 0.00"), "{costs}");
    server.stop();
}

/// What a printed line with one variable and a command would show.
fn run(line: &str) -> String {
    let mut words = line.split(' ');
    let (name, value) = words.next().unwrap().split_once('=').unwrap();
    assert_eq!(words.next(), Some("rollbook"));
    let arguments: Vec<_> = words.collect();
    let (code, out, err) = Start::program(&arguments).env(name, value).run();
    assert_eq!((code, &*err), (0, ""), "{line}");
    out
}

#[test]
fn it_answers_only_for_the_names_of_this_machine() {
    let (server, _) = start();
    let port = server.address().port();
    let status = |host: &str| {
        let mut request = Raw::connect(server.address());
        request.send(&format!("GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n"));
        request.rest()
    };
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        assert!(status(&format!("Host: {name}:{port}\r\n")).starts_with("HTTP/1.1 200 "));
        assert!(status(&format!("Host: {name}\r\n")).starts_with("HTTP/1.1 200 "));
    }
    for host in [
        "Host: rebound.example\r\n",
        "Host: localhost.example\r\n",
        "Host: 127.0.0.1.example:80\r\n",
        "Host:\r\n",
        "",
    ] {
        let refusal = status(host);
        assert!(
            refusal.starts_with("HTTP/1.1 403 ") && refusal.contains(r#""error""#),
            "{host}: {refusal}"
        );
    }
}

#[test]
fn it_refuses_addresses_that_others_can_reach() {
    let (code, _, log) = Start::program(&["demo", "--listen", "0.0.0.0:0"]).run();
    assert_eq!(code, 2);
    assert!(log.contains("loopback"), "{log}");
}
