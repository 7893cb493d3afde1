//! Writes the configuration language of Terraform: blocks of attributes, with everything escaped that a name may hold.

use std::fmt::Write as _;

/// A value of an attribute.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// A truth.
    Truth(bool),
    /// A list of values.
    List(Vec<Value>),
    /// An object.
    Object(Vec<(&'static str, Value)>),
    /// Something of another block, for example `openai_project.engine.id`.
    Reference(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

/// Attributes of a block. Those without a value are not written.
pub type Attributes = Vec<(&'static str, Option<Value>)>;

/// Writes a block with these words in its head.
pub fn block(out: &mut String, head: &str, attributes: &[(&'static str, Option<Value>)]) {
    let said = attributes.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
    let said: Vec<_> = said.collect();
    let width = said.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let _ = writeln!(out, "{head} {{");
    for (name, value) in said {
        let _ = write!(out, "  {name:width$} = ");
        write_value(out, value);
        out.push('\n');
    }
    out.push_str("}\n\n");
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Text(text) => write_text(out, text),
        Value::Number(number) => _ = write!(out, "{number}"),
        Value::Truth(truth) => _ = write!(out, "{truth}"),
        Value::Reference(target) => out.push_str(target),
        Value::List(values) => {
            out.push('[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                write_value(out, value);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push_str("{ ");
            for (place, (name, value)) in members.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                let _ = write!(out, "{name} = ");
                write_value(out, value);
            }
            out.push_str(" }");
        }
    }
}

/// A text in quotes. What begins a template is doubled, and whatever cannot be seen is escaped.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                out.push(character);
                out.push(character);
            }
            hidden if hidden.is_control() || crate::import::is_deceptive(hidden) => {
                let _ = write!(out, "\\u{:04x}", u32::from(hidden));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// What a block may be called that is named after this: letters, digits and low lines, not beginning with a digit.
pub fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let words: String = text.chars().map(plain).collect();
    let words = words.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_");
    if words.starts_with(|c: char| c.is_ascii_lowercase()) { words } else { format!("x_{words}") }
}
