//! The document, as a command and as a page.

use serde_json::Value;

use crate::database::Database;
use crate::server::Start;
use crate::wire::Client;

#[test]
fn the_command_and_the_page_give_the_same_document() {
    let (code, printed, log) = Start::program(&["openapi"]).run();
    assert_eq!((code, log.as_str()), (0, ""));
    assert!(printed.ends_with("}\n") && printed.lines().count() > 100);
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));

    let (code, own, _) = Start::program(&["openapi", "--own"]).run();
    let own: Value = serde_json::from_str(&own).unwrap();
    let paths = own["paths"].as_object().unwrap();
    assert_eq!(code, 0);
    assert!(!paths.is_empty() && paths.keys().all(|path| path.starts_with("/rollbook/v1/")));

    let database = Database::fresh();
    let server = Start::with_key(&database).start();
    assert_eq!(Client::of(&server).get("/openapi.json"), (200, printed));
}
