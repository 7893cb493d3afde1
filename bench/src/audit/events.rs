//! The events of the record that is measured: skewed as real ones are, and with values that are frequent but never meet.

use admin::audit::actor::{Actor, ActorRow};
use admin::audit::{KINDS, PREFIX};
use admin::domain::id::base62;
use fastrand::Rng;

use crate::fill::project;

/// Projects. The first has four events in ten, the second and third one in ten each, the last hardly any.
pub const PROJECTS: usize = 200;
/// Actors, two of each person: a key and a session. The first has every second event, two of others one in ten each.
pub const ACTORS: usize = 2000;
/// The models whose rate limits change.
const MODELS: usize = 30;
/// Things that events come back to.
const THINGS: usize = 100_000;
/// The types that are most frequent, in turn.
const FREQUENT: [&str; 4] =
    ["role.assignment.created", "user.added", "group.updated", "role.assignment.deleted"];
/// A type that hardly ever occurs.
pub const RARE_KIND: &str = "certificate.deleted";
/// A type of the first half of the record.
pub const EARLY_KIND: &str = "project.archived";
/// In one of so many events something rare is met.
const RARITY: usize = 20_000;
/// The record begins then, in milliseconds, and lasts three years.
const BEGIN: u64 = 1_650_000_000_000;
const LENGTH: u64 = 94_608_000_000;
/// The person who never meets some of what is frequent, by the first of their actors, and the one of the first half.
pub const APART: usize = 2;
pub const EARLY_ACTOR: usize = 6;
/// The same of projects.
pub const APART_PROJECT: usize = 1;
pub const EARLY_PROJECT: usize = 2;

/// One event.
pub struct Event {
    pub id: String,
    pub kind: &'static str,
    pub seconds: u64,
    pub project: Option<usize>,
    pub actor: usize,
    pub resource: String,
    /// Another thing that it is about.
    pub further: Option<String>,
}

/// The id of a model's rate limit.
pub fn limit(model: usize) -> String {
    format!("rl-model-{model:02}")
}

/// When so much of the record, in thousandths, is over, in seconds.
pub fn moment(thousandths: u64) -> u64 {
    (BEGIN + LENGTH / 1000 * thousandths) / 1000
}

/// The id of the person who is behind an actor.
pub fn person(actor: usize) -> String {
    format!("user-{:024}", actor / 2)
}

/// The address of the person who is behind an actor.
pub fn email(actor: usize) -> String {
    format!("actor{:04}@example.com", actor / 2)
}

/// The row of an actor.
pub fn actor(number: usize) -> ActorRow {
    let (user_id, email) = (person(number), email(number));
    ActorRow::of(&if number.is_multiple_of(2) {
        Actor::ApiKey { key_id: format!("key_{number:024}"), user_id, email }
    } else {
        Actor::Session { user_id, email }
    })
}

/// Draws events by their numbers, always the same.
pub struct Events {
    count: usize,
    kinds: Vec<(&'static str, f64)>,
}

impl Events {
    pub fn new(count: usize) -> Self {
        let others =
            KINDS.iter().copied().filter(|kind| !FREQUENT.contains(kind) && *kind != RARE_KIND);
        let mut sum = 0.0;
        let mut weight = 0.0;
        let kinds = FREQUENT.into_iter().chain(others).map(|kind| {
            weight += 1.0;
            // Few change the whole organization.
            sum += if kind == "organization.updated" { 0.004 } else { 1.0 / weight };
            (kind, sum)
        });
        Self { count, kinds: kinds.collect() }
    }

    pub fn event(&self, number: usize) -> Event {
        let mut random = Rng::with_seed(number as u64);
        let is_late = number >= self.count / 2;
        let mut kind = self.kind(&mut random);
        if is_late && kind == EARLY_KIND {
            kind = "project.updated";
        }
        let resource = resource(kind, number, is_late, &mut random);
        let mut project = project_of(kind, &mut random);
        if (is_late && project == Some(EARLY_PROJECT))
            || (project == Some(APART_PROJECT) && resource == limit(0))
        {
            project = Some(0);
        }
        let mut actor = skewed(ACTORS, 0.5, [APART, EARLY_ACTOR], &mut random);
        let is_apart =
            project == Some(APART_PROJECT) || kind == "user.added" || resource == limit(0);
        if (actor / 2 == APART / 2 && is_apart) || (actor / 2 == EARLY_ACTOR / 2 && is_late) {
            actor = 0;
        }
        let ms = BEGIN + LENGTH / self.count as u64 * number as u64;
        let further =
            kind.starts_with("certificates.").then(|| format!("cert_{:024}", random.usize(..50)));
        let id = id(ms, &mut random);
        Event { id, kind, seconds: ms / 1000, project, actor, resource, further }
    }

    fn kind(&self, random: &mut Rng) -> &'static str {
        if random.usize(..RARITY) == 0 {
            return RARE_KIND;
        }
        let most = self.kinds.last().map_or(0.0, |(_, sum)| *sum);
        let drawn = random.f64() * most;
        self.kinds.iter().find(|(_, sum)| drawn < *sum).map_or(RARE_KIND, |(kind, _)| kind)
    }
}

/// One of so many, of which the first has this part, two others a tenth each, and the last next to nothing.
fn skewed(count: usize, first: f64, tenths: [usize; 2], random: &mut Rng) -> usize {
    if random.usize(..RARITY) == 0 {
        return count - 1;
    }
    match random.f64() - first {
        drawn if drawn < 0.0 => 0,
        drawn if drawn < 0.1 => tenths[0],
        drawn if drawn < 0.2 => tenths[1],
        // The last person has one actor only.
        _ => random.usize(1..count - 2),
    }
}

fn project_of(kind: &str, random: &mut Rng) -> Option<usize> {
    let is_outside = ["group.", "invite.", "organization.", "certificate."]
        .iter()
        .any(|part| kind.starts_with(part));
    let project = skewed(PROJECTS, 0.4, [APART_PROJECT, EARLY_PROJECT], random);
    (!is_outside && random.f64() < 0.9).then_some(project)
}

fn resource(kind: &str, number: usize, is_late: bool, random: &mut Rng) -> String {
    match kind {
        "organization.updated" => "org_it".to_owned(),
        "rate_limit.updated" => match random.usize(..MODELS) {
            // The second model is one of the first half.
            1 if is_late => limit(2),
            model => limit(if random.f64() < 0.1 { 0 } else { model }),
        },
        _ if random.f64() < 0.6 => format!("thing-{number:024}"),
        _ => format!("thing-{:024}", random.usize(..THINGS)),
    }
}

/// An id as the program makes it at this time.
fn id(ms: u64, random: &mut Rng) -> String {
    let mut number = [0; 18];
    number[..9].copy_from_slice(&(u128::from(ms) << 22).to_be_bytes()[7..]);
    random.fill(&mut number[9..]);
    format!("{PREFIX}{}", base62(&number, 24))
}

/// The id of an event's project.
pub fn project_id(event: &Event) -> Option<String> {
    event.project.map(project)
}
