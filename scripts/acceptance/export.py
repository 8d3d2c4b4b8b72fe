#!/usr/bin/env python3
"""Exports events and records, and reads the files with DuckDB, pyarrow and Python.

    scripts/acceptance/export.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/export.py --database postgres

Clients send events meanwhile; the server is killed in the middle of an export, and the command, too, and both go on where
they were. The files have what SQL finds in the rows. An empty database that imports them answers the same.
"""

import csv
import gzip
import hashlib
import http.client
import io
import json
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import uuid

import duckdb
import pyarrow.parquet

from crash import Mortal
from harness import Checks, Server, arguments

EVENTS = 30_000
TENANTS = [str(uuid.UUID(int=n, version=4)) for n in (1, 2, 3)]
NO_TENANT = str(uuid.UUID(int=0))
SYSTEM = str(uuid.UUID(int=2**128 - 1))
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64)", "=cmd|'/c calc'!A1", "+1", "-2", "@SUM(A1)", "a \"quoted\", text", "あい\u2028う", None]
NAMES = ["=1+1", "Ann", "O'Neill, Bob", "\u202eevil", None]
# Enough for several states of an interrupted command, which saves one every 32 MiB.
PADDING = "x" * 3_000


def events(random_):
    """Events with every field, most of them often absent."""
    for number in range(EVENTS):
        yield {
            "id": str(uuid.UUID(int=random_.getrandbits(128), version=4)),
            "type": random_.choice(["page_load", "login_success", "login_fail", "report.exported"]),
            "tenant_id": random_.choice([*TENANTS, NO_TENANT]),
            "env_id": random_.choice([1, 2, 4294967295]),
            "occurred_at": f"2026-{random_.randrange(1, 11):02}-{random_.randrange(1, 29):02}T{random_.randrange(24):02}:00:00.{random_.randrange(10**6):06}Z",
            "user_id": random_.choice([None, f"user-{random_.randrange(500)}", "=HYPERLINK(1)", "u\tv" if number % 3 else "w"]),
            "user_name": random_.choice(NAMES),
            "source": random_.choice([None, "203.0.113.7", "2001:db8::1"]),
            "user_agent": random_.choice(AGENTS),
            "page": random_.choice([None, "/a?x=1", "/café", "https://app.example.com/ü"]),
            "session_id": random_.choice([None, "-s"]),
            "target": random_.choice([None, {"type": "door", "id": "7"}, {"name": "+door"}]),
            "metadata": random_.choice([None, {"n": 1.5, "deep": [{"a": None}], "ü": "=x"}, {"padding": PADDING}]),
        }


def sent(checks, server, batch):
    """Sends events; they must all be stored."""
    answer = server.ask("POST", "/v1/events", batch)
    checks.equal(answer.json()["stored"], len(batch), "a batch is stored")


def exported(server, query="", headers=None, token=None):
    """An export as it comes."""
    return server.ask("GET", f"/v1/events/export?{query}", headers=headers, token=token)


def lines(body):
    """The objects of NDJSON."""
    return [json.loads(line) for line in body.splitlines()]


