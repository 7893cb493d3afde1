//! A batch that is ready to be written. Whatever can be computed is, so that the transaction only asks and writes.

use std::collections::HashSet;
use std::sync::Arc;

use sql::{Tx, args};

use super::{AHEAD, Found, Outcome, Reported, Reporter};
use crate::error::{Error, Result};
use crate::usage::event::Event;
use crate::usage::ids::{self, Hash, Known, Probed, Run, Sifted};
use crate::usage::keep::{self, Keep};
use crate::usage::kind::{Dimension, Kind};
use crate::usage::spend::{self, Added, month_of};
use crate::usage::{batch, event};

/// What is to be written, and what became of each event so far.
#[derive(Debug)]
pub struct Prepared {
    id: String,
    outcomes: Vec<Outcome>,
    /// The places of the events below.
    places: Vec<usize>,
    events: Vec<Event>,
    hashes: Vec<Hash>,
    probed: Probed,
    batch: Batch,
    run: Arc<Run>,
}

/// What of a batch is written.
#[derive(Debug)]
struct Batch {
    body: Vec<u8>,
    times: (i64, i64),
    added: Added,
}

impl Batch {
    fn of(events: &[Event]) -> Result<Self> {
        let times = events.iter().map(|event| event.time);
        let times = (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default());
        let mut added = Added::new();
        for event in events.iter().filter(|event| !event.costs.is_empty()) {
            let project = event.series.value(Dimension::ProjectId).unwrap_or_default();
            let amount: event::Amount = event.costs.iter().map(|cost| cost.amount).sum();
            *added.entry((project.to_owned(), month_of(event.time))).or_default() += amount;
        }
        Ok(Self { body: batch::pack(events)?, times, added })
    }
}

