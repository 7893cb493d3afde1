"""A change is acknowledged only after the kernel said that it is on the disk.

The server runs under strace. In the order in which the kernel saw them, these must follow each other for every change:
the write of the change into SQLite's log, a sync of the log that begins after it, the return of that sync, and only then
the write of the response into the client's socket.
"""

import http.client
import json
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from server import fresh_file, serve

CHANGES = 20
CALLS = "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg"


@dataclass
class Call:
    """One system call. `begun` and `ended` are line numbers of the trace, which strace writes in the order of events."""

    name: str
    begun: int
    ended: int
    text: str
    result: str


def calls_of(lines):
    """The calls of a trace. A call during which another thread was seen stands on two lines."""
    calls, unfinished = [], {}
    for number, line in enumerate(lines):
        thread, _, rest = line.split(maxsplit=2)
        if found := re.fullmatch(r"(\w+)\((.*) <unfinished \.\.\.>", rest):
            unfinished[thread] = Call(found[1], number, number, found[2], "")
            calls.append(unfinished[thread])
        elif found := re.fullmatch(r"<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)", rest):
            call = unfinished.pop(thread)
            assert call.name == found[1]
            call.ended, call.text, call.result = number, call.text + found[2], found[3]
        elif found := re.fullmatch(r"(\w+)\((.*)\)\s+= (.*)", rest):
            calls.append(Call(found[1], number, number, found[2], found[3]))
    return calls


def is_log_write(call, change):
    return call.name == "pwrite64" and re.match(r"\d+<[^>]*-wal>", call.text) and change in call.text


def is_sync(call):
    return call.name in ("fsync", "fdatasync") and re.match(r"\d+<[^>]*\.db(-wal)?>", call.text) and call.result == "0"


def is_answer(call, port):
    to_client = re.match(rf"\d+<TCP:\[[^\]]*->127\.0\.0\.1:{port}\]>", call.text)
    return to_client and '"HTTP/1.1 200 OK' in call.text


def check(lines, port, changes):
    """Fails unless every one of `changes`, sent one after another from `port`, was synced before it was answered."""
    calls = calls_of(lines)
    answers = [call for call in calls if is_answer(call, port)]
    assert len(answers) == len(changes), "one response for each change"
    previous = -1
    for change, answer in zip(changes, answers):
        window = [call for call in calls if previous < call.begun < answer.begun]
        writes = [call for call in window if is_log_write(call, change)]
        assert writes, f"{change} was answered without a write to the log"
        written = max(call.ended for call in writes)
        assert any(is_sync(call) and written < call.begun and call.ended < answer.begun for call in window), (
            f"{change} was answered before it was synced"
        )
        previous = answer.begun


def test_changes_are_synced_before_they_are_answered(tmp_path):
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-tt", "-e", f"trace={CALLS}", "-e", "signal=none", "-yy", "-s", "8192", "-o", trace]
    changes = [f"synced-{number:02}-{secrets.token_hex(8)}" for number in range(CHANGES)]
    with fresh_file() as url, serve(url, people=1, projects=1, tracer=strace) as server:
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
        connection.connect()
        port = connection.sock.getsockname()[1]
        for change in changes:
            connection.request(
                "POST",
                "/v1/organization/projects",
                json.dumps({"name": change}),
                {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            body = json.load(response)
            assert (response.status, body.get("name")) == (200, change)
        assert connection.sock.getsockname()[1] == port, "one connection for all"
        connection.close()
    check(trace.read_text().splitlines(), port, changes)


# The check itself: what it must accept, and what it must not.

WRITE = '7 10:00:00.1 pwrite64(5</d/r.db-wal>, "a change", 4096, 32) = 4096'
SYNC = "7 10:00:00.2 fdatasync(5</d/r.db-wal>) = 0"
SYNC_BEGINS = "7 10:00:00.2 fdatasync(5</d/r.db-wal> <unfinished ...>"
SYNC_RETURNS = "7 10:00:00.4 <... fdatasync resumed>) = 0"
ANSWER = r'8 10:00:00.3 writev(9<TCP:[127.0.0.1:80->127.0.0.1:4000]>, [{iov_base="HTTP/1.1 200 OK\r\n", iov_len=17}], 1) = 17'


@pytest.mark.parametrize(
    "lines",
    [
        [WRITE, SYNC, ANSWER],
        [WRITE, SYNC_BEGINS, SYNC_RETURNS, ANSWER],
        [WRITE, SYNC_BEGINS, "8 10:00:00.3 write(3<pipe:[1]>, \"x\", 1) = 1", SYNC_RETURNS, ANSWER],
    ],
)
def test_the_check_accepts(lines):
    check(lines, 4000, ["a change"])


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [WRITE, SYNC],
        [WRITE, ANSWER],
        [SYNC, ANSWER],
        [SYNC, WRITE, ANSWER],
        [WRITE, ANSWER, SYNC],
        [WRITE, SYNC_BEGINS, ANSWER, SYNC_RETURNS],
        [SYNC_BEGINS, WRITE.replace("7 ", "6 ", 1), SYNC_RETURNS, ANSWER],
        [WRITE, SYNC.replace("= 0", "= -1 EIO (Input/output error)"), ANSWER],
        [WRITE, SYNC.replace("r.db-wal", "other"), ANSWER],
        [WRITE.replace("a change", "other"), SYNC, ANSWER],
        [WRITE, SYNC, ANSWER.replace("127.0.0.1:4000", "127.0.0.1:4001")],
    ],
)
def test_the_check_refuses(lines):
    with pytest.raises(AssertionError):
        check(lines, 4000, ["a change"])
