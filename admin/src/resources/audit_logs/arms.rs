//! The statements that find the ids of a page. Each arm is one range of one index, read from the page's end, and a statement is
//! many of them. The text depends only on the index, on the number of arms, and on what is checked beside.

use sql::{Arg, Tx};

use crate::domain::page::Order;
use crate::error::Result;

/// The most arms in a statement.
const MOST_ARMS: usize = 64;

/// The index along which the arms run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The order of all events.
    All,
    /// Of one type.
    Kind,
    /// In one project, of one type.
    Project,
    /// By one actor, of one type.
    Actor,
    /// In one project, by one actor.
    ProjectActor,
    /// About one thing, of one type.
    Resource,
    /// About one thing beside another.
    Further,
}

impl Way {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::All => &[],
            Self::Kind => &["kind"],
            Self::Project => &["project_id", "kind"],
            Self::Actor => &["actor", "kind"],
            Self::ProjectActor => &["project_id", "actor"],
            Self::Resource => &["resource_id", "kind"],
            Self::Further => &["resource_id"],
        }
    }
}

/// Where the page lies, in an organization.
#[derive(Debug, Clone)]
pub struct Bounds<'a> {
    /// Whose events.
    pub organization: &'a str,
    /// Exclusive.
    pub above: String,
    /// Exclusive.
    pub below: String,
    /// Which way to go.
    pub order: Order,
    /// How many ids to find.
    pub fetch: i64,
}

/// What is asked for.
#[derive(Debug)]
pub struct Search<'a> {
    /// Along which index.
    pub way: Way,
    /// The values of the index's columns, for each arm.
    pub arms: Vec<Vec<&'a str>>,
    /// What an event must be beside, by column. It is checked on the rows of the arms.
    pub rest: Vec<(&'static str, &'a [String])>,
}

impl<'a> Search<'a> {
    /// A search that checks those filters of the rest that are asked for.
    pub fn of<const N: usize>(
        way: Way,
        arms: Vec<Vec<&'a str>>,
        rest: [(&'static str, Option<&'a [String]>); N],
    ) -> Self {
        let asked = rest.into_iter().filter_map(|(column, values)| Some((column, values?)));
        let rest: Vec<_> = asked.collect();
        // A filter without a possible value lets nothing pass.
        let is_hopeless = rest.iter().any(|(_, values)| values.is_empty());
        Self { way, arms: if is_hopeless { vec![] } else { arms }, rest }
    }

    /// All ids within the bounds, in no order, whatever else is checked, if they are at most so many. No more is read.
    pub fn few(
        &self,
        tx: &mut Tx<'_>,
        bounds: &Bounds<'_>,
        most: usize,
    ) -> Result<Option<Vec<String>>> {
        let bare = Search { way: self.way, arms: Vec::new(), rest: Vec::new() };
        let mut bounds = bounds.clone();
        let mut found: Vec<String> = Vec::new();
        for arms in self.arms.chunks(MOST_ARMS) {
            bounds.fetch = i64::try_from(most + 1 - found.len()).unwrap_or(i64::MAX);
            let text = bare.text(arms.len().next_power_of_two(), bounds.order);
            let sql = format!("SELECT id FROM ({text}) a LIMIT $4");
            found.extend(tx.all(&sql, &bare.arguments(arms, &bounds), |row| row.get::<String>(0))?);
            if found.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(found))
    }

    /// The first ids within the bounds, in their order, each once.
    pub fn ids(&self, tx: &mut Tx<'_>, mut bounds: Bounds<'_>) -> Result<Vec<String>> {
        let mut best: Vec<String> = Vec::new();
        for arms in self.arms.chunks(MOST_ARMS) {
            let sql = self.text(arms.len().next_power_of_two(), bounds.order);
            let arguments = self.arguments(arms, &bounds);
            best.extend(tx.all(&sql, &arguments, |row| row.get::<String>(0))?);
            sort(&mut best, bounds.order);
            let fetch = usize::try_from(bounds.fetch).unwrap_or(usize::MAX);
            if best.len() >= fetch {
                // What the arms to come could add lies before the last of these.
                best.truncate(fetch);
                let last = best[fetch - 1].clone();
                match bounds.order {
                    Order::Ascending => bounds.below = last,
                    Order::Descending => bounds.above = last,
                }
            }
        }
        Ok(best)
    }

