#!/usr/bin/env python3
"""Attacks the running server below its routes: slow, greedy and malformed clients, TLS, browsers, proxies.

    scripts/acceptance/connections.py [--database sqlite|postgres]

Hundreds of clients that are slow in every way, while another client keeps its latency; requests that are too large or
not HTTP; TLS with a certificate that changes meanwhile; what other origins may read; the addresses that a client behind
a proxy can claim; and the end of a server with open requests. Needs the command `openssl`.
"""

import gzip
import json
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import certificates
import readers
import unfinished_bodies
from bad_input import shape_of
from harness import Checks, Server, arguments
from connections_tls import TlsServer, tls, wrong_settings
from slow_clients import Attack, head
from wire import has_security_headers, is_refusal, latencies, memory, open_files, parsed, percentiles, raw

HEAD, BODY, WRITE, KEEP = 2, 4, 3, 6
SETTINGS = {"head_timeout": str(HEAD), "body_timeout": str(BODY), "write_timeout": str(WRITE), "keep_alive": str(KEEP),
            "max_connections_per_source": "0", "workers": "2"}
LARGEST = 8 * 1024 * 1024
WRITES = [("native", "POST", "/v1/events"), ("saasus", "PUT", "/v1/analysis/user-behavior-day"),
          ("cripsa", "PATCH", "/v1/auditlog/users/attributes"), ("octopai", "POST", "/api/UserAccount/UserEvents")]


def slow_clients(checks, server):
    """More than a thousand slow clients of every kind, and a normal one."""
    end = time.monotonic() + 3
    calm = percentiles(latencies(server, lambda: time.monotonic() < end))
    files, before = open_files(server), memory(server)
    seconds = 2 * max(HEAD, BODY, WRITE, KEEP) + 8
    attack = Attack(("127.0.0.1", server.port), server.admin, "/openapi.json", seconds)
    peak = [0, 0]

    def until():
        peak[0], peak[1] = max(peak[0], memory(server)), max(peak[1], open_files(server))
        return attack.running()

    amid = percentiles(latencies(server, until))
    result = attack.results_by_kind()
    for name, (median, late, longest) in (("without slow clients", calm), ("during the attack", amid)):
        print(f"a normal client {name}: median {median:.1f} ms, 99 of 100 within {late:.1f} ms, longest {longest:.1f} ms", flush=True)
    print(f"the server: {before} MiB and {files} open files before, at most {peak[0]} MiB and {peak[1]} files during the attack", flush=True)
    checks.that(peak[1] > 500, "the slow clients were really connected", peak)
    checks.that(amid[0] < max(10 * calm[0], 100), "the median latency during the attack", (calm, amid))
    checks.that(amid[1] < max(20 * calm[1], 1000), "the 99th percentile during the attack", (calm, amid))
    for kind, entry in result.items():
        print(f"  {entry['clients']} × {kind}: {entry['open']} left, the longest stayed {entry['longest']:.1f} s", flush=True)
        checks.equal(entry["open"], 0, f"{kind}: every connection is closed")
        # A client that does not read notices the end only at the final read.
        checks.that(entry["longest"] < seconds - 1 or kind == "reads nothing", f"{kind}: in time", entry["longest"])
    for kind, code in (("slow head", "head_too_slow"), ("slow later head", "head_too_slow"), ("slow body", "body_too_slow"), ("slow chunked body", "body_too_slow")):
        answers = result[kind]["answers"]
        good = sum(count for text, count in answers.items() if text.startswith("408 ") and code in text)
        # A byte that crosses the response resets the connection, so the client may never read the response.
        checks.that(good >= result[kind]["clients"] * 0.9, f"{kind}: 408 {code}", list(answers)[:3])
    checks.equal(result["silent"]["answers"], {"": 100}, "a silent client gets no response")
    deadline = time.monotonic() + 10
    while open_files(server) > files + 8 and time.monotonic() < deadline:
        time.sleep(0.1)
    checks.that(open_files(server) <= files + 8, "no connection is left behind", (files, open_files(server)))
    checks.equal(server.send("GET", "/readyz").status, 200, "the server is ready afterwards")


