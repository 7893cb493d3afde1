//! The numbers of series: what a process knows of them, and the rows they are read from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sql::{Tx, args};

use crate::error::{Error, Result};
use crate::usage::event::Series;
use crate::usage::kind::{Dimension, Kind};

/// The most dimensions that a kind has.
const DIMENSIONS: usize = 6;
/// No value.
const NONE: u32 = u32::MAX;

/// The series of an organization, numbered from 1. Their rows never change, so whatever was read stays right.
#[derive(Debug, Default)]
pub struct Dictionary {
    texts: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    series: Vec<Entry>,
    numbers: HashMap<Entry, u32>,
}

/// A series, with its values by their places: a key's id stands in many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    kind: Kind,
    values: [u32; DIMENSIONS],
}

/// A row of the dictionary.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The series' number.
    pub number: u32,
    /// The series.
    pub series: Series,
}

impl Dictionary {
    /// How many series it has, which is the number of the last one.
    #[must_use]
    pub fn last(&self) -> u32 {
        u32::try_from(self.series.len()).unwrap_or(u32::MAX)
    }

    /// The number of a series.
    #[must_use]
    pub fn number(&self, series: &Series) -> Option<u32> {
        let mut values = [NONE; DIMENSIONS];
        for (place, value) in values.iter_mut().zip(&series.values) {
            if let Some(value) = value {
                *place = *self.places.get(&**value)?;
            }
        }
        self.numbers.get(&Entry { kind: series.kind, values }).copied()
    }

    /// A value of the series with this number.
    #[must_use]
    pub fn value(&self, number: u32, dimension: Dimension) -> Option<&Arc<str>> {
        let entry = self.series.get(usize::try_from(number.checked_sub(1)?).ok()?)?;
        let place = entry.values[entry.kind.place(dimension)?];
        self.texts.get(usize::try_from(place).ok()?)
    }

    /// Takes up what was read, as far as it is new.
    fn extend(&mut self, rows: Vec<Numbered>) -> Result<()> {
        for Numbered { number, series } in rows {
            if number <= self.last() {
                continue;
            }
            if number != self.last() + 1 || series.values.len() > DIMENSIONS {
                return Err(Error::internal(format!(
                    "series {number} of usage does not follow the one before it"
                )));
            }
            let mut values = [NONE; DIMENSIONS];
            for (place, value) in values.iter_mut().zip(series.values) {
                *place = value.map_or(NONE, |value| self.text(&value));
            }
            let entry = Entry { kind: series.kind, values };
            self.series.push(entry);
            self.numbers.insert(entry, number);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let (text, place) = (Arc::from(text), u32::try_from(self.texts.len()).unwrap_or(NONE));
        self.texts.push(Arc::clone(&text));
        self.places.insert(text, place);
        place
    }
}

/// A dictionary that several threads use.
pub type Shared = Arc<RwLock<Dictionary>>;

/// The dictionaries of all organizations, as far as this process has read them.
#[derive(Debug, Default)]
pub struct Dictionaries(Mutex<HashMap<String, Shared>>);

impl Dictionaries {
    /// The dictionary of an organization with at least what this transaction sees.
    pub fn current(&self, tx: &mut Tx<'_>, organization: &str) -> Result<Shared> {
        let shared = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match all.get(organization) {
                Some(known) => Arc::clone(known),
                None => Arc::clone(all.entry(organization.to_owned()).or_default()),
            }
        };
        let last = shared.read().unwrap_or_else(PoisonError::into_inner).last();
        let new = behind(tx, organization, last)?;
        if !new.is_empty() {
            shared.write().unwrap_or_else(PoisonError::into_inner).extend(new)?;
        }
        Ok(shared)
    }
}

/// The series behind this number.
fn behind(tx: &mut Tx<'_>, organization: &str, last: u32) -> Result<Vec<Numbered>> {
    let sql = "SELECT id, kind, dimensions FROM usage_series WHERE organization_id = $1 AND id > $2 ORDER BY id";
    let rows = tx.all(sql, args![organization, last], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<String>(2)?))
    })?;
    rows.into_iter().map(|(number, kind, values)| read(number, &kind, &values)).collect()
}

fn read(number: i64, kind: &str, values: &str) -> Result<Numbered> {
    let broken = || Error::internal(format!("series {number} of usage cannot be read"));
    let kind =
        Some(Kind::Costs).filter(|costs| costs.name() == kind).or_else(|| Kind::of_events(kind));
    let values: Vec<Option<String>> = serde_json::from_str(values).map_err(|_| broken())?;
    let series = Series { kind: kind.ok_or_else(broken)?, values };
    Ok(Numbered { number: u32::try_from(number).map_err(|_| broken())?, series })
}

/// Writes rows of the dictionary. That somebody else took a number meanwhile shows in how many are written.
pub fn write(tx: &mut Tx<'_>, organization: &str, rows: &[Numbered]) -> Result<u64> {
    /// So many rows go into a statement.
    const ROWS: usize = 64;
    let mut written = 0;
    for rows in rows.chunks(ROWS) {
        let texts: Vec<_> = rows.iter().map(|row| text(&row.series)).collect::<Result<_>>()?;
        let mut arguments = args![organization].to_vec();
        for (row, text) in rows.iter().zip(&texts) {
            arguments.extend(args![row.number, row.series.kind.name(), text]);
        }
        let places: Vec<_> = (0..rows.len())
            .map(|row| format!("($1, ${}, ${}, ${})", row * 3 + 2, row * 3 + 3, row * 3 + 4))
            .collect();
        let sql = format!(
            "INSERT INTO usage_series (organization_id, id, kind, dimensions) VALUES {} ON CONFLICT DO NOTHING",
            places.join(", ")
        );
        written += tx.execute(&sql, &arguments)?;
    }
    Ok(written)
}

fn text(series: &Series) -> Result<String> {
    serde_json::to_string(&series.values).map_err(|error| Error::internal(error.to_string()))
}
