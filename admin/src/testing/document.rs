//! OpenAPI documents, normalized so that two of them can be compared and answers can be held against them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::world::sample;

/// Our own document.
pub static OURS: LazyLock<Document> = LazyLock::new(|| {
    Document::new(&serde_json::to_value(crate::openapi()).expect("the document is JSON"))
});

/// Our document of the operations that only this server has. Its paths are whole.
pub static OWN: LazyLock<Document> = LazyLock::new(|| {
    Document::new(&serde_json::to_value(crate::own_openapi()).expect("the document is JSON"))
});

/// Every operation of both documents to which the promises of this API apply. Checking a key is another matter: who asks shows
/// the key that is asked about.
pub fn operations() -> impl Iterator<Item = (&'static OperationName, &'static Operation)> {
    let own = OWN.operations.iter().filter(|(_, operation)| operation.tag != "Check");
    OURS.operations.iter().chain(own)
}

/// The published document, where the environment names it or it lies beside the project.
pub static REFERENCE: LazyLock<Option<Document>> = LazyLock::new(|| {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/reference/admin.openapi.json");
    let named = std::env::var("ROLLBOOK_REFERENCE");
    let path = named.clone().unwrap_or_else(|_| beside.to_owned());
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            Some(Document::new(&serde_json::from_str(&text).expect("the reference is JSON")))
        }
        Err(error) => {
            assert!(named.is_err(), "ROLLBOOK_REFERENCE names {path}: {error}");
            eprintln!("no reference document: answers are compared with our own document only");
            None
        }
    }
});

/// The name of an operation: method and path template.
pub type OperationName = (String, String);

/// A document whose schemas are free of references, descriptions and spelling variants.
pub struct Document {
    /// Every operation.
    pub operations: BTreeMap<OperationName, Operation>,
}

/// One operation.
pub struct Operation {
    /// What it is filed under.
    pub tag: String,
    /// Name, place, and whether it is required, with its schema.
    pub parameters: BTreeMap<(String, String), (bool, Value)>,
    /// The body's schema, and whether it is required.
    pub body: Option<(bool, Value)>,
    /// The schema of each status that is described.
    pub responses: BTreeMap<u16, Value>,
}

impl Operation {
    /// Whether the answer is a list that is read in pages. Pages of buckets are no list.
    pub fn is_list(&self) -> bool {
        self.argument("after").is_some()
    }

    /// The arguments that a query must have, with values that are accepted: `?start_time=1&`. More can be written behind it.
    pub fn query(&self) -> String {
        let required = self
            .parameters
            .iter()
            .filter(|((place, _), (required, _))| place == "query" && *required);
        let required =
            required.map(|((_, name), (_, schema))| format!("{name}={}&", sample(name, schema)));
        format!("?{}", required.collect::<String>())
    }

    /// Whether the body is a list of objects, of which each is accepted or refused for itself.
    pub fn takes_many(&self) -> bool {
        self.body.as_ref().is_some_and(|(_, schema)| schema["type"] == "array")
    }

    /// The body with this object as it is sent.
    pub fn whole_body(&self, object: Value) -> Value {
        if self.takes_many() { json!([object]) } else { object }
    }

    /// The schema of an argument of the query.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.parameters.get(&("query".to_owned(), name.to_owned())).map(|(_, schema)| schema)
    }

    /// The arguments of the query that take one of a few words, with these.
    pub fn choices(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.parameters.iter().filter(|((place, _), _)| place == "query").filter_map(
            |((_, name), (_, schema))| {
                let words = schema["enum"].as_array()?;
                Some((name.as_str(), words.iter().filter_map(Value::as_str).collect()))
            },
        )
    }

    /// The members of the body, or of each object in it, with the required ones named.
    pub fn body_members(&self) -> (Map<String, Value>, BTreeSet<String>) {
        let schema = self.body.as_ref().map_or(Value::Null, |(_, schema)| schema.clone());
        let schema = if self.takes_many() { schema["items"].clone() } else { schema };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let required =
            required.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        (schema["properties"].as_object().cloned().unwrap_or_default(), required)
    }
}

