//! What the document says of usage and costs: read from the table of kinds, as the operations themselves are.

use utoipa::IntoResponses;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths,
};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, Discriminator, KnownFormat, Object, ObjectBuilder, OneOfBuilder,
    Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder, ResponsesBuilder};

use super::asked::limits;
use super::kinds::{filters, groups};
use crate::http::envelope::Refusals;
use crate::usage::kind::{Dimension, Kind};
use crate::usage::rollup::width::Width;

/// The units that a quantity can be in.
const UNITS: [&str; 8] = [
    "tokens",
    "1000_tokens",
    "duration_seconds",
    "duration_minutes",
    "duration_hours",
    "gibibyte_hours",
    "images",
    "characters",
];

/// The path of a kind.
#[must_use]
pub fn path(kind: Kind) -> String {
    match kind {
        Kind::Costs => "/v1/organization/costs".to_owned(),
        _ => format!("/v1/organization/usage/{}", kind.name()),
    }
}

/// The description of the operation of a kind, with everything that it names.
#[must_use]
pub fn operation(kind: Kind) -> (Vec<(String, RefOr<Schema>)>, Paths) {
    let mut paths = Paths::new();
    paths.add_path_operation(path(kind), vec![HttpMethod::Get], described(kind));
    (schemas(), paths)
}

fn described(kind: Kind) -> Operation {
    let page = ContentBuilder::new().schema(Some(Ref::from_schema_name("UsageResponse"))).build();
    let page = ResponseBuilder::new()
        .description("A page of buckets, one for each interval, also where nothing was used.")
        .content("application/json", page)
        .build();
    let mut responses = ResponsesBuilder::new().response("200", page).build();
    responses.responses.extend(Refusals::responses());
    let id = if kind == Kind::Costs {
        "usage-costs".to_owned()
    } else {
        format!("usage-{}", kind.name().replace('_', "-"))
    };
    let summary = match kind {
        Kind::Costs => "Shows what usage cost, by the day.".to_owned(),
        _ => format!(
            "Shows the usage of {}, by the minute, the hour or the day.",
            kind.name().replace('_', " ")
        ),
    };
    OperationBuilder::new()
        .tag("Usage")
        .operation_id(Some(id))
        .summary(Some(summary))
        .description(Some(about(kind)))
        .parameters(Some(parameters(kind)))
        .responses(responses)
        .build()
}

fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Costs => {
            "Buckets are days in UTC, and always whole. A cost is what the prices in force at the time of the event make of it. Grouped by user_id, rows \
             also have organization_id, user_id and user_email. A page that would have more than 64 MiB ends early, with has_more. Every event \
             that was acknowledged before the time in the header rollbook-final-through is counted."
        }
        _ => {
            "Buckets begin at whole minutes, hours or days in UTC, and are always whole. A dimension by which rows are not grouped is null in them. A page \
             that would have more than 64 MiB ends early, with has_more. Every event that was acknowledged before the time in the \
             header rollbook-final-through is counted."
        }
    }
}

fn parameters(kind: Kind) -> Vec<Parameter> {
    let mut parameters = vec![
        parameter(
            "start_time",
            "The beginning, in Unix seconds; the first bucket is the one in which it lies.",
            integer(),
        )
        .required(Required::True),
        parameter(
            "end_time",
            "The end, in Unix seconds, exclusive; now if it is left out.",
            integer(),
        ),
        parameter("bucket_width", "How wide a bucket is.", widths(kind)),
    ];
    for filter in filters(kind) {
        let about = format!("Only what has one of these as its {}.", filter.dimension.name());
        parameters.push(match filter.dimension {
            Dimension::Batch => {
                parameter(filter.name, "Only batch jobs, or only others.", plain(Type::Boolean))
            }
            _ => parameter(filter.name, &about, words(filter.words)),
        });
    }
    let names: Vec<_> = groups(kind).map(Dimension::name).collect();
    parameters.extend([
        parameter("group_by", "By what rows are told apart.", words(&names)),
        parameter("limit", &about_limit(kind), limit(kind)),
        parameter(
            "page",
            "What the page before gave as next_page, with everything else unchanged.",
            plain(Type::String),
        ),
    ]);
    parameters.into_iter().map(ParameterBuilder::build).collect()
}

fn about_limit(kind: Kind) -> String {
    let bounds = Width::of(kind).iter().map(|width| {
        let (default, most) = limits(kind, *width);
        format!("{}: {default} unless it is said, at most {most}", width.name())
    });
    format!("How many buckets to return. {}.", bounds.collect::<Vec<_>>().join("; "))
}

fn parameter(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(about))
        .required(Required::False)
        .schema(Some(schema))
}

