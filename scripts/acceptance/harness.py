"""Starts the real program with an empty database, sends HTTP requests to it, and counts the checks.

Uses only Python's standard library, so that every check runs on a new machine.
"""

import argparse
import csv
import http.client
import io
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30
ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery staple 7"
# Groups of routes with a rate limit of their own.
LIMITED = ["LOGIN", "INGEST", "READ", "ANALYTICS", "CHANGE", "ADMINISTER", "PUBLIC", "REFUSED"]


class Checks:
    """Counts checks and prints each failure at once. People and CI read the closing line."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def that(self, holds, what, detail=""):
        """One check: `holds` must be true. `what` names the expectation, `detail` the observation."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}" + (f": {detail}" if detail != "" else ""), flush=True)
        return bool(holds)

    def equal(self, got, expected, what):
        """One check: `got` must equal `expected`."""
        return self.that(got == expected, what, f"expected {shown(expected)}, got {shown(got)}")

    def finish(self):
        """Prints the closing line. Returns the exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1


def shown(value, most=1500):
    """The text of a value in a failure, cut to `most` characters."""
    text = repr(value)
    return text if len(text) <= most else text[:most] + f"… ({len(text)} characters)"


@dataclass
class Answer:
    """One HTTP response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def content_type(self):
        """The media type in lower case, without parameters; empty if there is none."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    def __repr__(self):
        return f"{self.status} {self.content_type} {self.body[:600]!r}"


class Database:
    """An empty database for one server: a SQLite file, or a new database on a PostgreSQL server."""

    def __init__(self, kind, folder):
        self.kind = kind
        if kind == "sqlite":
            self.file = folder / "trailkeeper.db"
            self.url = f"sqlite:{self.file}"
            return
        base = os.environ.get("TRAILKEEPER_TEST_POSTGRES_URL")
        if not base:
            sys.exit("--database postgres needs a server: run this under scripts/with-postgres")
        self.base = base
        self.name = f"trailkeeper_{secrets.token_hex(6)}"
        self.url = urlunsplit(urlsplit(base)._replace(path=f"/{self.name}"))
        psql(base, f"CREATE DATABASE {self.name}")

    def rows(self, sql):
        """The rows of a query, each value as text, read by SQLite's and PostgreSQL's own clients instead of ours."""
        if self.kind == "postgres":
            return psql(self.url, sql)
        # Closed at once. A connection that stays open after the server is killed keeps the old index of the log in use,
        # and hides the last commit, which the server wrote to the log but not yet to the index.
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)) as connection:
            return [tuple("" if value is None else str(value) for value in row) for row in connection.execute(sql)]

    def change(self, sql):
        """Runs a statement that changes rows, bypassing the server."""
        if self.kind == "postgres":
            psql(self.url, sql)
            return
        with closing(sqlite3.connect(self.file, timeout=30)) as connection:
            connection.execute(sql)
            connection.commit()

    def remove(self):
        """Drops a PostgreSQL database. A SQLite file is removed with its folder."""
        if self.kind == "postgres":
            psql(self.base, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def psql(url, sql):
    """Runs SQL with PostgreSQL's own client. Returns rows of texts."""
    command = ["psql", "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]


class Server:
    """The program, serving an empty database on a free loopback port. Use it in a `with` statement."""

    def __init__(self, checks, database="sqlite", **settings):
        self.checks = checks
        self.program = Path(os.environ.get("TRAILKEEPER_BIN") or ROOT / "target/debug/trailkeeper").resolve()
        if not self.program.is_file():
            sys.exit(f"there is no {self.program}; run 'make build', or name the program in TRAILKEEPER_BIN")
        self.folder = Path(tempfile.mkdtemp(prefix="trailkeeper-check."))
        self.data = self.folder / "data"
        self.database = Database(database, self.data)
        self.log = self.folder / "server.log"
        self.process = None
        self.logger = None
        self.port = free_port()
        self.settings = {key: value for key, value in os.environ.items() if not key.startswith("TRAILKEEPER_")}
        self.settings |= {
            "TRAILKEEPER_LISTEN": f"127.0.0.1:{self.port}",
            "TRAILKEEPER_DATABASE_URL": self.database.url,
            "TRAILKEEPER_DATA_DIR": str(self.data),
            "TRAILKEEPER_ADMIN_EMAIL": ADMIN_EMAIL,
            "TRAILKEEPER_ADMIN_PASSWORD": ADMIN_PASSWORD,
            # Soon, so that a check sees sheets of the events that it sent, and kills the server while it merges.
            "TRAILKEEPER_MERGE_WITHIN": "1",
            # Off: the checks send more requests than any normal program, and fail to log in on purpose. limits.py turns
            # them on.
            "TRAILKEEPER_LOGIN_DELAYS": "false",
        }
        self.settings |= {f"TRAILKEEPER_LIMIT_{group}": "0" for group in LIMITED}
        self.settings |= {f"TRAILKEEPER_{name.upper()}": str(value) for name, value in settings.items()}
        self.admin = None

    def __enter__(self):
        self.start()
        self.admin = self.token("admin")
        return self

    def __exit__(self, kind, error, trace):
        try:
            if self.process is not None:
                self.checks.equal(self.stop(), 0, "the server ends cleanly on SIGTERM")
            log = self.log.read_text(errors="replace")
            quiet = self.checks.that("panicked at" not in log, "no panic in the server's log")
            if isinstance(error, Exception) or not quiet:
                print(f"--- the end of the server's log\n{log[-6000:]}\n---", flush=True)
        finally:
            self.database.remove()
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Starts the program and waits until it is ready."""
        # Log through a pipe, and pass on that Python ignores SIGXFSZ: a limit on file sizes then makes writes of the
        # database fail, and neither affects the log nor sends a signal.
        self.process = subprocess.Popen(
            [self.program, "serve"], env=self.settings, cwd=self.folder, restore_signals=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.logger = threading.Thread(target=self.keep_log, args=(self.process.stdout,))
        self.logger.start()
        if not self.wait_for("/readyz", 200, START_SECONDS):
            print(self.log.read_text(errors="replace")[-6000:])
            self.stop()
            sys.exit(f"the server was not ready within {START_SECONDS} s; its log is above")

    def keep_log(self, lines):
        """Copies the output of the program into the log, line by line."""
        with self.log.open("ab", buffering=0) as log, lines:
            for line in lines:
                log.write(line)

    def stop(self):
        """Ends the program by SIGTERM. Returns its exit status."""
        process, self.process = self.process, None
        process.terminate()
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "killed, because it did not end within 30 s"
        finally:
            self.logger.join()

    def wait_for(self, path, status, seconds):
        """Requests `path` until it responds with `status`, for at most `seconds`. Returns whether it did."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.send("GET", path).status == status:
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        return False

    def command(self, *arguments, stdin=None, timeout=300):
        """Runs another command of the program on the same database, while the server runs."""
        return subprocess.run(
            [self.program, *arguments], env=self.settings, cwd=self.folder,
            input=stdin, capture_output=True, timeout=timeout, check=False,
        )

    def command_json(self, *arguments):
        """The output of a command with `--json`."""
        done = self.command(*arguments, "--json")
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)

    def token(self, role, tenant=None):
        """A new API token."""
        scope = [] if tenant is None else ["--tenant", tenant]
        return self.command_json("token", "create", "--role", role, "--name", f"check-{role}", *scope)["token"]

    def connection(self):
        """A connection to the server. It is not open yet."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def send(self, method, path, body=None, headers=None, host=None):
        """Sends one request on a new connection. `path` is sent unchanged."""
        connection = self.connection()
        try:
            connection.putrequest(method, path, skip_host=host is not None, skip_accept_encoding=True)
            if host is not None:
                connection.putheader("Host", host)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if body:
                try:
                    connection.send(body)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # A server may reject a body before it has read all of it; the response has the reason.
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def ask(self, method, path, body=None, query=None, token=None, headers=None):
        """Sends a request with the administrator's token (or another; "" for none) and a JSON body.

        Every response must have the two headers by which a request is found in the logs.
        """
        sent = dict(headers or {})
        if token != "":
            sent.setdefault("Authorization", f"Bearer {token or self.admin}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if query:
            path = f"{path}?{urlencode(query, doseq=True, quote_via=quote)}"
        answer = self.send(method, path, body, sent)
        traced, requested = answer.headers.get("X-Saasus-Trace-Id"), answer.headers.get("X-Request-Id")
        self.checks.that(
            traced and traced == requested, f"{method} {path[:80]} carries one trace id in both headers",
            f"X-Saasus-Trace-Id {traced!r}, X-Request-Id {requested!r}",
        )
        return answer


def free_port():
    """A loopback port on which no program listens at present."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def arguments(description, *more):
    """Parses the command line of a check. `more` has further options: (name, settings)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite",
                        help="which database the server uses (postgres: under scripts/with-postgres)")
    for name, settings in more:
        parser.add_argument(name, **settings)
    # By default, SIGTERM ends Python at once. This handler also stops the server and removes its folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return parser.parse_args()
