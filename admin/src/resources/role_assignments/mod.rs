//! Who has which role: the same four operations for people and for groups, in the organization and in projects.

pub mod ladder;
mod of_groups;
mod of_users;
#[cfg(test)]
pub mod seed;
pub mod store;
#[cfg(test)]
pub(crate) mod tests;
pub mod wire;

use utoipa_axum::router::OpenApiRouter;

use self::wire::{AssignedRoleDetails, Assignment, RoleAssignRequest, RoleUnassigned};
use crate::app::App;
use crate::domain::page::Order;
use crate::error::{Error, Result};
use crate::http::body::Incoming;
use crate::http::call::Call;
use crate::http::page::{AssignmentPage, NextList};
use crate::http::query::Query;
use crate::http::reply::{Json, Shown};
use crate::resources::level::At;
use crate::resources::principals::Wanted;
use crate::resources::roles::store as roles;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(of_users::routes()).merge(of_groups::routes())
}

async fn list(
    call: Call,
    at: At,
    whose: Wanted,
    query: Query,
) -> Result<Shown<NextList<AssignedRoleDetails>>> {
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let principal = whose.find(tx, &level)?;
        let page = AssignmentPage::read(&query, Order::Ascending)?;
        // Whoever is checked is checked with all of these, so there are never too many to be read at once.
        let all = store::all(tx, &level, &principal)?;
        let page = page.slice(all, |assigned| &assigned.id);
        Ok(NextList::of(page, |assigned| AssignedRoleDetails::of(assigned, &level)))
    })
    .await
}

async fn assign<T: Assignment + Send + 'static>(
    call: Call,
    at: At,
    whose: Wanted,
    body: Incoming,
) -> Result<Json<T>> {
    let assignment = call.write_with::<RoleAssignRequest, _, _>(body, move |tx, caller, body| {
        let level = at.find_active(tx, caller.organization_id())?;
        let principal = whose.find(tx, &level)?;
        let role = roles::find_named(tx, &level, &body.get()?.role_id, "role_id")?;
        caller.may_grant(&role.permissions())?;
        let is_new = store::grant(tx, &caller.author, &level, &principal, &role)?;
        // A person shows another role now.
        let principal = if is_new { whose.find(tx, &level)? } else { principal };
        T::of(principal, role, &level)
            .ok_or_else(|| Error::internal("a principal of another kind was given the role"))
    });
    Ok(Json(assignment.await?))
}

async fn get(call: Call, at: At, whose: Wanted, id: String) -> Result<Shown<AssignedRoleDetails>> {
    call.show(move |tx, organization| {
        let level = at.find(tx, organization)?;
        let principal = whose.find(tx, &level)?;
        let role = roles::find(tx, &level, &id)?;
        Ok(AssignedRoleDetails::of(store::find(tx, &level, &principal, role, &id)?, &level))
    })
    .await
}

async fn unassign<T: Default + Send + 'static>(
    call: Call,
    at: At,
    whose: Wanted,
    id: String,
) -> Result<Json<RoleUnassigned<T>>> {
    let unassigned = call.write(move |tx, caller| {
        // What was frozen with its project may go all the same.
        let level = at.find(tx, caller.organization_id())?;
        let principal = whose.find(tx, &level)?;
        let role = roles::find(tx, &level, &id)?;
        if store::take(tx, &caller.author, &level, &principal, &role)? {
            Ok(())
        } else {
            Err(store::not_assigned(&principal, &id))
        }
    });
    unassigned.await?;
    Ok(Json(RoleUnassigned::done()))
}
