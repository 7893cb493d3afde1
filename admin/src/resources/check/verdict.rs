//! What is decided about a key, and the words for it.

use crate::domain::decision::{ModelVerdict, Reason, Standing, Wish, decide};
use crate::domain::permission::MODEL_REQUEST;
use crate::resources::project_api_keys::store::Holder;

/// What somebody wants to do with a key.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Use this model.
    pub model: Option<&'a str>,
    /// Do this.
    pub permission: Option<&'a str>,
    /// Do this too, where it is not certain which of the two.
    pub also: Option<&'a str>,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    UnknownKey,
    /// To a program, one kind of unknown key; only the sentence differs.
    AdminKey,
    ExpiredKey,
    ProjectArchived,
    OwnerLeft,
    OwnerWithoutAccess,
    MissingPermission,
    KeyScope,
    UnknownModel,
    ModelNotPermitted,
}

impl From<Reason> for Verdict {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Allowed => Self::Allowed,
            Reason::ExpiredKey => Self::ExpiredKey,
            Reason::ProjectArchived => Self::ProjectArchived,
            Reason::OwnerLeft => Self::OwnerLeft,
            Reason::OwnerWithoutAccess => Self::OwnerWithoutAccess,
            Reason::MissingPermission => Self::MissingPermission,
            Reason::KeyScope => Self::KeyScope,
            Reason::UnknownModel => Self::UnknownModel,
            Reason::ModelNotPermitted => Self::ModelNotPermitted,
        }
    }
}

impl Verdict {
    /// Whether the key opens nothing at all, whatever is asked for.
    pub fn is_of_key(self) -> bool {
        !matches!(
            self,
            Self::Allowed
                | Self::MissingPermission
                | Self::KeyScope
                | Self::UnknownModel
                | Self::ModelNotPermitted
        )
    }
}

impl<'a> Question<'a> {
    /// The verdict at this time, and the permission that it is about, where this is to be said of the model.
    pub fn decide(
        &self,
        holder: &Holder,
        model: ModelVerdict,
        now: i64,
    ) -> (Verdict, Option<&'a str>) {
        let standing = Standing { model, ..holder.standing(now) };
        let on = |permission| decide(&standing, &Wish { model: self.model, permission });
        let (reason, also) =
            (on(self.permission), self.also.filter(|_| self.also != self.permission));
        match also.map(|also| (on(Some(also)), also)) {
            Some((other, also)) if reason == Reason::Allowed && other != reason => {
                (other.into(), Some(also))
            }
            _ => (reason.into(), self.permission),
        }
    }
}

/// Which of the permissions that are asked for the key does not have.
pub fn lacking<'a>(question: &Question<'a>, holder: &Holder) -> Vec<&'a str> {
    let model = question.model.map(|_| MODEL_REQUEST);
    let mut wanted: Vec<_> =
        model.into_iter().chain(question.permission).chain(question.also).collect();
    wanted.dedup();
    let scopes = holder.scopes.as_ref();
    let has =
        |token: &str| holder.effective.has(token) && scopes.is_none_or(|scopes| scopes.has(token));
    wanted.retain(|token| !has(token));
    wanted
}

/// The beginning of an answer, and its sentence.
macro_rules! words {
    ($allowed:literal, $reason:literal, $message:literal) => {
        (
            concat!(
                r#"{"object":"rollbook.check","allowed":"#,
                $allowed,
                r#","reason":""#,
                $reason,
                r#"","message":""#,
                $message,
                r#"","permission":"#
            ),
            $message,
        )
    };
}

