//! Values in the server's binary format.

use std::error::Error as StdError;
use std::num::TryFromIntError;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, WrongType, accepts, to_sql_checked};

use crate::value::Cells;
use crate::{Arg, Error, Result};

type Encoded = Result<IsNull, Box<dyn StdError + Sync + Send>>;

impl ToSql for Arg<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql_checked(ty, out),
            // Columns are BIGINT by rule; an expression may still ask for less.
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) if *ty == Type::INT2 => i16::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql_checked(ty, out),
            Self::Bool(truth) => truth.to_sql_checked(ty, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(ty, out),
        }
    }

    /// Which types fit depends on the value, so `to_sql` decides.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Arg<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(match *ty {
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(<&str>::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self::Null)
    }

    accepts!(BOOL, INT2, INT4, INT8, BYTEA, TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN);
}

impl Cells for tokio_postgres::Row {
    fn value(&self, index: usize) -> Result<Arg<'_>> {
        self.try_get(index).map_err(|e| Error::Statement(super::fault::chain(&e)))
    }
}

/// Whether a value was given where the server wants another type: our mistake, not the line's.
pub(super) fn is_mismatch(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|cause| cause.is::<WrongType>() || cause.is::<TryFromIntError>())
}
