"""Runs an emulator, and reads what its page shows."""

import contextlib
import json
import os
import re
import subprocess
import urllib.request

from openai import OpenAI

from server import BUILT, ROOT, clean_environment

PAGE = ROOT / "docs/emulator.md"
START = "2026-01-01T00:00:00Z"


class Emulator:
    """A running emulator: where it is, its key, and its own operations."""

    def __init__(self, environment):
        self.base_url = environment["OPENAI_BASE_URL"]
        self.key = environment["OPENAI_ADMIN_KEY"]

    def client(self, **options):
        """An official client that reports every difference between a response and its declared type."""
        options = {"timeout": 30, **options}
        return OpenAI(
            admin_api_key=self.key, base_url=self.base_url, _strict_response_validation=True, **options
        )

    def ask(self, method, operation, body=None):
        """One of the emulator's own operations."""
        url = self.base_url.removesuffix("/v1") + "/rollbook/v1/emulator" + operation
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=30) as answer:
            return json.load(answer)

    def fail(self, fault, **order):
        """Orders a fault."""
        return self.ask("POST", "/faults", {"fault": fault, **order})

    def left(self):
        """How many requests have yet to fail, for each order."""
        return [order["remaining"] for order in self.ask("GET", "/faults")["data"]]


@contextlib.contextmanager
def emulator(*flags):
    """An emulator whose clock stands still."""
    command = [BUILT / "rollbook", "emulate", "--port", "0", "--clock", START, *flags]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline().strip() for _ in range(2)]
        yield Emulator(dict(line.split("=", 1) for line in lines))
        process.terminate()
        assert process.wait(timeout=30) == 0


def block(language, heading):
    """The only block of code in this language below this heading of the page."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (code,) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return code


def with_program():
    """The environment of somebody who has the program on their path, and no settings."""
    return clean_environment(PATH=f"{BUILT}{os.pathsep}{os.environ['PATH']}")
