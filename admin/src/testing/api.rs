//! A client of the router in this process. Every answer it receives is checked: headers, envelope, shape, and that a
//! refusal changed nothing. No test can forget that, because there is no other client.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use flate2::read::GzDecoder;
use http::header::CONTENT_ENCODING;
use http::response::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use sql::Observer;
use tower::ServiceExt;

use super::document::{Document, OURS, OWN, REFERENCE, closed};
use super::{SeededRandom, TestClock, TestStore, fixture, snapshot};
use crate::Recall;
use crate::access::Operator;
use crate::app::{App, Settings};
use crate::domain::secret::{ADMIN_PREFIX, PlainKey};
use crate::founding::Founding;
use crate::organization::Organization;

/// The time at which every test starts.
const START: u64 = 1_750_000_000;

/// The API on a fresh store with one organization.
pub struct Api {
    /// The application, for what cannot be done over the wire yet.
    pub app: App,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// The organization that was there first.
    pub first: Tenant,
    router: Router,
    /// Answers beside the router what it has kept, so that each such answer is compared with a fresh one.
    recall: Option<Recall>,
    watch_refusals: bool,
    _store: TestStore,
}

/// An organization and its owner's key.
#[derive(Clone)]
pub struct Tenant {
    /// The organization.
    pub organization: Organization,
    /// The owner's id.
    pub owner_id: String,
    /// The id of the owner's key.
    pub key_id: String,
    /// The owner's key.
    pub key: String,
}

impl Api {
    /// The API with default settings.
    pub async fn new() -> Self {
        Self::with(Settings::default(), None).await
    }

    /// The API with these settings, on a store whose statements are shown to the observer.
    pub async fn with(settings: Settings, observer: Option<Observer>) -> Self {
        let store = TestStore::new(observer).await;
        let clock = Arc::new(TestClock::at(START));
        let app =
            App::new(store.store.clone(), clock.clone(), Arc::new(SeededRandom::new(1)), settings);
        let first = found(&app, "first").await;
        let (router, recall) = (crate::router(app.clone()), Some(Recall::new(app.clone())));
        Self { app, clock, first, router, recall, watch_refusals: true, _store: store }
    }

    /// Stops comparing the whole store around each refusal: for large stores and concurrent requests.
    pub fn unwatched(mut self) -> Self {
        self.watch_refusals = false;
        self
    }

    /// The same with another router, to see what the edge does around it.
    pub fn serving(mut self, router: Router) -> Self {
        self.router = router;
        self.recall = None;
        self
    }

    /// Another organization in the same store.
    pub async fn found(&self, slug: &str) -> Tenant {
        found(&self.app, slug).await
    }

    /// A request with the first owner's key.
    pub fn request(&self, method: &str, path: &str) -> Sending<'_> {
        let headers = vec![("authorization".to_owned(), format!("Bearer {}", self.first.key))];
        Sending {
            api: self,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            operator: None,
            body: Body::empty(),
            watched: self.watch_refusals,
        }
    }

    /// GET with the first owner's key.
    pub async fn get(&self, path: &str) -> Reply {
        self.request("GET", path).send().await
    }

    /// POST with the first owner's key.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.request("POST", path).json(&body).send().await
    }

    /// DELETE with the first owner's key.
    pub async fn delete(&self, path: &str) -> Reply {
        self.request("DELETE", path).send().await
    }

    /// Adds a person to the first organization, as an import would.
    pub async fn add_user(&self, email: &str) -> String {
        fixture::add_user(&self.app, &self.first.organization, email).await
    }

    /// Creates a project in the first organization.
    pub async fn create_project(&self, name: &str) -> String {
        self.post("/organization/projects", serde_json::json!({ "name": name })).await.id()
    }

    /// Adds a member to a project of the first organization.
    pub async fn add_member(&self, project: &str, user: &str) {
        let body = serde_json::json!({ "user_id": user, "role": "member" });
        self.post(&format!("/organization/projects/{project}/users"), body).await.ok();
    }

    /// Waits for what no request waits for.
    async fn settle(&self) {
        let background = &self.app.background;
        background.close();
        background.wait().await;
        background.reopen();
    }

    /// Everything that is in the store.
    pub async fn snapshot(&self) -> Vec<String> {
        snapshot::take(&self.app.store).await
    }

    /// The tables of the store.
    pub async fn tables(&self) -> Vec<String> {
        snapshot::tables(&self.app.store).await
    }

    /// The events on record, oldest first: type, project, payload.
    pub async fn events(&self) -> Vec<(String, Option<String>, Value)> {
        fixture::events(&self.app).await
    }
}

