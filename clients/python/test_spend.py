"""How data is kept, alerts and limits of what is spent, through the SDK's methods: each is called once at each level, and its answer
must be what the SDK declares."""

import openai
import pytest

from server import filled_server

DOLLARS = {"currency": "USD", "interval": "month"}


@pytest.fixture(scope="module")
def server():
    with filled_server(people=2, projects=1) as server:
        yield server


@pytest.fixture(params=["organization", "project"])
def level(request, organization):
    """The part of the client for one level, the arguments that name the place, and the beginning of its objects' names."""
    if request.param == "organization":
        return organization, [], {}, "organization"
    project = organization.projects.create(name=request.node.name)
    return organization.projects, [project.id], {"project_id": project.id}, "project"


def gone():
    """A context in which something that is not there is asked for."""
    return pytest.raises(openai.NotFoundError, match="not found")


def test_how_data_is_kept(level):
    resources, place, _, name = level
    retention = resources.data_retention
    default = "modified_abuse_monitoring" if name == "organization" else "organization_default"
    kept = retention.retrieve(*place)
    assert (kept.object, kept.type) == (f"{name}.data_retention", default)
    assert retention.update(*place, retention_type="zero_data_retention").type == "zero_data_retention"
    assert retention.retrieve(*place).type == "zero_data_retention"
    with pytest.raises(openai.BadRequestError) as refused:
        retention.update(*place, retention_type="forever")
    assert (refused.value.code, refused.value.param) == ("invalid_value", "retention_type")


def test_a_limit_from_its_beginning_to_its_end(level):
    resources, place, _, name = level
    limits = resources.spend_limit
    with gone():
        limits.retrieve(*place)
    with gone():
        limits.delete(*place)
    for cents in [1, 250_000]:
        limit = limits.update(*place, threshold_amount=cents, **DOLLARS)
        assert (limit.object, limit.threshold_amount) == (f"{name}.spend_limit", cents)
        assert (limit.currency, limit.interval, limit.enforcement.status) == ("USD", "month", "inactive")
        assert limits.retrieve(*place) == limit
    deleted = limits.delete(*place)
    assert (deleted.object, deleted.deleted) == (f"{name}.spend_limit.deleted", True)
    with gone():
        limits.retrieve(*place)


def test_an_alert_from_its_creation_to_its_end(level):
    resources, place, named, name = level
    alerts = resources.spend_alerts
    channel = {"type": "email", "recipients": ["z@example.com", "a@example.com"], "subject_prefix": "[spend]"}
    made = alerts.create(*place, threshold_amount=0, notification_channel=channel, **DOLLARS)
    assert (made.object, made.threshold_amount) == (f"{name}.spend_alert", 0)
    assert made.notification_channel.to_dict() == channel
    assert alerts.retrieve(made.id, **named) == made
    bare = {"type": "email", "recipients": ["a@example.com"], "subject_prefix": None}
    changed = alerts.update(made.id, threshold_amount=7, notification_channel=bare, **DOLLARS, **named)
    assert (changed.id, changed.threshold_amount) == (made.id, 7)
    assert (changed.notification_channel.recipients, changed.notification_channel.subject_prefix) == (
        ["a@example.com"],
        None,
    )
    assert list(alerts.list(*place)) == [changed]
    deleted = alerts.delete(made.id, **named)
    assert (deleted.id, deleted.object, deleted.deleted) == (made.id, f"{name}.spend_alert.deleted", True)
    with gone():
        alerts.retrieve(made.id, **named)


def test_alerts_are_walked_in_pages_and_backwards(level):
    resources, place, _, _ = level
    alerts = resources.spend_alerts
    channel = {"type": "email", "recipients": ["a@example.com"]}
    made = [
        alerts.create(*place, threshold_amount=cents, notification_channel=channel, **DOLLARS).id for cents in range(23)
    ]
    assert [alert.id for alert in alerts.list(*place)] == made
    assert [alert.id for alert in alerts.list(*place, limit=4, order="desc")] == made[::-1]
    page = alerts.list(*place, limit=4, before=made[10])
    assert ([alert.id for alert in page.data], page.has_more) == (made[6:10], True)
    none = alerts.list(*place, limit=0)
    assert (none.data, none.has_more, none.last_id, list(none)) == ([], True, None, [])