def formats(checks, server):
    """The three formats of one filter, read by other programs, beside SQL over the rows and the counts of the API."""
    query = "type=page_load,login_fail&to=2026-09-30"
    counted = server.ask("GET", f"/v1/events/count?{query}").json()["count"]
    objects = lines(exported(server, query).body)
    checks.equal(len(objects), counted, "NDJSON has as many events as the API counts")
    packed = exported(server, query, {"Accept-Encoding": "gzip"})
    checks.equal(packed.headers.get("Content-Encoding"), "gzip", "gzip is a coding of the content")
    checks.equal(lines(gzip.decompress(packed.body)), objects, "the compressed export is the same")

    text = exported(server, query + "&format=csv&formulas=keep").body.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    checks.equal(len(rows), counted, "CSV has as many rows")
    differing = [(row, one) for row, one in zip(rows, objects) if flat(one) != unpacked(row)]
    checks.equal(differing[:1], [], "each row of CSV has the values of NDJSON")
    guarded = list(csv.DictReader(io.StringIO(exported(server, query + "&format=csv").body.decode(), newline="")))
    bad = [cell for row in guarded for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]
    checks.equal(bad[:3], [], "no cell of CSV begins like a formula")
    changed = [(new, old) for one, other in zip(guarded, rows) for new, old in zip(one.values(), other.values()) if new != old]
    checks.that(changed and all(new == "'" + old and old[0] in "=+-@\t\r" for new, old in changed), "only formulas get a quote", changed[:3])

    parquet = server.folder / "by-http.parquet"
    parquet.write_bytes(exported(server, query + "&format=parquet").body)
    table = pyarrow.parquet.read_table(parquet)
    checks.equal(table.num_rows, counted, "pyarrow counts the rows of Parquet")
    types = {name: str(table.schema.field(name).type) for name in ("occurred_at", "env_id", "user_id")}
    checks.equal(types, {"occurred_at": "timestamp[us, tz=UTC]", "env_id": "int64", "user_id": "string"}, "types of Parquet")
    column = table.column("user_id").to_pylist()
    checks.equal(column, [one["user_id"] for one in objects], "users in pyarrow, in the order of storage")
    checks.equal(
        [at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for at in table.column("occurred_at").to_pylist()],
        [padded(one["occurred_at"]) for one in objects], "times in pyarrow")

    csv_file, ndjson_file = server.folder / "by-http.csv", server.folder / "by-http.ndjson"
    csv_file.write_text(text)
    ndjson_file.write_bytes(exported(server, query).body)
    expected = {}
    for one in objects:
        expected[one["type"]] = expected.get(one["type"], 0) + 1
    for file in (parquet, csv_file, ndjson_file):
        found = dict(duckdb.sql(f"SELECT type, count(*) FROM '{file}' GROUP BY ALL").fetchall())
        checks.equal(found, expected, f"DuckDB counts {file.name}")
    users = duckdb.sql(f"SELECT count(DISTINCT user_id) FROM '{parquet}'").fetchall()[0][0]
    checks.equal(users, server.ask("GET", f"/v1/events/distinct-users?{query}").json()["users"], "DuckDB counts users")
    kinds = {row[0]: row[1] for row in duckdb.sql(f"DESCRIBE SELECT * FROM '{parquet}'").fetchall()}
    checks.equal((kinds["id"], kinds["occurred_at"], kinds["metadata"]), ("UUID", "TIMESTAMP WITH TIME ZONE", "JSON"), "DuckDB's types")


def flat(one):
    """The cells of an event in CSV."""
    cells = {}
    for name, value in one.items():
        if name == "target":
            cells |= {f"target_{part}": (value or {}).get(part) or "" for part in ("type", "id", "name")}
        elif isinstance(value, (dict, list)):
            cells[name] = value
        else:
            cells[name] = "" if value is None else str(value)
    return cells


def unpacked(row):
    """A row of CSV with its JSON read: senders escape it in more than one way."""
    return {name: json.loads(cell) if cell and name in ("missing_names", "metadata", "original") else cell for name, cell in row.items()}


def padded(text):
    """A time with six digits behind the second."""
    whole, _, part = text.rstrip("Z").partition(".")
    return f"{whole}.{part:0<6}Z"


def whole_set(checks, server):
    """An export beside clients that send: everything that was acknowledged before it, and each event once."""
    acknowledged, stop = [], threading.Event()

    def send():
        while not stop.is_set():
            batch = [{"id": str(uuid.uuid4()), "type": "beside", "tenant_id": TENANTS[0]} for _ in range(20)]
            answer = server.ask("POST", "/v1/events", batch)
            if answer.status == 200:
                acknowledged.extend((time.monotonic(), event["id"]) for event in batch)

    writers = [threading.Thread(target=send) for _ in range(3)]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    for _ in range(4):
        began = time.monotonic()
        answer = exported(server, "type=beside&positions=true")
        found = [one["id"] for one in lines(answer.body)]
        before = {event for at, event in acknowledged if at < began}
        checks.equal(len(found), len(set(found)), "no event is twice in an export")
        checks.equal(len(before - set(found)), 0, "every event that was acknowledged before")
    stop.set()
    for writer in writers:
        writer.join()
    # The feed goes on behind the export, without a gap.
    cursor, rest = answer.headers["Export-End"], []
    while len(set(found + rest)) < len(acknowledged):
        page = server.ask("GET", f"/v1/events/feed?type=beside&wait=5&limit=1000&cursor={cursor}").json()
        if not page["events"]:
            break
        rest += [one["id"] for one in page["events"]]
        cursor = page["next_cursor"]
    checks.equal(sorted(found + rest), sorted(event for _, event in acknowledged), "the export and the feed behind it")


