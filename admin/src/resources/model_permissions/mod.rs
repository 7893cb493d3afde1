//! Which models a project may use.

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this resource.
#[must_use]
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
