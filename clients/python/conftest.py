"""What the test files share. Each file has its own `server`, because each needs another number of people."""

import os

import pytest

# A proxy or a key of the surrounding shell has no place in these tests.
for name in list(os.environ):
    if name.startswith("OPENAI_") or name.lower().endswith("_proxy"):
        del os.environ[name]


@pytest.fixture(scope="module")
def client(server):
    """The owner's client."""
    with server.client() as client:
        yield client


@pytest.fixture
def organization(client):
    """The part of the client that these tests are about."""
    return client.admin.organization


@pytest.fixture(scope="module")
def fresh_people(server):
    """Readers of the organization, each handed out once: no test finds the traces of another."""
    return iter([user for user in server.people["users"] if user["role"] == "reader"])


@pytest.fixture
def person(fresh_people):
    """Somebody whom no other test knows."""
    return next(fresh_people)


@pytest.fixture
def project(organization, request):
    """A project of one's own."""
    return organization.projects.create(name=request.node.name)


@pytest.fixture
def owner(organization):
    """The person behind the key of `client`, as a key names its owner."""
    return next(iter(organization.admin_api_keys.list())).owner