def cut_transfer(checks, server):
    """The server is killed while a client reads slowly: the client notices, and goes on after the restart."""
    whole = exported(server, "type!=beside&positions=true").body
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    # A small window, so that the server cannot send everything at once.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    sock.sendall(f"GET /v1/events/export?type!=beside&positions=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.admin}\r\n\r\n".encode())
    response = http.client.HTTPResponse(sock)
    response.begin()
    part = response.read(2_000_000)
    end = response.headers["Export-End"]
    server.kill()
    try:
        part += response.read()
        noticed = False
    except (http.client.IncompleteRead, ConnectionError):
        noticed = True
    sock.close()
    checks.that(noticed, "a client notices that the transfer broke")
    server.start()
    part = part[: part.rindex(b"\n") + 1]
    position = json.loads(part.splitlines()[-1])["position"]
    rest = exported(server, f"type!=beside&positions=true&cursor={position}&end={end}")
    checks.that(len(part) < len(whole), "the transfer broke before its end")
    # Behind what was there before, the second export has the audit event of the first one.
    checks.that((part + rest.body).startswith(whole), "both parts are the whole, byte by byte")
    ids = [one["id"] for one in lines(part + rest.body)]
    checks.equal(len(ids), len(set(ids)), "no event is in both parts")


def command(checks, server, *arguments_):
    """Runs `trailkeeper export`."""
    done = server.command("export", *map(str, arguments_))
    checks.equal(done.returncode, 0, f"export {arguments_}: {done.stderr.decode()[-300:]}")
    return done.stdout.decode()


def by_command(checks, server):
    """The command writes whole files, with manifests that hold; a killed one goes on."""
    counted = int(server.database.rows(f"SELECT count(*) FROM events WHERE seq > 0")[0][0])
    folder = server.folder
    printed = command(checks, server, "events", folder / "all.parquet", "--audit-trail")
    own = int(printed.split()[-2])
    found = duckdb.sql(f"SELECT count(*) FROM '{folder}/all.parquet'").fetchall()[0][0]
    checks.equal(found, own, "DuckDB counts what the command counts")
    checks.that(counted <= own <= counted + 5, "Parquet has every row of the table", (counted, own))
    plain, packed = folder / "events.ndjson", folder / "events.ndjson.zst"
    command(checks, server, "events", plain, "--to", "2026-12-31")
    command(checks, server, "events", packed, "--to", "2026-12-31")
    command(checks, server, "events", folder / "some.csv.gz", "--type", "login_fail", "--tenant", TENANTS[1])
    counts = {name: duckdb.sql(f"SELECT count(*) FROM '{folder}/{name}'").fetchall()[0][0] for name in ("events.ndjson", "events.ndjson.zst", "some.csv.gz")}
    total = server.ask("GET", f"/v1/events/count?tenant_id={TENANTS[1]}&type=login_fail").json()["count"]
    checks.equal(counts["some.csv.gz"], total, "a filter of the command")
    checks.equal(counts["events.ndjson"], counts["events.ndjson.zst"], "the compressed file has as many rows")
    for name in ("all.parquet", "events.ndjson", "events.ndjson.zst", "some.csv.gz"):
        manifest = json.loads((folder / f"{name}.manifest.json").read_text())
        content = (folder / name).read_bytes()
        checks.equal(manifest["sha256"], hashlib.sha256(content).hexdigest(), f"{name}: the SHA-256 of the manifest")
        checks.equal(manifest["bytes"], len(content), f"{name}: the size")
        checks.equal(manifest["rows"], own if name == "all.parquet" else counts[name], f"{name}: the rows")
        checks.equal(stat.S_IMODE((folder / name).stat().st_mode), 0o600, f"{name}: only the owner reads it")
    refused = server.command("export", "events", str(plain))
    checks.that(refused.returncode == 1 and b"exists already" in refused.stderr, "an existing file stays", refused.stderr)
    cut_command(checks, server, plain)


def cut_command(checks, server, whole):
    """The command is killed behind a saved state, and goes on with --resume."""
    file = server.folder / "resumed.ndjson"
    arguments_ = [server.program, "export", "events", file, "--to", "2026-12-31"]
    process = subprocess.Popen(arguments_, env=server.settings, cwd=server.folder, stdout=subprocess.DEVNULL)
    state = file.with_name(file.name + ".part.json")
    while not state.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    checks.that(state.exists() and not file.exists(), "the killed command left a part and no file")
    again = server.command("export", "events", str(file), "--to", "2026-12-31")
    checks.that(b"--resume" in again.stderr, "the way out is named", again.stderr)
    other = server.command("export", "events", str(file), "--resume")
    checks.that(b"other conditions" in other.stderr, "other conditions are refused", other.stderr)
    command(checks, server, "events", file, "--to", "2026-12-31", "--resume")
    # Events that were stored between the two exports are behind the end of neither, because nobody sends now.
    checks.equal(hashlib.sha256(file.read_bytes()).hexdigest(), hashlib.sha256(whole.read_bytes()).hexdigest(), "the continued file")
    checks.equal(json.loads(file.with_name(file.name + ".manifest.json").read_text())["sha256"], hashlib.sha256(file.read_bytes()).hexdigest(), "its manifest")
    checks.that(not state.exists(), "no part is left")


