"""What the SDK's methods change is there at the next read, and nothing else is."""

import openai
import pytest

from server import filled_server


@pytest.fixture(scope="module")
def server():
    with filled_server(people=60, projects=4) as server:
        yield server


def test_a_project_from_its_creation_to_the_archive(organization):
    projects = organization.projects
    made = projects.create(name="Lighthouse")
    assert (made.name, made.status, made.archived_at) == ("Lighthouse", "active", None)
    assert projects.retrieve(made.id) == made

    renamed = projects.update(made.id, name="Lighthouse 2")
    assert renamed == made.model_copy(update={"name": "Lighthouse 2"})

    archived = projects.archive(made.id)
    assert archived.status == "archived"
    assert archived.archived_at >= made.created_at
    assert projects.retrieve(made.id) == archived
    assert projects.archive(made.id) == archived, "the second time changes nothing and is no error"

    assert made.id not in [project.id for project in projects.list(limit=100)]
    assert made.id in [project.id for project in projects.list(limit=100, include_archived=True)]


@pytest.mark.parametrize("by", ["user_id", "email"])
def test_a_member_comes_changes_and_leaves(organization, project, person, by):
    users = organization.projects.users
    value = person["id"] if by == "user_id" else person["email"]
    added = users.create(project.id, role="member", **{by: value})
    assert (added.id, added.email, added.role) == (person["id"], person["email"], "member")
    assert users.retrieve(person["id"], project_id=project.id) == added
    assert users.list(project.id).data == [added]

    promoted = users.update(person["id"], project_id=project.id, role="owner")
    assert promoted == added.model_copy(update={"role": "owner"})
    assert users.list(project.id).data == [promoted]

    removed = users.delete(person["id"], project_id=project.id)
    assert (removed.id, removed.deleted) == (person["id"], True)
    assert users.list(project.id).data == []
    with pytest.raises(openai.NotFoundError):
        users.retrieve(person["id"], project_id=project.id)
    assert organization.users.retrieve(person["id"]).email == person["email"], "the person stays in the organization"


def test_an_admin_key_works_until_it_is_deleted(server, organization, owner):
    keys = organization.admin_api_keys
    made = keys.create(name="short-lived", expires_in_seconds=3600)
    assert made.expires_at == made.created_at + 3600
    assert made.owner.id == owner.id
    with server.client(key=made.value) as other:
        assert other.admin.organization.users.list(limit=1).data

        read = keys.retrieve(made.id)
        assert (read.name, read.redacted_value) == ("short-lived", made.redacted_value)
        assert made.value not in read.to_json()
        assert made.id in [key.id for key in keys.list()]

        deleted = keys.delete(made.id)
        assert (deleted.id, deleted.deleted) == (made.id, True)
        with pytest.raises(openai.AuthenticationError) as caught:
            other.admin.organization.users.list(limit=1)
    assert caught.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError):
        keys.retrieve(made.id)


def test_a_key_can_delete_itself(server, organization):
    made = organization.admin_api_keys.create(name="its own end")
    with server.client(key=made.value) as other:
        assert other.admin.organization.admin_api_keys.delete(made.id).deleted
        with pytest.raises(openai.AuthenticationError):
            other.admin.organization.users.list()


def test_a_user_becomes_owner_and_reader_again(organization, person):
    users = organization.users
    before = users.retrieve(person["id"])
    promoted = users.update(person["id"], role="owner")
    assert promoted == before.model_copy(update={"role": "owner"})
    assert users.retrieve(person["id"]) == promoted
    assert users.update(person["id"], role="reader") == before


def test_a_deleted_user_is_gone_everywhere(organization, project, person):
    organization.projects.users.create(project.id, user_id=person["id"], role="member")
    deleted = organization.users.delete(person["id"])
    assert (deleted.id, deleted.deleted) == (person["id"], True)
    for call in (organization.users.retrieve, organization.users.delete):
        with pytest.raises(openai.NotFoundError):
            call(person["id"])
    assert organization.projects.users.list(project.id).data == []
    assert person["id"] not in [user.id for user in organization.users.list(limit=100)]
