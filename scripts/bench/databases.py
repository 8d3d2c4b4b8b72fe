"""Databases from outside: what waits for the merger, sizes of tables and indexes, bytes of the log."""

import csv
import io
import os
import secrets
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from wal import frames


@dataclass
class Log:
    """What was written to the log: bytes, and what is known about them."""

    bytes: int = 0
    # SQLite: commits; one per group of events.
    commits: int = 0
    # PostgreSQL: bytes of whole pages, written when a page changes for the first time after a checkpoint. None if the
    # server has no pg_walinspect.
    page_images: int | None = None


class Sqlite:
    """A SQLite file."""

    def __init__(self, file):
        self.file = file
        self.url = f"sqlite:{file}"

    def waiting(self):
        """The number of deltas."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=60)) as connection:
            return connection.execute("SELECT count(*) FROM deltas").fetchone()[0]

    def log_position(self):
        """The length of the log in bytes."""
        log = self.file.with_name(f"{self.file.name}-wal")
        return log.stat().st_size if log.exists() else 0

    def sizes(self, drive):
        """(table, table or index, bytes), after a checkpoint."""
        return drive.disk(self.file)

    @contextmanager
    def measured_log(self):
        """Gives a `Log` that is filled at the end.

        A reader keeps its snapshot meanwhile, so that no checkpoint lets the log begin from its start again, and all
        frames stay.
        """
        log = Log()
        with closing(sqlite3.connect(self.file, timeout=60, isolation_level=None)) as connection:
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise RuntimeError(f"another connection uses the log of {self.file}")
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield log
            log.bytes, log.commits = frames(self.file.with_name(f"{self.file.name}-wal"))
            connection.execute("ROLLBACK")

    def remove(self):
        """Nothing: the file is removed with its folder."""


class Postgres:
    """A new database on the PostgreSQL server for tests."""

    def __init__(self):
        self.server = os.environ["TRAILKEEPER_TEST_POSTGRES_URL"]
        self.name = f"trailkeeper_bench_{secrets.token_hex(6)}"
        self.url = urlunsplit(urlsplit(self.server)._replace(path=f"/{self.name}"))
        psql(self.server, f"CREATE DATABASE {self.name}")

    def waiting(self):
        """The number of deltas."""
        return int(psql(self.url, "SELECT count(*) FROM deltas")[0][0])

    def log_position(self):
        """The end of the log in bytes."""
        return int(psql(self.server, "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint")[0][0])

    def sizes(self, drive):
        """(table, table or index, bytes), after VACUUM; partitions count for their table, TOAST as a part of its own."""
        del drive  # The other database needs it.
        psql(self.url, "VACUUM (ANALYZE)")
        return [(table, part, int(size)) for table, part, size in psql(self.url, SIZES)]

    @contextmanager
    def measured_log(self):
        """Gives a `Log` that is filled at the end. It begins with a checkpoint, the worst case for page images."""
        log = Log()
        psql(self.url, "CHECKPOINT")
        start = psql(self.url, "SELECT pg_current_wal_insert_lsn()")[0][0]
        yield log
        end = psql(self.url, "SELECT pg_current_wal_flush_lsn()")[0][0]
        log.bytes = int(psql(self.url, f"SELECT ('{end}'::pg_lsn - '{start}'::pg_lsn)::bigint")[0][0])
        if psql(self.server, "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_walinspect'"):
            psql(self.server, "CREATE EXTENSION IF NOT EXISTS pg_walinspect")
            images = psql(self.server, f"SELECT sum(fpi_size)::bigint FROM pg_get_wal_stats('{start}', '{end}')")
            log.page_images = int(images[0][0] or 0)

    def remove(self):
        """Drops the database."""
        psql(self.server, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


SIZES = """
WITH RECURSIVE above (oid, root) AS (
    SELECT c.oid, c.oid FROM pg_class c WHERE NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid)
    UNION ALL
    SELECT i.inhrelid, a.root FROM above a JOIN pg_inherits i ON i.inhparent = a.oid
), parts AS (
    SELECT a.root AS tab, a.root AS part, '' AS suffix, c.oid FROM pg_class c JOIN above a ON a.oid = c.oid
    WHERE c.relkind IN ('r', 'p')
    UNION ALL
    SELECT t.root, x.root, '', i.indexrelid FROM pg_index i JOIN above t ON t.oid = i.indrelid JOIN above x ON x.oid = i.indexrelid
    UNION ALL
    SELECT t.root, t.root, ' (TOAST)', s.oid FROM pg_class c JOIN above t ON t.oid = c.oid
    JOIN pg_class s ON s.oid = c.reltoastrelid OR s.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.reltoastrelid)
    WHERE c.relkind = 'r'
)
SELECT t.relname, p.relname || suffix, sum(pg_relation_size(parts.oid) + pg_relation_size(parts.oid, 'fsm') + pg_relation_size(parts.oid, 'vm'))
FROM parts JOIN pg_class t ON t.oid = tab JOIN pg_class p ON p.oid = part JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT LIKE 'pg!_%' ESCAPE '!' AND n.nspname <> 'information_schema'
GROUP BY 1, 2 HAVING sum(pg_relation_size(parts.oid)) > 0 ORDER BY 3 DESC
"""


def psql(url, sql):
    """Runs SQL with PostgreSQL's own client. Returns rows of texts."""
    command = ["psql", "-X", "-q", "-t", "--csv", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return [tuple(row) for row in csv.reader(io.StringIO(done.stdout))]


def durable():
    """Ends the program if the PostgreSQL server does not wait for the disk: rates would be too good."""
    server = os.environ["TRAILKEEPER_TEST_POSTGRES_URL"]
    if psql(server, "SHOW fsync")[0][0] != "on":
        sys.exit("bench: the PostgreSQL server has fsync=off; start it by TRAILKEEPER_TEST_POSTGRES_FSYNC=on scripts/with-postgres")
