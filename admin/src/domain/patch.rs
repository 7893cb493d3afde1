//! What an update says of one member: nothing, "clear it", or a new value.

/// The three things a partial update can say about a nullable member.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The member was not sent: leave it.
    #[default]
    Absent,
    /// The member was sent as `null`: clear it.
    Null,
    /// The member was sent with a value: set it.
    Value(T),
}

impl<T> Patch<T> {
    /// What the member is after the update, given what it was.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}
