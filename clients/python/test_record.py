"""What happened, as the list of it tells the SDK."""

import time

import openai
import pytest

from server import filled_server


@pytest.fixture(scope="module")
def server():
    with filled_server(people=30, projects=2) as server:
        yield server


def test_a_change_is_on_record_at_once_with_whoever_made_it(organization, owner):
    before = int(time.time()) - 1
    project = organization.projects.create(name="On record")
    organization.projects.update(project.id, name="On record too")
    newest, older = organization.audit_logs.list(limit=2).data
    assert (newest.type, newest.project_updated.changes_requested.title) == ("project.updated", "On record too")
    assert (older.type, older.project_created.id) == ("project.created", project.id)
    for row in (newest, older):
        assert row.id.startswith("audit_log-")
        assert before <= row.effective_at <= time.time() + 1
        assert (row.project.id, row.project.name) == (project.id, "On record too")
        assert (row.actor.type, row.actor.api_key.type, row.actor.api_key.user.id) == ("api_key", "user", owner.id)


def test_the_record_is_walked_to_its_end_both_ways(organization):
    logs = organization.audit_logs
    ids = [row.id for row in logs.list(limit=100)]
    assert len(ids) > 60, "everybody who was put in"
    assert ids == sorted(ids, reverse=True)
    assert [row.id for row in logs.list(limit=7)] == ids
    page = logs.list(limit=5, before=ids[20])
    assert ([row.id for row in page.data], page.has_more) == (ids[15:20], True)
    end = logs.list(after=ids[-1])
    assert (end.data, end.has_more, end.last_id) == ([], False, None)


def test_every_filter_finds_what_it_names(organization, client, person, owner):
    logs = organization.audit_logs
    project = organization.projects.create(name="Filtered")
    other = organization.projects.create(name="Not filtered")
    organization.projects.users.create(project.id, user_id=person["id"], role="member")
    organization.projects.archive(other.id)

    def types(**filters):
        return [row.type for row in logs.list(**filters)]

    in_project = ["user.added", "project.created"]
    assert types(project_ids=[project.id]) == in_project
    assert types(project_ids=[project.id, other.id]) == ["project.archived", *in_project[:1], "project.created", "project.created"]
    assert types(project_ids=[project.id], event_types=["user.added", "user.deleted"]) == ["user.added"]
    assert types(resource_ids=[person["id"]], project_ids=[project.id]) == ["user.added"]
    assert types(actor_ids=[owner.id], project_ids=[project.id]) == in_project
    assert types(actor_emails=[organization.users.retrieve(owner.id).email.upper()], project_ids=[other.id]) == [
        "project.archived",
        "project.created",
    ]
    newest = logs.list(limit=1).data[0].effective_at
    assert types(effective_at={"gt": newest}) == []
    assert types(effective_at={"gte": newest - 60, "lte": newest}, project_ids=[project.id]) == in_project
    assert types(tenant_only=True) == []
    with pytest.raises(openai.BadRequestError) as refused:
        logs.list(tenant_only=True, event_types=["user.added"])
    assert refused.value.param == "event_types"


def test_what_is_refused_or_changes_nothing_is_not_on_record(organization, project):
    newest = organization.audit_logs.list(limit=1).data
    organization.projects.update(project.id, name=project.name)
    with pytest.raises(openai.NotFoundError):
        organization.projects.update("proj_unknown", name="x")
    assert organization.audit_logs.list(limit=1).data == newest
