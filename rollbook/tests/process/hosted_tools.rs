//! The hosted tools that no project can do without, from the command line.

use serde_json::{Value, json};

use crate::commands::{Ran, founded, on};
use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

/// The tools that are required, by the list as JSON.
fn required(database: &Database) -> Vec<String> {
    let listed = on(database, &["hosted-tool", "list", "--json"]).ok();
    let rows: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5, "{listed}");
    let required = rows.iter().filter(|row| row["required"] == true);
    required.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tools_are_required_listed_and_released() {
    let database = founded();
    let run = |arguments: &[&str]| on(&database, arguments);
    assert_eq!(required(&database), Vec::<String>::new());
    let told: Value =
        serde_json::from_str(&run(&["hosted-tool", "require", "mcp", "--json"]).ok()).unwrap();
    assert_eq!(told, json!({ "object": "hosted_tool", "id": "mcp", "required": true }));
    for _ in 0..2 {
        let told = run(&["hosted-tool", "require", "web_search"]).ok();
        assert_eq!(told, "Every project has web_search now.\n");
    }
    assert_eq!(required(&database), ["web_search", "mcp"]);
    let table = run(&["hosted-tool", "list", "--organization", "default"]).ok();
    assert!(table.contains("REQUIRED") && table.contains("code_interpreter"), "{table}");
    let told = run(&["hosted-tool", "release", "mcp"]).ok();
    assert_eq!(told, "Each project says whether it has mcp.\n");
    assert_eq!(required(&database), ["web_search"]);
    for (arguments, code, fault) in [
        (&["hosted-tool", "require", "shell"][..], 2, "file_search, web_search"),
        (&["hosted-tool", "require", "mcp", "--organization", "other"], 4, "not found"),
        (&["hosted-tool", "list", "--organization", "other"], 4, "not found"),
    ] {
        let Ran { code: ended, stderr, .. } = run(arguments);
        assert_eq!(ended, code, "{stderr}");
        assert!(stderr.contains(fault), "{stderr}");
    }
}

#[test]
fn a_server_knows_at_once_which_tools_are_required() {
    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    let client = Client::of(&server);
    let (_, projects) = client.get("/v1/organization/projects");
    let project = projects["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/organization/projects/{project}/hosted_tool_permissions");
    let off = json!({ "mcp": { "enabled": false } });
    assert_eq!(client.post(&path, &off).1["mcp"]["enabled"], false);
    for _ in 0..3 {
        assert_eq!(client.get(&path).1["mcp"]["enabled"], false);
        on(&database, &["hosted-tool", "require", "mcp"]).ok();
        assert_eq!(client.get(&path).1["mcp"]["enabled"], true);
        let (status, refused) = client.post(&path, &off);
        assert_eq!((status, &refused["error"]["param"]), (400, &json!("mcp.enabled")));
        on(&database, &["hosted-tool", "release", "mcp"]).ok();
    }
    server.stop();
}
