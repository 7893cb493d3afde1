//! What the keys of a project share: which models there are, which the project may use, and how much of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use sql::Tx;

use super::spending::Spending;
use super::store::{self, OfModels};
use crate::domain::decision::{ModelMode, ModelVerdict};
use crate::error::Result;
use crate::http::reply;
use crate::resources::model_permissions::wire::ProjectModelPermissions;
use crate::resources::rate_limits::store::RateLimit;
use crate::resources::rate_limits::wire::ProjectRateLimit;

/// Of so many models a project remembers how much it may use.
const MODELS: usize = 256;

/// How a proxy is told how much of a model may be used in a minute: requests, and tokens.
const HEADERS: [&str; 2] = ["x-rollbook-rate-limit-requests", "x-rollbook-rate-limit-tokens"];

/// What holds for every key of a project in one state of the store.
#[derive(Debug)]
pub struct ProjectPolicy {
    /// Whether the operator has any models. If not, every name is one.
    are_any: bool,
    mode: Option<ModelMode>,
    ids: BTreeSet<Box<str>>,
    /// Which models the project may use, as an answer shows it.
    pub shown: Bytes,
    /// What the project and its organization spent, where that is limited.
    pub spending: Spending,
    /// The models that were asked for, as far as there are such.
    asked: RwLock<BTreeMap<Box<str>, Arc<Limited>>>,
}

/// How much of a model may be used, as answers show it.
#[derive(Debug)]
pub struct Limited {
    /// To a program.
    pub shown: Bytes,
    headers: [HeaderValue; 2],
}

/// What is to be said of the model that is asked for.
#[derive(Debug, Clone, Default)]
pub struct AskedModel {
    /// Whether it may be used.
    pub verdict: ModelVerdict,
    /// How much of it, if there is such a model.
    pub limited: Option<Arc<Limited>>,
}

impl ProjectPolicy {
    /// Reads what holds for a project, and of the model that is asked for.
    pub fn read(
        tx: &mut Tx<'_>,
        organization: &str,
        project: &str,
        model: Option<&str>,
        now: i64,
    ) -> Result<Self> {
        let OfModels { are_any, policy, asked, spend } =
            store::find(tx, organization, project, model)?;
        let spending = Spending::read(tx, organization, project, spend, now)?;
        let mode = policy.as_ref().map(|policy| policy.mode);
        let ids = policy.iter().flat_map(|policy| &policy.model_ids);
        let ids = ids.map(|id| id.as_str().into()).collect();
        let shown = reply::bytes(&policy.map(ProjectModelPermissions::from))?;
        let policy = Self { are_any, mode, ids, shown, spending, asked: RwLock::default() };
        if let Some(limit) = asked {
            policy.remember(limit)?;
        }
        Ok(policy)
    }

    /// What is to be said of a model; nothing if that has to be read.
    #[must_use]
    pub fn of(&self, model: Option<&str>) -> Option<AskedModel> {
        let Some(model) = model else { return Some(AskedModel::default()) };
        let limited = if self.are_any {
            let asked = self.asked.read().unwrap_or_else(PoisonError::into_inner);
            Some(Arc::clone(asked.get(model)?))
        } else {
            None
        };
        Some(AskedModel { verdict: self.verdict(model), limited })
    }

    /// The same, read if it has to be, in the state in which this was.
    pub fn find(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        project: &str,
        model: Option<&str>,
    ) -> Result<AskedModel> {
        if let Some(known) = self.of(model) {
            return Ok(known);
        }
        match store::find(tx, organization, project, model)?.asked {
            Some(limit) => {
                let verdict = self.verdict(&limit.model);
                Ok(AskedModel { verdict, limited: Some(self.remember(limit)?) })
            }
            // That there is no such model is not kept: anybody can make names up.
            None => Ok(AskedModel { verdict: ModelVerdict::Unknown, limited: None }),
        }
    }

    /// Whether a model may be used that the operator has, or any if they have none.
    fn verdict(&self, model: &str) -> ModelVerdict {
        match self.mode {
            Some(mode) if !mode.permits(self.ids.contains(model)) => ModelVerdict::Refused,
            _ => ModelVerdict::Free,
        }
    }

    fn remember(&self, limit: RateLimit) -> Result<Arc<Limited>> {
        let model = limit.model.as_str().into();
        let limited = Arc::new(Limited::of(limit)?);
        let mut asked = self.asked.write().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= MODELS {
            asked.clear();
        }
        asked.insert(model, Arc::clone(&limited));
        Ok(limited)
    }
}

impl Limited {
    fn of(limit: RateLimit) -> Result<Self> {
        let [requests, tokens, ..] = limit.limits.0;
        let headers = [requests, tokens].map(|limit| HeaderValue::from(limit.unwrap_or_default()));
        Ok(Self { shown: reply::bytes(&ProjectRateLimit::from(limit))?, headers })
    }

    /// Tells a proxy.
    pub fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in HEADERS.into_iter().zip(&self.headers) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
}
