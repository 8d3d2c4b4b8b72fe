#!/usr/bin/env python3
"""Sends bad requests of every kind to every contract. The server must reject each with a 4xx in the format of the
contract that names the field, and must store nothing.

    scripts/acceptance/bad_input.py [--database sqlite|postgres]
"""

import json
import re
import sys
import time
from pathlib import Path

import bad_requests
from bad_requests import ABSENT, BAD_EVENTS, KNOWN, POOL, TENANT
from harness import Checks, Server, arguments

# Traces that a request could leave behind: rows outside the system tenant, and changes of the one record.
TRACES = """
SELECT (SELECT count(*) FROM event_log WHERE tenant_id <> {system}), (SELECT count(*) FROM dict_pages), (SELECT count(*) FROM tenants), (SELECT count(*) FROM users),
       (SELECT count(*) FROM memberships), (SELECT count(*) FROM creations), (SELECT count(*) FROM attribute_changes),
       (SELECT count(*) FROM reported_active_users), (SELECT max(updated_at) FROM users), (SELECT count(*) FROM sessions)
"""
BOMB_MEMORY_KIB = 96 * 1024
SLOWEST_SECONDS = 10


def shape_of(contract, answer):
    """The text of an error in the format of the contract; None if it has another format."""
    error = answer.json()
    if not isinstance(error, dict):
        return None
    texts = {
        "saasus": ({"type", "message"}, "application/json", ("message",)),
        "cripsa": ({"type", "message"}, "application/json", ("message",)),
        "octopai": ({"error"}, "application/json", ("error",)),
        "native": ({"type", "title", "status", "detail", "code"}, "application/problem+json", ("field", "detail")),
    }
    members, media, read = texts[contract]
    good = set(error) - {"field"} == members and ("field" not in error or contract == "native") and answer.content_type == media
    if contract == "native":
        good = good and error["status"] == answer.status
    if contract in ("saasus", "cripsa"):
        good = good and re.fullmatch(r"[a-z][a-z0-9_]*", error["type"])
    return " ".join(str(error.get(name, "")) for name in read) if good else None


def refused(checks, server, contract, bad, traces):
    """Sends one bad request and checks its rejection."""
    before = time.monotonic()
    answer = server.ask(bad.method, bad.path, bad.body, headers=bad.headers)
    took = time.monotonic() - before
    if not checks.that(answer.status in bad.statuses, f"{contract}: {bad} is refused with {bad.statuses}", answer):
        return
    checks.that(took < SLOWEST_SECONDS, f"{contract}: {bad} is refused quickly", f"{took:.1f} s")
    left = server.database.rows(traces)
    checks.equal(left, server.traces, f"{contract}: {bad} leaves nothing behind")
    server.traces = left  # so that each trace is reported once
    if answer.status == 200:
        return
    text = shape_of(contract, answer)
    if checks.that(text is not None, f"{contract}: {bad} is refused in the format of the contract", answer) and bad.names:
        checks.that(bad.names.lower() in text.lower(), f"{contract}: {bad} names {bad.names}", answer)
    if answer.status == 405:
        allowed = answer.headers.get("Allow", "")
        checks.that(allowed and bad.method not in allowed, f"{contract}: {bad} names the allowed methods", allowed)


