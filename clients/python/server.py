"""Runs a server of one's own, filled with made-up people, on a fresh store.

The store is a SQLite file, or a database of its own on the PostgreSQL server that ROLLBOOK_TEST_STORE names.
"""

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import tempfile
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from openai import OpenAI

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
# Nobody measures time here, so what the Rust tests have built already does.
BUILT = TARGET / "debug"
POPULATE = BUILT / "examples/populate"


@dataclass
class Server:
    """A running server: where it listens, the key of its owner, and who was put into its store, if that is known."""

    address: str
    key: str
    people: dict

    @property
    def base_url(self):
        return f"{self.address}/v1"

    def client(self, kind=OpenAI, *, key=None, **options):
        """An official client of this server that reports every difference between a response and its declared type.

        It does not try again by itself unless asked to: a test sees the first answer.
        """
        return kind(
            admin_api_key=key or self.key,
            base_url=self.base_url,
            _strict_response_validation=True,
            **{"max_retries": 0, "timeout": 30, **options},
        )

    def ask(self, method, path, body=None):
        """The answer to a request for which the official clients have no method."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def page(self, method, path):
        """A page as a browser gets it, without any key; a form is sent empty."""
        data = b"" if method == "POST" else None
        headers = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()


@contextlib.contextmanager
def filled_server(*, people, projects, models=(), prices=()):
    """A server over a fresh store that holds this many people and projects, with these models and prices of the operator."""
    with fresh_store() as url, serve(url, people=people, projects=projects, models=models, prices=prices) as server:
        yield server


@contextlib.contextmanager
def fresh_store():
    """The URL of an empty store, which is gone afterwards."""
    store = os.environ.get("ROLLBOOK_TEST_STORE", "file")
    if store == "file":
        with fresh_file() as url:
            yield url
    elif store.startswith(("postgres://", "postgresql://")):
        name = f"clients_{secrets.token_hex(8)}"
        with psycopg.connect(store, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            try:
                yield urlsplit(store)._replace(path=f"/{name}").geturl()
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    else:
        raise ValueError(f"ROLLBOOK_TEST_STORE is neither 'file' nor a PostgreSQL URL: {store!r}")


@contextlib.contextmanager
def fresh_file():
    """The URL of a SQLite file that does not exist yet, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="rollbook-clients-") as folder:
        yield f"sqlite:{folder}/rollbook.db"


@contextlib.contextmanager
def serve(url, *, people, projects, models=(), prices=(), tracer=()):
    """Fills the store at `url` and serves it, as a child of the command `tracer` if there is one."""
    key = "sk-admin-" + secrets.token_hex(32)
    filled = subprocess.run(
        [POPULATE, "--database", url, "--people", str(people), "--projects", str(projects)],
        env=clean_environment(ROLLBOOK_BOOTSTRAP_KEY=key),
        stdout=subprocess.PIPE,
        check=True,
    )
    people = json.loads(filled.stdout)
    with start(url, key=key, people=people, models=models, prices=prices, tracer=tracer) as server:
        yield server


def clean_environment(**additions):
    """The environment without settings of the surrounding shell."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ROLLBOOK_")} | additions


@contextlib.contextmanager
def start(url, *, key, people=None, models=(), prices=(), tracer=()):
    """Serves a store that has an organization, in which `key` is its owner's and `people` are in it."""
    settings = [part for model in models for part in ("--model", model)]
    settings += [part for price in prices for part in ("--price", price)]
    process = subprocess.Popen(
        [*tracer, BUILT / "rollbook", "serve", "--listen", "127.0.0.1:0", "--database", url, *settings],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = []
    drain = threading.Thread(target=lambda: log.extend(process.stderr))
    try:
        address = listening_address(process.stderr, log)
        drain.start()
        with urllib.request.urlopen(f"{address}/readyz", timeout=30) as ready:
            assert ready.status == 200
        yield Server(address, key, people)
        os.kill(server_id(process, tracer), signal.SIGTERM)
        assert process.wait(timeout=60) == 0, "".join(log)
    finally:
        if process.poll() is None:
            os.kill(server_id(process, tracer), signal.SIGKILL)
            process.wait()
        if drain.is_alive():
            drain.join()
        process.stderr.close()


def listening_address(stream, log):
    """Reads up to the line that says where the server listens."""
    for line in stream:
        log.append(line)
        if found := re.search(r"listening on (http://127\.0\.0\.1:\d+)", line):
            return found[1]
    raise AssertionError("the server ended before it listened:\n" + "".join(log))


def server_id(process, tracer):
    """The process id of the server itself. A tracer that is killed would leave it running."""
    if not tracer:
        return process.pid
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)