fn plain(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

fn integer() -> ObjectBuilder {
    plain(Type::Integer)
}

fn widths(kind: Kind) -> ObjectBuilder {
    plain(Type::String)
        .enum_values(Some(Width::of(kind).iter().map(|width| width.name())))
        .default(Some("1d".into()))
}

fn words(words: &[&str]) -> ArrayBuilder {
    let word = plain(Type::String);
    let word = if words.is_empty() { word } else { word.enum_values(Some(words.iter().copied())) };
    ArrayBuilder::new().items(word)
}

fn limit(kind: Kind) -> ObjectBuilder {
    let limit = integer().minimum(Some(1.0));
    // Elsewhere it depends on the width.
    if kind == Kind::Costs { limit.maximum(Some(180.0)).default(Some(7.into())) } else { limit }
}

/// The schemas of all answers; they share one envelope.
fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let all = || Kind::OF_EVENTS.into_iter().chain([Kind::Costs]);
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![
        ("UsageResponse".to_owned(), response().into()),
        ("UsageTimeBucket".to_owned(), bucket(PUBLISHED.map(result_name)).into()),
    ];
    schemas.extend(all().map(|kind| (result_name(kind), result(kind).into())));
    schemas
}

/// The kinds in the order in which the published document lists their rows.
const PUBLISHED: [Kind; 11] = [
    Kind::Completions,
    Kind::Embeddings,
    Kind::Moderations,
    Kind::Images,
    Kind::AudioSpeeches,
    Kind::AudioTranscriptions,
    Kind::VectorStores,
    Kind::CodeInterpreterSessions,
    Kind::FileSearchCalls,
    Kind::WebSearchCalls,
    Kind::Costs,
];

fn result_name(kind: Kind) -> String {
    let words = kind.name().split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    let name: String = words.collect();
    if kind == Kind::Costs { "CostsResult".to_owned() } else { format!("Usage{name}Result") }
}

fn response() -> Object {
    ObjectBuilder::new()
        .description(Some("A page of buckets."))
        .property("object", plain(Type::String).enum_values(Some(["page"])))
        .property("data", ArrayBuilder::new().items(Ref::from_schema_name("UsageTimeBucket")))
        .property(
            "has_more",
            plain(Type::Boolean)
                .description(Some("Whether there is at least one bucket behind these.")),
        )
        .property("next_page", nullable("What to send as page for the next page."))
        .required("object")
        .required("data")
        .required("has_more")
        .required("next_page")
        .build()
}

fn bucket(results: [String; 11]) -> Object {
    let rows = results
        .into_iter()
        .fold(OneOfBuilder::new(), |rows, name| rows.item(Ref::from_schema_name(name)))
        .discriminator(Some(Discriminator::new("object")));
    ObjectBuilder::new()
        .description(Some("What was used in an interval."))
        .property("object", plain(Type::String).enum_values(Some(["bucket"])))
        .property("start_time", integer())
        .property("end_time", integer().description(Some("The beginning of the next bucket.")))
        .property("results", ArrayBuilder::new().items(rows))
        .required("object")
        .required("start_time")
        .required("end_time")
        .required("results")
        .build()
}

fn result(kind: Kind) -> Object {
    let object = plain(Type::String).enum_values(Some([kind.object()]));
    let row = ObjectBuilder::new().property("object", object).required("object");
    if kind == Kind::Costs { costs(row) } else { usage(kind, row) }.build()
}

fn usage(kind: Kind, mut row: ObjectBuilder) -> ObjectBuilder {
    for name in kind.measures() {
        let measure = integer();
        let measure = match *name {
            "seconds" => measure.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
            _ => measure,
        };
        row = row.property(*name, measure).required(*name);
    }
    for group in groups(kind) {
        let about = "Null unless rows are grouped by it.";
        let value: RefOr<Schema> = match group {
            Dimension::Batch => {
                let kind = SchemaType::from_iter([Type::Boolean, Type::Null]);
                ObjectBuilder::new().schema_type(kind).description(Some(about)).into()
            }
            _ => nullable(about).into(),
        };
        row = row.property(group.name(), value).required(group.name());
    }
    row
}

fn costs(row: ObjectBuilder) -> ObjectBuilder {
    let amount = ObjectBuilder::new()
        .property(
            "value",
            plain(Type::Number).description(Some("A plain decimal with all its digits.")),
        )
        .property("currency", plain(Type::String))
        .required("value")
        .required("currency");
    let unit = AnyOfBuilder::new()
        .item(plain(Type::String))
        .item(plain(Type::String).enum_values(Some(UNITS)))
        .item(plain(Type::Null))
        .description(Some("What the quantity is in; null if that is not one and the same thing."));
    let number =
        ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::Null]));
    let extra = "Only in rows that are grouped by user_id.";
    row.property("amount", amount)
        .property("line_item", nullable("Null unless rows are grouped by it."))
        .property("project_id", nullable("Null unless rows are grouped by it."))
        .property("api_key_id", nullable("Null unless rows are grouped by it."))
        .property(
            "quantity",
            number.description(Some("Null unless rows are grouped by line_item.")),
        )
        .property("quantity_unit", unit)
        .property("organization_id", plain(Type::String).description(Some(extra)))
        .property("user_id", nullable(extra))
        .property("user_email", nullable(extra))
        .required("amount")
        .required("line_item")
        .required("project_id")
        .required("api_key_id")
        .required("quantity")
        .required("quantity_unit")
}

fn nullable(about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(about))
}