impl Document {
    fn new(source: &Value) -> Self {
        let normalize = |schema: &Value| Normalizer { source }.schema(schema);
        let mut operations = BTreeMap::new();
        for (path, methods) in source["paths"].as_object().expect("a document has paths") {
            for (method, operation) in methods.as_object().expect("a path has methods") {
                let parameters =
                    operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
                        let text = |member: &str| {
                            parameter[member].as_str().unwrap_or_default().to_owned()
                        };
                        let required = parameter["required"].as_bool().unwrap_or(false);
                        ((text("in"), text("name")), (required, normalize(&parameter["schema"])))
                    });
                let body = operation["requestBody"].as_object().map(|body| {
                    let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
                    (required, normalize(&body["content"]["application/json"]["schema"]))
                });
                let responses = operation["responses"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(status, response)| {
                        let schema = normalize(&response["content"]["application/json"]["schema"]);
                        Some((status.parse().ok()?, schema))
                    });
                let operation = Operation {
                    tag: operation["tags"][0].as_str().unwrap_or_default().to_owned(),
                    parameters: parameters.collect(),
                    body,
                    responses: responses.collect(),
                };
                operations.insert((method.to_uppercase(), path.clone()), operation);
            }
        }
        Self { operations }
    }

    /// The operation that serves this method and path.
    pub fn find(&self, method: &str, path: &str) -> Option<(&OperationName, &Operation)> {
        let serves = |template: &str| {
            let (wanted, given): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let pairs = wanted.iter().zip(&given);
            wanted.len() == given.len()
                && pairs.into_iter().all(|(want, give)| want == give || want.starts_with('{'))
        };
        // A literal segment wins over a parameter.
        let candidates = self
            .operations
            .iter()
            .filter(|((verb, template), _)| verb == method && serves(template));
        candidates.min_by_key(|((_, template), _)| template.matches('{').count())
    }
}

struct Normalizer<'a> {
    source: &'a Value,
}

impl Normalizer<'_> {
    /// A schema without references, descriptions, and the several ways to say the same.
    fn schema(&self, schema: &Value) -> Value {
        let Some(members) = schema.as_object() else { return schema.clone() };
        if let Some(target) = members.get("$ref").and_then(Value::as_str) {
            let pointer = target.trim_start_matches('#');
            return self.schema(self.source.pointer(pointer).expect("references lead somewhere"));
        }
        if let Some(parts) = members.get("allOf").and_then(Value::as_array) {
            return parts.iter().map(|part| self.schema(part)).fold(json!({}), merge);
        }
        if let Some(options) =
            members.get("anyOf").or_else(|| members.get("oneOf")).and_then(Value::as_array)
        {
            return self.choice(options, members);
        }
        let mut normal = Map::new();
        for (name, value) in members {
            match name.as_str() {
                "type" | "format" | "default" | "minimum" | "maximum" | "maxLength"
                | "minLength" => {
                    normal.insert(name.clone(), value.clone());
                }
                "enum" => {
                    let words: BTreeSet<String> =
                        value.as_array().into_iter().flatten().map(Value::to_string).collect();
                    let parse =
                        |word: &String| serde_json::from_str::<Value>(word).expect("it was JSON");
                    normal.insert(name.clone(), words.iter().map(parse).collect());
                }
                "required" => {
                    let names: BTreeSet<_> =
                        value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                    normal.insert(name.clone(), json!(names));
                }
                "items" => {
                    normal.insert(name.clone(), self.schema(value));
                }
                "properties" => {
                    let properties = value.as_object().into_iter().flatten();
                    let normal_of =
                        |(name, schema): (&String, &Value)| (name.clone(), self.schema(schema));
                    normal.insert(name.clone(), properties.map(normal_of).collect());
                }
                _ => {}
            }
        }
        if members.get("nullable") == Some(&Value::Bool(true)) {
            make_nullable(&mut normal);
        }
        Value::Object(normal)
    }

    /// `anyOf: [X, null]` is X that may be null; other choices stay.
    fn choice(&self, options: &[Value], members: &Map<String, Value>) -> Value {
        let (nulls, others): (Vec<_>, Vec<_>) =
            options.iter().partition(|option| option["type"] == "null");
        let mut choice = match others.as_slice() {
            [one] => self.schema(one),
            many => {
                json!({ "anyOf": many.iter().map(|option| self.schema(option)).collect::<Vec<_>>() })
            }
        };
        let object = choice.as_object_mut().expect("a schema is an object");
        if let Some(Value::Array(several)) = object.get_mut("anyOf").filter(|_| !nulls.is_empty()) {
            several.push(json!({ "type": "null" }));
        } else if !nulls.is_empty() {
            make_nullable(object);
        }
        if let Some(default) = members.get("default") {
            object.insert("default".to_owned(), default.clone());
        }
        choice
    }
}

fn make_nullable(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()).cloned() {
        schema.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
}

fn merge(into: Value, from: Value) -> Value {
    match (into, from) {
        (Value::Object(mut into), Value::Object(from)) => {
            for (name, value) in from {
                let merged =
                    into.remove(&name).map_or(value.clone(), |before| merge(before, value));
                into.insert(name, merged);
            }
            Value::Object(into)
        }
        (Value::Array(mut into), Value::Array(from)) => {
            into.extend(from);
            into.sort_by_key(Value::to_string);
            into.dedup();
            Value::Array(into)
        }
        (_, from) => from,
    }
}

/// The same schema refusing members that it does not describe, so that an answer cannot hold what the document hides.
pub fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut closed_members: Map<_, _> =
                members.iter().map(|(name, value)| (name.clone(), closed(value))).collect();
            if members.get("properties").is_some_and(Value::is_object) {
                closed_members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Value::Object(closed_members)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}
