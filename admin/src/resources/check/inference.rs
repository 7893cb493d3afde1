//! What a request to the API of models needs, told from its method and path.
//!
//! Whoever misreads a path lets somebody in. So a path that one server may read differently than another is not read at all, and
//! what is not known needs what every use of a model needs.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::domain::permission::MODEL_REQUEST;

/// The first word of a path, and what reading and anything else there needs.
const AREAS: [(&str, &str, &str); 12] = [
    ("models", "api.model.read", MODEL_REQUEST),
    ("responses", "api.responses.read", "api.responses.write"),
    ("files", "api.files.read", "api.files.write"),
    ("batches", "api.batch.read", "api.batch.write"),
    ("vector_stores", "api.vector_stores.read", "api.vector_stores.write"),
    ("fine_tuning", "api.fine_tuning.read", "api.fine_tuning.write"),
    ("evals", "api.evals.read", "api.evals.write"),
    ("assistants", "api.assistants.read", "api.assistants.write"),
    ("threads", "api.threads.read", "api.threads.write"),
    ("prompts", "api.prompts.read", "api.prompts.write"),
    ("videos", "api.videos.read", "api.videos.write"),
    ("containers", "api.containers.read", "api.containers.write"),
];

/// What a request with this method and path needs; nothing if servers may disagree about what it asks for.
#[must_use]
pub fn needed(method: &str, target: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    let mut first = None;
    for (place, segment) in
        path.strip_prefix('/')?.split('/').filter(|text| !text.is_empty()).enumerate()
    {
        let segment = plain(segment)?;
        let is_version = place == 0 && segment.eq_ignore_ascii_case("v1");
        if first.is_none() && !is_version {
            first = Some(segment);
        }
    }
    let first = first.unwrap_or_default();
    let area = AREAS.iter().find(|(name, ..)| first.eq_ignore_ascii_case(name));
    let is_read = matches!(method, "GET" | "HEAD");
    Some(area.map_or(MODEL_REQUEST, |(_, read, write)| if is_read { read } else { write }))
}

/// A part of a path as every server reads it, without the parameters that some cut off; nothing for what leads elsewhere.
fn plain(segment: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    let leads_elsewhere = |text: &str| matches!(text.trim(), "." | "..");
    let is_strange = |c: char| matches!(c, '/' | '\\' | '%' | '#') || c.is_control();
    let name = decoded.split(';').next().unwrap_or_default();
    if leads_elsewhere(&decoded) || leads_elsewhere(name) || decoded.contains(is_strange) {
        return None;
    }
    let length = name.len();
    Some(match decoded {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..length]),
        Cow::Owned(text) => Cow::Owned(text[..length].to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permission::CATALOGUE;

    #[test]
    fn what_a_request_needs_is_told_from_its_method_and_path() {
        for (method, target, expected) in [
            ("GET", "/v1/models", "api.model.read"),
            ("HEAD", "/models/gpt-4o?x=/v1/files", "api.model.read"),
            ("GET", "/v1/models/ft%3Agpt-4o%3Aacme", "api.model.read"),
            ("DELETE", "/v1/models/x", MODEL_REQUEST),
            ("POST", "/v1/chat/completions", MODEL_REQUEST),
            ("POST", "/v1/completions", MODEL_REQUEST),
            ("POST", "/v1/embeddings", MODEL_REQUEST),
            ("POST", "/v1/audio/speech", MODEL_REQUEST),
            ("POST", "/v1/images/edits", MODEL_REQUEST),
            ("POST", "/v1/moderations", MODEL_REQUEST),
            ("GET", "/v1/realtime?model=x", MODEL_REQUEST),
            ("POST", "/v1/responses", "api.responses.write"),
            ("GET", "/v1/responses/resp_1", "api.responses.read"),
            ("DELETE", "/v1/responses/resp_1", "api.responses.write"),
            ("POST", "/v1/files", "api.files.write"),
            ("GET", "/v1/batches", "api.batch.read"),
            ("POST", "/v1/batches/b/cancel", "api.batch.write"),
            ("GET", "/v1/vector_stores/v/files", "api.vector_stores.read"),
            ("POST", "/v1/fine_tuning/jobs", "api.fine_tuning.write"),
            ("GET", "/v1/evals", "api.evals.read"),
            ("POST", "/v1/assistants", "api.assistants.write"),
            ("POST", "/v1/threads/t/runs", "api.threads.write"),
            ("GET", "/v1/prompts", "api.prompts.read"),
            ("POST", "/v1/videos", "api.videos.write"),
            ("POST", "/v1/containers", "api.containers.write"),
            // What is not known, and methods that nobody knows.
            ("", "/v1/files", "api.files.write"),
            ("get", "/v1/files", "api.files.write"),
            ("GET", "/", MODEL_REQUEST),
            ("GET", "/v1", MODEL_REQUEST),
            ("GET", "/v1/filesystem", MODEL_REQUEST),
            ("GET", "/other/v1/files", MODEL_REQUEST),
        ] {
            assert_eq!(needed(method, target), Some(expected), "{method} {target}");
        }
    }

    #[test]
    fn spellings_that_mean_the_same_need_the_same() {
        for target in [
            "//v1//fine_tuning/jobs",
            "/v1/fine%5Ftuning/jobs",
            "/V1/Fine_Tuning/jobs",
            "/v1/fine_tuning;x=1/jobs",
            "/v1/fine_tuning",
            "/fine_tuning/",
        ] {
            assert_eq!(needed("POST", target), Some("api.fine_tuning.write"), "{target}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_not_read() {
        for target in [
            "/v1/files/../chat/completions",
            "/v1/models#/../files/x",
            "/v1/files/%2e%2E/chat/completions",
            "/v1/./files",
            "/v1/files/..;x/chat/completions",
            "/v1/files%2f..%2fchat",
            "/v1/x%5Cfiles",
            "/v1/x\\..\\files",
            "/v1/%252e%252e/files",
            "/v1/files%00",
            "/v1/%FF",
            "v1/files",
            "http://host/v1/files",
            "*",
            "",
        ] {
            assert_eq!(needed("GET", target), None, "{target}");
        }
    }

    #[test]
    fn what_is_needed_is_in_the_catalogue() {
        let knows = |token: &str| CATALOGUE.iter().any(|(known, _)| *known == token);
        assert!(AREAS.iter().all(|(_, read, write)| knows(read) && knows(write)));
    }
}