def moved(checks, server, database):
    """An empty database imports the files, and answers the same."""
    folder = server.folder
    for what in ("users", "tenants", "memberships"):
        command(checks, server, what, folder / f"{what}.ndjson.gz")
        command(checks, server, what, folder / f"{what}.parquet")
        rows = int(server.database.rows(f"SELECT count(*) FROM {what}")[0][0])
        checks.equal(duckdb.sql(f"SELECT count(*) FROM '{folder}/{what}.parquet'").fetchall()[0][0], rows, f"{what}: DuckDB")
    with Server(checks, database) as other:
        for what in ("tenants", "users", "memberships", "events"):
            name = "events.ndjson.zst" if what == "events" else f"{what}.ndjson.gz"
            done = other.command("import", what, str(folder / name))
            text = done.stdout.decode()
            checks.that(done.returncode == 0 and "refused   0" in text, f"import {what}", text + done.stderr.decode())
        for query in ("", "type=login_fail", f"tenant_id={TENANTS[2]}", "user_id!=w&outcome=unknown"):
            sets = [sorted(comparable(one) for one in lines(exported(asked, f"{query}&to=2026-12-31").body) if one["tenant_id"] != SYSTEM)
                    for asked in (server, other)]
            checks.that(sets[0] and sets[0] == sets[1], f"the same events: {query}", (len(sets[0]), len(sets[1])))
        path = "/v1/analytics/active-users?from=2026-01-01&to=2026-10-31&granularity=month"
        checks.equal(other.ask("GET", path).json(), server.ask("GET", path).json(), "the same active users")
        for path in ("/v1/users?limit=1000", "/v1/tenants", f"/v1/tenants/{TENANTS[0]}/users"):
            checks.equal(without_updates(other.ask("GET", path).json()), without_updates(server.ask("GET", path).json()), path)


def comparable(one):
    """An event without what an import does not keep."""
    one = {name: value for name, value in one.items() if name not in ("received_at", "position")}
    return json.dumps(one, sort_keys=True)


def without_updates(page):
    """A list of records without the times of their last changes."""
    for records in page.values():
        for record in records if isinstance(records, list) else []:
            record.pop("updated_at", None)
    return page


def directory(checks, server):
    """Users, tenants and memberships, one of a tenant without a record."""
    for number, tenant in enumerate(TENANTS[:2]):
        checks.equal(server.ask("PUT", f"/v1/tenants/{tenant}", {"name": f"=Tenant {number}"}).status, 201, "a tenant")
    for number in range(40):
        body = {"email": f"u{number}@example.com", "attributes": {"department": "+sales"}, "enabled": number % 2 == 0}
        checks.equal(server.ask("PUT", f"/v1/users/user-{number}", body).status, 201, "a user")
        path = f"/v1/tenants/{TENANTS[number % 3]}/users/user-{number}"
        checks.equal(server.ask("PUT", path, {"created_at": "2026-01-31T00:00:00Z"}).status, 201, "a membership")


def recorded(checks, server):
    """The server and the command leave events in the trail."""
    found = server.ask("GET", "/v1/events?type=export&limit=100").json()["events"]
    phases = [one["metadata"]["phase"] for one in found]
    checks.that(phases.count("end") >= 8 and phases.count("start") > phases.count("end"), "exports of the command", phases)
    reads = server.ask("GET", "/v1/events?type=events_read&limit=100").json()["events"]
    operations = {one["metadata"]["operation"] for one in reads}
    checks.that("GET /v1/events/export" in operations, "exports of programs", operations)


def main():
    """Runs all checks."""
    asked = arguments(__doc__.splitlines()[0])
    checks = Checks()
    random_ = random.Random(7)
    with Mortal(checks, asked.database) as server:
        batch = []
        for event in events(random_):
            batch.append(event)
            if len(batch) == 1_000:
                sent(checks, server, batch)
                batch = []
        directory(checks, server)
        formats(checks, server)
        whole_set(checks, server)
        cut_transfer(checks, server)
        by_command(checks, server)
        moved(checks, server, asked.database)
        recorded(checks, server)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
