"""The emulator in the hands of the official client, and its page as it is written."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import openai
import pytest

from emulator import block, emulator, with_program

USERS = "/v1/organization/users"


@pytest.fixture(scope="module")
def emulated():
    with emulator() as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(emulated):
    emulated.ask("POST", "/reset")


def test_a_client_outlives_two_refusals_and_a_cut_connection(emulated):
    emulated.fail("rate_limit", times=2, method="GET", path=USERS, retry_after_ms=20)
    emulated.fail("cut", method="GET", path=USERS)
    with emulated.client(max_retries=3) as client:
        people = client.admin.organization.users.list().data
    assert [person.email for person in people] == ["ada@example.com", "bob@example.com", "eve@example.com"]
    assert emulated.left() == [0, 0]


def test_a_client_that_may_not_try_again_tells_what_failed(emulated):
    emulated.fail("rate_limit", method="GET", path=USERS, retry_after=7)
    emulated.fail("server_error", method="GET", path=USERS)
    emulated.fail("unavailable", method="GET", path=USERS)
    emulated.fail("cut", method="GET", path=USERS)
    emulated.fail("delay", method="GET", path=USERS, delay_ms=2000)
    with emulated.client(max_retries=0) as client:
        users = client.admin.organization.users
        with pytest.raises(openai.RateLimitError) as caught:
            users.list()
        assert caught.value.code == "rate_limit_exceeded"
        assert caught.value.response.headers["retry-after"] == "7"
        with pytest.raises(openai.InternalServerError) as caught:
            users.list()
        assert caught.value.status_code == 500
        with pytest.raises(openai.InternalServerError) as caught:
            users.list()
        assert caught.value.status_code == 503
        with pytest.raises(openai.APIConnectionError):
            users.list()
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.2).admin.organization.users.list()
    assert emulated.left() == [0, 0, 0, 0, 0]


def test_a_change_that_was_made_before_the_connection_ended_is_made_once_more(emulated):
    """What a client that tries again cannot know, and what its tests can find out here."""
    projects = "/v1/organization/projects"
    emulated.fail("cut", method="POST", path=projects, after=True)
    with emulated.client(max_retries=1) as client:
        client.admin.organization.projects.create(name="Twice")
        names = [project.name for project in client.admin.organization.projects.list()]
    assert names.count("Twice") == 2


def test_time_passes_when_told(emulated):
    with emulated.client() as client:
        invites = client.admin.organization.invites
        invite = invites.create(email="new@example.com", role="reader")
        emulated.ask("POST", "/clock", {"advance_seconds": invite.expires_at - invite.created_at})
        assert invites.retrieve(invite.id).status == "expired"


def test_what_is_refused_leaves_the_state_alone(emulated):
    with emulated.client() as client:
        client.admin.organization.users.list()
        before = emulated.ask("GET", "/state")
        with pytest.raises(openai.NotFoundError):
            client.admin.organization.users.delete("user-nobody")
        assert emulated.ask("GET", "/state") == before
        client.admin.organization.projects.create(name="Changed")
        assert emulated.ask("GET", "/state") != before


def test_the_page_shows_a_fixture_that_works(tmp_path):
    (tmp_path / "test_page.py").write_text(block("python", "In pytest"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path]
    done = subprocess.run(command, env=with_program(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def steps(workflow):
    """The shell of each step of a workflow that is written as the page writes it."""
    return [textwrap.dedent(text) for text in re.findall(r"run: \|\n((?: {10}.*\n)+)", workflow)]


def test_the_page_shows_steps_that_work(tmp_path):
    """As a runner does it: each step in a shell of its own, with what the steps before it left in the environment."""
    start, test = steps(block("yaml", "In GitHub Actions"))
    kept = tmp_path / "environment"
    kept.touch()
    environment = with_program() | {"GITHUB_ENV": str(kept)}
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    # The emulator outlives its step, so this one says which process it is.
    start += 'echo $! > emulator.pid\n'
    subprocess.run([*shell, start], cwd=tmp_path, env=environment, check=True)
    try:
        environment |= dict(line.split("=", 1) for line in kept.read_text().splitlines())
        done = subprocess.run([*shell, test], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
        assert '"name":"Search"' in done.stdout
    finally:
        os.kill(int((tmp_path / "emulator.pid").read_text()), signal.SIGTERM)
