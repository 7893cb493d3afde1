//! A question about a key, as it is read from a request, and its answer. The router and what stands before it use the same.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use super::FORWARD;
use super::inference::needed;
use super::known::Known;
use super::policy::AskedModel;
use super::spending;
use super::verdict::{OfModels, Question, Verdict, lacking, message, render};
use super::wire::{CheckRequest, well_formed};
use crate::access::Identity;
use crate::domain::permission::MODEL_REQUEST;
use crate::domain::secret::{KeyHash, mask};
use crate::error::{Error, Kind, Result};
use crate::http::credential;
use crate::http::query::Query;
use crate::http::reply;
use std::sync::Arc;

/// Where a proxy says what it asks about: the URI and the method of a request. Only what a proxy writes may be believed, and nobody
/// can see who wrote a header. So where both pairs are there, what either says is needed.
const ORIGINALS: [(&str, &str); 2] =
    [("x-forwarded-uri", "x-forwarded-method"), ("x-original-uri", "x-original-method")];

/// How an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// To a program that reads the body.
    Body,
    /// To a proxy that looks at the status and takes headers over.
    Status,
}

/// A question about a key.
pub struct Asked<'a> {
    form: Form,
    key: Cow<'a, str>,
    /// The organization and the project that the headers name beside the key.
    organization: Option<Cow<'a, str>>,
    project: Option<Cow<'a, str>>,
    question: Question<'a>,
}

/// What is known of a key.
#[derive(Debug, Clone)]
pub enum Found {
    /// A project has it, and this is to be said of the model that is asked for.
    Known(Arc<Known>, AskedModel),
    /// It is an admin key, which opens no project.
    Admin,
    /// Nobody has it.
    Unknown,
}

impl<'a> Asked<'a> {
    /// The question of a program. A key in the body is taken as it is; beside one in the header, the others count too.
    pub fn of_body(headers: &'a HeaderMap, body: &'a CheckRequest) -> Result<Self> {
        let question = Question {
            model: body.model.as_deref(),
            permission: body.permission.as_deref(),
            also: None,
        };
        if let Some(key) = &body.key {
            let key = Cow::Borrowed(key.as_str());
            return Ok(Self { form: Form::Body, key, organization: None, project: None, question });
        }
        let (key, organization) = credential::shown(headers).ok_or_else(no_key)?;
        let project = named(headers, "openai-project");
        Ok(Self { form: Form::Body, key, organization, project, question })
    }

    /// The question of a proxy, about the request whose headers these are.
    pub fn of_proxy(
        method: &'a Method,
        uri: &Uri,
        headers: &'a HeaderMap,
        query: &'a Query,
    ) -> Result<Self> {
        let key = credential::shown(headers)
            .map(|(key, _)| key)
            .or_else(|| named(headers, "x-api-key"))
            .or_else(|| named(headers, "api-key"))
            .ok_or_else(no_key)?;
        let (organization, project) =
            (named(headers, "openai-organization"), named(headers, "openai-project"));
        let question = match uri.path().strip_prefix(FORWARD).unwrap_or_default() {
            "" => stated(query)?.map_or_else(|| original(headers), Ok)?,
            rest => told(method.as_str(), rest)?,
        };
        Ok(Self { form: Form::Status, key, organization, project, question })
    }

