//! Verification: whether the record is what was written, every event once, and nothing beside it.
//!
//! The events are read in the order of their ids, beside the chain, whose order is nearly that one. So what has to be remembered is
//! little, whatever the record's size: what the chain names and the events have not come to, and what they had and the chain has not
//! come to. Each window is a snapshot of its own, and whoever writes and seals meanwhile disturbs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sql::Store;

use super::read::{self, Stored, StoredSeal, Window};
use crate::domain::id::moment_of;
use crate::error::{Error, Result};

/// How many events are read in one snapshot.
const WINDOW: i64 = 4096;
/// How many findings are told in full.
pub const SHOWN: usize = 100;
/// Behind every id.
const END: &str = "\u{10FFFF}";

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is: `record`, `seal` or `actor`.
    pub what: &'static str,
    /// Which one.
    pub id: String,
    /// Where it stands in the sequence, where that is known.
    pub sequence: Option<i64>,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.what, self.id)?;
        if let Some(sequence) = self.sequence {
            write!(out, " (sequence {sequence})")?;
        }
        write!(out, ": {}", self.fault)
    }
}

/// What was found out about the record of an organization.
#[derive(Debug, Default)]
pub struct Report {
    /// Whose record it is.
    pub organization_id: String,
    /// How many events were checked, sealed or not.
    pub records: u64,
    /// How many seals.
    pub seals: u64,
    /// The sequence of the last sealed event.
    pub sequence: i64,
    /// The hash of the last seal; empty before the first.
    pub hash: Vec<u8>,
    /// How many of the events wait for their seal.
    pub waiting: u64,
    /// The moment of the oldest of those, in milliseconds.
    pub oldest: Option<u64>,
    /// What is wrong, the first of it.
    pub findings: Vec<Finding>,
    /// How many findings there are in all.
    pub found: u64,
}

impl Report {
    /// Whether everything is as it was written.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.found == 0
    }

    fn find(&mut self, what: &'static str, id: &str, sequence: Option<i64>, fault: &'static str) {
        let finding = Finding { what, id: id.to_owned(), sequence, fault };
        if self.findings.contains(&finding) {
            return;
        }
        self.found += 1;
        if self.findings.len() < SHOWN {
            self.findings.push(finding);
        }
    }
}

/// What somebody knows of the chain from before: up to a sequence, it had this hash.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The sequence of the last event of a seal.
    pub sequence: i64,
    /// That seal's hash.
    pub hash: Vec<u8>,
}

/// The organizations of which the record says something.
pub async fn organizations(store: &Store) -> Result<Vec<String>> {
    store.read(read::organizations).await
}

/// Checks the record of an organization, and tells in between how many events it has come to.
pub async fn verify(
    store: &Store,
    organization: &str,
    expected: Option<&Expected>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report> {
    let mut walk = Walk::new(store, organization, progress);
    walk.report.organization_id = organization.to_owned();
    walk.chain(expected).await?;
    walk.rest().await?;
    walk.settle().await?;
    walk.suspects().await?;
    walk.actors().await?;
    Ok(walk.report)
}

/// An entry of the chain whose event did not come yet.
struct Entry {
    sequence: i64,
    hash: Vec<u8>,
}

struct Walk<'a> {
    store: &'a Store,
    organization: &'a str,
    progress: &'a mut (dyn FnMut(u64) + Send),
    report: Report,
    /// The last seal that was read.
    last: StoredSeal,
    /// The id up to which events were read.
    walked: String,
    /// Whether all events were read that there were at the time.
    is_through: bool,
    expected: BTreeMap<String, Entry>,
    /// Events that no entry has named yet, with their hashes.
    strays: BTreeMap<String, Option<[u8; 32]>>,
    /// Entries that came when their events had been passed, or matched by an entry before.
    suspects: BTreeMap<String, Vec<Entry>>,
    /// Hashes that wait for a seal and met no event that does.
    odd_tail: BTreeMap<String, Vec<u8>>,
}

impl<'a> Walk<'a> {
    fn new(
        store: &'a Store,
        organization: &'a str,
        progress: &'a mut (dyn FnMut(u64) + Send),
    ) -> Self {
        Self {
            store,
            organization,
            progress,
            report: Report::default(),
            last: StoredSeal { first_sequence: 1, hash: vec![0; 32], ..StoredSeal::default() },
            walked: String::new(),
            is_through: false,
            expected: BTreeMap::new(),
            strays: BTreeMap::new(),
            suspects: BTreeMap::new(),
            odd_tail: BTreeMap::new(),
        }
    }

    /// Follows the chain, and beside it the events.
    async fn chain(&mut self, expected: Option<&Expected>) -> Result<()> {
        let mut is_met = false;
        while let Some(seal) = self.next_seal().await? {
            is_met |= expected
                .is_some_and(|one| one.sequence == seal.last_sequence() && one.hash == seal.hash);
            let is_whole = self.seal(seal);
            if is_whole && let Some((last, _)) = self.last.entries().last() {
                self.walk(&last).await?;
            }
        }
        if let Some(expected) = expected.filter(|_| !is_met) {
            let fault = "the chain does not have the expected hash there";
            self.report.find("sequence", &expected.sequence.to_string(), None, fault);
        }
        Ok(())
    }

