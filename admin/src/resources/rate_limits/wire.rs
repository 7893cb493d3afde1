//! Limits of models as they are sent and received.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::limits::{Limits, MEMBERS, UNLIMITED};
use super::store::{PREFIX, RateLimit};
use crate::error::Result;
use crate::http::fields::{Fields, FromFields};
use crate::http::page::Identified;
use crate::http::reply::literal;

literal!(
    /// Names the limits of a model.
    ProjectRateLimitObject = "project.rate_limit"
);

/// A number without a bound that would be the same for every model.
fn number() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).build()
}

/// How much of a model a project may use. What the model has no limit for is left out.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectRateLimit {
    object: ProjectRateLimitObject,
    /// The id: `rl-` and the model.
    id: String,
    /// The model.
    model: String,
    /// Requests in a minute.
    #[schema(schema_with = number, required)]
    max_requests_per_1_minute: Option<i64>,
    /// Tokens in a minute.
    #[schema(schema_with = number, required)]
    max_tokens_per_1_minute: Option<i64>,
    /// Images in a minute.
    #[schema(schema_with = number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_images_per_1_minute: Option<i64>,
    /// Megabytes of audio in a minute.
    #[schema(schema_with = number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_audio_megabytes_per_1_minute: Option<i64>,
    /// Requests in a day.
    #[schema(schema_with = number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_requests_per_1_day: Option<i64>,
    /// Tokens of batches in a day.
    #[schema(schema_with = number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_1_day_max_input_tokens: Option<i64>,
}

impl From<RateLimit> for ProjectRateLimit {
    fn from(limit: RateLimit) -> Self {
        let [requests, tokens, images, audio, requests_a_day, batch_tokens] = limit.limits.0;
        Self {
            object: ProjectRateLimitObject,
            id: format!("{PREFIX}{}", limit.model),
            model: limit.model,
            max_requests_per_1_minute: requests,
            max_tokens_per_1_minute: tokens,
            max_images_per_1_minute: images,
            max_audio_megabytes_per_1_minute: audio,
            max_requests_per_1_day: requests_a_day,
            batch_1_day_max_input_tokens: batch_tokens,
        }
    }
}

impl Identified for ProjectRateLimit {
    fn id(&self) -> &str {
        &self.id
    }
}

/// What a project may use of a model from now on, each from 0 to what the model has.
#[derive(Debug)]
pub struct ProjectRateLimitUpdateRequest {
    /// What was sent of it.
    pub limits: Limits,
}

impl utoipa::PartialSchema for ProjectRateLimitUpdateRequest {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let about = "What a project may use of a model from now on, each from 0 to what the model has. What is not sent stays.";
        let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(about));
        MEMBERS.iter().fold(object, |object, name| object.property(*name, number())).into()
    }
}

impl ToSchema for ProjectRateLimitUpdateRequest {}

impl FromFields for ProjectRateLimitUpdateRequest {
    fn from_fields(fields: &mut Fields) -> Result<Self> {
        let mut limits = Limits::default();
        for (name, limit) in MEMBERS.iter().zip(&mut limits.0) {
            *limit = fields.integer(name, 0..=UNLIMITED)?;
        }
        Ok(Self { limits })
    }
}
