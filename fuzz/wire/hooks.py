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

seen = {"requests": 0, "changed": 0}


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
def before_call(context, case, kwargs):
    if isinstance(case.path_parameters, dict):
        for name, value in case.path_parameters.items():
            case.path_parameters[name] = known(name, value)
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            if name.endswith("_id") and isinstance(value, str):
                case.body[name] = known(name, value)


@schemathesis.check
def no_server_error(ctx, response, case):
    """What exists in the API and is not built here is 501, which is no failure: a method that the document does not have may be one."""
    if response.status_code == 501:
        assert json.loads(response.content)["error"]["code"] == "not_implemented"
    else:
        assert response.status_code < 500, f"{response.status_code}"


@schemathesis.check
def refused_changes_nothing(ctx, response, case):
    global state
    seen["requests"] += 1
    seen[str(response.status_code)] = seen.get(str(response.status_code), 0) + 1
    before, state = state, digest()
    seen["changed"] += state != before
    if response.status_code >= 400:
        assert state == before, f"{response.status_code}, and yet something changed"
    if case.method.upper() == "GET":
        assert state == before, "a read changed something"
    if seen["requests"] % RESET_EVERY == 0:
        state = warmed()


atexit.register(lambda: COUNT.write_text(json.dumps(seen)))
