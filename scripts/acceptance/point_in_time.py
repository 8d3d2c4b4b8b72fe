#!/usr/bin/env python3
"""Restores PostgreSQL to a point in time, and from a dump, after load by the real program, and compares counts by SQL.

    scripts/point-in-time

It makes a PostgreSQL server of its own that archives its log. A base backup is taken while events are stored, a time is noted,
more events follow, and a second server is restored to the noted time from the base backup and the archive.
"""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from harness import Checks, Server, free_port, psql

BATCH = 200
SENDERS = 3
BEFORE_BACKUP, BEFORE_TIME, AFTER_TIME = 10_000, 20_000, 10_000
EVENTS = "SELECT count(*), count(DISTINCT (tenant_id, id)), md5(string_agg(id::text, ',' ORDER BY id)) FROM event_log WHERE type = 'page_load'"
GROUPS = "SELECT tenant_id, page, count(*), count(DISTINCT user_id) FROM event_log WHERE type = 'page_load' GROUP BY 1, 2 ORDER BY 1, 2"
IDENTITY = "SELECT database_id FROM content_version"
NEW_IDENTITY = "UPDATE content_version SET database_id = gen_random_uuid(), changes = changes + 1"


class Cluster:
    """A PostgreSQL server on a free loopback port, which archives its log into a folder."""

    def __init__(self, folder, name, archive):
        self.bin = binaries()
        self.folder, self.data, self.archive = folder, folder / name, archive
        self.log, self.port = folder / f"{name}.log", free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        """Runs a program of PostgreSQL as its owner: it does not run as root."""
        owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        done = subprocess.run(
            [*owner, self.bin / program, *map(str, arguments)], cwd=self.folder, env=os.environ | {"HOME": str(self.folder)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr} {self.log.read_text()[-3000:] if self.log.exists() else ''}")

    def make(self):
        """A new data folder."""
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--encoding=UTF8", "--locale=C")
        self.set(
            listen_addresses="127.0.0.1", unix_socket_directories=str(self.folder), max_connections="100",
            archive_mode="on", archive_command=f'test ! -f "{self.archive}/%f" && cp "%p" "{self.archive}/%f"',
        )

    def set(self, **settings):
        """Adds settings to the end of the file of settings, where they win."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        """Starts the server and waits until it accepts connections that write."""
        self.run("pg_ctl", "start", "-w", "-t", "120", "-s", "-D", self.data, "-l", self.log, "-o", f"-p {self.port}")
        deadline = time.monotonic() + 120
        while psql(self.url, "SELECT pg_is_in_recovery()") != [("f",)]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the recovery does not end: {self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self):
        """Stops the server, if it runs."""
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "stop", "-w", "-t", "60", "-s", "-m", "fast", "-D", self.data)


def binaries():
    """The folder of PostgreSQL's programs."""
    if found := shutil.which("pg_basebackup"):
        real = Path(found).resolve().parent
        if (real / "initdb").exists():
            return real
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))
    if not folders:
        sys.exit("PostgreSQL is not installed: there is no initdb on the PATH and none in /usr/lib/postgresql")
    return folders[-1]


class Load:
    """Threads that send batches and remember those that were acknowledged."""

    def __init__(self, server):
        self.server, self.stored, self.done = server, [], threading.Event()
        self.threads = [threading.Thread(target=self.send) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self):
        """Sends until `done`."""
        while not self.done.is_set():
            batch = [
                {"id": str(uuid.uuid4()), "type": "page_load", "user_id": f"u{number % 41}", "page": f"/p{number % 7}",
                 "tenant_id": f"00000000-0000-4000-8000-{number % 5:012d}"}
                for number in range(BATCH)
            ]
            answer = self.server.ask("POST", "/v1/events", batch)
            if answer.status == 200 and answer.json()["stored"] == BATCH:
                self.stored.append(batch)

    def until(self, events):
        """Waits until this many events were acknowledged."""
        deadline = time.monotonic() + 300
        while len(self.stored) * BATCH < events:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {len(self.stored)} batches were stored within 300 s")
            time.sleep(0.02)

    def stop(self):
        """Stops the threads. Returns the acknowledged batches."""
        self.done.set()
        for thread in self.threads:
            thread.join()
        return self.stored


def state(url):
    """The counts of a database, by SQL."""
    return psql(url, EVENTS), psql(url, GROUPS)


def other_server(server, url, name):
    """The program on another database, which is not started."""
    other = copy.copy(server)
    other.port, other.process, other.log = free_port(), None, server.folder / f"{name}.log"
    other.settings = server.settings | {"TRAILKEEPER_LISTEN": f"127.0.0.1:{other.port}", "TRAILKEEPER_DATABASE_URL": url}
    return other


