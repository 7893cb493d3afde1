"""The official Python clients walk every list to its end and get exactly what was put in, whatever the page size."""

import asyncio
import math

import pytest
from openai import AsyncOpenAI, OpenAI

from server import filled_server

PEOPLE = 2000
PROJECTS = 30


@pytest.fixture(scope="module")
def server():
    with filled_server(people=PEOPLE, projects=PROJECTS) as server:
        yield server


@pytest.fixture(params=["sync", "async"])
def walk(server, request):
    """walk(lambda organization: a list call) collects the pages of one walk, as either client makes it."""

    def in_turn(start):
        with server.client(OpenAI) as client:
            return list(start(client.admin.organization).iter_pages())

    async def by_waiting(start):
        async with server.client(AsyncOpenAI) as client:
            return [page async for page in (await start(client.admin.organization)).iter_pages()]

    return in_turn if request.param == "sync" else lambda start: asyncio.run(by_waiting(start))


limits = pytest.mark.parametrize("limit", [1, 20, 100])


def by_id(rows):
    """The order of every list: the bytes of the id."""
    return sorted(rows, key=lambda row: row[0].encode())


def rows_of(pages, limit, *members):
    """The named members of every row, once the pages themselves are as full as they should be."""
    rows = [tuple(getattr(row, member) for member in members) for page in pages for row in page.data]
    assert len(pages) == math.ceil(len(rows) / limit) or not rows
    assert all(len(page.data) == limit for page in pages[:-1])
    assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
    assert all((page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id) for page in pages if page.data)
    return rows


@limits
def test_users(server, walk, limit):
    pages = walk(lambda organization: organization.users.list(limit=limit))
    users = server.people["users"]
    assert len(users) >= PEOPLE
    assert rows_of(pages, limit, "id", "email", "name", "role") == by_id(
        (user["id"], user["email"], user["name"], user["role"]) for user in users
    )


@limits
@pytest.mark.parametrize("include_archived", [True, False, None])
def test_projects(server, walk, limit, include_archived):
    options = {} if include_archived is None else {"include_archived": include_archived}
    pages = walk(lambda organization: organization.projects.list(limit=limit, **options))
    projects = server.people["projects"]
    assert len(projects) >= PROJECTS
    assert rows_of(pages, limit, "id", "name", "status") == by_id(
        (project["id"], project["name"], project["status"])
        for project in projects
        if include_archived or project["status"] == "active"
    )


@limits
def test_members_of_each_project(server, walk, limit):
    active = [project for project in server.people["projects"] if project["status"] == "active"]
    assert any(len(project["members"]) > 100 for project in active)
    for project in active:
        pages = walk(lambda organization: organization.projects.users.list(project["id"], limit=limit))
        assert rows_of(pages, limit, "id", "email", "role") == by_id(
            (member["id"], member["email"], member["role"]) for member in project["members"]
        )


@limits
def test_plain_iteration_is_the_same_walk(server, client, limit):
    """What most scripts write: one loop, and the client asks for the pages behind it."""
    expected = sorted((user["id"] for user in server.people["users"]), key=str.encode)
    assert [user.id for user in client.admin.organization.users.list(limit=limit)] == expected


def test_the_page_after_the_last_row_is_empty(server, organization):
    """Some clients ask once more after the last page, and take an error for an error."""
    last = max((user["id"] for user in server.people["users"]), key=str.encode)
    page = organization.users.list(after=last)
    assert (page.data, page.has_more, page.first_id, page.last_id) == ([], False, None, None)


def test_users_by_email(server, organization):
    wanted = server.people["users"][:3]
    found = organization.users.list(emails=[user["email"].upper() for user in wanted])
    assert [user.id for user in found] == sorted((user["id"] for user in wanted), key=str.encode)


def test_admin_keys(server, organization):
    keys = list(organization.admin_api_keys.list(limit=1))
    assert len(keys) == 1
    assert keys[0].redacted_value.endswith(server.key[-4:])
    assert server.key not in keys[0].to_json()
