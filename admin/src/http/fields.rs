//! The members of a request's body, read one by one so that each fault has its own words.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::domain::patch::Patch;
use crate::error::{Error, Result};

/// A body type that knows how to read its members.
pub trait FromFields: Sized {
    /// Whether the operation works without a body.
    const OPTIONAL: bool = false;

    /// Takes each member that exists. What is left over is refused by the caller of this.
    fn from_fields(fields: &mut Fields) -> Result<Self>;
}

/// For operations that take no arguments but are sent some empty body by one client or another.
#[derive(Debug)]
pub struct NoBody;

impl FromFields for NoBody {
    const OPTIONAL: bool = true;

    fn from_fields(_: &mut Fields) -> Result<Self> {
        Ok(Self)
    }
}

/// The members of a body. Every reader takes its member out; what remains was unknown.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// These members.
    pub(super) fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Reads all of them; one that nobody took is unknown.
    pub(super) fn read<T: FromFields>(mut self) -> Result<T> {
        let read = T::from_fields(&mut self)?;
        match self.0.keys().next() {
            None => Ok(read),
            Some(name) => {
                Err(Error::invalid("unknown_parameter", format!("Unknown parameter: '{name}'."))
                    .param(name))
            }
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A member that may be missing but not null.
    fn present<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, Value) -> Result<T>,
    ) -> Result<Option<T>> {
        self.take(name).map(|value| read(name, value)).transpose()
    }

    /// A nullable member of an update.
    fn patch<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, Value) -> Result<T>,
    ) -> Result<Patch<T>> {
        match self.take(name) {
            None => Ok(Patch::Absent),
            Some(Value::Null) => Ok(Patch::Null),
            Some(value) => read(name, value).map(Patch::Value),
        }
    }

    /// A text that must be there, between these numbers of characters.
    pub fn required_text(&mut self, name: &str, length: RangeInclusive<usize>) -> Result<String> {
        self.present(name, |name, value| text(name, value, length))?.ok_or_else(|| missing(name))
    }

    /// A text that may be null or missing.
    pub fn optional_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<String>> {
        Ok(self.patch_text(name, length)?.apply(None))
    }

    /// A text that may be left, cleared or set.
    pub fn patch_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Patch<String>> {
        self.patch(name, |name, value| text(name, value, length))
    }

    /// A whole number that may be missing but not null.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Result<Option<i64>> {
        self.present(name, |name, value| integer(name, &value, bounds))
    }

    /// A whole number that may be null or missing.
    pub fn optional_integer(
        &mut self,
        name: &str,
        bounds: RangeInclusive<i64>,
    ) -> Result<Option<i64>> {
        Ok(self.patch(name, |name, value| integer(name, &value, bounds))?.apply(None))
    }

    /// A whole number that must be there.
    pub fn required_integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Result<i64> {
        self.integer(name, bounds)?.ok_or_else(|| missing(name))
    }

    /// One of a few words, which must be there.
    pub fn required_one_of(&mut self, name: &str, words: &[&'static str]) -> Result<&'static str> {
        let text = self.required_text(name, 0..=255)?;
        let known = words.iter().find(|word| **word == text);
        known.copied().ok_or_else(|| Error::unsupported_value(name, &text, words))
    }

    /// An object that must be there. What is wrong inside it is named with its place, like `channel.type`.
    pub fn required_object<T: FromFields>(&mut self, name: &str) -> Result<T> {
        self.present(name, object)?.ok_or_else(|| missing(name))
    }

    /// An object that may be null or missing.
    pub fn optional_object<T: FromFields>(&mut self, name: &str) -> Result<Option<T>> {
        Ok(self.patch(name, object)?.apply(None))
    }

    /// A list of so many texts of this length, which must be there.
    pub fn required_texts_within(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        length: RangeInclusive<usize>,
    ) -> Result<Vec<String>> {
        let read = |name: &str, value: Value| {
            array(name, value, "an array of strings", count, |name, item| {
                text(name, item, length.clone())
            })
        };
        self.present(name, read)?.ok_or_else(|| missing(name))
    }

    /// A list of texts that may be null or missing.
    pub fn optional_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        Ok(self.patch(name, texts)?.apply(None))
    }

    /// A list of texts that may be missing but not null.
    pub fn present_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        self.present(name, texts)
    }

    /// A list of texts that must be there.
    pub fn required_texts(&mut self, name: &str) -> Result<Vec<String>> {
        self.present(name, texts)?.ok_or_else(|| missing(name))
    }

    /// A text that may be missing but not null.
    pub fn present_text(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<String>> {
        self.present(name, |name, value| text(name, value, length))
    }

    /// A truth value that may be null or missing.
    pub fn optional_boolean(&mut self, name: &str) -> Result<Option<bool>> {
        Ok(self.patch(name, |name, value| boolean(name, &value))?.apply(None))
    }

    /// A truth value that must be there.
    pub fn required_boolean(&mut self, name: &str) -> Result<bool> {
        self.present(name, |name, value| boolean(name, &value))?.ok_or_else(|| missing(name))
    }

    /// A list of objects that may be missing but not null. What is wrong inside one is named with its place, like
    /// `projects[0].id`.
    pub fn objects<T: FromFields>(&mut self, name: &str, most: usize) -> Result<Option<Vec<T>>> {
        self.present(name, |name, value| {
            array(name, value, "an array of objects", 0..=most, |name, item| object(name, item))
        })
    }
}

