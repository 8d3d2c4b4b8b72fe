"""Shared by the checks of connections: raw requests, a normal client, and the resources of the server."""

import http.client
import json
import os
import socket
import statistics
import time

from bad_input import shape_of
from harness import Answer

SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
            "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}


def raw(server, data, seconds=20, source="127.0.0.1", half_close=False):
    """Sends bytes. Returns what the server sends until it closes, and the seconds it took; None if it does not close."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds, source_address=(source, 0)) as client:
        got = b""
        try:
            client.sendall(data)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            while chunk := client.recv(65536):
                got += chunk
        except TimeoutError:
            return None, time.monotonic() - started
        except OSError:
            pass  # A server may close the connection before it has read everything.
    return got, time.monotonic() - started


def parsed(answer):
    """Parses the raw bytes of a response."""
    top, _, body = answer.partition(b"\r\n\r\n")
    line, *fields = top.decode("latin-1").split("\r\n")
    headers = http.client.HTTPMessage()
    for name, value in (field.split(": ", 1) for field in fields):
        headers[name.title()] = value
    return Answer(int(line.split(" ")[1]), headers, body)


def is_refusal(checks, answer, status, code, what):
    """Checks an error below the routes: native format, trace ids, security headers."""
    if not checks.that(answer, f"{what}: is answered", answer):
        return
    got = parsed(answer)
    checks.equal(got.status, status, f"{what}: its status")
    checks.that(shape_of("native", got) is not None, f"{what}: the native format", got)
    checks.equal((got.json() or {}).get("code"), code, f"{what}: its code")
    checks.that(got.headers["X-Request-Id"] and got.headers["X-Request-Id"] == got.headers["X-Saasus-Trace-Id"], f"{what}: trace ids", dict(got.headers))
    checks.that(got.headers["Date"], f"{what}: a date", dict(got.headers))
    has_security_headers(checks, got, what)


def has_security_headers(checks, answer, what):
    """Checks the headers of every response."""
    for name, value in SECURITY.items():
        checks.equal(answer.headers[name], value, f"{what}: {name}")
    checks.that("default-src 'none'" in (answer.headers["Content-Security-Policy"] or ""), f"{what}: a policy", dict(answer.headers))


def latencies(server, until):
    """A normal client on persistent connections. Returns the milliseconds of each request."""
    took, connection = [], server.connection()
    event = json.dumps({"type": "page_load", "user_id": "jane", "page": "/"}).encode()
    headers = {"Authorization": f"Bearer {server.admin}", "Content-Type": "application/json"}
    while until():
        for method, path, body in (("POST", "/v1/events", event), ("GET", "/v1/events?limit=5", None), ("GET", "/healthz", None)):
            started = time.monotonic()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            server.checks.equal(response.status, 200, f"the normal client: {method} {path}")
            took.append((time.monotonic() - started) * 1000)
    connection.close()
    return took


def percentiles(took):
    """Median, 99th percentile and maximum."""
    ordered = sorted(took)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def memory(server):
    """Resident memory of the server in MiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def open_files(server):
    """Number of open files and sockets of the server."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))
