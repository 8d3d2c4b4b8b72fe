#!/usr/bin/env python3
"""Attacks the running server below its routes: slow, greedy and malformed clients, TLS, browsers, proxies.

    scripts/acceptance/hygiene.py [--database sqlite|postgres]

Hundreds of clients that are slow in every way there is, while another one keeps its latency; requests that are too
large or no requests at all; TLS with its certificate changed under way; what other origins may read; who a client
behind a proxy can pretend to be; and the end of a server with requests in hand. Needs the command `openssl`.
"""

import gzip
import http.client
import json
import os
import signal
import socket
import ssl
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import certificates
import readers
from bad_input import shape_of
from harness import Answer, Checks, Server, arguments
from slow_clients import Attack, head

HEAD, BODY, WRITE, KEEP = 2, 4, 3, 6
SETTINGS = {"head_timeout": str(HEAD), "body_timeout": str(BODY), "write_timeout": str(WRITE), "keep_alive": str(KEEP),
            "max_connections_per_source": "0", "workers": "2"}
LARGEST = 8 * 1024 * 1024
SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
            "Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
WRITES = [("native", "POST", "/v1/events"), ("saasus", "PUT", "/v1/analysis/user-behavior-day"),
          ("cripsa", "PATCH", "/v1/auditlog/users/attributes"), ("octopai", "POST", "/api/UserAccount/UserEvents")]


class TlsServer(Server):
    """A server that speaks HTTPS, and clients that trust its certificates."""

    def __init__(self, checks, database, trusted, **settings):
        super().__init__(checks, database, **settings)
        self.context = certificates.context(*trusted)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)

    def handshake(self, context):
        """The TLS version and the certificate's name of a fresh connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
                return stream.version(), dict(stream.getpeercert()["subject"][0])["commonName"]


def raw(server, data, seconds=20, source="127.0.0.1", half_close=False):
    """What the server answers to these bytes until it closes, and how long that took; None where it does not close."""
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
            pass  # A server may close over what it did not read.
    return got, time.monotonic() - started


def parsed(answer):
    """Raw bytes as an answer."""
    top, _, body = answer.partition(b"\r\n\r\n")
    line, *fields = top.decode("latin-1").split("\r\n")
    headers = http.client.HTTPMessage()
    for name, value in (field.split(": ", 1) for field in fields):
        headers[name.title()] = value
    return Answer(int(line.split(" ")[1]), headers, body)


def is_refusal(checks, answer, status, code, what):
    """A refusal below the routes: in the native shape, traceable, with the security headers."""
    if not checks.that(answer, f"{what}: is answered", answer):
        return
    got = parsed(answer)
    checks.equal(got.status, status, f"{what}: its status")
    checks.that(shape_of("native", got) is not None, f"{what}: the native shape", got)
    checks.equal((got.json() or {}).get("code"), code, f"{what}: its code")
    checks.that(got.headers["X-Request-Id"] and got.headers["X-Request-Id"] == got.headers["X-Saasus-Trace-Id"], f"{what}: trace ids", dict(got.headers))
    checks.that(got.headers["Date"], f"{what}: a date", dict(got.headers))
    has_security_headers(checks, got, what)


def has_security_headers(checks, answer, what):
    """The headers of every answer."""
    for name, value in SECURITY.items():
        checks.equal(answer.headers[name], value, f"{what}: {name}")
    checks.that("default-src 'none'" in (answer.headers["Content-Security-Policy"] or ""), f"{what}: a policy", dict(answer.headers))


def latencies(server, until):
    """A client as it should be, on connections that are kept: milliseconds of each request."""
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


def told(took):
    """Median, 99th percentile and longest."""
    ordered = sorted(took)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def memory(server):
    """Resident memory of the server in MiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