    async fn next_seal(&self) -> Result<Option<StoredSeal>> {
        let (organization, after) = (self.organization.to_owned(), self.last.number);
        self.store.read(move |tx| read::seal(tx, &organization, after)).await
    }

    /// Checks a seal against the one before and takes its entries. Whatever is wrong with it, the next one is held against what it
    /// says, so that one fault is one finding.
    fn seal(&mut self, seal: StoredSeal) -> bool {
        let next = self.last.number.saturating_add(1);
        for missing in (next..seal.number).take(SHOWN) {
            self.report.find("seal", &missing.to_string(), None, "missing");
        }
        let follows = seal.first_sequence == self.last.last_sequence().saturating_add(1);
        // Behind a gap there is nothing that it could be held against.
        let is_whole =
            seal.number == next && follows && seal.is_whole(self.organization, &self.last.hash);
        if seal.number == next && !is_whole {
            let (number, sequence) = (seal.number.to_string(), Some(seal.first_sequence));
            self.report.find("seal", &number, sequence, "changed, or out of order");
        }
        self.report.seals += 1;
        for (place, (id, hash)) in (0..).zip(seal.entries()) {
            let sequence = seal.first_sequence.saturating_add(place);
            self.entry(id, Entry { sequence, hash: hash.to_owned() });
        }
        (self.report.sequence, self.report.hash) = (seal.last_sequence(), seal.hash.clone());
        self.last = seal;
        is_whole
    }

    fn entry(&mut self, id: String, entry: Entry) {
        if let Some(hash) = self.strays.remove(&id) {
            self.compare(&id, Some(entry.sequence), &entry.hash, hash);
        } else if self.expected.contains_key(&id) || (self.is_through || id <= self.walked) {
            self.suspects.entry(id).or_default().push(entry);
        } else {
            self.expected.insert(id, entry);
        }
    }

    fn compare(&mut self, id: &str, sequence: Option<i64>, sealed: &[u8], now: Option<[u8; 32]>) {
        if now.is_none_or(|now| now != sealed) {
            self.report.find("record", id, sequence, "changed");
        }
    }

    /// Reads the events up to this one.
    async fn walk(&mut self, until: &str) -> Result<()> {
        while self.walked.as_str() < until {
            let (organization, after, until) =
                (self.organization.to_owned(), self.walked.clone(), until.to_owned());
            let limit = until.clone();
            let read =
                move |tx: &mut sql::Tx<'_>| read::window(tx, &organization, &after, &until, WINDOW);
            let window = self.store.read(read).await?;
            self.walked = window.end.clone().unwrap_or(limit);
            self.events(window);
        }
        Ok(())
    }

    fn events(&mut self, window: Window) {
        if window.is_odd {
            self.report.find("record", "of which the id cannot be read", None, "changed");
        }
        for orphan in &window.orphans {
            self.report.find("record", orphan, None, "missing, but it is said what it is about");
        }
        for event in window.events {
            self.event(&event);
        }
        (self.progress)(self.report.records);
    }

    fn event(&mut self, event: &Stored) {
        self.report.records += 1;
        let hash = event.hash(self.organization);
        match self.expected.remove(&event.id) {
            Some(entry) => self.compare(&event.id, Some(entry.sequence), &entry.hash, hash),
            None => drop(self.strays.insert(event.id.clone(), hash)),
        }
    }

