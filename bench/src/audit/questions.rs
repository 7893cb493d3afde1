//! What is asked of the record: every filter alone and with each other one, with frequent and with rare values, and with frequent
//! ones that never meet.

use super::events::{
    ACTORS, APART, APART_PROJECT, EARLY_ACTOR, EARLY_KIND, EARLY_PROJECT, PROJECTS, RARE_KIND,
    email, limit, moment, person,
};
use crate::fill::project;

/// How many rows a page shows.
pub const ROWS: usize = 20;
/// Published types that the program never writes.
const UNWRITTEN: [&str; 9] = [
    "login.succeeded",
    "login.failed",
    "logout.succeeded",
    "logout.failed",
    "scim.enabled",
    "scim.disabled",
    "ip_allowlist.created",
    "ip_allowlist.updated",
    "ip_allowlist.deleted",
];

/// How much of the record an answer may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// A full page.
    Full,
    /// Nothing, though each filter alone would fill pages.
    Nothing,
    /// What there is.
    Some,
}

/// A page that is asked for again and again.
#[derive(Debug)]
pub struct Question {
    pub name: String,
    /// By what it is filtered.
    pub filters: String,
    pub query: String,
    pub shows: Shows,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Hot,
    Cold,
    /// Never met by the first of another filter.
    Apart,
    /// The one that it never meets.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Filter {
    Time,
    Project,
    Kind,
    Actor,
    Email,
    Resource,
}

use Filter::{Actor, Email, Kind, Project, Resource, Time};

const FILTERS: [Filter; 6] = [Time, Project, Kind, Actor, Email, Resource];

impl Filter {
    const fn name(self) -> &'static str {
        match self {
            Time => "time",
            Project => "project",
            Kind => "type",
            Actor => "actor",
            Email => "address",
            Resource => "thing",
        }
    }

    /// The values by which to ask, the one that is meant first.
    fn query(self, value: Value, beside: Option<Self>, count: usize) -> String {
        let others = 1..count;
        let list = |name: &str, first: String, others: Vec<String>| -> String {
            let values: Vec<String> = std::iter::once(first).chain(others).collect();
            format!("&{name}[]={}", values.join(&format!("&{name}[]=")))
        };
        let is_early = beside == Some(Time);
        match self {
            Time if value == Value::Cold => {
                let begin = moment(700);
                format!("&effective_at[gte]={begin}&effective_at[lt]={}", begin + 3600)
            }
            Time => format!("&effective_at[gte]={}", moment(501)),
            Project => {
                let first = match value {
                    Value::Hot => 0,
                    Value::Cold => PROJECTS - 1,
                    _ if is_early => EARLY_PROJECT,
                    _ => APART_PROJECT,
                };
                let unknown = if value == Value::Hot { 10 } else { PROJECTS };
                list("project_ids", project(first), others.map(|n| project(unknown + n)).collect())
            }
            Kind => {
                let first = match value {
                    Value::Hot => "role.assignment.created",
                    Value::Cold => RARE_KIND,
                    _ if is_early => EARLY_KIND,
                    // No group is in a project.
                    _ if beside == Some(Project) => "group.updated",
                    _ => "user.added",
                };
                let more = [
                    "user.added",
                    "group.updated",
                    "api_key.created",
                    "api_key.deleted",
                    "group.created",
                    "group.deleted",
                    "invite.sent",
                    "project.created",
                    "project.updated",
                ];
                let more = if value == Value::Hot { more } else { UNWRITTEN };
                let more = others.map(|n| more[n - 1].to_owned()).collect();
                list("event_types", first.to_owned(), more)
            }
            Actor | Email => {
                let first = match value {
                    Value::Hot | Value::Other => 0,
                    Value::Cold => ACTORS - 1,
                    Value::Apart if is_early => EARLY_ACTOR,
                    Value::Apart => APART,
                };
                let unknown = if value == Value::Hot { 10 } else { ACTORS };
                let (name, of): (_, fn(usize) -> String) =
                    if self == Actor { ("actor_ids", person) } else { ("actor_emails", email) };
                list(name, of(first), others.map(|n| of(unknown + 2 * n)).collect())
            }
            Resource => {
                let first = match value {
                    Value::Cold => format!("thing-{:024}", 7),
                    Value::Hot | Value::Other => limit(0),
                    Value::Apart => limit(usize::from(is_early)),
                };
                let more = |n: usize| match value {
                    Value::Hot => limit(n + 2),
                    _ => format!("thing-9{n:023}"),
                };
                list("resource_ids", first, others.map(more).collect())
            }
        }
    }
}

/// All that are asked, each from both ends of the list.
pub fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    both_ways(&mut questions, "no filter", "none", "", Shows::Full);
    for (place, filter) in FILTERS.into_iter().enumerate() {
        for count in [1, 10] {
            for value in [Value::Hot, Value::Cold] {
                let shows = if value == Value::Hot { Shows::Full } else { Shows::Some };
                let name = format!("{} {value:?} ×{count}", filter.name());
                let query = filter.query(value, None, count);
                both_ways(&mut questions, &name, filter.name(), &query, shows);
            }
        }
        for other in &FILTERS[..place] {
            pair(&mut questions, *other, filter);
        }
    }
    questions
}

fn pair(questions: &mut Vec<Question>, one: Filter, two: Filter) {
    let filters = format!("{} and {}", one.name(), two.name());
    for count in [1, 10] {
        for (first, second) in [
            (Value::Hot, Value::Hot),
            (Value::Hot, Value::Cold),
            (Value::Cold, Value::Hot),
            (Value::Cold, Value::Cold),
        ] {
            let query = one.query(first, Some(two), count) + &two.query(second, Some(one), count);
            let name = format!("{} {first:?}, {} {second:?}, ×{count}", one.name(), two.name());
            both_ways(questions, &name, &filters, &query, Shows::Some);
        }
    }
    // Whoever is asked for by id and by another's address is nobody.
    let (first, second) = if (one, two) == (Actor, Email) {
        (Value::Other, Value::Apart)
    } else {
        (Value::Apart, Value::Apart)
    };
    let query = one.query(first, Some(two), 1) + &two.query(second, Some(one), 1);
    let name = format!("{}, {}, never together", one.name(), two.name());
    both_ways(questions, &name, &filters, &query, Shows::Nothing);
}

fn both_ways(questions: &mut Vec<Question>, name: &str, filters: &str, query: &str, shows: Shows) {
    for (way, cursor) in [("newest", ""), ("oldest", "&before=audit_log-0")] {
        let query = format!("/v1/organization/audit_logs?limit={ROWS}{query}{cursor}");
        let (name, filters) = (format!("{name}, {way}"), filters.to_owned());
        questions.push(Question { name, filters, query, shows });
    }
}
