//! Pages: the request for one, the rows of one, and the envelope around them.

use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::query::Query;
use super::reply::literal;
use crate::error::Result;

/// Above every id that can exist: ids are at most 256 bytes and no id starts with the last code point.
const END: &str = "\u{10FFFF}";

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest id first.
    Ascending,
    /// Largest id first.
    Descending,
}

/// What the document says of `limit` and `after`; [`PageRequest::read`] reads them.
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

/// A request for a page of a list that runs by id. `above` and `below` are exclusive bounds: a cursor is a position, so it
/// is never looked up and works after its row is gone.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Only ids greater than this.
    pub above: String,
    /// Only ids smaller than this.
    pub below: String,
    /// Which way to go.
    pub order: Order,
    limit: i64,
}

impl PageRequest {
    /// Reads `limit` (1 to 100, else 20) and `after` of a list that always runs upwards.
    pub fn read(query: &Query) -> Result<Self> {
        Self::bounded(query, Order::Ascending)
    }

    /// The same for a list with an `order` parameter.
    pub fn read_ordered(query: &Query, default: Order) -> Result<Self> {
        let order = match query.one_of("order", &["asc", "desc"])? {
            Some("asc") => Order::Ascending,
            Some(_) => Order::Descending,
            None => default,
        };
        Self::bounded(query, order)
    }

    fn bounded(query: &Query, order: Order) -> Result<Self> {
        let limit = query.integer("limit", 1..=100)?.unwrap_or(20);
        let after = query.cursor("after")?;
        let (above, below) = match order {
            Order::Ascending => (after.unwrap_or(""), END),
            Order::Descending => ("", after.unwrap_or(END)),
        };
        Ok(Self { above: above.to_owned(), below: below.to_owned(), order, limit })
    }

    /// How many rows to fetch: one more than the page shows, which is how `has_more` is known without counting.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Cuts the rows that were fetched to the page.
    #[must_use]
    pub fn cut<T>(&self, mut rows: Vec<T>) -> Slice<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Slice { rows, has_more }
    }
}

/// The rows of a page, and whether the list goes on.
#[derive(Debug)]
pub struct Slice<T> {
    /// At most as many rows as were asked for.
    pub rows: Vec<T>,
    /// Exact: there is at least one more row behind these.
    pub has_more: bool,
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