fn object<T: FromFields>(name: &str, value: Value) -> Result<T> {
    match value {
        Value::Object(members) => Fields(members).read().map_err(|error| within(name, error)),
        other => Err(wrong_type(name, "an object", &other)),
    }
}

fn within_count(name: &str, count: usize, bounds: &RangeInclusive<usize>) -> Result<()> {
    let (least, most) = (bounds.start(), bounds.end());
    if count > *most {
        let message = format!(
            "Invalid '{name}': array too long. Expected at most {most} items, but got {count}."
        );
        return Err(Error::invalid("array_above_max_length", message).param(name));
    }
    if count < *least {
        let message = format!(
            "Invalid '{name}': array too short. Expected at least {least} items, but got {count}."
        );
        return Err(Error::invalid("array_below_min_length", message).param(name));
    }
    Ok(())
}

/// Names a fault of a member by its place in the whole body.
fn within(place: &str, mut error: Error) -> Error {
    if let Some(param) = error.param.take() {
        let whole = format!("{place}.{param}");
        error.message = error.message.replace(&format!("'{param}'"), &format!("'{whole}'"));
        error.param = Some(whole);
    }
    error
}

fn texts(name: &str, value: Value) -> Result<Vec<String>> {
    array(name, value, "an array of strings", 0..=usize::MAX, |name, item| {
        text(name, item, 1..=255)
    })
}

/// An array of so many items. What is wrong with one is named by its place.
fn array<T>(
    name: &str,
    value: Value,
    expected: &str,
    count: RangeInclusive<usize>,
    read: impl Fn(&str, Value) -> Result<T>,
) -> Result<Vec<T>> {
    let Value::Array(items) = value else { return Err(wrong_type(name, expected, &value)) };
    within_count(name, items.len(), &count)?;
    let item = |(index, item)| read(&format!("{name}[{index}]"), item);
    items.into_iter().enumerate().map(item).collect()
}

/// A member that must be there is not.
#[must_use]
pub fn missing(name: &str) -> Error {
    Error::invalid("missing_required_parameter", format!("Missing required parameter: '{name}'."))
        .param(name)
}

fn wrong_type(name: &str, expected: &str, got: &Value) -> Error {
    let message = format!(
        "Invalid type for '{name}': expected {expected}, but got {} instead.",
        type_of(got)
    );
    Error::invalid("invalid_type", message).param(name)
}

/// What a value is, in words for who sent it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn text(name: &str, value: Value, length: RangeInclusive<usize>) -> Result<String> {
    let Value::String(text) = value else { return Err(wrong_type(name, "a string", &value)) };
    let count = text.chars().count();
    if count > *length.end() {
        let message = format!(
            "Invalid '{name}': string too long. Expected at most {} characters, but got {count}.",
            length.end()
        );
        return Err(Error::invalid("string_above_max_length", message).param(name));
    }
    if count < *length.start() {
        let message = format!(
            "Invalid '{name}': empty string. Expected at least {} character.",
            length.start()
        );
        return Err(Error::invalid("empty_string", message).param(name));
    }
    // PostgreSQL cannot keep a NUL in a text, and what one engine refuses the other must not accept.
    if text.contains('\0') {
        let message =
            format!("Invalid value for '{name}': it contains a NUL character. Remove it.");
        return Err(Error::invalid("invalid_value", message).param(name));
    }
    Ok(text)
}

fn boolean(name: &str, value: &Value) -> Result<bool> {
    value.as_bool().ok_or_else(|| wrong_type(name, "a boolean", value))
}

/// A whole number, or the nearest one that a machine word holds: too large is out of bounds, not of the wrong type.
fn whole(value: &Value) -> Option<i64> {
    let decimal = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() >= 9e18);
    let beyond = decimal.map(|number| if number > 0.0 { i64::MAX } else { i64::MIN });
    value.as_i64().or(beyond)
}

fn integer(name: &str, value: &Value, bounds: RangeInclusive<i64>) -> Result<i64> {
    let Some(number) = whole(value) else { return Err(wrong_type(name, "an integer", value)) };
    if number > *bounds.end() {
        let message = format!(
            "Invalid '{name}': integer above maximum value. Expected a value <= {}, but got {number} instead.",
            bounds.end()
        );
        return Err(Error::invalid("integer_above_max_value", message).param(name));
    }
    if number < *bounds.start() {
        let message = format!(
            "Invalid '{name}': integer below minimum value. Expected a value >= {}, but got {number} instead.",
            bounds.start()
        );
        return Err(Error::invalid("integer_below_min_value", message).param(name));
    }
    Ok(number)
}
