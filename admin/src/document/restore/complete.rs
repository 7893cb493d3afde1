//! What holds where a document says nothing of something new.

use crate::document::format::words::{Currency, Interval, KeyScope, MemberRole, Origin, UserRole};
use crate::document::format::{
    Account, Activation, AdminKey, Alert, Assigned, Certificate, Group, GroupInProject,
    GroupMember, Invite, Member, Model, Project, ProjectKey, RateLimit, Role, User,
};
use crate::resources::rate_limits::limits::UNLIMITED;

/// How long an invitation can be accepted, in seconds.
const WEEK: i64 = 7 * 24 * 60 * 60;
/// What is shown of a key of which only the hash is known.
const UNSHOWN: &str = "***";

/// Something whose silence means something.
pub trait Complete: Sized {
    /// The same with everything said.
    fn complete(&mut self, now: i64);
}

/// What is to be: what is wanted over what was there, with everything said.
macro_rules! after {
    ($wanted:expr, $before:expr, $now:expr) => {{
        let mut after = $wanted.over($before);
        crate::document::restore::complete::Complete::complete(&mut after, $now);
        after
    }};
}
pub(super) use after;

macro_rules! complete {
    ($($part:ident: |$this:ident, $now:ident| $what:expr;)+) => {
        $(impl Complete for $part {
            fn complete(&mut self, $now: i64) {
                let $this = self;
                $what;
            }
        })+
    };
}

complete! {
    User: |user, now| { user.role.get_or_insert(UserRole::Reader); user.added_at.get_or_insert(now) };
    Assigned: |role, now| role.created_at.get_or_insert(now);
    Group: |group, now| group.created_at.get_or_insert(now);
    GroupMember: |member, now| member.added_at.get_or_insert(now);
    Role: |role, now| { let made = *role.created_at.get_or_insert(now); role.updated_at.get_or_insert(made) };
    Invite: |invite, now| {
        invite.projects.get_or_insert_default();
        invite.created_at.get_or_insert(now);
        invite.expires_at.get_or_insert(now.saturating_add(WEEK))
    };
    AdminKey: |key, now| {
        key.redacted_value.get_or_insert_with(|| UNSHOWN.to_owned());
        key.scopes.get_or_insert_with(|| KeyScope::ALL.to_vec());
        key.created_at.get_or_insert(now)
    };
    Certificate: |certificate, now| {
        certificate.created_at.get_or_insert(now);
        certificate.active.get_or_insert(false)
    };
    Alert: |alert, now| {
        alert.currency.get_or_insert(Currency::Usd);
        alert.interval.get_or_insert(Interval::Month);
        alert.created_at.get_or_insert(now)
    };
    Model: |model, now| {
        model.max_requests_per_1_minute.get_or_insert(UNLIMITED);
        model.max_tokens_per_1_minute.get_or_insert(UNLIMITED);
        model.origin.get_or_insert(Origin::Command);
        model.created_at.get_or_insert(now)
    };
    Project: |project, now| project.created_at.get_or_insert(now);
    Member: |member, now| { member.role.get_or_insert(MemberRole::Member); member.added_at.get_or_insert(now) };
    GroupInProject: |group, now| group.created_at.get_or_insert(now);
    Account: |account, now| {
        account.role.get_or_insert(MemberRole::Member);
        account.created_at.get_or_insert(now)
    };
    ProjectKey: |key, now| {
        key.name.get_or_insert_default();
        key.redacted_value.get_or_insert_with(|| UNSHOWN.to_owned());
        key.created_at.get_or_insert(now)
    };
    Activation: |certificate, _now| certificate.active.get_or_insert(true);
}

impl Complete for RateLimit {
    fn complete(&mut self, _: i64) {}
}
