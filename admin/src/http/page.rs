//! Pages on the wire: how one is asked for, and the envelope around its rows.

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::query::Query;
use super::reply::literal;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::Result;

/// What the document says of `limit` and `after`; [`read`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct PageParams {
    /// How many rows to return.
    #[param(minimum = 1, maximum = 100, default = 20, nullable = false)]
    limit: Option<i64>,
    /// A position in the list, usually the id of the last row of the previous page: rows behind it are returned.
    #[param(nullable = false, max_length = 256)]
    after: Option<String>,
}

/// What the document says of `order`, where a list has one that starts upwards.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct OrderParams {
    /// Upwards or downwards by id, which is by creation.
    #[param(schema_with = order_schema)]
    order: Option<String>,
}

fn order_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["asc", "desc"]))
        .default(Some("asc".into()))
        .build()
}

/// Reads `limit` (1 to 100, else 20) and `after` of a list that always runs upwards.
pub fn read(query: &Query) -> Result<PageRequest> {
    bounded(query, Order::Ascending)
}

/// The same for a list with an `order` parameter.
pub fn read_ordered(query: &Query, default: Order) -> Result<PageRequest> {
    let order = match query.one_of("order", &["asc", "desc"])? {
        Some("asc") => Order::Ascending,
        Some(_) => Order::Descending,
        None => default,
    };
    bounded(query, order)
}

fn bounded(query: &Query, order: Order) -> Result<PageRequest> {
    let limit = query.integer("limit", 1..=100)?.unwrap_or(20);
    Ok(PageRequest::new(order, query.cursor("after")?, limit))
}

literal!(
    /// Names a page.
    ListObject = "list"
);

/// A row that can be a cursor.
pub trait Identified {
    /// The id that the list runs by.
    fn id(&self) -> &str;
}

/// A page of a list that continues with `after=<last_id>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    object: ListObject,
    /// The rows.
    data: Vec<T>,
    /// The id of the first row; null when there is none.
    first_id: Option<String>,
    /// The id of the last row, to be sent as `after`; null when there is none.
    last_id: Option<String>,
    /// Whether there is at least one row behind the last one.
    has_more: bool,
}

impl<T: Identified> List<T> {
    /// Puts rows into their envelope, each in its shape for the wire.
    pub fn of<R>(slice: Slice<R>, shape: impl FnMut(R) -> T) -> Self {
        let data: Vec<T> = slice.rows.into_iter().map(shape).collect();
        Self {
            object: ListObject,
            first_id: data.first().map(|row| row.id().to_owned()),
            last_id: data.last().map(|row| row.id().to_owned()),
            data,
            has_more: slice.has_more,
        }
    }
}
