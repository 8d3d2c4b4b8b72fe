#!/usr/bin/env python3
"""Does to the files of a running server on SQLite what operators do to them by mistake.

    scripts/acceptance/files.py

An older copy is restored into the database file; the log of the database is deleted; the disk is full (a small tmpfs,
which needs root). The server notices each of them, says so, loses no acknowledged event of the content that it has, and
works again by itself. Files that other users can read are closed to them, or refused where that fails.
"""

import os
import sqlite3
import subprocess
import sys
import time
import uuid
from contextlib import closing

from harness import Checks, Server, arguments

NOTICED_SECONDS = 10
DISK_MIB = 8


def record(server, tenant, user, token=None):
    """Sends one event of a tenant. Returns the response."""
    event = {"id": str(uuid.uuid4()), "tenant_id": tenant, "type": "page_load", "page": f"/of/{user}", "user_id": user}
    return server.ask("POST", "/v1/events", event, token=token)


def listed(server, tenant):
    """The users and pages in the list of a tenant's events."""
    events = server.ask("GET", "/v1/events", query={"tenant_id": tenant, "limit": 1000}).json()["events"]
    return sorted((event["user_id"], event["page"]) for event in events)


def copied(source, target):
    """Copies a database by SQLite's online backup, as `.backup` and `.restore` of its shell do."""
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target, timeout=30)) as new:
        old.backup(new)