def no_requests(checks, server):
    """Heads that are too large or malformed."""
    line = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    too_large = {
        "a header of 200 KiB": line + b"X-Large: " + b"x" * 200_000 + b"\r\n\r\n",
        "a path of 200 KiB": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "a head without an end": line + b"X-More: yes\r\n" * 20_000,
        "97 headers": line + b"".join(b"X-%d: 1\r\n" % n for n in range(97)) + b"\r\n",
    }
    for what, data in too_large.items():
        is_refusal(checks, raw(server, data)[0], 431, "head_too_large", what)
    garbage = {
        "no HTTP": b"\x00\x01\x02\x03garbage\r\n\r\n", "TLS where HTTP is spoken": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
        "no Host": b"GET /healthz HTTP/1.1\r\n\r\n", "HTTP/3.0": b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
        "a header without a name": line + b": x\r\n\r\n", "a NUL in a header": line + b"X: a\0b\r\n\r\n",
        "two lengths": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "a length and chunks": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a negative length": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "a space before a colon": line + b"Host : y\r\n\r\n",
        "an unknown coding": b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    }
    for what, data in garbage.items():
        is_refusal(checks, raw(server, data)[0], 400, "malformed_request", what)
    # The response before it must arrive completely, whatever follows.
    both = raw(server, head("GET", "/healthz") + b"garbage\r\n\r\n")[0]
    checks.that(both and both.startswith(b"HTTP/1.1 200") and b'{"status":"ok"}' in both and both.count(b"HTTP/1.1 400") == 1, "a request before garbage is answered", both)
    good, _ = raw(server, line + b"".join(b"X-%d: 1\r\n" % n for n in range(90)) + b"X-Large: " + b"x" * 60_000 + b"\r\nConnection: close\r\n\r\n")
    checks.that(good and good.startswith(b"HTTP/1.1 200"), "90 headers of 60 KiB are understood", good[:80] if good else good)


