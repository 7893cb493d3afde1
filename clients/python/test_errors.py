"""Every refusal arrives as the exception class that its status stands for, with the code and parameter to act on."""

import re
import secrets

import openai
import pytest
from openai import DefaultHttpxClient, omit

from server import filled_server


@pytest.fixture(scope="module")
def server():
    with filled_server(people=60, projects=4) as server:
        yield server


@pytest.fixture
def refused(client):
    """refused(exception class, code, param, part of the message, call) makes the call and checks its refusal."""

    def check(expected, code, param, part, call, *arguments, **options):
        with pytest.raises(expected) as caught:
            call(*arguments, **options)
        error = caught.value
        assert type(error) is expected
        assert (error.code, error.param, error.type) == (code, param, "invalid_request_error")
        assert part in error.body["message"]
        assert set(error.body) == {"message", "type", "param", "code"}
        assert re.fullmatch(r"req_[0-9a-f]{32}", error.request_id)
        return error

    return check


@pytest.fixture
def archived(organization, project):
    return organization.projects.archive(project.id)


@pytest.fixture
def default_project(server, organization):
    """The project that nobody can archive: among the active ones, the only one that refuses a change for that reason."""
    for row in server.people["projects"]:
        if row["status"] == "active" and row["name"].startswith("Default"):
            return row
    raise AssertionError("populate put in no default project")


@pytest.fixture
def key_with(organization, request, server):
    """key_with(scope) is a client whose key has this scope only."""
    clients = []

    def make(scope):
        key = organization.admin_api_keys.create(name=request.node.name, extra_body={"scopes": [scope]})
        clients.append(server.client(key=key.value))
        return clients[-1].admin.organization

    yield make
    for client in clients:
        client.close()


# 401: who is asking?


def test_no_key(organization, refused):
    keyless = {"extra_headers": {"Authorization": omit}}
    refused(
        openai.AuthenticationError, None, None, "You didn't provide an API key", organization.users.list, **keyless
    )


def test_a_key_that_nobody_made(server, refused):
    wrong = "sk-admin-" + secrets.token_hex(32)
    with server.client(key=wrong) as client:
        users = client.admin.organization.users
        error = refused(openai.AuthenticationError, "invalid_api_key", None, "Incorrect API key provided: ", users.list)
    assert wrong not in str(error)
    assert wrong[-4:] in error.body["message"]


def test_a_key_of_another_kind(server, refused):
    """Clients fall back to the key of a project when they have no other."""
    with server.client(key="sk-proj-" + secrets.token_hex(32)) as client:
        refused(openai.AuthenticationError, "invalid_api_key", None, "Incorrect", client.admin.organization.users.list)


def test_another_organization_named(server, refused):
    with server.client(organization="org-" + "0" * 24) as client:
        users = client.admin.organization.users
        refused(openai.AuthenticationError, "mismatched_organization", None, "rganization", users.list)


# 403: may this key do it?


def test_a_key_that_only_reads_writes(key_with, refused):
    organization = key_with("api.management.read")
    assert organization.users.list(limit=1).data
    missing = "Missing scopes: api.management.write"
    refused(openai.PermissionDeniedError, None, None, missing, organization.projects.create, name="refused")


def test_a_key_for_usage_reads_users(key_with, refused):
    organization = key_with("api.usage.read")
    missing = "Missing scopes: api.management.read"
    refused(openai.PermissionDeniedError, None, None, missing, organization.users.list)


# 404: there is nothing of that name


def test_unknown_project(organization, refused):
    for call in (organization.projects.retrieve, organization.projects.archive, organization.projects.users.list):
        refused(openai.NotFoundError, "project_not_found", None, "not found", call, "proj_nobody")


def test_unknown_user(organization, refused):
    refused(openai.NotFoundError, "not_found", None, "not found", organization.users.retrieve, "user-nobody")
    refused(openai.NotFoundError, "not_found", None, "not found", organization.users.delete, "user-nobody")


def test_unknown_key(organization, refused):
    refused(openai.NotFoundError, "not_found", None, "not found", organization.admin_api_keys.retrieve, "key_nobody")


