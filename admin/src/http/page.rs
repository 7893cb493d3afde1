//! Pages on the wire: how one is asked for, and the envelope around its rows.

use serde::Serialize;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::query::Query;
use super::reply::literal;
use crate::domain::page::{Order, PageRequest, Slice};
use crate::error::{Error, Result};

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

/// The same for a list that runs downwards, newest first, and can be read backwards from a position, with `before`.
pub fn read_newest_first(query: &Query) -> Result<PageRequest> {
    ending(query, bounded(query, Order::Descending)?)
}

/// The page that ends at the position that the query names with `before`, if it does.
fn ending(query: &Query, page: PageRequest) -> Result<PageRequest> {
    match query.cursor("before")? {
        None => Ok(page),
        Some(_) if query.cursor("after")?.is_some() => {
            let message = "Only one of 'after' and 'before' can be given. Leave one of them out.";
            Err(Error::invalid("invalid_value", message).param("before"))
        }
        Some(before) => Ok(page.ending(before)),
    }
}

fn bounded(query: &Query, order: Order) -> Result<PageRequest> {
    let limit = query.integer("limit", 1..=100)?.unwrap_or(20);
    Ok(PageRequest::new(order, query.cursor("after")?, limit))
}

/// What the document says of `limit` and `after` of a list with bounds of its own; [`Within::read`] reads them. `DEFAULT` is not
/// part of the document if it is negative, and then it is what its absolute value says.
pub struct Within<const MIN: i64, const MAX: i64, const DEFAULT: i64>;

/// Groups, and who is in one.
pub type GroupPage = Within<0, 1000, 100>;
/// Roles.
pub type RolePage = Within<0, 1000, 1000>;
/// Roles of somebody.
pub type AssignmentPage = Within<0, 1000, -1000>;
/// Groups of a project.
pub type ProjectGroupPage = Within<0, 100, 20>;
/// Limits of models.
pub type RateLimitPage = Within<1, 1000, 100>;
/// Alerts of what was spent.
pub type AlertPage = Within<0, 100, -20>;

impl<const MIN: i64, const MAX: i64, const DEFAULT: i64> Within<MIN, MAX, DEFAULT> {
    /// Reads `limit`, `after` and `order`, which is this one unless the query says otherwise.
    pub fn read(query: &Query, default: Order) -> Result<PageRequest> {
        let order = match query.one_of("order", &["asc", "desc"])? {
            Some("asc") => Order::Ascending,
            Some(_) => Order::Descending,
            None => default,
        };
        let limit = query.integer("limit", MIN..=MAX)?.unwrap_or(DEFAULT.abs());
        Ok(PageRequest::new(order, query.cursor("after")?, limit))
    }

    /// The same for a list that can be read backwards from a position, with `before`.
    pub fn read_either_way(query: &Query, default: Order) -> Result<PageRequest> {
        ending(query, Self::read(query, default)?)
    }
}

impl<const MIN: i64, const MAX: i64, const DEFAULT: i64> IntoParams for Within<MIN, MAX, DEFAULT> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit =
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(MIN)).maximum(Some(MAX));
        let limit = if DEFAULT < 0 { limit } else { limit.default(Some(DEFAULT.into())) };
        let after = ObjectBuilder::new().schema_type(Type::String).max_length(Some(256));
        let parameter = |name: &str, about: &str, schema: Object| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .description(Some(about))
                .required(Required::False)
                .schema(Some(schema))
                .build()
        };
        vec![
            parameter("limit", "How many rows to return.", limit.build()),
            parameter(
                "after",
                "A position in the list, usually what the previous page gave as next: rows behind it are returned.",
                after.build(),
            ),
        ]
    }
}

/// What the document says of `before`; [`Within::read_either_way`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct BeforeParams {
    /// A position in the list, usually the id of the first row of a page: rows before it are returned. Not together with after.
    #[param(nullable = false, max_length = 256)]
    before: Option<String>,
}

/// What the document says of `order`, where a list has one that starts downwards.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct DescendingOrderParams {
    /// Upwards or downwards by id, which is by creation.
    #[param(schema_with = descending_order_schema)]
    order: Option<String>,
}

fn descending_order_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(["asc", "desc"]))
        .default(Some("desc".into()))
        .build()
}

/// The same where the document does not say how the list starts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
pub struct UnstatedOrderParams {
    /// Upwards or downwards by id; upwards unless it is said.
    #[param(schema_with = unstated_order_schema)]
    order: Option<String>,
}

fn unstated_order_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["asc", "desc"])).build()
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
    #[schema(required)]
    first_id: Option<String>,
    /// The id of the last row, to be sent as `after`; null when there is none.
    #[schema(required)]
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

/// A page of a list that continues with `after=<next>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextList<T> {
    object: ListObject,
    /// The rows.
    data: Vec<T>,
    /// Whether there is at least one row behind the last one.
    has_more: bool,
    /// The id of the last row, to be sent as `after`; null when nothing is behind it.
    #[schema(required)]
    next: Option<String>,
}

impl<T: Identified> NextList<T> {
    /// Puts rows into their envelope, each in its shape for the wire.
    pub fn of<R>(slice: Slice<R>, shape: impl FnMut(R) -> T) -> Self {
        let data: Vec<T> = slice.rows.into_iter().map(shape).collect();
        let last = data.last().map(|row| row.id().to_owned());
        Self {
            object: ListObject,
            data,
            has_more: slice.has_more,
            next: last.filter(|_| slice.has_more),
        }
    }
}
