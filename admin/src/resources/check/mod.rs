//! Whether a key may do what somebody wants to do with it.

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