impl Prepared {
    /// Completes and prices events; those that are at fault are refused, each for itself.
    pub fn of(
        id: String,
        reporter: &Reporter,
        sent: Vec<Result<Reported>>,
        found: &Found,
        (looked_up, sifted): (Vec<Hash>, Sifted),
        (now, keep): (i64, Keep),
    ) -> Result<Self> {
        let mut outcomes = Vec::with_capacity(sent.len());
        let (mut places, mut events, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let (counted, probed) = sifted.end();
        let mut looked_up = looked_up.into_iter().zip(counted);
        for (place, event) in sent.into_iter().enumerate() {
            let event = match event {
                Ok(event) => event,
                Err(fault) => {
                    outcomes.push(Outcome::Refused(fault));
                    continue;
                }
            };
            let Some((hash, is_counted)) = looked_up.next() else {
                return Err(Error::internal("an event was not looked up"));
            };
            let completed = complete(reporter, event, found, (now, keep));
            outcomes.push(match completed {
                Err(fault) => Outcome::Refused(fault),
                Ok(_) if is_counted || !seen.insert(hash) => Outcome::Duplicate,
                Ok(event) => {
                    places.push(place);
                    events.push(event);
                    hashes.push(hash);
                    Outcome::Accepted
                }
            });
        }
        let batch = Batch::of(&events)?;
        let run = Arc::new(Run::of(hashes.clone(), batch.times.1)?);
        Ok(Self { id, outcomes, places, events, hashes, probed, batch, run })
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Tells what this batch will have, if it comes to be, so that nobody has to read it.
    pub fn announce(&self, organization: &str, known: &Known) {
        known.keep_batch(organization, &self.id, Arc::clone(&self.run));
    }

    /// What became of each event, once it is known which were duplicates after all.
    #[must_use]
    pub fn outcomes(&self, late: &[usize]) -> Vec<Outcome> {
        let mut outcomes = self.outcomes.clone();
        for place in late {
            outcomes[*place] = Outcome::Duplicate;
        }
        outcomes
    }

    /// Counts the events, all but those that somebody else counted since they were looked up, and answers the places of these.
    pub fn write(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        known: &Known,
        now: i64,
    ) -> Result<Vec<usize>> {
        let (counted, _) = ids::probe(tx, organization, known, &self.hashes, &self.probed)?;
        let pairs = || counted.iter().zip(self.events.iter().zip(&self.places));
        let late: Vec<usize> =
            pairs().filter(|(counted, _)| **counted).map(|(_, (_, place))| *place).collect();
        if late.is_empty() {
            self.insert(tx, organization, self.events.len(), &self.batch, now)?;
        } else {
            let others = pairs().filter(|(counted, _)| !**counted);
            let others: Vec<Event> = others.map(|(_, (event, _))| event.clone()).collect();
            self.insert(tx, organization, others.len(), &Batch::of(&others)?, now)?;
        }
        Ok(late)
    }

    fn insert(
        &self,
        tx: &mut Tx<'_>,
        organization: &str,
        events: usize,
        batch: &Batch,
        now: i64,
    ) -> Result<()> {
        let (events, (first, last)) = (i64::try_from(events).unwrap_or(i64::MAX), batch.times);
        if events == 0 {
            return Ok(());
        }
        tx.execute(
            "INSERT INTO usage_batches (organization_id, id, received_at, first_time, last_time, events, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![organization, &self.id, now, first, last, events, &batch.body],
        )?;
        tx.execute(
            "INSERT INTO usage_tail (organization_id, batch_id) VALUES ($1, $2)",
            args![organization, &self.id],
        )?;
        spend::add(tx, organization, &batch.added, now)
    }
}

/// Completes an event with what was looked up, or says what is wrong with it.
fn complete(
    reporter: &Reporter,
    event: Reported,
    found: &Found,
    (now, keep): (i64, Keep),
) -> Result<Event> {
    let Reported { id, time, mut series, measures } = event;
    check_time(time, now, keep)?;
    let kind = series.kind;
    let own = reporter.own.as_ref().map(|own| &own.holder);
    let project = match (series.value(Dimension::ProjectId), own) {
        (Some(named), Some(own)) if named != own.project_id => {
            let message = format!(
                "The key belongs to project '{}' and reports for no other. Leave 'project_id' out, or report with an admin key.",
                own.project_id
            );
            return Err(Error::invalid("mismatched_project", message).param("project_id"));
        }
        (_, Some(own)) => own.project_id.clone(),
        (Some(named), None) if found.projects.contains(named) => named.to_owned(),
        (Some(named), None) => {
            return Err(Error::project_not_found(named).param("project_id"));
        }
        (None, None) => {
            let message = "Missing required parameter: 'project_id'. An admin key says whose usage it reports.";
            return Err(Error::invalid("missing_required_parameter", message).param("project_id"));
        }
    };
    if let (Some(key_place), Some(user_place)) =
        (kind.place(Dimension::ApiKeyId), kind.place(Dimension::UserId))
    {
        let is_told = |place: usize| series.values[place].is_some();
        if let Some(own) = own.filter(|_| !is_told(key_place) && !is_told(user_place)) {
            series.values[key_place] = Some(own.key_id.clone());
            series.values[user_place] = Some(own.owner.id().to_owned());
        }
        if let (Some(key), None) = (&series.values[key_place], &series.values[user_place]) {
            let owner = found.owners.get(&(project.clone(), key.clone()));
            series.values[user_place] = owner.cloned();
        }
        if series.values[key_place].is_none() && series.values[user_place].is_none() {
            let message = "Missing required parameter: 'api_key_id'. Say whose usage it is by 'api_key_id' or 'user_id'.";
            return Err(Error::invalid("missing_required_parameter", message).param("api_key_id"));
        }
    }
    if let Some(place) = kind.place(Dimension::ProjectId) {
        series.values[place] = Some(project);
    }
    let model = series.value(Dimension::Model);
    let costs = found.prices.costs(kind, model, time, &measures).ok_or_else(|| {
        let message = "The event would cost more than a billion dollars by its price. Check what it reports, and 'rollbook price list'.";
        Error::invalid("cost_above_max_value", message)
    })?;
    Ok(Event { id, time, series, measures, costs })
}

fn check_time(time: i64, now: i64, keep: Keep) -> Result<()> {
    if time > now + AHEAD {
        let message = format!(
            "The event is {} seconds ahead of this server. Check the clock that made it.",
            time - now
        );
        return Err(Error::invalid("too_new", message).param("time"));
    }
    if keep::before(keep.events, now).is_some_and(|oldest| time < oldest) {
        let message = format!(
            "The event is older than {} days, for which events are kept, so nobody can tell whether it was counted before.",
            keep.events
        );
        return Err(Error::invalid("too_old", message).param("time"));
    }
    Ok(())
}

impl Kind {
    /// What an event has of a measure that it does not tell: it is one request, call or session, and nothing else.
    #[must_use]
    pub fn default_of(measure: &str) -> u64 {
        u64::from(matches!(measure, "num_model_requests" | "num_requests" | "num_sessions"))
    }
}
