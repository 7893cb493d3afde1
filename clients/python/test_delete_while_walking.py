"""The loop that people write: go through a list and remove each row as it comes. Nobody is left over, nobody comes twice."""

import asyncio

import pytest
from openai import AsyncOpenAI

from server import filled_server

MEMBERS = 50


@pytest.fixture(scope="module")
def server():
    with filled_server(people=MEMBERS, projects=1) as server:
        yield server


@pytest.fixture
def members(server, organization, project):
    """The ids of those who were put into the project, in the order of the list."""
    ids = [user["id"] for user in server.people["users"][:MEMBERS]]
    for user in ids:
        organization.projects.users.create(project.id, user_id=user, role="member")
    return sorted(ids, key=str.encode)


limits = pytest.mark.parametrize("limit", [1, 7, 20, 100])


@limits
def test_removing_everybody(organization, project, members, limit):
    users = organization.projects.users
    removed = []
    for member in users.list(project.id, limit=limit):
        assert users.delete(member.id, project_id=project.id).deleted
        removed.append(member.id)
    assert removed == members
    assert users.list(project.id).data == []


@limits
def test_removing_everybody_with_the_asynchronous_client(server, organization, project, members, limit):
    async def remove_everybody():
        async with server.client(AsyncOpenAI) as client:
            users = client.admin.organization.projects.users
            return [
                (await users.delete(member.id, project_id=project.id)).id
                async for member in users.list(project.id, limit=limit)
            ]

    assert asyncio.run(remove_everybody()) == members
    assert organization.projects.users.list(project.id).data == []
