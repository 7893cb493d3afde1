//! The configuration of Terraform, read again by a reader of that language.

use std::collections::BTreeSet;

use hcl::{Attribute, Block, Body, Expression};

use super::document_of;
use crate::document::terraform::files;
use crate::document::{Document, Hashes, LITERAL, parse};
use crate::testing::Api;
use crate::testing::world::World;

fn bodies(document: &Document) -> Vec<Body> {
    let read = |(name, text)| hcl::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    files(document).iter().map(|(name, text)| read((name, text))).collect()
}

fn blocks<'a>(bodies: &'a [Body], kind: &'a str) -> impl Iterator<Item = &'a Block> {
    bodies.iter().flat_map(Body::blocks).filter(move |block| block.identifier() == kind)
}

fn label(block: &Block) -> (String, String) {
    let labels: Vec<_> = block.labels().iter().map(|label| label.as_str().to_owned()).collect();
    (labels[0].clone(), labels[1].clone())
}

fn attribute<'a>(block: &'a Block, name: &str) -> &'a Expression {
    let mut all = block.body().attributes();
    all.find(|one| one.key() == name).map_or_else(|| panic!("{name}: {block:?}"), Attribute::expr)
}

/// What an expression refers to: kind and label.
fn targets(expression: &Expression, found: &mut Vec<(String, String)>) {
    match expression {
        Expression::Traversal(traversal) => {
            let text = hcl::format::to_string(expression).expect("it can be written");
            let mut parts = text.trim().split('.');
            let _ = traversal;
            found.push((
                parts.next().expect("a kind").into(),
                parts.next().expect("a label").into(),
            ));
        }
        Expression::Array(all) => all.iter().for_each(|one| targets(one, found)),
        Expression::Object(all) => all.values().for_each(|one| targets(one, found)),
        _ => {}
    }
}

/// Everything refers to something that is there, no two blocks are called alike, and each is imported once.
fn assert_sound(document: &Document) -> usize {
    let bodies = bodies(document);
    let resources: Vec<_> = blocks(&bodies, "resource").map(label).collect();
    let names: BTreeSet<_> = resources.iter().cloned().collect();
    assert_eq!(names.len(), resources.len(), "two blocks have one name");
    let mut imported = Vec::new();
    for import in blocks(&bodies, "import") {
        targets(attribute(import, "to"), &mut imported);
        assert!(matches!(attribute(import, "id"), Expression::String(_)));
    }
    imported.sort_unstable();
    assert_eq!(imported, names.iter().cloned().collect::<Vec<_>>());
    let mut referred = Vec::new();
    for resource in blocks(&bodies, "resource") {
        for one in resource.body().attributes() {
            targets(one.expr(), &mut referred);
        }
    }
    assert!(referred.iter().all(|target| names.contains(target)), "{referred:?}");
    names.len()
}

#[tokio::test]
async fn everything_refers_to_what_is_there_and_is_imported() {
    let api = Api::new().await;
    World::of_first(&api).await.grow(&api, 3).await;
    assert!(assert_sound(&document_of(&api, Hashes::LeftOut).await) > 40);
    assert!(assert_sound(&parse(LITERAL).expect("it can be read")) > 20);
}

/// Names that would mean something else if they were not escaped, and names that are the same once they are labels.
#[test]
fn names_are_nothing_but_names() {
    let names = [
        "${file(\"/etc/passwd\")}",
        "%{ if true }x%{ endif }",
        "$${already}",
        "a\"b\\c",
        "two\nlines\r\t",
        "$",
        "%",
        "$%{",
        "Ключ",
        "1",
        "",
        "a b",
        "a_b",
        "A  B",
        "\u{202e}\u{7}",
        "#x",
        "<<EOT\nEOT\n",
        "/* x */",
    ];
    let groups = names.iter().enumerate().map(|(place, name)| crate::document::format::Group {
        id: format!("id-${{{place}}}"),
        name: (*name).to_owned(),
        ..Default::default()
    });
    let document = Document { groups: groups.collect(), ..Document::default() };
    assert_eq!(assert_sound(&document), names.len());
    let bodies = bodies(&document);
    let read = blocks(&bodies, "resource").map(|block| attribute(block, "name").clone());
    let expected = names.iter().map(|name| Expression::String((*name).to_owned()));
    assert_eq!(read.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let ids = blocks(&bodies, "import").map(|block| attribute(block, "id").clone());
    let expected = (0..names.len()).map(|place| Expression::String(format!("id-${{{place}}}")));
    assert_eq!(ids.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}
