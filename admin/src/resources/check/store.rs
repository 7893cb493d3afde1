//! What the operator and a project say of models, as far as a question about a key needs it.

use sql::{Row, Tx, args};

use crate::domain::id::is_possible_id;
use crate::error::Result;
use crate::resources::model_permissions::store::ModelPolicy;
use crate::resources::rate_limits::store::{RateLimit, Stored};

/// What was found.
#[derive(Debug)]
pub struct OfModels {
    /// Whether the operator has any.
    pub are_any: bool,
    /// Which the project may use, if that is limited.
    pub policy: Option<ModelPolicy>,
    /// How much of the model that is asked for, if there is one of that name.
    pub asked: Option<RateLimit>,
    /// How much may be spent in a month, in cents, where that is limited.
    pub spend: Limits,
}

/// How many cents may be spent in a month: by the project, and by the organization.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// By the project.
    pub project: Option<i64>,
    /// By the organization.
    pub organization: Option<i64>,
}

/// The same as the statement answers it.
struct Columns {
    any: Option<String>,
    mode: Option<String>,
    model_ids: Option<String>,
    asked: Option<RateLimit>,
    spend: Limits,
}

impl Columns {
    fn from_row(row: &Row<'_>) -> sql::Result<Self> {
        let asked: Option<String> = row.get(3)?;
        let asked = asked.map(|_| Stored::at(row, 3).map(Stored::effective)).transpose()?;
        let spend = Limits { project: row.get(16)?, organization: row.get(17)? };
        Ok(Self { any: row.get(0)?, mode: row.get(1)?, model_ids: row.get(2)?, asked, spend })
    }
}

/// What is said of models in a project, and of this one. Every row is found by its key, however many models and lists there are.
pub fn find(
    tx: &mut Tx<'_>,
    organization: &str,
    project: &str,
    model: Option<&str>,
) -> Result<OfModels> {
    // No model has an empty name.
    let model = model.filter(|model| is_possible_id(model)).unwrap_or_default();
    let sql = "SELECT (SELECT f.id FROM models f WHERE f.organization_id = o.id LIMIT 1), p.model_mode, p.model_ids,
                   m.id, m.max_requests_per_minute, m.max_tokens_per_minute, m.max_images_per_minute,
                   m.max_audio_megabytes_per_minute, m.max_requests_per_day, m.max_batch_tokens_per_day,
                   r.max_requests_per_minute, r.max_tokens_per_minute, r.max_images_per_minute,
                   r.max_audio_megabytes_per_minute, r.max_requests_per_day, r.max_batch_tokens_per_day,
                   p.spend_limit, w.spend_limit
               FROM organizations o
               LEFT JOIN policies p ON p.organization_id = o.id AND p.project_id = $2
               LEFT JOIN policies w ON w.organization_id = o.id AND w.project_id = ''
               LEFT JOIN models m ON m.organization_id = o.id AND m.id = $3
               LEFT JOIN rate_limits r ON r.organization_id = o.id AND r.project_id = $2 AND r.model_id = m.id
               WHERE o.id = $1";
    let found = tx.one(sql, args![organization, project, model], Columns::from_row)?;
    let Some(Columns { any, mode, model_ids, asked, spend }) = found else {
        return Ok(OfModels {
            are_any: false,
            policy: None,
            asked: None,
            spend: Limits::default(),
        });
    };
    let policy = ModelPolicy::of_stored(mode.as_deref(), model_ids.as_deref())?;
    Ok(OfModels { are_any: any.is_some(), policy, asked, spend })
}
