//! Every operation of the API is built.

use std::collections::BTreeSet;
use std::path::Path;

use crate::not_built::NEWER_THAN_THE_DOCUMENT;
use crate::testing::Api;
use crate::testing::document::{OURS, OperationName, REFERENCE};

const OPERATIONS: usize = 119;

fn names(list: &[(http::Method, &str)]) -> BTreeSet<OperationName> {
    list.iter().map(|(method, path)| (method.to_string(), (*path).to_owned())).collect()
}

#[test]
fn each_operation_is_built_and_none_of_them_is_listed_as_not_built() {
    let built: BTreeSet<_> = OURS.operations.keys().cloned().collect();
    let missing = names(NEWER_THAN_THE_DOCUMENT);
    assert_eq!(missing.len(), NEWER_THAN_THE_DOCUMENT.len(), "no operation is listed twice");
    assert_eq!(built.intersection(&missing).collect::<Vec<_>>(), Vec::<&OperationName>::new());
    assert_eq!(built.len(), OPERATIONS);
    if let Some(reference) = REFERENCE.as_ref() {
        let published: BTreeSet<_> = reference.operations.keys().cloned().collect();
        assert_eq!(built, published);
    }
}

#[tokio::test]
async fn what_is_not_built_says_so_and_is_not_retried() {
    let api = Api::new().await.unwatched();
    for (method, template) in NEWER_THAN_THE_DOCUMENT {
        let path = template.replace(['{', '}'], "");
        let reply = api.request(method.as_str(), &path).send().await;
        reply.refused(501, "not_implemented", (), &format!("{method} /v1{path}"));
        assert_eq!(reply.header("x-should-retry"), Some("false"), "{method} {path}");
    }
}

#[test]
fn the_committed_documents_are_the_generated_ones() {
    let documents =
        [("openapi.json", crate::openapi()), ("openapi-rollbook.json", crate::own_openapi())];
    for (name, document) in documents {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
        let generated = document.to_pretty_json().expect("the document is JSON") + "\n";
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &generated).expect("the document can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(generated == committed, "{name} is not current: run `make openapi`");
    }
}
