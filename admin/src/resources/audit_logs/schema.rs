//! What the document says of events and of the filters. Their types and payloads are many and are read from data files.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::types::EVENT_TYPES;
use super::wire::{AuditLog, AuditLogActor, AuditLogObject, AuditLogProject};

/// A text that is one of these words.
pub fn word(words: &[&'static str]) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).build()
}

fn plain(kind: Type, about: &str) -> Object {
    ObjectBuilder::new().schema_type(kind).description(Some(about)).build()
}

/// The published types of events.
pub struct AuditLogEventType;

impl PartialSchema for AuditLogEventType {
    fn schema() -> RefOr<Schema> {
        word(&EVENT_TYPES).into()
    }
}

impl ToSchema for AuditLogEventType {}

impl PartialSchema for AuditLog {
    fn schema() -> RefOr<Schema> {
        let actor = OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .item(Ref::from_schema_name("AuditLogActor"));
        let time = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::Custom("unixtime".to_owned())))
            .description(Some("When it happened, in Unix seconds."));
        let about = "A change that was made in the organization. The member that is called like its type says what the change was.";
        let mut event = ObjectBuilder::new()
            .description(Some(about))
            .property("id", plain(Type::String, "The event's id."))
            .required("id")
            .property("object", AuditLogObject::schema())
            .required("object")
            .property("type", Ref::from_schema_name("AuditLogEventType"))
            .required("type")
            .property("effective_at", time)
            .required("effective_at")
            .property("project", Ref::from_schema_name("AuditLogProject"))
            .property("actor", actor)
            .required("actor");
        let payloads: Value =
            serde_json::from_str(include_str!("payloads.json")).unwrap_or_default();
        for (kind, payload) in payloads.as_object().into_iter().flatten() {
            event = event.property(kind, of_payload(payload));
        }
        event.into()
    }
}

impl ToSchema for AuditLog {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((AuditLogEventType::name().into(), AuditLogEventType::schema()));
        schemas.push((AuditLogProject::name().into(), AuditLogProject::schema()));
        schemas.push((AuditLogActor::name().into(), AuditLogActor::schema()));
        AuditLogProject::schemas(schemas);
        AuditLogActor::schemas(schemas);
    }
}

/// A payload's schema from the data file.
fn of_payload(payload: &Value) -> RefOr<Schema> {
    let kind = match payload["type"].as_str() {
        Some("array") => return ArrayBuilder::new().items(of_payload(&payload["items"])).into(),
        Some("integer") => Type::Integer,
        Some("boolean") => Type::Boolean,
        Some("string") => Type::String,
        _ => Type::Object,
    };
    let mut object = ObjectBuilder::new().schema_type(kind);
    if let Some(words) = payload["enum"].as_array() {
        object = object.enum_values(Some(words.iter().cloned()));
    }
    for (name, member) in payload["properties"].as_object().into_iter().flatten() {
        object = object.property(name, of_payload(member));
    }
    object.into()
}

/// What the document says of the filters; `Filters::read` reads them.
pub struct FilterParams;

impl IntoParams for FilterParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, about: &str, schema: RefOr<Schema>| {
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .description(Some(about))
                .required(Required::False)
                .schema(Some(schema))
        };
        let texts = || ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        let kinds = ArrayBuilder::new().items(Ref::from_schema_name("AuditLogEventType"));
        let of_tenants =
            ObjectBuilder::new().schema_type(Type::Boolean).default(Some(false.into()));
        let bound = |about: &str| plain(Type::Integer, about);
        let time = ObjectBuilder::new()
            .property("gt", bound("Only what happened later, in Unix seconds."))
            .property("gte", bound("Only what happened then or later."))
            .property("lt", bound("Only what happened earlier."))
            .property("lte", bound("Only what happened then or earlier."));
        vec![
            parameter("effective_at", "Only events of this time.", time.into())
                .style(Some(ParameterStyle::DeepObject))
                .explode(Some(true))
                .build(),
            parameter("project_ids[]", "Only events in one of these projects.", texts().into())
                .build(),
            parameter("event_types[]", "Only events of one of these types.", kinds.into()).build(),
            parameter(
                "actor_ids[]",
                "Only events of one of these actors: people, with all their keys, service accounts or keys.",
                texts().into(),
            )
            .build(),
            parameter(
                "actor_emails[]",
                "Only events of people with one of these addresses.",
                texts().into(),
            )
            .build(),
            parameter("resource_ids[]", "Only events about one of these.", texts().into()).build(),
            parameter(
                "tenant_only",
                "Only events of tenants, of which this server has none. All types that are asked for must be theirs.",
                of_tenants.into(),
            )
            .build(),
        ]
    }
}