async fn found(app: &App, slug: &str) -> Tenant {
    let key = PlainKey::generate(ADMIN_PREFIX, &*app.random);
    let secret = key.expose().to_owned();
    let founding = Founding::draw(
        &app.ids,
        app.clock.now(),
        slug,
        &format!("owner@{slug}.example"),
        Some("Olga Owner"),
        key,
    );
    let tenant = Tenant {
        organization: founding.organization.clone(),
        owner_id: founding.owner.id.clone(),
        key_id: founding.key_id.clone(),
        key: secret,
    };
    app.store.write(move |tx| founding.execute(tx)).await.expect("an organization can be founded");
    tenant
}

/// A request under construction.
pub struct Sending<'a> {
    api: &'a Api,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    operator: Option<Operator>,
    body: Body,
    /// Whether the whole store is compared around it, should it be refused.
    watched: bool,
}

impl Sending<'_> {
    /// As somebody at the command line instead.
    pub fn operator(self, operator: Operator) -> Self {
        Self { operator: Some(operator), ..self.without("authorization") }
    }

    /// With this key instead.
    pub fn key(self, key: &str) -> Self {
        self.without("authorization").header("authorization", &format!("Bearer {key}"))
    }

    /// Without this header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// With this header too.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    /// With these bytes as body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends what must succeed, so there is no refusal to compare the store around.
    pub async fn send_surely(mut self) -> Reply {
        self.watched = false;
        let reply = self.send().await;
        reply.ok();
        reply
    }

    /// Sends it and checks the answer.
    pub async fn send(self) -> Reply {
        let before = if self.watched { Some(self.api.snapshot().await) } else { None };
        let mut request =
            Request::builder().method(self.method.as_str()).uri(whole_path(&self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut request = request.body(self.body).expect("tests send valid requests");
        if let Some(operator) = self.operator {
            request.extensions_mut().insert(operator);
        }
        let stamp = self.api.app.store.stamp();
        let recalled = self.api.recall.as_ref().and_then(|recall| recall.answer(&request));
        // As if somebody had asked for it before: then the answer is kept, and compared with the next one.
        let _ = self.api.app.kept.is_wanted(request.uri());
        let response = self.api.router.clone().oneshot(request).await.expect("the router answers");
        self.api.settle().await;
        let (parts, bytes) = received(response).await;
        let recalled = recalled.filter(|_| stamp.is_some() && stamp == self.api.app.store.stamp());
        if let Some(recalled) = recalled {
            // What is kept is what is read if nobody changes the store in between.
            let (mut kept, body) = received(recalled).await;
            for of_its_own in ["x-request-id", "openai-processing-ms", "content-length"] {
                let value = parts.headers.get(of_its_own).cloned().expect("every answer has it");
                kept.headers.insert(of_its_own, value);
            }
            assert_eq!((kept.status, body), (parts.status, bytes.clone()), "{}", self.path);
            assert_eq!(kept.headers, parts.headers, "{}", self.path);
        }
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let call = format!("{} {}", self.method, self.path);
        let reply = Reply {
            call,
            status: parts.status,
            headers: parts.headers,
            body,
            text: bytes.to_vec(),
        };
        reply.check(&self.method, self.path.split('?').next().unwrap_or_default());
        if let Some(before) = before.filter(|_| !reply.status.is_success()) {
            assert_eq!(
                before,
                self.api.snapshot().await,
                "{} was refused but changed something",
                reply.call
            );
        }
        reply
    }
}

/// Where a path of our documents is served: the paths of the one lack the prefix, those of the other are whole.
pub fn whole_path(path: &str) -> String {
    let is_whole = ["/rollbook/", "/invite/"].iter().any(|prefix| path.starts_with(prefix));
    if is_whole { path.to_owned() } else { format!("/v1{path}") }
}

/// An answer, with its body as it reads.
async fn received(response: Response) -> (Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let mut body = body.collect().await.expect("bodies are in memory").to_bytes();
    if let Some(coding) = parts.headers.get(CONTENT_ENCODING) {
        assert_eq!(coding, "gzip");
        let mut read = Vec::new();
        let done = GzDecoder::new(&*body).read_to_end(&mut read);
        done.expect("it is compressed as it says");
        body = read.into();
    }
    (parts, body)
}

/// An answer that was checked.
pub struct Reply {
    call: String,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Value,
    /// Its body as sent.
    pub text: Vec<u8>,
}

impl Reply {
    /// The body of a success.
    pub fn ok(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}: {}", self.call, self.body);
        &self.body
    }

    /// The id in the body of a success.
    pub fn id(&self) -> String {
        self.ok()["id"].as_str().expect("the body has an id").to_owned()
    }

    /// The ids of a page. What is a group's place in a project is known by the group.
    pub fn ids(&self) -> Vec<String> {
        let rows = self.ok()["data"].as_array().expect("the body is a page");
        let id = |row: &Value| row["id"].as_str().or(row["group_id"].as_str()).map(str::to_owned);
        rows.iter().map(|row| id(row).expect("rows have ids")).collect()
    }

    /// The header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }

    /// Asserts a refusal: status, code, param, and a part of the message.
    #[track_caller]
    pub fn refused(
        &self,
        status: u16,
        code: impl Into<Value>,
        param: impl Into<Value>,
        fragment: &str,
    ) -> &Self {
        let error = &self.body["error"];
        let (code, param): (Value, Value) = (code.into(), param.into());
        let got = (self.status.as_u16(), &error["code"], &error["param"]);
        assert_eq!(got, (status, &code, &param), "{}: {}", self.call, self.body);
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(fragment), "{}: '{message}' lacks '{fragment}'", self.call);
        self
    }

    fn check(&self, method: &str, path: &str) {
        let call = &self.call;
        let is_page = path.starts_with("/invite/");
        let is_json = self.header("content-type") == Some("application/json");
        assert!(is_json || is_page, "{call}: content-type");
        let id =
            self.header("x-request-id").and_then(|id| id.strip_prefix("req_")).unwrap_or_default();
        assert!(
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{call}: x-request-id"
        );
        assert!(
            self.header("openai-processing-ms").is_some_and(|ms| ms.parse::<u32>().is_ok()),
            "{call}"
        );
        assert_eq!(self.header("openai-version"), Some("2020-10-01"), "{call}");
        // A page is for a person, and a check answers whoever asks.
        if self.status.is_success() {
            let names_nobody = is_page || path.starts_with("/rollbook/v1/check");
            let is_named = self.header("openai-organization").is_some();
            assert!(is_named || names_nobody, "{call}: openai-organization");
        } else if !is_page {
            self.check_envelope();
        }
        if method != "HEAD" {
            conforms("ours", &OURS, method, path, self);
            conforms("ours", &OWN, method, path, self);
            if let Some(reference) = REFERENCE.as_ref() {
                conforms("reference", reference, method, path, self);
            }
        }
    }

    fn check_envelope(&self) {
        let error = self.body["error"]
            .as_object()
            .unwrap_or_else(|| panic!("{}: {}", self.call, self.body));
        let members: Vec<_> = error.keys().map(String::as_str).collect();
        assert_eq!(members, ["code", "message", "param", "type"], "{}", self.call);
        let family = if self.status.is_server_error() && self.status != StatusCode::NOT_IMPLEMENTED
        {
            "server_error"
        } else {
            "invalid_request_error"
        };
        assert_eq!(error["type"], family, "{}", self.call);
        assert!(error["code"].is_string() || error["code"].is_null(), "{}", self.call);
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 20), "{}", self.call);
        let retry_after = self
            .header("retry-after")
            .map(|seconds| seconds.parse::<u32>().expect("whole seconds"));
        assert_eq!(
            retry_after.is_some(),
            self.status == StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            self.call
        );
    }
}

type Validators = HashMap<(&'static str, String, String, u16), Option<Arc<jsonschema::Validator>>>;

/// Compiled schemas, shared by all tests of the process.
static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);

/// Holds an answer against a document. Our own must describe every answer of an operation, the reference at least the
/// successes.
fn conforms(which: &'static str, document: &Document, method: &str, path: &str, reply: &Reply) {
    let Some(((method, template), operation)) = document.find(method, path) else { return };
    let status = reply.status.as_u16();
    let place = (which, method.clone(), template.clone(), status);
    let compile = || {
        let schema = operation.responses.get(&status)?;
        let schema = if which == "ours" { closed(schema) } else { schema.clone() };
        Some(Arc::new(jsonschema::validator_for(&schema).expect("the schema is valid")))
    };
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = validators.entry(place).or_insert_with(compile).clone();
    drop(validators);
    let Some(validator) = validator else {
        let is_described_elsewhere = which != "ours" && status >= 400;
        assert!(is_described_elsewhere, "{}: {status} is not in the document", reply.call);
        return;
    };
    if let Err(error) = validator.validate(&reply.body) {
        panic!(
            "{}: {status} does not conform to the {which} document: {error}\n{}",
            reply.call, reply.body
        );
    }
}
