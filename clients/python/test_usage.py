"""What was used and what it cost, as the SDK's methods tell it: each of the eleven is called, grouped by everything that it can be grouped
by, and walked to its end."""

import time
from decimal import Decimal
from types import SimpleNamespace

import openai
import pytest

from server import filled_server

DAY = 24 * 60 * 60
#: The range that is asked for: three whole days, the last of which is today.
TODAY = int(time.time()) // DAY * DAY
RANGE = {"start_time": TODAY - 2 * DAY, "end_time": TODAY + DAY}
PROJECTS, USERS = ["project_id"], ["user_id", "api_key_id"]

#: Of each kind: what an event of it says beside whose it is, how a row of it is called, and what is counted.
KINDS = {
    "completions": (
        {"model": "m", "batch": True, "service_tier": "flex"},
        "organization.usage.completions.result",
        {"input_tokens": 70, "input_cached_tokens": 20, "output_tokens": 30, "input_audio_tokens": 5, "num_model_requests": 1},
    ),
    "embeddings": ({"model": "m"}, "organization.usage.embeddings.result", {"input_tokens": 7, "num_model_requests": 2}),
    "moderations": ({"model": "m"}, "organization.usage.moderations.result", {"input_tokens": 8, "num_model_requests": 3}),
    "images": (
        {"model": "m", "size": "1024x1024", "source": "image.edit"},
        "organization.usage.images.result",
        {"images": 4, "num_model_requests": 1},
    ),
    "audio_speeches": ({"model": "m"}, "organization.usage.audio_speeches.result", {"characters": 90, "num_model_requests": 1}),
    "audio_transcriptions": ({"model": "m"}, "organization.usage.audio_transcriptions.result", {"seconds": 60, "num_model_requests": 1}),
    "vector_stores": ({}, "organization.usage.vector_stores.result", {"usage_bytes": 1 << 30}),
    "code_interpreter_sessions": ({}, "organization.usage.code_interpreter_sessions.result", {"num_sessions": 5}),
    "file_search_calls": ({"vector_store_id": "vs_1"}, "organization.usage.file_searches.result", {"num_requests": 6}),
    "web_search_calls": (
        {"model": "m", "context_level": "low"},
        "organization.usage.web_searches.result",
        {"num_model_requests": 1, "num_requests": 2},
    ),
}
#: Events of these say which project they belong to, and nothing closer.
OF_A_PROJECT = ("vector_stores", "code_interpreter_sessions")
PRICES = ["m input_tokens=0.10/1000 images=0.04", "code_interpreter_sessions=0.03"]


@pytest.fixture(scope="module")
def server():
    with filled_server(people=3, projects=2, prices=PRICES) as server:
        yield server


@pytest.fixture(scope="module")
def used(server, client):
    """Two events of every kind: one at the beginning of the range, in one project, and one now, in another."""
    projects = [client.admin.organization.projects.create(name=name).id for name in ["Used first", "Used now"]]
    users = [user["id"] for user in server.people["users"][:2]]
    times = [RANGE["start_time"], int(time.time())]
    events = [
        {"id": f"{kind}-{place}", "time": times[place], "kind": kind, "project_id": projects[place], **of(place, kind, users)}
        | said
        | measures
        for kind, (said, _, measures) in KINDS.items()
        for place in (0, 1)
    ]
    for accepted, duplicates in [(len(events), 0), (0, len(events))]:
        answer = server.ask("POST", "/rollbook/v1/usage_events", events)
        assert (answer["accepted"], answer["duplicates"], answer["refused"]) == (accepted, duplicates, 0), answer
    return SimpleNamespace(projects=projects, users=users)


def of(place, kind, users):
    """Whose an event is, as far as its kind says it."""
    if kind in OF_A_PROJECT:
        return {}
    return {"user_id": users[place], "api_key_id": f"key_{place}"}


def walk(method, **query):
    """All buckets of an answer, page by page."""
    page = method(**query)
    buckets = list(page.data)
    while page.has_more:
        page = method(**query, page=page.next_page)
        buckets += page.data
    assert page.next_page is None
    return buckets


def assert_contiguous(buckets, width):
    for bucket in buckets:
        assert (bucket.object, bucket.end_time - bucket.start_time) == ("bucket", width)
    starts = [bucket.start_time for bucket in buckets]
    assert starts == list(range(starts[0], starts[0] + len(starts) * width, width))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_usage_is_walked_to_its_end(organization, used, kind):
    said, name, measures = KINDS[kind]
    method = getattr(organization.usage, kind)
    whose = PROJECTS if kind in OF_A_PROJECT else PROJECTS + USERS
    grouped = {"project_id": used.projects, "user_id": used.users, "api_key_id": ["key_0", "key_1"]}
    for limit in [1, 2, 31]:
        buckets = walk(method, **RANGE, limit=limit, group_by=[*whose, *said])
        assert_contiguous(buckets, DAY)
        assert [len(bucket.results) for bucket in buckets] == [1, 0, 1]
        for place, bucket in enumerate([buckets[0], buckets[2]]):
            (row,) = bucket.results
            assert row.object == name
            assert {measure: getattr(row, measure) for measure in measures} == measures
            assert {dimension: getattr(row, dimension) for dimension in said} == said
            assert {dimension: getattr(row, dimension) for dimension in whose} == {
                dimension: grouped[dimension][place] for dimension in whose
            }
    (row,) = [row for bucket in walk(method, **RANGE) for row in bucket.results if bucket.start_time == TODAY]
    assert (row.object, row.project_id) == (name, None), "not grouped"
    filtered = walk(method, **RANGE, project_ids=used.projects[:1])
    assert [len(bucket.results) for bucket in filtered] == [1, 0, 0]
    assert [bucket.results for bucket in walk(method, **RANGE, project_ids=["proj_unknown"])] == [[]] * 3


