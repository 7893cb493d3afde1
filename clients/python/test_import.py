"""`rollbook import` brings an organization in, and the official client finds in it what the file says, and nothing else.

The file is made up here, or the one that ROLLBOOK_IMPORT_CSV names.
"""

import csv
import json
import os
import random
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from server import BUILT, clean_environment, fresh_store, start

COLUMNS = ["email", "name", "role", "project", "project_role"]
OWNER = "owner@localhost"
DEFAULT_PROJECT = "Default project"


def made_up(path):
    """400 people: some in no project, some in many, some owners of the organization, with names that need quoting."""
    chance = random.Random(7)
    projects = [f"Project {number}, part \"{number % 3}\"" for number in range(60)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(400):
            person = [f"Person{number}@example.com", f"Zoë, {number}", "owner" if number % 40 == 0 else "reader"]
            joined = chance.sample(projects, chance.choice([0, 1, 1, 2, 20]))
            for project in joined:
                writer.writerow([*person, project, chance.choice(["owner", "member"])])
            if not joined:
                writer.writerow([*person, "", ""])


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    if named := os.environ.get("ROLLBOOK_IMPORT_CSV"):
        return Path(named).resolve()
    path = tmp_path_factory.mktemp("import") / "people.csv"
    made_up(path)
    return path


class Expected:
    """What the file says, by address in lower case."""

    def __init__(self, path):
        self.people, self.names, self.projects = {}, {}, defaultdict(dict)
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                email = row["email"].lower()
                self.people[email] = row["role"]
                if row["name"]:
                    self.names[email] = row["name"]
                if row["project"]:
                    self.projects[row["project"]][email] = row["project_role"]

    @property
    def memberships(self):
        return sum(map(len, self.projects.values()))


@pytest.fixture(scope="module")
def expected(file):
    return Expected(file)


@pytest.fixture(scope="module")
def store():
    with fresh_store() as url:
        yield url


def run_import(file, url, folder):
    """The report of one import."""
    command = [BUILT / "rollbook", "import", file, "--database", url, "--key-file", folder / "key", "--json"]
    done = subprocess.run(command, env=clean_environment(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def reports(file, store, tmp_path_factory):
    """The reports of two imports of the same file, and the key that the first one left."""
    folder = tmp_path_factory.mktemp("key")
    first, second = run_import(file, store, folder), run_import(file, store, folder)
    return first, second, (folder / "key").read_text().strip()


@pytest.fixture(scope="module")
def server(store, reports):
    with start(store, key=reports[2]) as server:
        yield server


def count(all, added):
    return {"in_file": all, "added": added, "updated": 0, "unchanged": all - added}


def test_the_reports(reports, expected):
    first, second, _ = reports
    for kind, all in [
        ("people", len(expected.people)),
        ("projects", len(expected.projects)),
        ("memberships", expected.memberships),
    ]:
        assert first[kind] == count(all, added=all)
        assert second[kind] == count(all, added=0)
    assert first["rows"]["skipped"] == first["fault_count"] == 0


def test_the_people(organization, expected):
    users = {user.email.lower(): user for user in organization.users.list(limit=100)}
    assert {email: user.role for email, user in users.items()} == {**expected.people, OWNER: "owner"}
    assert {email: users[email].name for email in expected.names} == expected.names


def test_every_project(organization, expected):
    projects = list(organization.projects.list(limit=100))
    assert len(projects) == len(expected.projects) + 1
    found = {}
    for project in projects:
        members = organization.projects.users.list(project.id, limit=100)
        found[project.name] = {member.email.lower(): member.role for member in members}
    assert found.pop(DEFAULT_PROJECT) == {OWNER: "owner"}
    assert found == expected.projects
