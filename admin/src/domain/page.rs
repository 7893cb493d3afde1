//! Positions and slices of lists that run by id. Nothing here knows how a page is asked for or shown.

/// Above every id that can exist: ids are at most 256 bytes and no id starts with the last code point.
const END: &str = "\u{10FFFF}";

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest id first.
    Ascending,
    /// Largest id first.
    Descending,
}

/// Which part of a list to read. `above` and `below` are exclusive bounds: a cursor is a position, so it is never looked up
/// and works after its row is gone.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Only ids greater than this.
    pub above: String,
    /// Only ids smaller than this.
    pub below: String,
    /// Which way to go.
    pub order: Order,
    limit: i64,
    /// Whether the rows are fetched against the list's order, because the page ends at a position.
    is_backwards: bool,
}

impl PageRequest {
    /// At most `limit` rows behind the cursor, or from the list's beginning in this order.
    #[must_use]
    pub fn new(order: Order, after: Option<&str>, limit: i64) -> Self {
        let (above, below) = match order {
            Order::Ascending => (after.unwrap_or(""), END),
            Order::Descending => ("", after.unwrap_or(END)),
        };
        Self { above: above.to_owned(), below: below.to_owned(), order, limit, is_backwards: false }
    }

    /// The page that ends at this position instead: the last rows before it. They are fetched the other way round, which is what
    /// `order` says from here on, and [`cut`](Self::cut) turns them.
    #[must_use]
    pub fn ending(self, before: &str) -> Self {
        let order = match self.order {
            Order::Ascending => Order::Descending,
            Order::Descending => Order::Ascending,
        };
        Self { is_backwards: true, ..Self::new(order, Some(before), self.limit) }
    }

    /// How many rows the page shows at most.
    #[must_use]
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// How many rows to fetch: one more than the page shows, which is how `has_more` is known without counting.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The page of a list that was read whole or far enough: sorts it, finds the position and cuts.
    pub fn slice<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> &str) -> Slice<T> {
        rows.retain(|row| id(row) > self.above.as_str() && id(row) < self.below.as_str());
        rows.sort_unstable_by(|a, b| match self.order {
            Order::Ascending => id(a).cmp(id(b)),
            Order::Descending => id(b).cmp(id(a)),
        });
        self.cut(rows)
    }

    /// Cuts the rows that were fetched to the page.
    #[must_use]
    pub fn cut<T>(&self, mut rows: Vec<T>) -> Slice<T> {
        let limit = self.limit();
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if self.is_backwards {
            rows.reverse();
        }
        Slice { rows, has_more }
    }
}

/// The rows of a page, and whether the list goes on.
#[derive(Debug)]
pub struct Slice<T> {
    /// At most as many rows as were asked for.
    pub rows: Vec<T>,
    /// Exact: there is at least one more row behind these.
    pub has_more: bool,
}