@pytest.mark.parametrize("width, seconds, limit", [("1h", 3600, 50), ("1m", 60, 1440)])
def test_hours_and_minutes_add_up_to_the_days(organization, used, width, seconds, limit):
    buckets = walk(organization.usage.completions, **RANGE, bucket_width=width, limit=limit)
    assert_contiguous(buckets, seconds)
    assert len(buckets) == 3 * DAY // seconds
    assert sum(row.input_tokens for bucket in buckets for row in bucket.results) == 140
    assert buckets[0].results[0].input_uncached_tokens == 50


def test_a_long_answer_arrives_compressed(server, organization, used):
    begin, keys = RANGE["start_time"] - 10 * DAY, [f"key_{number:03}" for number in range(200)]
    event = {"time": begin, "kind": "completions", "project_id": used.projects[0], "model": "m", "input_tokens": 7}
    events = [event | {"id": f"long {key}", "api_key_id": key} for key in keys]
    assert server.ask("POST", "/rollbook/v1/usage_events", events)["accepted"] == len(events)
    for width, limit in [("1d", 1), ("1m", 1440)]:
        query = {"start_time": begin, "bucket_width": width, "limit": limit, "group_by": ["api_key_id"]}
        answer = organization.usage.with_raw_response.completions(**query)
        assert answer.headers["content-encoding"] == "gzip"
        first, *others = answer.parse().data
        assert len(others) == limit - 1
        assert [(row.api_key_id, row.input_tokens) for row in first.results] == [(key, 7) for key in keys]


def test_costs_are_exact_and_walked_to_their_end(organization, used):
    buckets = walk(organization.usage.costs, **RANGE, limit=2, group_by=["project_id", "line_item"])
    assert_contiguous(buckets, DAY)
    first = {row.line_item: row for row in buckets[0].results}
    assert {item: Decimal(str(row.amount.value)) for item, row in first.items()} == {
        # 70, 7 and 8 tokens of three kinds at a hundredth of a cent.
        "m, input_tokens": Decimal("0.0085"),
        "m, images": Decimal("0.16"),
        "code_interpreter_sessions": Decimal("0.15"),
    }
    for row in first.values():
        assert (row.object, row.amount.currency, row.project_id) == ("organization.costs.result", "usd", used.projects[0])
    tokens, images = first["m, input_tokens"], first["m, images"]
    assert (tokens.quantity, tokens.quantity_unit) == (85, "tokens")
    assert (images.quantity, images.quantity_unit) == (4, "images")
    assert buckets[1].results == []
    by_key = organization.usage.costs(**RANGE, group_by=["api_key_id"]).data[0].results
    assert {row.api_key_id: Decimal(str(row.amount.value)) for row in by_key} == {"key_0": Decimal("0.1685"), None: Decimal("0.15")}
    assert {(row.line_item, row.quantity) for row in by_key} == {(None, None)}
    (whole,) = organization.usage.costs(**RANGE).data[2].results
    assert Decimal(str(whole.amount.value)) == Decimal("0.3185")


def test_what_cannot_be_answered_is_refused_by_name(organization, used):
    usage = organization.usage
    for ask, code, param in [
        (lambda: usage.completions(**RANGE, limit=32), "invalid_request_error", None),
        (lambda: usage.costs(**RANGE, limit=181), "invalid_request_error", None),
        (lambda: usage.completions(**RANGE, group_by=["size"]), "invalid_value", "group_by"),
        (lambda: usage.completions(**RANGE, page="page_nonsense"), "invalid_value", "page"),
        (lambda: usage.costs(**RANGE, bucket_width="1h"), "invalid_value", "bucket_width"),
    ]:
        with pytest.raises(openai.BadRequestError) as refused:
            ask()
        assert refused.value.code == code
        if param:
            assert refused.value.param == param
    token = usage.completions(**RANGE, limit=1).next_page
    with pytest.raises(openai.BadRequestError) as refused:
        usage.embeddings(**RANGE, limit=1, page=token)
    assert refused.value.param == "page"


def test_a_key_needs_the_scope_of_usage(server, organization, used):
    made = organization.admin_api_keys.create(
        name="Not for usage", extra_body={"scopes": ["api.management.read", "api.management.write"]}
    )
    with server.client(key=made.value) as stranger, pytest.raises(openai.PermissionDeniedError) as refused:
        stranger.admin.organization.usage.completions(**RANGE)
    assert "api.usage.read" in str(refused.value)