def bad_events(checks, server, traces):
    """Sends bad events one by one, then all of them between two good ones. Only the good ones may be stored."""
    events = [(name, {"type": "page_load"} | ({} if value is ABSENT else {name: value})) for name, values in BAD_EVENTS.items() for value in values]
    for name, event in events:
        if name == "type" and event["type"] == "page_load":
            del event["type"]
        answer = server.ask("POST", "/v1/events", event)
        sums = answer.json() or {}
        results = sums.get("results", [])
        if not checks.that(answer.status == 200 and [one["status"] for one in results] == ["refused"], f"the event {str(event)[:120]} is refused", answer):
            continue
        error = results[0]["error"]
        checks.that(name in f"{error.get('field', '')} {error['detail']}", f"the refusal of {str(event)[:120]} names {name}", answer)
        checks.equal((sums["stored"], sums["known"], sums["refused"]), (0, 0, 1), "the sums of one refused event")
    checks.equal(server.database.rows(traces), server.traces, "refused events leave nothing behind")
    body = [{"type": "good"}] + [event for _, event in events] + [{"type": "good"}]
    answer = server.ask("POST", "/v1/events", body).json() or {}
    statuses = [one["status"] for one in answer.get("results", [])]
    checks.equal(statuses, ["stored"] + ["refused"] * len(events) + ["stored"], "good events are stored next to bad ones")
    lines = b'{"type": "good"}\n{"type": \n\xff\xfe\n{"type": "good"}\n'
    answer = server.ask("POST", "/v1/events", lines, headers={"Content-Type": "application/x-ndjson"}).json() or {}
    checks.equal([one["status"] for one in answer.get("results", [])], ["stored", "refused", "refused", "stored"], "only the unreadable lines are refused")


def strangers(checks, server):
    """Calls every operation without a credential, with invalid ones, and with a role that is not allowed."""
    weak = server.token("ingest")
    operations = {
        "saasus": [("GET", "/v1/analysis/active-users"), ("PUT", "/v1/analysis/active-users"), ("PUT", "/v1/analysis/user-behavior-day"), ("GET", "/v1/analysis/metrics/aggregated"),
                   ("GET", "/v1/analysis/metrics/page-statistics"), ("GET", "/v1/analysis/userinfo/aggregated"), ("GET", "/v1/analysis/users/u/behavior-histories")],
        "octopai": [("POST", "/api/UserAccount/UserEvents")],
        "cripsa": [("GET", "/v1/auditlog/users/count"), ("PATCH", "/v1/auditlog/users/attributes"), ("GET", "/v1/auditlog/users/events"), ("GET", "/v1/auditlog/users")],
        "native": [("POST", "/v1/events"), ("GET", "/v1/events"), ("GET", f"/v1/events/{TENANT}"), ("GET", "/v1/tenants"), ("GET", "/v1/users"), ("GET", f"/v1/tenants/{TENANT}/users"),
                   *((method, path) for method in ("PUT", "GET", "DELETE") for path in (f"/v1/tenants/{TENANT}", "/v1/users/u", f"/v1/tenants/{TENANT}/users/u"))],
    }
    for contract, list_of in operations.items():
        for method, path in list_of:
            for header in ("", "Bearer", "Bearer x", "Bearer tk_" + "0" * 43, "Basic YTpi", "Bearer a.b.c", "\xff\xfe"):
                answer = server.ask(method, path, headers={"Authorization": header} if header else {}, token="")
                checks.equal(answer.status, 401, f"{method} {path} with credential {header!r} {answer}")
                checks.that(shape_of(contract, answer) is not None, f"{method} {path} rejects invalid credentials in the format of its contract", answer)
            if (method, path) != ("POST", "/v1/events") and path != "/v1/analysis/user-behavior-day":
                checks.equal(server.ask(method, path, token=weak).status, 403, f"{method} {path} with role ingest")


def peak_memory_kib(server):
    """The peak memory of the server in KiB; None if the system does not report it."""
    status = Path(f"/proc/{server.process.pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) if found else None


def main():
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database) as server:
        known = {"email": KNOWN, "user_pool_id": POOL, "attributes": {"nickname": "before"}}
        checks.equal(server.ask("PUT", "/v1/users/known", known).status, 201, "the one record is stored")
        traces = TRACES.format(system=f"'{bad_requests.SYSTEM}'")
        server.traces = server.database.rows(traces)
        for contract in ("saasus", "octopai", "cripsa", "native"):
            seen = 0
            for bad in getattr(bad_requests, contract)():
                refused(checks, server, contract, bad, traces)
                seen += 1
            print(f"{contract}: {seen} bad requests", flush=True)
        strangers(checks, server)
        bad_events(checks, server, traces)
        peak = peak_memory_kib(server)
        if peak is not None:
            checks.that(peak < BOMB_MEMORY_KIB, "memory stays small for every request", f"{peak} KiB at its peak")
        print(f"{json.dumps({'peak_memory_kib': peak})}", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