def check_restored(checks, server, url, name, before, lost):
    """What holds for a restored database: another identity, no differences, and what was lost can be sent again."""
    identity = psql(url, IDENTITY)
    psql(url, NEW_IDENTITY)
    checks.that(psql(url, IDENTITY) != identity, f"{name}: it has another identity", identity)
    restored = other_server(server, url, name)
    verified = restored.command("verify")
    print(f"{name}: {verified.stdout.decode().strip().splitlines()[-1]}", flush=True)
    checks.that(verified.returncode == 0 and b" 0 differences" in verified.stdout, f"{name}: the sheets agree with the events",
                verified.stdout + verified.stderr)
    restored.start()
    try:
        again = restored.ask("POST", "/v1/events", before).json()
        checks.equal((again["stored"], again["known"]), (0, BATCH), f"{name}: what was stored before is known")
        stored = sum(restored.ask("POST", "/v1/events", batch).json()["stored"] for batch in lost)
        checks.equal(stored, len(lost) * BATCH, f"{name}: what is lost can be sent again")
        answer = restored.ask("GET", "/v1/events/count", query={"type": "page_load"}).json()
        checks.equal(str(answer["count"]), psql(url, EVENTS)[0][0], f"{name}: the server counts what SQL counts")
    finally:
        checks.equal(restored.stop(), 0, f"{name}: the server ends cleanly")
    verified = restored.command("verify")
    checks.that(b" 0 differences" in verified.stdout, f"{name}: the sheets agree afterwards", verified.stdout)


def point_in_time(checks, folder, cluster, server):
    """Load, base backup, load, a noted time, load; then the restore to that time."""
    load = Load(server)
    load.until(BEFORE_BACKUP)
    base = folder / "base"
    # While events are stored.
    cluster.run("pg_basebackup", "-D", base, "-d", cluster.url, "-c", "fast", "-X", "none")
    load.until(BEFORE_TIME)
    kept = load.stop()
    noted = state(server.database.url)
    at = psql(cluster.url, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'")[0][0]
    later = Load(server)
    later.until(AFTER_TIME)
    lost = later.stop()
    whole = state(server.database.url)
    checks.equal(int(whole[0][0][0]), (len(kept) + len(lost)) * BATCH, "every acknowledged event is in the original")
    psql(cluster.url, "SELECT pg_switch_wal()")
    dumped = dump(checks, cluster, server)
    checks.equal(server.stop(), 0, "the server ends cleanly")
    cluster.stop()

    restored = Cluster(folder, "base", cluster.archive)
    restored.set(
        archive_mode="off", restore_command=f'cp "{cluster.archive}/%f" "%p"', recovery_target_time=at,
        recovery_target_action="promote",
    )
    (base / "recovery.signal").touch()
    if os.getuid() == 0:
        shutil.chown(base / "recovery.signal", "postgres")
    began = time.monotonic()
    restored.start()
    took = time.monotonic() - began
    try:
        url = server.database.url.replace(f":{cluster.port}/", f":{restored.port}/")
        found = state(url)
        print(f"point in time: {noted[0][0][0]} events at {at}, {whole[0][0][0]} at the end; restored {found[0][0][0]} in {took:.1f} s")
        checks.equal(found, noted, "the restored database has the counts of the noted time")
        check_restored(checks, server, url, "point in time", kept[-1], lost)
        checks.equal(state(url)[0][0][0], whole[0][0][0], "with what was lost, it has all events")
        restored_dump(checks, restored, server, dumped, kept[0])
    finally:
        restored.stop()


def dump(checks, cluster, server):
    """Dumps the database while events are stored. Returns the file, what was acknowledged before, and the rest."""
    before = int(psql(server.database.url, EVENTS)[0][0])
    load = Load(server)
    load.until(BATCH)
    file = cluster.folder / "trailkeeper.dump"
    cluster.run("pg_dump", "--format=custom", f"--file={file}", server.database.url)
    batches = load.stop()
    checks.that(before > 0 and batches, "events are stored before and during the dump")
    return file, before, batches


def restored_dump(checks, cluster, server, dumped, kept):
    """Restores the dump into a new database."""
    file, before, during = dumped
    psql(cluster.url, "CREATE DATABASE trailkeeper_restored")
    url = f"postgres://postgres@127.0.0.1:{cluster.port}/trailkeeper_restored"
    cluster.run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={url}", file)
    found = int(psql(url, EVENTS)[0][0])
    most = before + len(during) * BATCH
    print(f"dump: {before} events before it, {most} after it; restored {found}", flush=True)
    checks.that(before <= found <= most and found % BATCH == 0, "the dump has everything before it, and whole requests",
                (before, found, most))
    known = {row[0] for row in psql(url, "SELECT id FROM event_log WHERE type = 'page_load'")}
    lost = [batch for batch in during if batch[0]["id"] not in known]
    check_restored(checks, server, url, "dump", kept, lost)


def main():
    """Runs the check."""
    checks = Checks()
    folder = Path(tempfile.mkdtemp(prefix="trailkeeper-pitr.", dir="/tmp"))
    archive = folder / "archive"
    archive.mkdir()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(archive, "postgres")
    cluster = Cluster(folder, "data", archive)
    try:
        cluster.make()
        cluster.start()
        os.environ["TRAILKEEPER_TEST_POSTGRES_URL"] = cluster.url
        server = Server(checks, "postgres", merge_every="1")
        try:
            server.start()
            server.admin = server.token("admin")
            point_in_time(checks, folder, cluster, server)
        finally:
            if server.process is not None:
                server.stop()
            shutil.rmtree(server.folder, ignore_errors=True)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