    /// Reads the events behind the chain, each window with what waits in it.
    async fn rest(&mut self) -> Result<()> {
        // What waits may lie among the events that were passed already.
        let (mut is_last, mut waited) = (false, String::new());
        while !is_last {
            let (organization, after) = (self.organization.to_owned(), self.walked.clone());
            let from = waited.clone();
            let read = move |tx: &mut sql::Tx<'_>| {
                let window = read::window(tx, &organization, &after, END, WINDOW)?;
                let until = window.end.as_deref().unwrap_or(END);
                let tail = read::tail(tx, &organization, &from, until)?;
                Ok::<_, Error>((window, tail))
            };
            let (window, tail) = self.store.read(read).await?;
            is_last = window.end.is_none();
            let end = window.events.last().map(|last| last.id.clone());
            self.walked = end.unwrap_or_else(|| self.walked.clone());
            waited = window.end.clone().unwrap_or_default();
            self.events(window);
            for (id, hash) in tail {
                self.waits(&id, &hash);
            }
        }
        self.is_through = true;
        Ok(())
    }

    /// An entry of the tail.
    fn waits(&mut self, id: &str, hash: &[u8]) {
        match self.strays.remove(id) {
            Some(now) => {
                self.report.waiting += 1;
                self.report.oldest = self.report.oldest.into_iter().chain(moment_of(id)).min();
                self.compare(id, None, hash, now);
            }
            None => drop(self.odd_tail.insert(id.to_owned(), hash.to_owned())),
        }
    }

    /// Finds a place for events that were in no seal when they were read: in one that was made since, or among those that wait.
    async fn settle(&mut self) -> Result<()> {
        while !self.strays.is_empty() {
            let (organization, number) = (self.organization.to_owned(), self.last.number);
            let strays: Vec<String> = self.strays.keys().cloned().collect();
            let read = move |tx: &mut sql::Tx<'_>| {
                let head = super::head(tx, &organization)?.number;
                let waiting =
                    if head > number { vec![] } else { read::waiting(tx, &organization, &strays)? };
                Ok::<_, Error>((head, waiting))
            };
            let (head, waiting) = self.store.read(read).await?;
            if head > self.last.number {
                let Some(seal) = self.next_seal().await? else { continue };
                self.seal(seal);
                continue;
            }
            for (id, hash) in waiting {
                self.waits(&id, &hash);
            }
            for id in std::mem::take(&mut self.strays).into_keys() {
                self.report.find("record", &id, None, "in no seal, and it waits for none");
            }
        }
        Ok(())
    }

    /// Decides about entries that met no event on their way: it is missing, came late, or has another entry.
    async fn suspects(&mut self) -> Result<()> {
        for (id, entry) in std::mem::take(&mut self.expected) {
            self.suspects.entry(id).or_default().push(entry);
        }
        if self.suspects.is_empty() && self.odd_tail.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = self.suspects.keys().chain(self.odd_tail.keys()).cloned().collect();
        let organization = self.organization.to_owned();
        let read = move |tx: &mut sql::Tx<'_>| {
            let events = read::events(tx, &organization, &ids)?;
            Ok::<_, Error>((events, read::waiting(tx, &organization, &ids)?))
        };
        let (events, waiting) = self.store.read(read).await?;
        let hash = |event: Stored| (event.id.clone(), event.hash(self.organization));
        let events: BTreeMap<_, _> = events.into_iter().map(hash).collect();
        let counts = self.count_entries().await?;
        for (id, entries) in std::mem::take(&mut self.suspects) {
            let is_twice = counts.get(&id).is_some_and(|count| *count > 1);
            for Entry { sequence, hash } in entries {
                match events.get(&id) {
                    None => self.report.find("record", &id, Some(sequence), "missing"),
                    Some(_) if is_twice => {
                        self.report.find("record", &id, Some(sequence), "sealed twice");
                    }
                    Some(now) => self.compare(&id, Some(sequence), &hash, *now),
                }
            }
        }
        self.odd_tail(&events, &waiting.into_iter().map(|(id, _)| id).collect(), &counts);
        Ok(())
    }

    /// Decides about what waited for a seal and met no event: its event came late, is missing, or is sealed already. What is in a
    /// seal has left the tail with that seal's own transaction.
    fn odd_tail(
        &mut self,
        events: &BTreeMap<String, Option<[u8; 32]>>,
        waiting: &BTreeSet<String>,
        counts: &BTreeMap<String, u32>,
    ) {
        for (id, hash) in std::mem::take(&mut self.odd_tail) {
            match events.get(&id) {
                None => self.report.find("record", &id, None, "missing, but waits for its seal"),
                Some(_) if waiting.contains(&id) && counts.contains_key(&id) => {
                    self.report.find("record", &id, None, "sealed, but waits for its seal");
                }
                Some(now) => self.compare(&id, None, &hash, *now),
            }
        }
    }

    /// How often the chain has each of the suspects.
    async fn count_entries(&self) -> Result<BTreeMap<String, u32>> {
        let (mut counts, mut number) = (BTreeMap::new(), 0);
        let is_asked =
            |id: &String| self.suspects.contains_key(id) || self.odd_tail.contains_key(id);
        while number < self.last.number {
            let organization = self.organization.to_owned();
            let read = move |tx: &mut sql::Tx<'_>| read::seal(tx, &organization, number);
            let Some(seal) = self.store.read(read).await? else { break };
            for (id, _) in seal.entries().filter(|(id, _)| is_asked(id)) {
                *counts.entry(id).or_insert(0) += 1;
            }
            number = seal.number;
        }
        Ok(counts)
    }

    async fn actors(&mut self) -> Result<()> {
        let mut after = String::new();
        loop {
            let organization = self.organization.to_owned();
            let from = after.clone();
            let read = move |tx: &mut sql::Tx<'_>| read::actors(tx, &organization, &from);
            let actors = self.store.read(read).await?;
            let last = actors.iter().rev().find_map(|(name, _)| name.clone());
            for (name, row) in actors {
                let is_right = name.is_some() && row.map(|row| row.key()) == name;
                if !is_right {
                    let name = name.as_deref().unwrap_or("of which the name cannot be read");
                    self.report.find("actor", name, None, "changed");
                }
            }
            let Some(last) = last else { return Ok(()) };
            after = last;
        }
    }
}
