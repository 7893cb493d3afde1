"""Groups, roles, invites, service accounts and keys, through the SDK's methods: each is called once, and its answer must be what
the SDK declares."""

import contextlib

import openai
import pytest

from server import filled_server


@pytest.fixture(scope="module")
def server():
    with filled_server(people=60, projects=4) as server:
        yield server


@pytest.fixture
def group(organization, request):
    """A group of one's own."""
    return organization.groups.create(name=request.node.name)


@pytest.fixture
def gone():
    """A context in which something that is not there any more is asked for."""
    return lambda: pytest.raises(openai.NotFoundError, match="not found")


def names(page):
    return sorted(row.name for row in page)


def test_a_group_from_its_creation_to_its_end(organization, gone):
    groups = organization.groups
    made = groups.create(name="Researchers")
    assert (made.name, made.group_type, made.is_scim_managed) == ("Researchers", "group", False)
    assert groups.retrieve(made.id) == made
    assert groups.update(made.id, name="Scientists").name == "Scientists"
    assert made.id in [group.id for group in groups.list(order="desc", limit=2)]
    assert groups.delete(made.id).deleted
    with gone():
        groups.retrieve(made.id)


def test_somebody_joins_a_group_and_leaves_it(organization, group, person, gone):
    users = organization.groups.users
    for _ in range(2):
        added = users.create(group.id, user_id=person["id"])
        assert (added.group_id, added.user_id) == (group.id, person["id"])
    shown = users.retrieve(person["id"], group_id=group.id)
    assert (shown.id, shown.email, shown.is_service_account) == (person["id"], person["email"], False)
    assert [user.id for user in users.list(group.id)] == [person["id"]]
    assert users.delete(person["id"], group_id=group.id).deleted
    with gone():
        users.delete(person["id"], group_id=group.id)


@pytest.mark.parametrize("of_project", [False, True])
def test_a_role_from_its_creation_to_its_end(organization, client, project, of_project, gone):
    roles = client.admin.organization.projects.roles if of_project else organization.roles
    place = {"project_id": project.id} if of_project else {}
    wanted = ["api.webhooks.read", "api.groups.read"]
    make = {"role_name": "Judge", "permissions": wanted, "description": ""}
    made = roles.create(project.id, **make) if of_project else roles.create(**make)
    assert (made.name, made.permissions, made.description, made.predefined_role) == ("Judge", wanted, "", False)
    assert roles.retrieve(made.id, **place) == made
    changed = roles.update(made.id, role_name="Referee", description=None, permissions=[], **place)
    assert (changed.name, changed.permissions, changed.description) == ("Referee", [], None)
    built_in = ["member", "owner", "viewer"] if of_project else ["owner", "reader"]
    listed = list(roles.list(project.id) if of_project else roles.list())
    assert sorted(role.name for role in listed if role.predefined_role) == built_in
    assert made.id in [role.id for role in listed]
    assert roles.delete(made.id, **place).deleted
    with gone():
        roles.retrieve(made.id, **place)


@pytest.mark.parametrize("of_project", [False, True])
@pytest.mark.parametrize("principal", ["users", "groups"])
def test_a_role_is_given_and_taken(organization, project, group, person, gone, principal, of_project):
    resource = organization.projects if of_project else organization
    roles = getattr(resource, principal).roles
    who = person["id"] if principal == "users" else group.id
    if of_project and principal == "users":
        organization.projects.users.create(project.id, user_id=who, role="member")
    name = "role-api-project-viewer" if of_project else "role-api-organization-reader"
    place = ({"project_id": project.id} if of_project else {}) | {principal[:-1] + "_id": who}
    path = {key: value for key, value in place.items() if value != who}
    for _ in range(2):
        assert roles.create(who, role_id=name, **path).role.predefined_role
    assert roles.retrieve(name, **place).name in ("viewer", "reader")
    listed = [role.id for role in roles.list(who, **path)]
    assert any(role.startswith(name) for role in listed), listed
    assert roles.delete(name, **place).deleted
    with gone():
        roles.retrieve(name, **place)
    with gone():
        roles.delete(name, **place)


def test_a_group_comes_into_a_project_and_leaves_it(organization, project, group, gone):
    groups = organization.projects.groups
    added = groups.create(project.id, group_id=group.id, role="member")
    assert (added.group_id, added.group_name, added.project_id) == (group.id, group.name, project.id)
    assert groups.retrieve(group.id, project_id=project.id) == added
    assert [row.group_id for row in groups.list(project.id)] == [group.id]
    with pytest.raises(openai.BadRequestError, match="already exists"):
        groups.create(project.id, group_id=group.id, role="owner")
    assert groups.delete(group.id, project_id=project.id).deleted
    with gone():
        groups.retrieve(group.id, project_id=project.id)


