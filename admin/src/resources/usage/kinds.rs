//! The table of kinds: by what each is grouped and filtered. What is counted of each stands with the kinds themselves.

use crate::usage::kind::{Dimension, Kind};
use Dimension::{
    ApiKeyId, Batch, ContextLevel, LineItem, Model, ProjectId, QuantityUnit, ServiceTier, Size,
    Source, UserId, VectorStoreId,
};

/// What stands for a dimension among the arguments of a request.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// The dimension.
    pub dimension: Dimension,
    /// The argument.
    pub name: &'static str,
    /// The values that there are, where they are few.
    pub words: &'static [&'static str],
}

/// By what rows of a kind can be told apart, in the order in which they are sorted.
pub fn groups(kind: Kind) -> impl Iterator<Item = Dimension> {
    kind.dimensions().iter().copied().filter(|dimension| *dimension != QuantityUnit)
}

/// The arguments that choose among the series of a kind.
pub fn filters(kind: Kind) -> impl Iterator<Item = Filter> {
    let is_meant = move |dimension: &Dimension| kind != Kind::Costs || *dimension != UserId;
    groups(kind).filter(is_meant).filter_map(filter)
}

fn filter(dimension: Dimension) -> Option<Filter> {
    let (name, words): (_, &[_]) = match dimension {
        ProjectId => ("project_ids", &[]),
        UserId => ("user_ids", &[]),
        ApiKeyId => ("api_key_ids", &[]),
        Model => ("models", &[]),
        Batch => ("batch", &[]),
        Source => ("sources", &["image.generation", "image.edit", "image.variation"]),
        Size => ("sizes", &["256x256", "512x512", "1024x1024", "1792x1792", "1024x1792"]),
        VectorStoreId => ("vector_store_ids", &[]),
        ContextLevel => ("context_levels", &["low", "medium", "high"]),
        LineItem => ("line_items", &[]),
        ServiceTier | QuantityUnit => return None,
    };
    Some(Filter { dimension, name, words })
}