    fn arguments<'b>(&'b self, arms: &'b [Vec<&str>], bounds: &'b Bounds<'_>) -> Vec<Arg<'b>> {
        let mut arguments = vec![
            Arg::from(bounds.organization),
            Arg::from(&bounds.above),
            Arg::from(&bounds.below),
            Arg::from(bounds.fetch),
        ];
        for (_, values) in &self.rest {
            arguments.extend(padded(values));
        }
        // Arms beyond those that are needed look for what nothing is called.
        let surplus = (arms.len().next_power_of_two() - arms.len()) * self.way.columns().len();
        arguments.extend(arms.iter().flatten().map(|value| Arg::from(*value)));
        arguments.extend(std::iter::repeat_n(Arg::from(""), surplus));
        arguments
    }

    /// What is checked beside the arms, with its values behind this place.
    fn rest_text(&self, place: &mut usize) -> String {
        let check = |(column, values): &(&'static str, &[String])| {
            check(column, &places(values.len(), place))
        };
        self.rest.iter().map(check).collect()
    }

    fn text(&self, arms: usize, order: Order) -> String {
        let mut place = 4;
        let rest = self.rest_text(&mut place);
        let mut next = || {
            place += 1;
            format!("${place}")
        };
        let direction = match order {
            Order::Ascending => "ASC",
            Order::Descending => "DESC",
        };
        let part = |_| {
            let values = self.way.columns().iter().map(|column| (*column, next()));
            match self.way {
                Way::Further => further(values, &rest, direction),
                _ => range(values, &rest, direction),
            }
        };
        let parts: Vec<_> = (0..arms).map(part).collect();
        let cut = |(number, part): (usize, String)| format!("SELECT id FROM ({part}) a{number}");
        parts.into_iter().enumerate().map(cut).collect::<Vec<_>>().join("\nUNION ALL ")
    }
}

/// That an event has one of the values at these places in a column.
fn check(column: &str, places: &str) -> String {
    // Not the bare column, because for that another index may look as good.
    format!(" AND COALESCE(e.{column}, '') IN ({places})")
}

/// That columns have the values at these places.
fn equal(of: &str, values: impl Iterator<Item = (&'static str, String)>) -> String {
    let one = |(column, place)| format!(" AND {of}.{column} = {place}");
    values.map(one).collect::<Vec<_>>().concat()
}

/// The events that have these values.
fn range(
    values: impl Iterator<Item = (&'static str, String)>,
    rest: &str,
    direction: &str,
) -> String {
    let equal = equal("e", values);
    format!(
        "SELECT e.id AS id FROM audit_events e WHERE e.organization_id = $1{equal}{rest}
         AND e.id > $2 AND e.id < $3 ORDER BY e.id {direction} LIMIT $4"
    )
}

/// The events that are about a thing beside another.
fn further(
    values: impl Iterator<Item = (&'static str, String)>,
    rest: &str,
    direction: &str,
) -> String {
    let equal = equal("r", values);
    let checked = if rest.is_empty() {
        String::new()
    } else {
        format!(
            " AND (SELECT 1 FROM audit_events e
                 WHERE e.organization_id = r.organization_id AND e.id = r.event_id{rest}) = 1"
        )
    };
    format!(
        "SELECT r.event_id AS id FROM audit_resources r WHERE r.organization_id = $1{equal}
         AND r.event_id > $2 AND r.event_id < $3{checked} ORDER BY r.event_id {direction} LIMIT $4"
    )
}

/// Sorts ids, and leaves each once.
pub fn sort(ids: &mut Vec<String>, order: Order) {
    ids.sort_unstable_by(|a, b| match order {
        Order::Ascending => a.cmp(b),
        Order::Descending => b.cmp(a),
    });
    ids.dedup();
}

/// The places behind this one for so many values, as [`padded`] fills them.
fn places(values: usize, place: &mut usize) -> String {
    let next = |_| {
        *place += 1;
        format!("${place}")
    };
    (0..values.next_power_of_two()).map(next).collect::<Vec<_>>().join(", ")
}

/// Values for as many places as the next power of two, so that there are few texts.
pub fn padded(values: &[String]) -> impl Iterator<Item = Arg<'_>> {
    let count = values.len().next_power_of_two();
    values.iter().chain(std::iter::repeat(&values[values.len() - 1])).take(count).map(Arg::from)
}

/// Values as arms take them.
pub fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// An arm for each value.
pub fn each<'a>(values: &[&'a str]) -> Vec<Vec<&'a str>> {
    values.iter().map(|value| vec![*value]).collect()
}

/// An arm for each two values.
pub fn pairs<'a>(first: &[&'a str], second: &[&'a str]) -> Vec<Vec<&'a str>> {
    first.iter().flat_map(|a| second.iter().map(|b| vec![*a, *b])).collect()
}
