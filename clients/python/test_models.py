"""What a project may use of the operator's models, and which of them, through the SDK's methods."""

import openai
import pytest

from server import filled_server

TUNED = "ft:gpt-4o:acme::a1"
MODELS = ["dall-e requests-per-minute=5 images-per-minute=8", f"{TUNED} requests-per-minute=20", "gpt-4o tokens-per-minute=30000"]


@pytest.fixture(scope="module")
def server():
    with filled_server(people=2, projects=1, models=MODELS) as server:
        yield server


def test_the_limits_of_a_project(organization, project):
    limits = organization.projects.rate_limits
    pages = list(limits.list_rate_limits(project.id, limit=2).iter_pages())
    assert [[row.id for row in page.data] for page in pages] == [["rl-dall-e", f"rl-{TUNED}"], ["rl-gpt-4o"]]
    first = pages[0].data[0]
    assert (first.object, first.max_requests_per_1_minute, first.max_images_per_1_minute) == ("project.rate_limit", 5, 8)
    assert first.max_requests_per_1_day is None
    changed = limits.update_rate_limit(f"rl-{TUNED}", project_id=project.id, max_requests_per_1_minute=7)
    assert (changed.model, changed.max_requests_per_1_minute) == (TUNED, 7)
    assert changed in list(limits.list_rate_limits(project.id, limit=1000))
    before = limits.list_rate_limits(project.id, before="rl-gpt-4o", limit=1)
    assert (before.data, before.has_more) == ([changed], True)
    with pytest.raises(openai.BadRequestError) as refused:
        limits.update_rate_limit("rl-dall-e", project_id=project.id, max_requests_per_1_minute=6)
    assert (refused.value.code, refused.value.param) == ("integer_above_max_value", "max_requests_per_1_minute")


def test_the_models_of_a_project(organization, project):
    permissions = organization.projects.model_permissions
    for call in (permissions.retrieve, permissions.delete):
        with pytest.raises(openai.NotFoundError, match="not found"):
            call(project.id)
    made = permissions.update(project.id, mode="allow_list", model_ids=["gpt-4o", "dall-e", "gpt-4o"])
    assert (made.object, made.mode, made.api_model_ids) == ("project.model_permissions", "allow_list", ["gpt-4o", "dall-e"])
    assert permissions.retrieve(project.id) == made
    with pytest.raises(openai.BadRequestError) as refused:
        permissions.update(project.id, mode="deny_list", model_ids=["gpt-4o", "unknown"])
    assert (refused.value.code, refused.value.param) == ("model_not_found", "model_ids[1]")
    deleted = permissions.delete(project.id)
    assert (deleted.object, deleted.deleted) == ("project.model_permissions.deleted", True)
