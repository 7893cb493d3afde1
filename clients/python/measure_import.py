"""Measures a large import beside a serving process. Not a test: it states figures and judges none.

    .venv/bin/python measure_import.py [PEOPLE] [FOLDER]

makes a file of PEOPLE people with one membership each (10^6 by default) and a SQLite store in FOLDER, serves the store,
imports the file beside the server while a client creates one project after another through the API, and starts the server again.
"""

import http.client
import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from server import TARGET, listening_address


def write_file(path, people):
    chance = random.Random(3)
    numbers = list(range(people))
    chance.shuffle(numbers)
    with path.open("w") as file:
        file.write("email,name,role,project,project_role\n")
        for number in numbers:
            project = chance.randrange(max(people // 500, 1))
            file.write(f"person{number:07}@example.com,Person Number {number},reader,Project {project:05},member\n")


def peak_memory(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


class Writer(threading.Thread):
    """Creates projects, one after another, until it is told to stop."""

    def __init__(self, address, key):
        super().__init__()
        self.address, self.key = address, key
        self.waits, self.over = [], threading.Event()

    def run(self):
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        while not self.over.is_set():
            body = json.dumps({"name": f"beside the import {len(self.waits)}"})
            begun = time.perf_counter()
            connection.request("POST", "/v1/organization/projects", body, headers)
            response = connection.getresponse()
            response.read()
            self.waits.append(time.perf_counter() - begun)
            assert response.status == 200, response.status


def start(url, environment):
    begun = time.perf_counter()
    process = subprocess.Popen(
        [TARGET / "release/rollbook", "serve", "--listen", "127.0.0.1:0", "--database", url, "--log-level", "info"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = listening_address(process.stderr, [])
    threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    return process, address, time.perf_counter() - begun


def import_beside(url, file, address, key, environment):
    writer = Writer(address, key)
    writer.start()
    begun = time.perf_counter()
    importing = subprocess.Popen([TARGET / "release/rollbook", "import", file, "--database", url], env=environment)
    peak = 0
    while importing.poll() is None:
        try:
            peak = max(peak, peak_memory(importing))
        except (OSError, TypeError):
            pass
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    writer.over.set()
    writer.join()
    assert importing.returncode == 0
    waits = sorted(writer.waits)
    print(f"import: {seconds:.1f} s, peak memory {peak:.0f} MiB")
    print(
        f"API writes beside it: {len(waits)}, median {waits[len(waits) // 2] * 1000:.1f} ms, "
        f"p99 {waits[len(waits) * 99 // 100] * 1000:.1f} ms, longest {waits[-1] * 1000:.0f} ms"
    )


def main(people, folder):
    file, url, key = folder / "people.csv", f"sqlite:{folder}/rollbook.db", "sk-admin-" + secrets.token_hex(32)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROLLBOOK_")}
    environment["ROLLBOOK_BOOTSTRAP_KEY"] = key
    write_file(file, people)
    server, address, _ = start(url, environment)
    import_beside(url, file, address, key, environment)
    print(f"server: peak memory {peak_memory(server):.0f} MiB")
    server.terminate()
    server.wait()
    server, _, seconds = start(url, environment)
    print(f"start to ready: {seconds:.2f} s; load {os.getloadavg()[0]:.1f}")
    server.terminate()
    server.wait()


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory(prefix="rollbook-import-") as name:
            main(count, Path(name))
