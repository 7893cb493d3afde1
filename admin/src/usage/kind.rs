//! The kinds of usage, each with what it is counted by and what is counted.

use serde::{Deserialize, Serialize};

/// A kind of usage. Costs are counted like one, from the events of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Chat, completions and responses.
    Completions,
    /// Embeddings.
    Embeddings,
    /// Moderations.
    Moderations,
    /// Images that were made or changed.
    Images,
    /// Text that was spoken.
    AudioSpeeches,
    /// Speech that was written down.
    AudioTranscriptions,
    /// What vector stores hold.
    VectorStores,
    /// Sessions of the code interpreter.
    CodeInterpreterSessions,
    /// Calls of file search.
    FileSearchCalls,
    /// Calls of web search.
    WebSearchCalls,
    /// What all of that cost.
    Costs,
}

/// What usage is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is named like its member on the wire")]
pub enum Dimension {
    ProjectId,
    UserId,
    ApiKeyId,
    Model,
    Batch,
    ServiceTier,
    Source,
    Size,
    VectorStoreId,
    ContextLevel,
    LineItem,
    /// Of costs only, and never asked for: what the quantity of a line item is counted in.
    QuantityUnit,
}

use Dimension::{
    ApiKeyId, Batch, ContextLevel, LineItem, Model, ProjectId, QuantityUnit, ServiceTier, Size,
    Source, UserId, VectorStoreId,
};

impl Dimension {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ProjectId => "project_id",
            UserId => "user_id",
            ApiKeyId => "api_key_id",
            Model => "model",
            Batch => "batch",
            ServiceTier => "service_tier",
            Source => "source",
            Size => "size",
            VectorStoreId => "vector_store_id",
            ContextLevel => "context_level",
            LineItem => "line_item",
            QuantityUnit => "quantity_unit",
        }
    }
}

impl Kind {
    /// Those that events have, in the order of the published document's paths.
    pub const OF_EVENTS: [Self; 10] = [
        Self::AudioSpeeches,
        Self::AudioTranscriptions,
        Self::CodeInterpreterSessions,
        Self::Completions,
        Self::Embeddings,
        Self::FileSearchCalls,
        Self::Images,
        Self::Moderations,
        Self::VectorStores,
        Self::WebSearchCalls,
    ];

    /// Its name in paths, in events and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderations",
            Self::Images => "images",
            Self::AudioSpeeches => "audio_speeches",
            Self::AudioTranscriptions => "audio_transcriptions",
            Self::VectorStores => "vector_stores",
            Self::CodeInterpreterSessions => "code_interpreter_sessions",
            Self::FileSearchCalls => "file_search_calls",
            Self::WebSearchCalls => "web_search_calls",
            Self::Costs => "costs",
        }
    }

    /// The kind of events with this name.
    #[must_use]
    pub fn of_events(name: &str) -> Option<Self> {
        Self::OF_EVENTS.into_iter().find(|kind| kind.name() == name)
    }

    /// The `object` of a row about it. Two of them are named otherwise than their paths.
    #[must_use]
    pub const fn object(self) -> &'static str {
        match self {
            Self::Completions => "organization.usage.completions.result",
            Self::Embeddings => "organization.usage.embeddings.result",
            Self::Moderations => "organization.usage.moderations.result",
            Self::Images => "organization.usage.images.result",
            Self::AudioSpeeches => "organization.usage.audio_speeches.result",
            Self::AudioTranscriptions => "organization.usage.audio_transcriptions.result",
            Self::VectorStores => "organization.usage.vector_stores.result",
            Self::CodeInterpreterSessions => "organization.usage.code_interpreter_sessions.result",
            Self::FileSearchCalls => "organization.usage.file_searches.result",
            Self::WebSearchCalls => "organization.usage.web_searches.result",
            Self::Costs => "organization.costs.result",
        }
    }

    /// What a series of this kind consists of, in this order.
    #[must_use]
    pub const fn dimensions(self) -> &'static [Dimension] {
        match self {
            Self::Completions => &[ProjectId, UserId, ApiKeyId, Model, Batch, ServiceTier],
            Self::Images => &[ProjectId, UserId, ApiKeyId, Model, Size, Source],
            Self::Embeddings
            | Self::Moderations
            | Self::AudioSpeeches
            | Self::AudioTranscriptions => &[ProjectId, UserId, ApiKeyId, Model],
            Self::VectorStores | Self::CodeInterpreterSessions => &[ProjectId],
            Self::FileSearchCalls => &[ProjectId, UserId, ApiKeyId, VectorStoreId],
            Self::WebSearchCalls => &[ProjectId, UserId, ApiKeyId, Model, ContextLevel],
            Self::Costs => &[ProjectId, UserId, ApiKeyId, LineItem, QuantityUnit],
        }
    }

    /// What is counted, by its names on the wire, in this order. Those of costs have no such names.
    #[must_use]
    pub const fn measures(self) -> &'static [&'static str] {
        match self {
            Self::Completions => &[
                "input_tokens",
                "input_cached_tokens",
                "input_cache_write_tokens",
                "input_uncached_tokens",
                "output_tokens",
                "input_text_tokens",
                "output_text_tokens",
                "input_cached_text_tokens",
                "input_audio_tokens",
                "input_cached_audio_tokens",
                "output_audio_tokens",
                "input_image_tokens",
                "input_cached_image_tokens",
                "output_image_tokens",
                "num_model_requests",
            ],
            Self::Embeddings | Self::Moderations => &["input_tokens", "num_model_requests"],
            Self::Images => &["images", "num_model_requests"],
            Self::AudioSpeeches => &["characters", "num_model_requests"],
            Self::AudioTranscriptions => &["seconds", "num_model_requests"],
            Self::VectorStores => &["usage_bytes"],
            Self::CodeInterpreterSessions => &["num_sessions"],
            Self::FileSearchCalls => &["num_requests"],
            Self::WebSearchCalls => &["num_model_requests", "num_requests"],
            Self::Costs => &["quantity", "amount"],
        }
    }

    /// The place of a dimension in a series of this kind.
    #[must_use]
    pub fn place(self, dimension: Dimension) -> Option<usize> {
        self.dimensions().iter().position(|one| *one == dimension)
    }
}
