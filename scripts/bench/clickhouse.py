"""ClickHouse, in this process by the library chdb, with the same events and two threads."""

import statistics
import sys
import time

from settings import THREADS

COLUMNS = (
    "occurred_at DateTime64(3, 'UTC'), tenant_id UUID, env_id UInt8, user_id UUID, user_name String, "
    "type LowCardinality(String), outcome LowCardinality(String), page LowCardinality(String), source IPv4"
)


class ClickHouse:
    """A table with all events, sorted by tenant and time, in monthly partitions."""

    name = "ClickHouse"

    def __init__(self, session):
        self.session = session

    def load(self, file, events):
        """Creates the table, loads a file and merges its parts. Returns events per second of the loading."""
        self.session.query("CREATE DATABASE bench ENGINE = Atomic")
        self.session.query("USE bench")
        self.session.query(
            f"CREATE TABLE events ({COLUMNS}) ENGINE = MergeTree PARTITION BY toYYYYMM(occurred_at) ORDER BY (tenant_id, occurred_at)"
        )
        structure = COLUMNS.replace("'", r"\'")
        started = time.monotonic()
        self.session.query(
            f"INSERT INTO events SELECT * FROM file('{file}', 'JSONEachRow', '{structure}') SETTINGS max_threads = {THREADS}, "
            f"max_insert_threads = {THREADS}, date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1"
        )
        seconds = time.monotonic() - started
        self.session.query("OPTIMIZE TABLE events FINAL")
        if self.rows("SELECT count() FROM events") != [(str(events),)]:
            raise RuntimeError("ClickHouse did not load all events")
        return events / seconds

    def close(self):
        """Ends the session; a process can have one at a time."""
        self.session.close()

    def bytes(self):
        """Bytes of the table on the disk."""
        return int(self.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = 'events'")[0][0])

    def rows(self, sql):
        """The rows of a query, as tuples of texts."""
        output = self.session.query(f"{sql} SETTINGS max_threads = {THREADS}", "TSV").bytes().decode()
        return [tuple(line.split("\t")) for line in output.splitlines()]

    def answer(self, question):
        """The answer to a question, in the common form."""
        return question.theirs(*[self.rows(sql) for sql in question.sql])

    def milliseconds(self, question, repeats):
        """The median time of a question."""
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            for sql in question.sql:
                self.session.query(f"{sql} SETTINGS max_threads = {THREADS}", "TSV").bytes()
            times.append((time.perf_counter() - started) * 1e3)
        return statistics.median(times)


def opened(settings, folder):
    """ClickHouse with an empty database; None, and a line that says why, where there is none."""
    if not settings.clickhouse:
        print("bench: CLICKHOUSE=0, so nothing is compared with ClickHouse", file=sys.stderr)
        return None
    try:
        from chdb import session
    except ImportError as error:
        print(f"bench: chdb is not installed ({error}), so nothing is compared with ClickHouse", file=sys.stderr)
        return None
    return ClickHouse(session.Session(str(folder / "clickhouse")))
