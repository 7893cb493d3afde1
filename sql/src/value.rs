//! Values on their way into a statement and out of a row.

use crate::{Error, Result};

/// One value of the portable types, borrowed. It is what statements take and what rows hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg<'a> {
    /// SQL `NULL`.
    Null,
    /// `TEXT` and `KEYTEXT`. A NUL character is refused: only one of the engines can store it.
    Text(&'a str),
    /// `BIGINT`.
    Int(i64),
    /// `BOOLEAN`.
    Bool(bool),
    /// `BYTES`.
    Bytes(&'a [u8]),
}

/// One `From` for each type a caller holds. Optional values are listed by type because a generic
/// `From<Option<T>>` sends the compiler into an endless search.
macro_rules! from {
    ($($from:ty: $value:ident => $arg:expr),+ $(,)?) => {$(
        impl<'a> From<$from> for Arg<'a> {
            fn from($value: $from) -> Self {
                $arg
            }
        }
    )+};
}

from! {
    &'a str: text => Self::Text(text),
    &'a String: text => Self::Text(text),
    i64: number => Self::Int(number),
    &'a i64: number => Self::Int(*number),
    u32: number => Self::Int(number.into()),
    bool: truth => Self::Bool(truth),
    &'a bool: truth => Self::Bool(*truth),
    &'a [u8]: bytes => Self::Bytes(bytes),
    &'a Vec<u8>: bytes => Self::Bytes(bytes),
    Option<&'a str>: value => value.map_or(Self::Null, Self::from),
    Option<&'a String>: value => value.map_or(Self::Null, Self::from),
    Option<i64>: value => value.map_or(Self::Null, Self::from),
    Option<bool>: value => value.map_or(Self::Null, Self::from),
    Option<&'a [u8]>: value => value.map_or(Self::Null, Self::from),
    &'a Option<String>: value => value.as_ref().map_or(Self::Null, Self::from),
    &'a Option<i64>: value => value.map_or(Self::Null, Self::from),
    &'a Option<bool>: value => value.map_or(Self::Null, Self::from),
    &'a Option<Vec<u8>>: value => value.as_ref().map_or(Self::Null, Self::from),
}

impl<'a, const N: usize> From<&'a [u8; N]> for Arg<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

/// A type a column can be read as. Newtypes of the layers above implement it too, so that a row
/// becomes domain values without a second step.
pub trait Column: Sized {
    /// `None` if the value has another type.
    fn from_value(value: Arg<'_>) -> Option<Self>;
}

impl Column for String {
    fn from_value(value: Arg<'_>) -> Option<Self> {
        if let Arg::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl Column for i64 {
    fn from_value(value: Arg<'_>) -> Option<Self> {
        if let Arg::Int(number) = value { Some(number) } else { None }
    }
}

impl Column for bool {
    /// `SQLite` has no boolean of its own and answers 0 or 1.
    fn from_value(value: Arg<'_>) -> Option<Self> {
        match value {
            Arg::Bool(truth) => Some(truth),
            Arg::Int(0) => Some(false),
            Arg::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn from_value(value: Arg<'_>) -> Option<Self> {
        if let Arg::Bytes(bytes) = value { Some(bytes.to_owned()) } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: Arg<'_>) -> Option<Self> {
        if value == Arg::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// One row of an answer, valid while the closure that reads it runs.
pub struct Row<'a>(pub(crate) &'a dyn Cells);

/// The driver's row behind a [`Row`].
pub(crate) trait Cells {
    /// The value of a column, borrowed from the row.
    fn value(&self, index: usize) -> Result<Arg<'_>>;

    /// The same of a text or of nothing, without looking whether it is UTF-8 where the engine does not.
    fn bytes_of_text(&self, index: usize) -> Result<Option<&[u8]>> {
        match self.value(index)? {
            Arg::Null => Ok(None),
            Arg::Text(text) => Ok(Some(text.as_bytes())),
            _ => Err(mistyped::<Option<&str>>(index)),
        }
    }
}

impl Row<'_> {
    /// The column at `index`, counted from 0. A missing column or another type is
    /// [`Error::Statement`].
    pub fn get<T: Column>(&self, index: usize) -> Result<T> {
        T::from_value(self.0.value(index)?).ok_or_else(|| mistyped::<T>(index))
    }

    /// The text at `index`, borrowed from the row, for what only looks at it.
    pub fn text(&self, index: usize) -> Result<Option<&str>> {
        match self.0.value(index)? {
            Arg::Null => Ok(None),
            Arg::Text(text) => Ok(Some(text)),
            _ => Err(mistyped::<Option<&str>>(index)),
        }
    }

    /// The bytes of the text at `index`, for who copies many texts and then looks once whether all of it is UTF-8.
    pub fn bytes_of_text(&self, index: usize) -> Result<Option<&[u8]>> {
        self.0.bytes_of_text(index)
    }
}

pub(crate) fn mistyped<T>(index: usize) -> Error {
    let wanted = std::any::type_name::<T>();
    Error::Statement(format!("column {index} is not of the Rust type {wanted}"))
}
