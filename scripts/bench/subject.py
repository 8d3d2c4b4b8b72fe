"""One program on one database: it is loaded, started, stopped, asked."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from databases import Postgres, Sqlite

START_SECONDS = 120
STOP_SECONDS = 120
# The longest wait for the merger to merge everything that waits.
MERGE_SECONDS = 600
# A server rests if it writes fewer bytes of log in so many seconds; leases are renewed all the time.
REST_BYTES, REST_SECONDS = 256 * 1024, 2
# `--merge-every` of a server that should not merge, and of one that should at once.
NEVER, AT_ONCE = 3_600, 1


class Subject:
    """A program on a database of its own, in a folder of its own."""

    def __init__(self, label, program, kind, folder):
        self.label = label
        self.kind = kind
        self.name = f"{label}/{kind}"
        self.program = program
        self.folder = folder / self.name.replace("/", "-")
        self.folder.mkdir(parents=True)
        data = self.folder / "data"
        self.database = Sqlite(data / "trailkeeper.db") if kind == "sqlite" else Postgres()
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("TRAILKEEPER_")}
        self.environment |= {
            "TRAILKEEPER_DATA_DIR": str(data),
            "TRAILKEEPER_DATABASE_URL": self.database.url,
            "TRAILKEEPER_LOG": "warn",
            # No limits: one client sends and asks all.
            "TRAILKEEPER_LIMIT_INGEST": "0",
            "TRAILKEEPER_LIMIT_READ": "0",
            "TRAILKEEPER_LIMIT_ANALYTICS": "0",
        }
        self.process = None
        self.address = None
        self.token = None
        self.operations = frozenset()

    def command(self, *arguments):
        """The output of a command of the program."""
        done = subprocess.run(
            [self.program, *arguments], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout

    def load(self, file, events):
        """Imports a file with so many events. Returns the seconds."""
        started = time.monotonic()
        summary = self.command("import", "events", str(file))
        seconds = time.monotonic() - started
        stored = re.search(r"^stored +([0-9]+)$", summary, re.MULTILINE)
        if not stored or int(stored[1]) != events:
            raise RuntimeError(f"{self.name}: the import did not store {events} events:\n{summary}")
        created = json.loads(self.command("token", "create", "--role", "admin", "--name", "bench", "--json"))
        self.token = created["token"]
        return seconds

    def start(self, **settings):
        """Starts the server and waits until it is ready."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        environment = self.environment | {"TRAILKEEPER_LISTEN": self.address}
        environment |= {f"TRAILKEEPER_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = subprocess.Popen(
            [self.program, "serve"], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=keep, args=(self.process.stdout, self.folder / "server.log"), daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "server.log").read_text(errors="replace")
                raise RuntimeError(f"{self.name}: the server is not ready; the end of its log:\n{log[-4_000:]}")
            time.sleep(0.05)
        self.operations = frozenset(self.get("/openapi.json")["paths"])

    def is_ready(self):
        """Whether the server says that it is."""
        try:
            return self.send("/readyz")[0] == 200
        except OSError:
            return False

    def stop(self):
        """Ends the server, if it runs. Returns its peak and last resident memory in MiB."""
        if self.process is None:
            return None
        memory = self.memory()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None
        return memory

    def memory(self):
        """Peak and present resident memory of the server in MiB; None where the system does not say."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        lines = dict(re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB$", status.read_text(), re.MULTILINE))
        return {"peak": int(lines["VmHWM"]) / 1024, "present": int(lines["VmRSS"]) / 1024}

    def settle(self):
        """Waits until the merger has merged what waits. Returns the number of rows that wait nevertheless."""
        deadline = time.monotonic() + MERGE_SECONDS
        while (waiting := self.database.waiting()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return waiting

    def rest(self):
        """Waits until the log hardly grows: the merger may merge runs after it has merged what waited."""
        deadline = time.monotonic() + MERGE_SECONDS
        position = self.database.log_position()
        while time.monotonic() < deadline:
            time.sleep(REST_SECONDS)
            position, before = self.database.log_position(), position
            if position - before < REST_BYTES:
                return

    def get(self, path):
        """The JSON of a response, whose status must be 200."""
        status, body = self.send(path, {"Authorization": f"Bearer {self.token}"})
        if status != 200:
            raise RuntimeError(f"{self.name}: GET {path}: {status} {body[:500]!r}")
        return json.loads(body)

    def send(self, path, headers=None):
        """Status and body of a response."""
        connection = http.client.HTTPConnection(self.address, timeout=600)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def remove(self):
        """Ends the server and drops a PostgreSQL database. The folder stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        self.database.remove()


def keep(lines, file):
    """Appends the output of a program to a file, as long as it runs."""
    with file.open("ab", buffering=0) as log, lines:
        for line in lines:
            log.write(line)
