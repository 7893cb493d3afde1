//! All operations behind one service, and the document that describes them.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::error::Error;
use crate::http::edge::edge;
use crate::http::envelope::ErrorResponse;
use crate::not_built::NEWER_THAN_THE_DOCUMENT;
use crate::resources;

/// How every path of the published operations begins. Clients have it in their base URL, so the document leaves it out. The routes
/// have it themselves: a nested router rewrites the path of each request.
const PREFIX: &str = "/v1";

/// The whole API.
///
/// # Panics
/// When the list of operations that are not built names a method that cannot be routed.
pub fn router(app: App) -> Router {
    Operations::new().of(app)
}

/// The whole API before it is anybody's. Making it is most of the work of [`router`], so whoever puts one application in the place
/// of another, as an emulator does, makes it once.
#[derive(Clone)]
pub struct Operations(Router<App>);

impl Operations {
    /// Every operation.
    ///
    /// # Panics
    /// When the list of operations that are not built names a method that cannot be routed.
    #[must_use]
    pub fn new() -> Self {
        let (mut operations, _) = resources::routes().split_for_parts();
        for (method, path) in NEWER_THAN_THE_DOCUMENT {
            let filter = MethodFilter::try_from(method.clone())
                .expect("the list holds methods that can be routed");
            operations = operations.route(&format!("{PREFIX}{path}"), on(filter, not_built));
        }
        let operations = operations.method_not_allowed_fallback(wrong_method);
        let (own, _) = resources::own_routes().split_for_parts();
        let all = operations
            .merge(own.method_not_allowed_fallback(wrong_method))
            .merge(resources::invites::pages().method_not_allowed_fallback(wrong_method))
            .fallback(unknown_url);
        Self(all)
    }

    /// The API of this application.
    pub fn of(self, app: App) -> Router {
        self.0.layer(from_fn_with_state(app.clone(), edge)).with_state(app)
    }
}

impl Default for Operations {
    fn default() -> Self {
        Self::new()
    }
}

/// The OpenAPI document of what is built.
#[must_use]
pub fn openapi() -> OpenApiDocument {
    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Rollbook",
            description = "The administration API of an organization: its people, projects, members and keys. Clients made for OpenAI's administration API work with this base URL.",
            license(name = "Apache-2.0", identifier = "Apache-2.0"),
        ),
        components(schemas(ErrorResponse))
    )]
    struct Document;

    let mut document = complete(Document::openapi(), resources::routes());
    let below = |path: String| path.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(path);
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (below(path), item)).collect();
    document.servers = Some(vec![Server::new(PREFIX)]);
    document
}

/// The OpenAPI document of what only this server has. Its paths are whole, because they are not below the prefix.
#[must_use]
pub fn own_openapi() -> OpenApiDocument {
    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Rollbook's own operations",
            description = "What OpenAI's administration API has no operation for. Keys, errors and ids are the same.",
            license(name = "Apache-2.0", identifier = "Apache-2.0"),
        ),
        components(schemas(ErrorResponse))
    )]
    struct Document;

    complete(Document::openapi(), resources::own_routes())
}

/// A document with its operations and how they know their callers.
fn complete(mut document: OpenApiDocument, routes: OpenApiRouter<App>) -> OpenApiDocument {
    document.merge(routes.split_for_parts().1);
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document
        .components
        .get_or_insert_default()
        .security_schemes
        .insert("AdminApiKeyAuth".to_owned(), bearer.into());
    document.security =
        Some(vec![SecurityRequirement::new("AdminApiKeyAuth", Vec::<String>::new())]);
    document
}

async fn not_built(request: Request) -> Error {
    Error::not_built(request.method().as_str(), request.uri().path())
}

async fn wrong_method(request: Request) -> Error {
    Error::wrong_method(request.method().as_str(), request.uri().path())
}

async fn unknown_url(request: Request) -> Error {
    Error::unknown_url(request.method().as_str(), request.uri().path())
}
