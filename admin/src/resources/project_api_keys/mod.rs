//! Keys for the use of projects.

mod holder;
pub mod store;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