def large_bodies(checks, server):
    """Bodies over the limit, sent in every way, and slow bodies; the errors have the format of each contract."""
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for contract, method, path in WRITES:
        bearer = ("Content-Type: application/json", f"Authorization: Bearer {server.admin}")
        for what, data in (
            ("announced", head(method, path, f"Content-Length: {LARGEST + 1}", *bearer)),
            ("sent", head(method, path, f"Content-Length: {LARGEST + 1}", *bearer) + b" " * (LARGEST + 1)),
            ("in chunks", head(method, path, "Transfer-Encoding: chunked", *bearer) + chunk * (LARGEST // 65536 + 2) + b"0\r\n\r\n"),
        ):
            answer, took = raw(server, data + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" * (what == "in chunks"))
            if checks.that(answer and answer.startswith(b"HTTP/1.1 413"), f"{path}: a body too large, {what}", (answer or b"")[:200]):
                first = answer.split(b"HTTP/1.1 200")[0]
                checks.that(shape_of(contract, parsed(first)) is not None, f"{path}: the format of the contract", first)
                has_security_headers(checks, parsed(first), path)
            checks.that(took < HEAD + 5, f"{path}: quickly", took)
    packed = gzip.compress(b"[" + b" " * (LARGEST * 4) + b"]")
    answer = server.ask("POST", "/v1/events", packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    checks.that(answer.status == 413 and len(packed) < 100_000, "a compressed body of 33 MiB is refused", answer)

    def slowly(contract, method, path):
        start = head(method, path, "Content-Length: 1000", "Content-Type: application/json", f"Authorization: Bearer {server.admin}")
        return contract, path, *raw(server, start + b"{")

    with ThreadPoolExecutor(len(WRITES)) as pool:
        for contract, path, answer, took in list(pool.map(lambda write: slowly(*write), WRITES)):
            if checks.that(answer and answer.startswith(b"HTTP/1.1 408"), f"{path}: a body that never ends", answer):
                checks.that(shape_of(contract, parsed(answer)) is not None, f"{path}: 408 in the format of the contract", answer)
            checks.that(BODY - 0.5 < took < BODY + 3, f"{path}: after the body timeout", took)


def browsers(checks, closed, opened, origin):
    """CORS: what other origins may read."""
    for server, listed in ((closed, False), (opened, True)):
        sent = {"Origin": origin}
        answer = server.ask("GET", "/v1/events", headers=sent)
        checks.equal(answer.headers["Access-Control-Allow-Origin"], origin if listed else None, f"a read, listed: {listed}")
        checks.equal(answer.headers["Vary"], "Origin" if listed else None, f"Vary, listed: {listed}")
        checks.that("Access-Control-Allow-Credentials" not in answer.headers, "no credentials of the browser", dict(answer.headers))
        preflight = server.send("OPTIONS", "/v1/events", headers=sent | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"})
        checks.equal(preflight.status, 204 if listed else 405, f"a preflight, listed: {listed}")
        checks.equal(preflight.headers["Access-Control-Allow-Origin"], origin if listed else None, f"its permission, listed: {listed}")
        other = server.ask("GET", "/v1/events", headers={"Origin": origin + ".evil"})
        checks.that("Access-Control-Allow-Origin" not in other.headers, "no other origin may read", dict(other.headers))


def proxies(checks, server):
    """The addresses that a client can claim; 127.0.0.3 is a trusted proxy."""
    def source(peer, *forwarded):
        body = json.dumps({"type": "page_load", "page": "/", "user_id": "u"}).encode()
        fields = b"".join(b"X-Forwarded-For: " + value + b"\r\n" for value in forwarded)
        request = head("POST", "/v1/events", f"Authorization: Bearer {server.admin}", "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close")
        answer = parsed(raw(server, request[:-2] + fields + b"\r\n" + body, source=peer)[0])
        if not checks.equal(answer.status, 200, f"{peer} {forwarded}: {answer}"):
            return None
        return server.ask("GET", f"/v1/events/{answer.json()['results'][0]['id']}").json()["source"]

    trusted = "127.0.0.3"
    for peer, forwarded, expected in (
        ("127.0.0.2", [b"198.51.100.1"], "127.0.0.2"),
        (trusted, [b"198.51.100.1"], "198.51.100.1"),
        (trusted, [b"6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        (trusted, [b"6.6.6.6", b"198.51.100.1"], "198.51.100.1"),
        (trusted, [b"6.6.6.6, 198.51.100.1, 127.0.0.3"], "198.51.100.1"),
        (trusted, [b"\xff\xfe, 198.51.100.1"], "198.51.100.1"),
        (trusted, [b"6.6.6.6", b"\xff\xfe"], trusted),
        (trusted, [b"6.6.6.6, unknown"], trusted),
        (trusted, [b"6.6.6.6, 198.51.100.1:99999"], trusted),
        (trusted, [b"198.51.100.1:4711"], "198.51.100.1"),
        (trusted, [b"2001:db8::1"], "2001:db8::1"),
        (trusted, [b"[2001:db8::1]"], "2001:db8::1"),
        (trusted, [b"[2001:db8::1]:443"], "2001:db8::1"),
        (trusted, [b"::ffff:198.51.100.1"], "198.51.100.1"),
        (trusted, [b"6.6.6.6, ::ffff:127.0.0.3"], "6.6.6.6"),
        (trusted, [b", ".join([b"6.6.6.6"] * 5000) + b", 198.51.100.1"], "198.51.100.1"),
    ):
        checks.equal(source(peer, *forwarded), expected, f"the source of {peer} with {[value[-60:] for value in forwarded]}")


def many_of_one(checks, server, most):
    """One source that opens more connections than allowed."""
    def lives(client):
        client.settimeout(5)
        try:
            client.sendall(head("GET", "/healthz"))
            return client.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    for source, count, expected in (("127.0.0.2", most + 15, most), ("127.0.0.3", most + 15, most + 15)):
        clients = [socket.create_connection(("127.0.0.1", server.port), source_address=(source, 0), timeout=5) for _ in range(count)]
        checks.equal(sum(lives(client) for client in clients), expected, f"connections of {source}, a trusted proxy: {source == '127.0.0.3'}")
        checks.equal(server.send("GET", "/healthz").status, 200, "others are served meanwhile")
        for client in clients:
            client.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        again = socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.2", 0), timeout=5)
        with again:
            if lives(again):
                break
        time.sleep(0.05)
    else:
        checks.that(False, "new connections are accepted after others ended")


def ends_well(checks, server):
    """SIGTERM during a request: the request is answered, idle connections are closed, and the program ends."""
    idle = server.connection()
    idle.request("GET", "/healthz")
    idle.getresponse().read()
    body = json.dumps({"type": "page_load", "page": "/", "user_id": "last"}).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head("POST", "/v1/events", f"Authorization: Bearer {server.admin}", "Content-Type: application/json", f"Content-Length: {len(body)}") + body[:10])
        time.sleep(0.3)
        ended = []
        stopping = threading.Thread(target=lambda: ended.append((server.stop(), time.monotonic())))
        started = time.monotonic()
        stopping.start()
        time.sleep(0.7)
        client.sendall(body[10:])
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    checks.that(answer.startswith(b"HTTP/1.1 200"), "an open request is answered after SIGTERM", answer)
    checks.that(b"connection: close" in answer.lower(), "and its connection ends", answer)
    stopping.join()
    checks.equal(ended[0][0], 0, "the server ends cleanly")
    checks.that(ended[0][1] - started < 10, "and quickly", ended[0][1] - started)
    idle.close()


def main():
    """Runs all checks."""
    chosen = arguments(__doc__.splitlines()[0])
    checks, origin = Checks(), "https://app.example"
    with Server(checks, chosen.database, **SETTINGS) as server:
        answer = server.ask("GET", "/v1/events")
        has_security_headers(checks, answer, "HTTP")
        checks.that("Strict-Transport-Security" not in answer.headers, "no HSTS without TLS", dict(answer.headers))
        no_requests(checks, server)
        large_bodies(checks, server)
        slow_clients(checks, server)
        readers.check(checks, server, WRITE)
        plain = {**SETTINGS, "max_connections_per_source": "20", "trusted_proxies": "127.0.0.3", "cors_origins": f"http://localhost:3000,{origin}"}
        with Server(checks, chosen.database, **plain) as other:
            browsers(checks, server, other, origin)
            proxies(checks, other)
            many_of_one(checks, other, 20)
        unfinished_bodies.check(checks, chosen.database)
        first = certificates.make(server.folder, "first", "rsa")
        second = certificates.make(server.folder, "second")
        wrong_settings(checks, server, first, second, server.folder)
        for pair, name in ((first[0], "used.pem"), (first[1], "used.key")):
            (server.folder / name).write_bytes(pair.read_bytes())
        (server.folder / "used.key").chmod(0o644)
        files = {"tls_cert": str(server.folder / "used.pem"), "tls_key": str(server.folder / "used.key")}
        with TlsServer(checks, chosen.database, (first[0], second[0]), **SETTINGS, **files) as secure:
            tls(checks, secure, first, second, server.folder, HEAD)
            log = secure.log.read_text(errors="replace")
            checks.that("mode 0644" in log and "used.key" in log, "the server warns of a key that others can read")
            checks.that("https://127.0.0.1" in log and "http://127.0.0.1" not in log, "the banner has an https address", log[:2000])
        ends_well(checks, server)
        server.settings["TRAILKEEPER_LISTEN"] = f"0.0.0.0:{server.port}"
        server.start()
        checks.that("nothing is encrypted" in server.log.read_text(errors="replace"), "the server warns of plain HTTP on a network address")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