def test_somebody_who_is_no_member(organization, refused, project, person):
    users = organization.projects.users
    for call in (users.retrieve, users.delete):
        refused(openai.NotFoundError, "not_found", None, "not found", call, person["id"], project_id=project.id)


def test_adding_an_unknown_user(organization, refused, project):
    refused(
        openai.NotFoundError,
        "user_not_found",
        "user_id",
        "not found",
        organization.projects.users.create,
        project.id,
        user_id="user-nobody",
        role="member",
    )


# 400: the request cannot be carried out as it is


def test_limit_out_of_range(organization, refused):
    users = organization.users.list
    refused(openai.BadRequestError, "integer_below_min_value", "limit", "'limit'", users, limit=0)
    refused(openai.BadRequestError, "integer_above_max_value", "limit", "101", users, limit=101)
    refused(openai.BadRequestError, "invalid_type", "limit", "integer", users, extra_query={"limit": "many"})


def test_a_cursor_that_is_none(organization, refused):
    refused(openai.BadRequestError, "invalid_value", "after", "'after'", organization.users.list, after="a\nb")


def test_an_unknown_member_of_the_body(organization, refused):
    create = organization.projects.create
    refused(
        openai.BadRequestError, "unknown_parameter", "colour", "colour", create, name="x", extra_body={"colour": "red"}
    )


def test_a_role_that_does_not_exist(organization, refused, project, person):
    refused(
        openai.BadRequestError,
        "invalid_value",
        "role",
        "'member'",
        organization.projects.users.create,
        project.id,
        user_id=person["id"],
        role="boss",
    )


def test_archived_project(organization, refused, archived, person):
    gone = (openai.BadRequestError, "project_archived", None, f"Project '{archived.id}' is archived.")
    users = organization.projects.users
    refused(*gone, organization.projects.update, archived.id, name="other")
    refused(*gone, users.list, archived.id)
    refused(*gone, users.create, archived.id, user_id=person["id"], role="member")


def test_adding_a_member_twice(organization, refused, project, person):
    users = organization.projects.users
    users.create(project.id, user_id=person["id"], role="member")
    twice = (openai.BadRequestError, "already_exists", None, "already exists in project")
    refused(*twice, users.create, project.id, user_id=person["id"], role="member")
    refused(*twice, users.create, project.id, email=person["email"], role="owner")


def test_adding_an_unknown_address(organization, refused, project):
    create = organization.projects.users.create
    error = (openai.BadRequestError, "user_not_found", "email", "not found")
    refused(*error, create, project.id, email="nobody@nowhere.example", role="member")


def test_the_default_project(server, organization, refused, default_project):
    stays = (openai.BadRequestError, "default_project", None, "default project")
    refused(*stays, organization.projects.archive, default_project["id"])
    refused(*stays, organization.projects.update, default_project["id"], name="other")
    for member in default_project["members"][:1]:
        refused(*stays, organization.projects.users.delete, member["id"], project_id=default_project["id"])


def test_the_last_owner(server, organization, refused, owner):
    for user in server.people["users"]:
        if user["role"] == "owner" and user["id"] != owner.id:
            organization.users.update(user["id"], role="reader")
    last = (openai.BadRequestError, "last_owner", None, "owner")
    refused(*last, organization.users.delete, owner.id)
    refused(*last, organization.users.update, owner.id, role="reader")
    assert organization.users.retrieve(owner.id).role == "owner"


# What every answer carries, and what is not asked twice


def test_a_success_names_its_request_too(organization):
    project = organization.projects.create(name="named")
    assert re.fullmatch(r"req_[0-9a-f]{32}", project._request_id)


def test_an_operation_that_is_not_built_is_asked_once(server, refused):
    """A client with its usual retries would ask again after a 5xx, unless told that it makes no sense."""
    asked = []
    with (
        DefaultHttpxClient(event_hooks={"request": [asked.append]}) as http_client,
        server.client(max_retries=2, http_client=http_client) as client,
    ):
        refused(
            openai.InternalServerError,
            "not_implemented",
            None,
            "",
            client.get,
            "/organization/external_keys",
            cast_to=object,
            options={"security": {"admin_api_key_auth": True}},
        )
    assert len(asked) == 1