    /// What the key is looked up by.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.key)
    }

    /// The model that is asked for.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.question.model
    }

    /// The answer, and who is named in it. Whoever shows a key that opens nothing to a proxy is nobody.
    #[must_use]
    pub fn answer(&self, found: &Found, now: i64) -> (Response, Option<Identity>) {
        let (known, model) = match found {
            Found::Known(known, model) => (known, model),
            Found::Admin => return (self.unknown(Verdict::AdminKey), None),
            Found::Unknown => return (self.unknown(Verdict::UnknownKey), None),
        };
        let (verdict, permission) = self.question.decide(&known.holder, model.verdict, now);
        let identity = || Some(Identity::Project(Arc::clone(known)));
        if verdict.is_of_key() && self.form == Form::Status {
            return (self.unauthenticated(verdict), None);
        }
        if !verdict.is_of_key()
            && let Err(error) = self.ensure_named(known)
        {
            return (refusal(error), None);
        }
        if self.form == Form::Status && verdict != Verdict::Allowed {
            return (self.forbidden(verdict, known), identity());
        }
        let of_models = if verdict.is_of_key() {
            OfModels::default()
        } else {
            let limited = model.limited.as_ref().map(|limited| &limited.shown[..]);
            let spending = Some(&known.policy.spending.shown[..]);
            OfModels { permissions: Some(&known.policy.shown), limited, spending }
        };
        let body = render(verdict, permission, self.question.model, of_models, &known.whose);
        (self.success(body, known, model), identity())
    }

    fn success(&self, body: Vec<u8>, known: &Known, model: &AskedModel) -> Response {
        if self.form == Form::Body {
            return uncached(body);
        }
        let mut response = Response::new(body.into());
        response.headers_mut().clone_from(&known.headers);
        if let Some(limited) = &model.limited {
            limited.tell(response.headers_mut());
        }
        if let Some(reached) = &known.policy.spending.header {
            let name = HeaderName::from_static(spending::HEADER);
            response.headers_mut().insert(name, reached.clone());
        }
        response
    }

    /// Refuses to pass a request on, in words that clients understand.
    fn forbidden(&self, verdict: Verdict, known: &Known) -> Response {
        let error = match (verdict, self.question.model) {
            (Verdict::UnknownModel | Verdict::ModelNotPermitted, Some(model)) => {
                let project = &known.holder.project_id;
                let message =
                    format!("Project '{project}' does not have access to model '{model}'.");
                Error::new(Kind::Forbidden, message).code("model_not_found")
            }
            _ => insufficient(&lacking(&self.question, &known.holder)),
        };
        error.into_response()
    }

    fn unknown(&self, verdict: Verdict) -> Response {
        if self.form == Form::Status {
            return self.unauthenticated(verdict);
        }
        match super::known::tail_of_nobody() {
            Ok(tail) => {
                let Question { model, permission, .. } = self.question;
                uncached(render(verdict, permission, model, OfModels::default(), &tail))
            }
            Err(error) => error.into_response(),
        }
    }

    fn unauthenticated(&self, verdict: Verdict) -> Response {
        let why = match verdict {
            // Nobody outside can tell these apart.
            Verdict::UnknownKey | Verdict::ExpiredKey => {
                "Use a project key of this server that is neither deleted nor expired."
            }
            other => message(other),
        };
        let message = format!("Incorrect API key provided: {}. {why}", mask(&self.key));
        refusal(Error::new(Kind::Unauthenticated, message).code("invalid_api_key"))
    }

    /// Refuses if the headers name another organization or project than the key's.
    fn ensure_named(&self, known: &Known) -> Result<()> {
        if !known.holder.organization.is_named(self.organization.as_deref()) {
            return Err(Error::mismatched_organization());
        }
        if self.project.as_deref().is_some_and(|project| project != known.holder.project_id) {
            let message = "The OpenAI-Project header names another project than the API key belongs to. Leave the header out, or use a key of that project.";
            return Err(Error::new(Kind::Unauthenticated, message).code("mismatched_project"));
        }
        Ok(())
    }
}

/// A header that is not empty.
fn named<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let value = headers.get(name).filter(|value| !value.is_empty())?;
    Some(String::from_utf8_lossy(value.as_bytes()))
}

/// What the address that the operator of the proxy wrote asks for, if it asks for anything.
fn stated(query: &Query) -> Result<Option<Question<'_>>> {
    let (permission, model) = (query.text("permission")?, query.text("model")?);
    if permission.or(model).is_none() {
        return Ok(None);
    }
    let permission = permission.filter(|word| *word != "none");
    well_formed(permission)?;
    Ok(Some(Question { model, permission, also: None }))
}

/// What the request needs that the headers of a proxy tell of.
fn original(headers: &HeaderMap) -> Result<Question<'static>> {
    let mut needs = [None; 2];
    for (need, (uri, method)) in needs.iter_mut().zip(ORIGINALS) {
        if let Some(uri) = single(headers, uri)? {
            *need = told(single(headers, method)?.unwrap_or_default(), uri)?.permission;
        }
    }
    let [first, second] = needs;
    let permission = first.or(second).or(Some(MODEL_REQUEST));
    Ok(Question { model: None, permission, also: second })
}

/// What a request with this method and path needs.
fn told(method: &str, target: &str) -> Result<Question<'static>> {
    let permission = Some(needed(method, target).ok_or_else(ambiguous)?);
    Ok(Question { model: None, permission, also: None })
}

/// A header that may be there once: of two nobody knows which one counts.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).iter().filter(|value| !value.is_empty());
    let first = values.next().map(|value| value.to_str().map_err(|_| ambiguous()));
    if values.next().is_some() { Err(ambiguous()) } else { first.transpose() }
}

fn ambiguous() -> Error {
    let message = "You have insufficient permissions for this operation: its path can be read in several ways. Send it without dot segments, encoded slashes, backslashes and percent signs.";
    Error::new(Kind::Forbidden, message)
}

fn insufficient(lacking: &[&str]) -> Error {
    let message = format!(
        "You have insufficient permissions for this operation. Missing scopes: {}. Use a key that has them.",
        lacking.join(", ")
    );
    Error::new(Kind::Forbidden, message)
}

fn no_key() -> Error {
    let message = "You didn't provide an API key. Send the key of a project in the Authorization header, as 'Authorization: Bearer YOUR_KEY'.";
    Error::new(Kind::Unauthenticated, message)
}

/// A refusal that tells what kind of credential would help, where one would.
#[must_use]
pub fn refusal(error: Error) -> Response {
    let is_of_key = error.kind == Kind::Unauthenticated;
    let mut response = error.into_response();
    if is_of_key {
        let bearer = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    }
    response
}

/// An answer about a key is good for this moment only.
fn uncached(body: Vec<u8>) -> Response {
    let mut response = reply::of_bytes(body.into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
