//! Names of those who are gone.

use super::*;
use crate::usage::names::{self, FormerName, Of};

async fn former(api: &Api, of: Of, id: &str) -> Option<FormerName> {
    let (organization, id) = (api.first.organization.id.clone(), id.to_owned());
    let read = move |tx: &mut sql::Tx<'_>| names::find(tx, &organization, of, &id);
    api.app.store.read(read).await.expect("it is read")
}

#[tokio::test]
async fn whoever_goes_leaves_a_name() {
    let api = Api::new().await;
    let project = api.create_project("Engine").await;
    let user = api.add_user("ada@example.com").await;
    api.add_member(&project, &user).await;
    let (key, _) = project_key(&api, &project, &user).await;
    let accounts = format!("/organization/projects/{project}/service_accounts");
    let account = api.post(&accounts, json!({ "name": "machine" })).await;
    let its_key = account.ok()["api_key"]["id"].as_str().expect("it has a key").to_owned();
    let account = account.id();
    for (of, id) in [
        (Of::User, &user),
        (Of::ApiKey, &key),
        (Of::ServiceAccount, &account),
        (Of::ApiKey, &its_key),
    ] {
        assert_eq!(former(&api, of, id).await, None);
    }
    api.delete(&format!("/organization/projects/{project}/api_keys/{key}")).await.ok();
    api.delete(&format!("{accounts}/{account}")).await.ok();
    api.delete(&format!("/organization/users/{user}")).await.ok();
    let named = |name: Option<&str>, email: Option<&str>| {
        Some(FormerName { name: name.map(str::to_owned), email: email.map(str::to_owned) })
    };
    assert_eq!(former(&api, Of::User, &user).await, named(None, Some("ada@example.com")));
    assert_eq!(former(&api, Of::ApiKey, &key).await, named(Some("gateway"), None));
    assert_eq!(former(&api, Of::ServiceAccount, &account).await, named(Some("machine"), None));
    let key = former(&api, Of::ApiKey, &its_key).await.expect("it is remembered");
    assert!(key.name.is_some());
    assert_eq!(former(&api, Of::ServiceAccount, &user).await, None);
}
