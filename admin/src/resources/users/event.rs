//! The event that an import writes by the million: its payload is spelled out without being made a value first.

use serde::Serialize;

use crate::audit::Event;
use crate::error::Result;

/// The payload, in the order of the letters, as other events have it.
#[derive(Serialize)]
struct Added<'a> {
    data: Data<'a>,
    id: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    role: &'a str,
}

/// That somebody was added with a role: to the organization, or to the project in which the event is placed.
pub fn added(id: &str, role: &str) -> Result<Event> {
    Event::of("user.added", id, &Added { data: Data { role }, id })
}
