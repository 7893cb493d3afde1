mod activation;
mod malformed;
mod upload;

use serde_json::{Value, json};

use super::der;
use crate::testing::Api;

const LIST: &str = "/organization/certificates";

/// Uploads a certificate for this name.
async fn upload(api: &Api, subject: &str) -> String {
    upload_text(api, &der::certificate(subject)).await
}

async fn upload_text(api: &Api, text: &str) -> String {
    api.post(LIST, json!({ "certificate": text })).await.id()
}

/// The events of certificates, oldest first.
async fn events(api: &Api) -> Vec<(String, Option<String>, Value)> {
    let mut events = api.events().await;
    events.retain(|(kind, _, _)| kind.starts_with("certificate"));
    events
}