/// How an answer begins, up to the permission, and its sentence alone.
fn words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Allowed => words!("true", "allowed", "The key may do this."),
        Verdict::UnknownKey => {
            words!(
                "false",
                "unknown_key",
                "No project of this server has this key. It may have been deleted."
            )
        }
        Verdict::AdminKey => words!(
            "false",
            "unknown_key",
            "This is an admin key. It manages the organization and opens no project. Use a key of a project."
        ),
        Verdict::ExpiredKey => {
            words!("false", "expired_key", "The key has expired. Make a new one.")
        }
        Verdict::ProjectArchived => {
            words!(
                "false",
                "project_archived",
                "The project of the key is archived. Use a key of another project."
            )
        }
        Verdict::OwnerLeft => {
            words!(
                "false",
                "owner_left",
                "The owner of the key left the organization. Use a key of somebody else."
            )
        }
        Verdict::OwnerWithoutAccess => words!(
            "false",
            "owner_without_access",
            "The owner of the key may not use the project. Add them to the project again."
        ),
        Verdict::MissingPermission => words!(
            "false",
            "missing_permission",
            "The owner of the key may not do this. Give them a role that permits it."
        ),
        Verdict::KeyScope => words!(
            "false",
            "key_scope",
            "The owner of the key may do this, but the key is limited to less. Use another key."
        ),
        Verdict::UnknownModel => words!(
            "false",
            "unknown_model",
            "There is no such model. The operator of the server says which there are."
        ),
        Verdict::ModelNotPermitted => words!(
            "false",
            "model_not_permitted",
            "The project of the key may not use this model. Permit it in the project's model permissions."
        ),
    }
}

/// The verdict as a sentence.
pub fn message(verdict: Verdict) -> &'static str {
    words(verdict).1
}

/// What an answer shows of models, as JSON; null where there is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfModels<'a> {
    /// Which of them the project may use.
    pub permissions: Option<&'a [u8]>,
    /// How much of the one that is asked for.
    pub limited: Option<&'a [u8]>,
    /// What was spent on them, where that is limited.
    pub spending: Option<&'a [u8]>,
}

/// An answer as it is sent: the verdict, what was asked, what holds for models, and whose key it is.
pub fn render(
    verdict: Verdict,
    permission: Option<&str>,
    model: Option<&str>,
    of_models: OfModels<'_>,
    whose: &[u8],
) -> Vec<u8> {
    let (head, _) = words(verdict);
    let (permissions, limited) =
        (of_models.permissions.unwrap_or(b"null"), of_models.limited.unwrap_or(b"null"));
    let spending = of_models.spending.unwrap_or(b"null");
    let asked = permission.map_or(4, str::len) + model.map_or(4, str::len);
    let rest = permissions.len() + limited.len() + spending.len() + whose.len();
    let mut body = Vec::with_capacity(head.len() + asked + rest + 100);
    body.extend_from_slice(head.as_bytes());
    text(&mut body, permission);
    body.extend_from_slice(br#","model":"#);
    text(&mut body, model);
    body.extend_from_slice(br#","model_permissions":"#);
    body.extend_from_slice(permissions);
    body.extend_from_slice(br#","rate_limit":"#);
    body.extend_from_slice(limited);
    body.extend_from_slice(br#","spend_limit":"#);
    body.extend_from_slice(spending);
    body.extend_from_slice(whose);
    body
}

/// A text as JSON.
fn text(body: &mut Vec<u8>, text: Option<&str>) {
    // Writing into memory cannot fail.
    let _ = serde_json::to_writer(body, &text);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_is_json_whatever_is_asked() {
        let limited = OfModels { limited: Some(br#"{"id":"rl-m"}"#), ..OfModels::default() };
        let (permission, model) = (Some("api.x"), Some("\"\\\n"));
        let body = render(Verdict::Allowed, permission, model, limited, br#","owner":null}"#);
        let read: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "object": "rollbook.check", "allowed": true, "reason": "allowed", "message": "The key may do this.",
            "permission": "api.x", "model": "\"\\\n", "model_permissions": null, "rate_limit": { "id": "rl-m" },
            "spend_limit": null, "owner": null,
        });
        assert_eq!(read, expected);
        let body = render(Verdict::KeyScope, None, None, OfModels::default(), b"}");
        let read: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&read["permission"], &read["allowed"]), (&Value::Null, &json!(false)));
    }
}
