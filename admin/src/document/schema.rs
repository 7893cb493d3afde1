//! The JSON Schema of the format, from the same declarations that read and write it.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::format::Document;

/// The schema as a document of its own.
#[must_use]
pub fn schema() -> Value {
    let mut parts = Vec::new();
    Document::schemas(&mut parts);
    let mut definitions = Map::new();
    for (name, part) in parts {
        definitions.insert(name, json!(part));
    }
    let mut schema = json!(Document::schema());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("An organization of Rollbook");
    schema["$defs"] = Value::Object(definitions);
    localize(&mut schema);
    schema
}

/// Lets references point into the document itself.
fn localize(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref") {
                *target = target.replace("#/components/schemas/", "#/$defs/");
            }
            members.values_mut().for_each(localize);
        }
        Value::Array(all) => all.iter_mut().for_each(localize),
        _ => {}
    }
}
