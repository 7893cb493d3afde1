//! Batches: the events of one request, packed into a row.

use super::event::Event;
use crate::error::{Error, Result};

/// How events are packed today. The first byte of a body says it, so that another way can be told apart.
const VERSION: u8 = 1;

/// Packs events.
pub fn pack(events: &[Event]) -> Result<Vec<u8>> {
    postcard::to_extend(events, vec![VERSION])
        .map_err(|error| Error::internal(format!("events cannot be packed: {error}")))
}

/// The events of a body that [`pack`] made.
pub fn unpack(body: &[u8]) -> Result<Vec<Event>> {
    let broken = |why: String| Error::internal(format!("a batch of usage cannot be read: {why}"));
    match body.split_first() {
        Some((&VERSION, packed)) => {
            postcard::from_bytes(packed).map_err(|error| broken(error.to_string()))
        }
        _ => Err(broken("it is of another version of this program".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::event::{Cost, Series};
    use crate::usage::kind::Kind;

    #[test]
    fn what_is_packed_is_unpacked() {
        let series = Series {
            kind: Kind::Embeddings,
            values: vec![Some("proj_a".into()), None, Some("key_a".into()), None],
        };
        let cost = Cost {
            line_item: "m, input_tokens".into(),
            quantity: 3,
            unit: Some("tokens".into()),
            amount: 1 << 70,
        };
        let events = vec![Event {
            id: "e".into(),
            time: -1,
            series,
            measures: vec![3, 1],
            costs: vec![cost],
        }];
        assert_eq!(unpack(&pack(&events).expect("packs")).expect("unpacks"), events);
        assert!(unpack(&[]).is_err());
        assert!(unpack(&[VERSION + 1]).is_err());
    }
}
