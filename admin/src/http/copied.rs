//! Answers that are copied out of the store, where rows lie as they are sent.

use std::marker::PhantomData;

use axum::body::Bytes;

use super::page::List;
use crate::domain::page::{Order, PageRequest};
use crate::error::{Error, Result};

/// So many bytes a row and its envelope are expected to take.
const ROW: usize = 224;

/// A body that spells a `T`.
#[derive(Debug)]
pub struct Copied<T>(Bytes, PhantomData<T>);

impl<T> Copied<T> {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into(), PhantomData)
    }

    /// The bytes.
    pub(super) fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// A page that is written while its rows are read.
#[derive(Debug)]
pub struct CopiedList<T> {
    out: Vec<u8>,
    limit: usize,
    rows: usize,
    first: Vec<u8>,
    last: Vec<u8>,
    row: PhantomData<T>,
}

impl<T> CopiedList<T> {
    /// A page for this request, of a list that runs upwards.
    #[must_use]
    pub fn of(page: &PageRequest) -> Self {
        debug_assert_eq!(page.order, Order::Ascending, "rows are written as they are read");
        let limit = page.limit();
        let mut out = Vec::with_capacity(ROW * (limit + 1));
        out.extend_from_slice(br#"{"object":"list","data":["#);
        Self { out, limit, rows: 0, first: vec![], last: vec![], row: PhantomData }
    }

    /// Appends the next row that was fetched, of this id. The one beyond the page only tells that there are more.
    pub fn row(&mut self, id: &[u8], copy: impl FnOnce(&mut Vec<u8>)) {
        self.rows += 1;
        if self.rows > self.limit {
            return;
        }
        if self.rows == 1 {
            id.clone_into(&mut self.first);
        } else {
            self.out.push(b',');
        }
        id.clone_into(&mut self.last);
        copy(&mut self.out);
    }

    /// The page. Rows were copied as bytes, so it is looked at once whether they are text.
    pub fn end(mut self) -> Result<Copied<List<T>>> {
        let out = &mut self.out;
        for (member, id) in [("],\"first_id\":", &self.first), (",\"last_id\":", &self.last)] {
            out.extend_from_slice(member.as_bytes());
            if self.rows.min(self.limit) == 0 {
                out.extend_from_slice(b"null");
            } else {
                string(out, id);
            }
        }
        let has_more = if self.rows > self.limit { "true" } else { "false" };
        out.extend_from_slice(format!(",\"has_more\":{has_more}}}").as_bytes());
        // A short page may be kept, and would keep the room for a long one.
        if out.capacity() / 2 > out.len() {
            out.shrink_to_fit();
        }
        match std::str::from_utf8(&self.out) {
            Ok(_) => Ok(Copied::new(self.out)),
            Err(_) => Err(Error::internal("a row of a list is not UTF-8")),
        }
    }
}

/// Appends a string of JSON that spells this text. Bytes that are not UTF-8 are copied as they are, for [`CopiedList::end`] to find;
/// whoever has no list must have text.
///
/// # Panics
/// Never: text can always be spelled, and a vector can always be written to.
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    // Looks at every byte, which a processor does for sixteen at once.
    let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.iter().fold(false, |found, byte| found | is_special(*byte))
        && let Ok(text) = std::str::from_utf8(text)
    {
        serde_json::to_writer(out, text).expect("text can be spelled");
    } else {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Kind;

    proptest! {
        #[test]
        fn strings_are_spelled_as_by_the_library(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, text.as_bytes());
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn a_short_page_does_not_keep_the_room_of_a_long_one() {
        let mut list = CopiedList::<()>::of(&PageRequest::new(Order::Ascending, None, 100));
        list.row(b"a", |out| string(out, b"a"));
        let room = list.out.capacity();
        let page = Vec::from(list.end().unwrap().into_bytes());
        assert!(page.capacity() < room / 50, "{} of {room}", page.capacity());
    }

    #[test]
    fn what_is_not_text_is_not_sent() {
        let mut list = CopiedList::<()>::of(&PageRequest::new(Order::Ascending, None, 2));
        list.row(b"a", |out| out.extend_from_slice(b"\"\xff\""));
        assert_eq!(list.end().unwrap_err().kind, Kind::Internal);
        for id in [&b"\xff"[..], b"\"\xff"] {
            let mut list = CopiedList::<()>::of(&PageRequest::new(Order::Ascending, None, 2));
            list.row(id, |out| string(out, id));
            assert_eq!(list.end().unwrap_err().kind, Kind::Internal);
        }
    }

    #[test]
    fn a_page_is_what_was_asked_for_and_tells_of_more() {
        let cases = [
            (2, 0, 0, false),
            (2, 1, 1, false),
            (2, 2, 2, false),
            (2, 3, 2, true),
            (0, 0, 0, false),
            (0, 1, 0, true),
        ];
        for (limit, fetched, shown, has_more) in cases {
            let mut list = CopiedList::<()>::of(&PageRequest::new(Order::Ascending, None, limit));
            for number in 0..fetched {
                let id = format!("\"{number}");
                list.row(id.as_bytes(), |out| string(out, id.as_bytes()));
            }
            let page: serde_json::Value =
                serde_json::from_slice(&list.end().unwrap().into_bytes()).unwrap();
            let ids: Vec<_> = (0..shown).map(|number| format!("\"{number}")).collect();
            let expected = serde_json::json!({
                "object": "list", "data": ids, "first_id": ids.first(), "last_id": ids.last(), "has_more": has_more,
            });
            assert_eq!(page, expected);
        }
    }
}
