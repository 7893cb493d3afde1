"""What `scripts/fuzz-wire` adds to schemathesis: ids that exist, and that whatever is refused changes nothing.

One worker sends one request after the other, so the state before a request is the state after the one before it.
"""

import atexit
import json
import os
import urllib.request
from pathlib import Path

import schemathesis

ORIGIN = os.environ["FUZZ_ORIGIN"]
COUNT = Path(os.environ["FUZZ_COUNT"])
# So that the store stays small, and what one half of the requests removed is there again for the other half.
RESET_EVERY = 400

seen = {"requests": 0, "refused": 0, "changed": 0}


def ask(method, operation):
    request = urllib.request.Request(f"{ORIGIN}/rollbook/v1/emulator{operation}", method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def digest():
    return ask("GET", "/state")["sha256"]


def warmed():
    """The state of a fresh organization, whose key was used: that is noted, and would look like a change of a refused request."""
    ask("POST", "/reset")
    key = {"authorization": f"Bearer {os.environ['FUZZ_KEY']}"}
    urllib.request.urlopen(urllib.request.Request(f"{ORIGIN}/v1/organization/users", headers=key), timeout=30).close()
    return digest()


state = warmed()


def known(name, value):
    """Something that exists in three of four cases, which follows from what was to be sent. In this seed the id of each thing is the
    name of the parameter that stands for it."""
    return value if sum(str(value).encode()) % 4 == 3 else name


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return {name: known(name, value) for name, value in (path_parameters or {}).items()} or path_parameters


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict):
        return body
    is_id = lambda name, value: name.endswith("_id") and isinstance(value, str)
    return {name: known(name, value) if is_id(name, value) else value for name, value in body.items()}


@schemathesis.check
def refused_changes_nothing(ctx, response, case):
    global state
    seen["requests"] += 1
    before, state = state, digest()
    seen["changed"] += state != before
    if response.status_code >= 400:
        seen["refused"] += 1
        assert state == before, f"{response.status_code}, and yet something changed"
    if case.method.upper() == "GET":
        assert state == before, "a read changed something"
    if seen["requests"] % RESET_EVERY == 0:
        state = warmed()


atexit.register(lambda: COUNT.write_text(json.dumps(seen)))