def open_files(server):
    """How many files and sockets the server has open."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def slow_clients(checks, server):
    """More than a thousand slow clients of every kind, and one that is not."""
    end = time.monotonic() + 3
    alone = told(latencies(server, lambda: time.monotonic() < end))
    files, before = open_files(server), memory(server)
    seconds = 2 * max(HEAD, BODY, WRITE, KEEP) + 8
    attack = Attack(("127.0.0.1", server.port), server.admin, "/openapi.json", seconds)
    peak = [0, 0]

    def until():
        peak[0], peak[1] = max(peak[0], memory(server)), max(peak[1], open_files(server))
        return attack.running()

    amid = told(latencies(server, until))
    result = attack.told()
    for name, (median, late, longest) in (("alone", alone), ("amid slow clients", amid)):
        print(f"a normal client {name}: median {median:.1f} ms, 99 of 100 within {late:.1f} ms, longest {longest:.1f} ms", flush=True)
    print(f"the server: {before} MiB and {files} open files before, at most {peak[0]} MiB and {peak[1]} files amid", flush=True)
    checks.that(peak[1] > 500, "the slow clients were really connected", peak)
    checks.that(amid[0] < max(10 * alone[0], 100), "the median latency amid slow clients", (alone, amid))
    checks.that(amid[1] < max(20 * alone[1], 1000), "the 99th percentile amid slow clients", (alone, amid))
    for kind, entry in result.items():
        print(f"  {entry['clients']} × {kind}: {entry['open']} left, the longest stayed {entry['longest']:.1f} s", flush=True)
        checks.equal(entry["open"], 0, f"{kind}: every connection is closed")
        # Who does not read finds out only when the crowd is asked.
        checks.that(entry["longest"] < seconds - 1 or kind == "reads nothing", f"{kind}: in time", entry["longest"])
    for kind, code in (("slow head", "head_too_slow"), ("slow later head", "head_too_slow"), ("slow body", "body_too_slow"), ("slow chunked body", "body_too_slow")):
        answers = result[kind]["answers"]
        good = sum(count for text, count in answers.items() if text.startswith("408 ") and code in text)
        # A drop that crosses the answer resets the connection; a client may then never read it.
        checks.that(good >= result[kind]["clients"] * 0.9, f"{kind}: 408 {code}", list(answers)[:3])
    checks.equal(result["silent"]["answers"], {"": 100}, "who says nothing is told nothing")
    deadline = time.monotonic() + 10
    while open_files(server) > files + 8 and time.monotonic() < deadline:
        time.sleep(0.1)
    checks.that(open_files(server) <= files + 8, "no connection is left behind", (files, open_files(server)))
    checks.equal(server.send("GET", "/readyz").status, 200, "the server is as before")


def no_requests(checks, server):
    """Heads that are too large or none at all."""
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
    # The answer before it must come through whole, whatever follows.
    both = raw(server, head("GET", "/healthz") + b"garbage\r\n\r\n")[0]
    checks.that(both and both.startswith(b"HTTP/1.1 200") and b'{"status":"ok"}' in both and both.count(b"HTTP/1.1 400") == 1, "a request before garbage is answered", both)
    good, _ = raw(server, line + b"".join(b"X-%d: 1\r\n" % n for n in range(90)) + b"X-Large: " + b"x" * 60_000 + b"\r\nConnection: close\r\n\r\n")
    checks.that(good and good.startswith(b"HTTP/1.1 200"), "90 headers of 60 KiB are understood", good[:80] if good else good)


def large_bodies(checks, server):
    """Bodies over the limit, however they are sent, and slow ones, in the shape of each contract."""
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
                checks.that(shape_of(contract, parsed(first)) is not None, f"{path}: the contract's shape", first)
                has_security_headers(checks, parsed(first), path)
            checks.that(took < HEAD + 5, f"{path}: soon", took)
    packed = gzip.compress(b"[" + b" " * (LARGEST * 4) + b"]")
    answer = server.ask("POST", "/v1/events", packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
    checks.that(answer.status == 413 and len(packed) < 100_000, "33 MiB packed into little are refused", answer)

    def slowly(contract, method, path):
        start = head(method, path, "Content-Length: 1000", "Content-Type: application/json", f"Authorization: Bearer {server.admin}")
        return contract, path, *raw(server, start + b"{")

    with ThreadPoolExecutor(len(WRITES)) as pool:
        for contract, path, answer, took in list(pool.map(lambda write: slowly(*write), WRITES)):
            if checks.that(answer and answer.startswith(b"HTTP/1.1 408"), f"{path}: a body that never ends", answer):
                checks.that(shape_of(contract, parsed(answer)) is not None, f"{path}: 408 in the contract's shape", answer)
            checks.that(BODY - 0.5 < took < BODY + 3, f"{path}: after the body timeout", took)


def browsers(checks, closed, opened, origin):
    """What other origins may read."""
    for server, listed in ((closed, False), (opened, True)):
        sent = {"Origin": origin}
        answer = server.ask("GET", "/v1/events", headers=sent)
        checks.equal(answer.headers["Access-Control-Allow-Origin"], origin if listed else None, f"a read, listed: {listed}")
        checks.equal(answer.headers["Vary"], "Origin" if listed else None, f"Vary, listed: {listed}")
        checks.that("Access-Control-Allow-Credentials" not in answer.headers, "no credentials of the browser's own", dict(answer.headers))
        preflight = server.send("OPTIONS", "/v1/events", headers=sent | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"})
        checks.equal(preflight.status, 204 if listed else 405, f"a preflight, listed: {listed}")
        checks.equal(preflight.headers["Access-Control-Allow-Origin"], origin if listed else None, f"its permission, listed: {listed}")
        other = server.ask("GET", "/v1/events", headers={"Origin": origin + ".evil"})
        checks.that("Access-Control-Allow-Origin" not in other.headers, "no other origin may read", dict(other.headers))


def proxies(checks, server):
    """Who a client can pretend to be; 127.0.0.3 is a trusted proxy."""
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
    """One source that opens more connections than it may."""
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
        checks.that(False, "places are free again after the connections ended")


def tls(checks, server, first, second, folder):
    """Handshakes, versions, plain HTTP, and a certificate that changes under way."""
    trusted = (first[0], second[0])
    for version, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        checks.equal(server.handshake(certificates.context(*trusted, version=version)), (name, "first"), f"a handshake with {name}")
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
        try:
            checks.that(False, f"{version} is refused", server.handshake(certificates.context(*trusted, version=version)))
        except (ssl.SSLError, ConnectionError) as error:
            # Ours was really asked, and refused it.
            checks.that("alert" in str(error).lower(), f"{version} is refused by the server", error)
    answer = server.ask("GET", "/v1/events")
    checks.equal(answer.headers["Strict-Transport-Security"], "max-age=31536000", "HSTS with TLS")
    has_security_headers(checks, answer, "HTTPS")
    plain, took = raw(server, head("GET", "/healthz"))
    is_refusal(checks, plain, 400, "https_required", "plain HTTP where TLS is spoken")
    checks.that(took < 1, "plain HTTP is answered at once", took)
    for what, data in (("silence", b""), ("half a handshake", b"\x16\x03\x01\x02\x00\x01\x00"), ("noise", b"\x80\x01garbage" * 100)):
        got, took = raw(server, data)
        checks.that(got is not None and took < HEAD + 2, f"{what} does not hang", (got, took))

    kept = server.connection()
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    certificate, key = folder / "used.pem", folder / "used.key"

    def hang_up(pair, expected, line):
        known = server.log.read_text(errors="replace").count(line)
        for source, target in zip(pair, (certificate, key)):
            target.write_bytes(source if isinstance(source, bytes) else source.read_bytes())
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while server.log.read_text(errors="replace").count(line) == known and time.monotonic() < deadline:
            time.sleep(0.02)
        checks.that(server.log.read_text(errors="replace").count(line) > known, f"SIGHUP is told in the log: {line}")
        checks.equal(server.handshake(server.context)[1], expected, "the certificate after SIGHUP")
        kept.request("GET", "/healthz")
        response = kept.getresponse()
        response.read()
        checks.equal(response.status, 200, "a connection from before SIGHUP goes on")

    stays = "the old certificate stays in use"
    hang_up(second, "second", "read the certificate and its key again")
    hang_up((first[0], second[1]), "second", f"{stays}: tls-key: {key} is not the key of the first certificate in {certificate}")
    hang_up((b"", first[1]), "second", f"{stays}: tls-cert: {certificate} holds no certificate")
    hang_up((first[0], b"-----BEGIN PRIVATE KEY-----\nsecretsecret\n"), "second", f"{stays}: tls-key: {key}")
    hang_up(first, "first", "read the certificate and its key again")
    checks.that("secretsecret" not in server.log.read_text(errors="replace"), "nothing of a key is in the log")
    kept.close()

    # Hundreds that begin a handshake and stop, while another client is served.
    half = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(300)]
    for client in half:
        client.sendall(b"\x16\x03\x01\x02")
    end = time.monotonic() + 1.5
    median, late, longest = told(latencies(server, lambda: time.monotonic() < end))
    print(f"a normal TLS client amid 300 half handshakes: median {median:.1f} ms, longest {longest:.1f} ms", flush=True)
    checks.that(late < 1000, "its 99th percentile", late)
    for client in half:
        client.settimeout(HEAD + 5)
        try:
            checks.that(client.recv(1) == b"", "a half handshake is ended")
        except TimeoutError:
            checks.that(False, "a half handshake is ended")
        except OSError:
            checks.that(True, "a half handshake is ended")
        client.close()


def wrong_settings(checks, server, first, second, folder):
    """What is refused before anything begins, by flag and file."""
    (folder / "none.pem").write_text("no certificate")
    (folder / "encrypted.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    missing = str(folder / "missing.pem")
    for flags, parts in (
        (["--tls-cert", str(first[0])], ["tls-cert", "--tls-key"]),
        (["--tls-key", str(first[1])], ["tls-key", "--tls-cert"]),
        (["--tls-cert", missing, "--tls-key", str(first[1])], ["tls-cert", missing]),
        (["--tls-cert", str(first[0]), "--tls-key", missing], ["tls-key", missing]),
        (["--tls-cert", str(folder / "none.pem"), "--tls-key", str(first[1])], ["tls-cert", "none.pem", "BEGIN CERTIFICATE"]),
        (["--tls-cert", str(first[0]), "--tls-key", str(folder / "encrypted.key")], ["tls-key", "encrypted.key", "not encrypted"]),
        (["--tls-cert", str(first[0]), "--tls-key", str(second[1])], ["tls-key", "tls-cert", str(second[1]), str(first[0])]),
        (["--cors-origins", "*"], ["'*'", "https://app.example"]),
        (["--cors-origins", "https://app.example/"], ["https://app.example/"]),
    ):
        done = server.command("serve", "--listen", "127.0.0.1:0", *flags)
        error = done.stderr.decode(errors="replace")
        checks.that(done.returncode in (1, 2), f"{flags} is refused", done)
        checks.that(all(part in error for part in parts), f"{flags}: the error names {parts}", error)


def ends_well(checks, server):
    """SIGTERM while a request is under way: it is answered, idle connections are closed, and the program ends."""
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
    checks.that(answer.startswith(b"HTTP/1.1 200"), "a request in hand is answered after SIGTERM", answer)
    checks.that(b"connection: close" in answer.lower(), "and its connection ends", answer)
    stopping.join()
    checks.equal(ended[0][0], 0, "the server ends cleanly")
    checks.that(ended[0][1] - started < 10, "and soon", ended[0][1] - started)
    idle.close()


def main():
    """All of it."""
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
        first = certificates.make(server.folder, "first", "rsa")
        second = certificates.make(server.folder, "second")
        wrong_settings(checks, server, first, second, server.folder)
        for pair, name in ((first[0], "used.pem"), (first[1], "used.key")):
            (server.folder / name).write_bytes(pair.read_bytes())
        (server.folder / "used.key").chmod(0o644)
        files = {"tls_cert": str(server.folder / "used.pem"), "tls_key": str(server.folder / "used.key")}
        with TlsServer(checks, chosen.database, (first[0], second[0]), **SETTINGS, **files) as secure:
            tls(checks, secure, first, second, server.folder)
            log = secure.log.read_text(errors="replace")
            checks.that("mode 0644" in log and "used.key" in log, "a key that others can read is warned of")
            checks.that("https://127.0.0.1" in log and "http://127.0.0.1" not in log, "the banner says https", log[:2000])
        ends_well(checks, server)
        server.settings["TRAILKEEPER_LISTEN"] = f"0.0.0.0:{server.port}"
        server.start()
        checks.that("nothing is encrypted" in server.log.read_text(errors="replace"), "plain HTTP beyond this machine is warned of")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