def log_has(server, text, seconds=NOTICED_SECONDS):
    """Whether a line of the log at level ERROR has this text within a time limit."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if any("ERROR" in line and text in line for line in server.log.read_text(errors="replace").splitlines()):
            return True
        time.sleep(0.05)
    return False


def restored_inside(checks, server):
    """An older copy takes the place of the content: no tenant sees the events of another."""
    first, second, third = (str(uuid.uuid4()) for _ in range(3))
    checks.equal(record(server, first, "ann").status, 200, "an event before the copy")
    copy = server.folder / "copy.db"
    copied(server.database.file, copy)
    checks.equal(record(server, second, "bob").status, 200, "an event after the copy")
    checks.equal(listed(server, second), [("bob", "/of/bob")], "the second tenant's events before the restore")
    copied(copy, server.database.file)
    checks.equal(record(server, third, "cid").status, 200, "an event after the restore")
    checks.equal(listed(server, first), [("ann", "/of/ann")], "the first tenant's events after the restore")
    checks.equal(listed(server, second), [], "the second tenant has no events any more")
    checks.equal(listed(server, third), [("cid", "/of/cid")], "the third tenant's event, under its own names")
    checks.that(log_has(server, "the content of the database file went back"), "the log says that the content went back")
    verified = server.command("verify")
    checks.equal(verified.returncode, 0, f"verify after the restore: {verified}")


def deleted_log(checks, server):
    """The log of the database is deleted: its content is saved, and the server goes on with a new one."""
    tenant, sent = str(uuid.uuid4()), []
    for number in range(20):
        user = f"user-{number:02}"
        checks.equal(record(server, tenant, user).status, 200, "an event before the log is deleted")
        sent.append((user, f"/of/{user}"))
    os.remove(f"{server.database.file}-wal")
    checks.that(server.wait_for("/readyz", 503, NOTICED_SECONDS), "/readyz notices that the log is gone")
    checks.that(log_has(server, "the log of the database was removed"), "the log says that the log was removed")
    checks.that(server.wait_for("/readyz", 200, NOTICED_SECONDS), "/readyz is ready again")
    checks.equal(record(server, tenant, "zoe").status, 200, "an event with the new log")
    sent.append(("zoe", "/of/zoe"))
    checks.equal(listed(server, tenant), sent, "every acknowledged event is listed")
    checks.equal(server.database.rows("PRAGMA integrity_check"), [("ok",)], "the database is sound")
    # As after a loss of power: what was acknowledged is in the files.
    server.process.kill()
    server.process.wait()
    server.start()
    checks.equal(listed(server, tenant), sent, "every acknowledged event survives a kill")
    verified = server.command("verify")
    checks.equal(verified.returncode, 0, f"verify after the log was deleted: {verified}")


class SmallDisk(Server):
    """A server whose data folder is a file system of a few MiB."""

    def __enter__(self):
        self.data.mkdir()
        options = f"size={DISK_MIB}m,mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.data)], check=True)
        return super().__enter__()

    def __exit__(self, kind, error, trace):
        try:
            # Stopped first: a mounted folder in use cannot be unmounted.
            if self.process is not None:
                self.checks.equal(self.stop(), 0, "the server ends cleanly on SIGTERM")
        finally:
            subprocess.run(["umount", str(self.data)], check=True)
        super().__exit__(kind, error, trace)

    def fill(self):
        """Takes all space that is left."""
        with (self.data / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 4096)
            except OSError as error:
                print(f"the disk is full: {error}", flush=True)


def full_disk(checks):
    """No block is left: writes and readiness fail, reads go on, and both work once there is space."""
    if os.geteuid() != 0:
        print("SKIPPED: a full disk was NOT checked: mounting a tmpfs needs root", flush=True)
        return
    with SmallDisk(checks) as server:
        tenant = str(uuid.uuid4())
        checks.equal(record(server, tenant, "ann").status, 200, "an event with space on the disk")
        server.fill()
        checks.that(server.wait_for("/readyz", 503, NOTICED_SECONDS), "/readyz notices the full disk without a write")
        checks.equal(record(server, tenant, "bob").status, 503, "an event on the full disk")
        checks.equal(listed(server, tenant), [("ann", "/of/ann")], "reads work on the full disk")
        checks.equal(server.send("GET", "/healthz").status, 200, "/healthz on the full disk")
        checks.that(log_has(server, "database or disk is full"), "the log names the full disk")
        (server.data / "filler").unlink()
        checks.that(server.wait_for("/readyz", 200, NOTICED_SECONDS), "/readyz is ready with space again")
        checks.equal(record(server, tenant, "cid").status, 200, "an event with space again")
        checks.equal(listed(server, tenant), [("ann", "/of/ann"), ("cid", "/of/cid")], "no refused event is stored")


def modes_of(folder):
    """The modes of a folder and of the files in it."""
    return {path.name: oct(path.stat().st_mode & 0o777) for path in [folder, *folder.iterdir()]}


def modes(checks):
    """Whatever the umask is, only the owner can read the files; wider modes of existing files are changed."""
    before = os.umask(0)
    try:
        with Server(checks) as server:
            names = ["trailkeeper.db", "trailkeeper.db-wal", "trailkeeper.db-shm", "master.key"]
            closed = {"data": "0o700"} | {name: "0o600" for name in names}
            checks.equal(modes_of(server.data), closed, "the modes of new files under the umask 0")
            server.process.kill()
            server.process.wait()
            for name in names:
                (server.data / name).chmod(0o644)
            server.start()
            checks.equal(modes_of(server.data), closed, "the modes of files that others could read")
            log = server.log.read_text(errors="replace")
            for name in names[:2] + names[3:]:
                checks.that(f"{name} had mode 0644" in log, f"the log says that {name} was closed")
    finally:
        os.umask(before)


def foreign_files(checks):
    """A file that others can read and whose mode cannot be changed, because another user owns it, is refused."""
    if os.geteuid() != 0:
        print("SKIPPED: files of another user were NOT checked: giving them to one needs root", flush=True)
        return
    with Server(checks) as server:
        server.checks.equal(server.stop(), 0, "the server ends cleanly on SIGTERM")
        server.folder.chmod(0o755)
        server.data.chmod(0o777)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        for name, others in (("trailkeeper.db", "master.key"), ("master.key", "trailkeeper.db")):
            (server.data / name).chmod(0o666)
            os.chown(server.data / others, 65534, 65534)
            done = subprocess.run(
                [*as_nobody, server.program, "account", "list"], env=server.settings, cwd="/",
                capture_output=True, text=True, timeout=60, check=False,
            )
            checks.equal(done.returncode, 1, f"{name} of another user is refused: {done}")
            parts = ["has mode 0666", f"run `chmod 600 {server.data / name}`"]
            checks.that(all(part in done.stderr for part in parts), f"{name}: the error names {parts}", done.stderr)
            checks.equal(oct((server.data / name).stat().st_mode & 0o777), "0o666", f"{name} is unchanged")
            os.chown(server.data / others, 0, 0)
            (server.data / name).chmod(0o600)


def main():
    arguments(__doc__)
    checks = Checks()
    for what in (restored_inside, deleted_log):
        with Server(checks) as server:
            what(checks, server)
    full_disk(checks)
    modes(checks)
    foreign_files(checks)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