def test_a_service_account_from_its_creation_to_its_end(organization, project, gone):
    accounts, keys = organization.projects.service_accounts, organization.projects.api_keys
    made = accounts.create(project.id, name="indexer")
    assert (made.role, made.api_key.name) == ("member", "Secret Key")
    assert accounts.retrieve(made.id, project_id=project.id).name == "indexer"
    assert accounts.update(made.id, project_id=project.id, name="crawler", role="owner").role == "owner"
    bare = accounts.create(project.id, name="bare", create_service_account_only=True)
    assert (bare.role, bare.api_key) == ("none", None)
    assert names(accounts.list(project.id)) == ["bare", "crawler"]

    key = accounts.api_keys.create(made.id, project_id=project.id, name="night", scopes=["api.model.request"])
    assert key.value.startswith("sk-svcacct-")
    assert accounts.api_keys.create(bare.id, project_id=project.id).name == "Secret Key"
    shown = keys.retrieve(key.id, project_id=project.id)
    assert (shown.owner.type, shown.owner.service_account.id) == ("service_account", made.id)
    assert key.value not in shown.to_json()
    assert {row.id for row in keys.list(project.id)} >= {key.id, made.api_key.id}
    with pytest.raises(openai.BadRequestError):
        keys.delete(key.id, project_id=project.id)

    assert accounts.delete(made.id, project_id=project.id).deleted
    with gone():
        accounts.retrieve(made.id, project_id=project.id)
    assert key.id not in [row.id for row in keys.list(project.id, owner_project_access="any")]


def test_a_key_of_a_person(server, organization, project, person, gone):
    organization.projects.users.create(project.id, user_id=person["id"], role="member")
    made = server.ask("POST", f"/rollbook/v1/projects/{project.id}/api_keys", {"name": "laptop", "user_id": person["id"]})
    keys = organization.projects.api_keys
    shown = keys.retrieve(made["id"], project_id=project.id)
    assert (shown.owner.type, shown.owner.user.email, shown.owner_project_access) == ("user", person["email"], "active")
    organization.projects.users.delete(person["id"], project_id=project.id)
    inactive = keys.list(project.id, owner_project_access="inactive")
    assert [row.id for row in inactive] == [made["id"]]
    assert list(keys.list(project.id, owner_project_access="active")) == []
    assert keys.delete(made["id"], project_id=project.id).deleted
    with gone():
        keys.delete(made["id"], project_id=project.id)


def test_an_invite_until_it_is_taken_back(organization, project, gone):
    invites = organization.invites
    made = invites.create(email="New@example.com", role="reader", projects=[{"id": project.id, "role": "owner"}])
    assert (made.email, made.status, made.projects[0].role) == ("New@example.com", "pending", "owner")
    assert invites.retrieve(made.id) == made
    assert made in list(invites.list())
    with pytest.raises(openai.BadRequestError, match="pending"):
        invites.create(email="new@EXAMPLE.com", role="owner")
    assert invites.delete(made.id).deleted
    with gone():
        invites.retrieve(made.id)


def test_a_life_from_the_invite_to_the_archive(server, organization, project):
    """Somebody is invited, gets roles and keys, and loses them again; what a key opens follows at once."""
    invite = organization.invites.create(
        email="life@example.com", role="reader", projects=[{"id": project.id, "role": "member"}]
    )
    link = server.ask("POST", f"/rollbook/v1/invites/{invite.id}/link")["url"]
    path = "/invite/" + link.rsplit("/", 1)[1]
    for _ in range(2):
        assert "life@example.com" in server.page("GET", path)
        assert organization.invites.retrieve(invite.id).status == "pending", "a look at the page changes nothing"
    server.page("POST", path)
    assert organization.invites.retrieve(invite.id).status == "accepted"
    (person,) = [user for user in organization.users.list(emails=["life@example.com"])]

    group = organization.groups.create(name="Living")
    organization.groups.users.create(group.id, user_id=person.id)
    organization.projects.groups.create(project.id, group_id=group.id, role="viewer")
    role = organization.projects.roles.create(project.id, role_name="Own", permissions=["api.ours.act"])
    organization.projects.groups.roles.create(group.id, project_id=project.id, role_id=role.id)

    account = organization.projects.service_accounts.create(project.id, name="machine")
    machine = account.api_key.value
    made = {"name": "laptop", "user_id": person.id}
    own = server.ask("POST", f"/rollbook/v1/projects/{project.id}/api_keys", made)["value"]

    def reason(key, **wish):
        return server.ask("POST", "/rollbook/v1/check", {"key": key, **wish})["reason"]

    assert reason(own, permission="api.ours.act") == "allowed"
    assert reason(own, model="gpt-4o") == "allowed"
    assert reason(machine, model="gpt-4o") == "allowed"
    member = "role-api-project-member"
    organization.projects.users.roles.delete(member, project_id=project.id, user_id=person.id)
    assert reason(own, model="gpt-4o") == "missing_permission"
    assert reason(own, permission="api.ours.act") == "allowed", "through the group"
    organization.projects.groups.roles.delete(role.id, project_id=project.id, group_id=group.id)
    assert reason(own, permission="api.ours.act") == "missing_permission"
    organization.users.delete(person.id)
    assert reason(own) == "owner_left"
    assert reason(machine, model="gpt-4o") == "allowed"
    organization.projects.archive(project.id)
    assert reason(machine) == "project_archived"


@pytest.mark.parametrize("path", ["/organization/users", "/organization/groups", "/organization/roles"])
def test_a_key_of_a_project_is_known_and_may_do_nothing_here(server, organization, project, path):
    account = organization.projects.service_accounts.create(project.id, name="curious")
    with contextlib.closing(server.client(key=account.api_key.value)) as other:
        with pytest.raises(openai.PermissionDeniedError, match="Missing scopes: api.management.read"):
            other.get(path, cast_to=object)
