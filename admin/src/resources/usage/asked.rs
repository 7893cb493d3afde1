//! What a request asks for.

use std::collections::BTreeSet;

use sha2::Digest;

use super::kinds::{Filter, filters, groups};
use super::token::{self, Token};
use crate::error::{Error, Result};
use crate::http::query::Query;
use crate::usage::keep::{Keep, before};
use crate::usage::kind::{Dimension, Kind};
use crate::usage::query::{Period, Question};
use crate::usage::rollup::width::Width;

/// The last second that can be asked for: the year 9999 ends with it.
const LAST: i64 = 253_402_300_799;

/// A page that is asked for.
#[derive(Debug)]
pub struct Asked {
    /// What of.
    pub question: Question,
    /// Which buckets at most.
    pub period: Period,
    token: Token,
    /// Behind the last bucket of the last page.
    end: i64,
}

impl Asked {
    /// Reads the arguments, at this time.
    pub fn read(
        query: &Query,
        kind: Kind,
        organization: &str,
        now: i64,
        keep: Keep,
    ) -> Result<Self> {
        let start = query.integer("start_time", 0..=LAST)?.ok_or_else(no_start)?;
        let given_end = query.integer("end_time", 0..=LAST)?;
        let width = width(query, kind)?;
        let groups = read_groups(query, kind)?;
        let mut read = Vec::new();
        for filter in filters(kind) {
            let values = values(query, &filter)?;
            read.extend(values.map(|values| (filter.dimension, values)));
        }
        let limit = limit(query, kind, width)?;
        let question = Question { kind, width, groups, filters: read, is_kept: true };
        let mut hash = question.digest(organization);
        for number in [start, given_end.unwrap_or(-1), limit] {
            hash.update(number.to_le_bytes());
        }
        let first = width.floor(start);
        let new =
            Token { question: token::question(hash), start: first, end: given_end.unwrap_or(now) };
        let token = match query.cursor("page")? {
            None => new,
            Some(text) => {
                Token::read(text).filter(|sent| follows(sent, &new, width)).ok_or_else(foreign)?
            }
        };
        let end =
            if token.end > start { width.floor(token.end - 1) + width.seconds() } else { first };
        let period = Period {
            first: token.start,
            end: end.min(token.start.saturating_add(limit * width.seconds())),
            kept_from: kept_from(width, now, keep),
        };
        Ok(Self { question, period, token, end })
    }

    /// The token of the page behind the first so many buckets of this one, if there is something.
    #[must_use]
    pub fn next(&self, buckets: usize) -> Option<String> {
        let buckets = i64::try_from(buckets).unwrap_or(i64::MAX);
        let start = self.token.start + buckets * self.question.width.seconds();
        (start < self.end).then(|| Token { start, ..self.token }.text())
    }
}

/// Whether a token that was sent can have come from this question.
fn follows(sent: &Token, new: &Token, width: Width) -> bool {
    sent.question == new.question
        && sent.start > new.start
        && sent.start == width.floor(sent.start)
        && sent.start < sent.end
        && sent.end <= LAST
}

/// The beginning of the first bucket of which everything is kept.
fn kept_from(width: Width, now: i64, keep: Keep) -> Option<i64> {
    let days = match width {
        Width::Minute => keep.minutes,
        Width::Hour => keep.hours,
        Width::Day => keep.days,
    };
    before(days, now).map(|before| width.floor(before + width.seconds() - 1))
}

fn width(query: &Query, kind: Kind) -> Result<Width> {
    let names: Vec<_> = Width::of(kind).iter().rev().map(|width| width.name()).collect();
    let name = query.one_of("bucket_width", &names)?.unwrap_or(Width::Day.name());
    Ok(Width::ALL.into_iter().find(|width| width.name() == name).unwrap_or(Width::Day))
}

/// By what it is grouped, in the order of the kind, however often and in whatever order it is said.
fn read_groups(query: &Query, kind: Kind) -> Result<Vec<Dimension>> {
    let asked = query.list("group_by").unwrap_or_default();
    let known: Vec<_> = groups(kind).map(Dimension::name).collect();
    if let Some(unknown) = asked.iter().find(|name| !known.contains(*name)) {
        return Err(Error::unsupported_value("group_by", unknown, &known));
    }
    Ok(groups(kind).filter(|group| asked.contains(&group.name())).collect())
}

/// The values of a filter. One without values filters nothing.
fn values(query: &Query, filter: &Filter) -> Result<Option<BTreeSet<String>>> {
    let values = match filter.dimension {
        Dimension::Batch => {
            let batch = query.boolean(filter.name)?;
            return Ok(batch.map(|batch| BTreeSet::from([batch.to_string()])));
        }
        // A line item has a comma in it.
        Dimension::LineItem => query.whole_list(filter.name),
        _ => query.list(filter.name).unwrap_or_default(),
    };
    let unknown =
        values.iter().find(|value| !filter.words.is_empty() && !filter.words.contains(value));
    if let Some(unknown) = unknown {
        return Err(Error::unsupported_value(filter.name, unknown, filter.words));
    }
    Ok(Some(values.into_iter().map(str::to_owned).collect())
        .filter(|values: &BTreeSet<_>| !values.is_empty()))
}

/// How many buckets a page has if nobody says, and at most.
#[must_use]
pub fn limits(kind: Kind, width: Width) -> (i64, i64) {
    match (kind, width) {
        (Kind::Costs, _) => (7, 180),
        (_, Width::Day) => (7, 31),
        (_, Width::Hour) => (24, 168),
        (_, Width::Minute) => (60, 1440),
    }
}

fn limit(query: &Query, kind: Kind, width: Width) -> Result<i64> {
    let (default, most) = limits(kind, width);
    let limit = query.integer("limit", i64::MIN..=i64::MAX)?.unwrap_or(default);
    let bound = if limit > most {
        format!("less than or equal to {most}")
    } else if limit < 1 {
        "greater than or equal to 1".to_owned()
    } else {
        return Ok(limit);
    };
    Err(refused(format!("Invalid limit provided: {limit}. Limit must be {bound}.")))
}

/// How these operations say that an argument is wrong, where they do not name it.
fn refused(message: impl Into<String>) -> Error {
    Error::invalid("invalid_request_error", message)
}

fn no_start() -> Error {
    refused(
        "Missing required parameter: 'start_time'. Send the beginning of the time you ask for, in Unix seconds.",
    )
}

fn foreign() -> Error {
    let message = "Invalid 'page': this is no token of this question. Send next_page of an answer to the same question, with everything else unchanged.";
    Error::invalid("invalid_value", message).param("page")
}
