"""The checks of TLS: handshakes, versions, certificates that change meanwhile, invalid settings."""

import http.client
import signal
import socket
import ssl
import time

import certificates
from harness import Server
from slow_clients import head
from wire import has_security_headers, is_refusal, latencies, percentiles, raw


class TlsServer(Server):
    """A server that speaks HTTPS, and clients that trust its certificates."""

    def __init__(self, checks, database, trusted, **settings):
        super().__init__(checks, database, **settings)
        self.context = certificates.context(*trusted)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)

    def handshake(self, context):
        """The TLS version and the name in the certificate of a new connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
                return stream.version(), dict(stream.getpeercert()["subject"][0])["commonName"]


def tls(checks, server, first, second, folder, head_timeout):
    """Handshakes, versions, plain HTTP, and a certificate that changes meanwhile."""
    trusted = (first[0], second[0])
    for version, name in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        checks.equal(server.handshake(certificates.context(*trusted, version=version)), (name, "first"), f"a handshake with {name}")
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
        try:
            checks.that(False, f"{version} is refused", server.handshake(certificates.context(*trusted, version=version)))
        except (ssl.SSLError, ConnectionError) as error:
            # The server itself rejected it.
            checks.that("alert" in str(error).lower(), f"{version} is refused by the server", error)
    answer = server.ask("GET", "/v1/events")
    checks.equal(answer.headers["Strict-Transport-Security"], "max-age=31536000", "HSTS with TLS")
    has_security_headers(checks, answer, "HTTPS")
    plain, took = raw(server, head("GET", "/healthz"))
    is_refusal(checks, plain, 400, "https_required", "plain HTTP where TLS is spoken")
    checks.that(took < 1, "plain HTTP is answered at once", took)
    for what, data in (("silence", b""), ("half a handshake", b"\x16\x03\x01\x02\x00\x01\x00"), ("noise", b"\x80\x01garbage" * 100)):
        got, took = raw(server, data)
        checks.that(got is not None and took < head_timeout + 2, f"{what} does not hang", (got, took))

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
        checks.that(server.log.read_text(errors="replace").count(line) > known, f"SIGHUP is logged: {line}")
        checks.equal(server.handshake(server.context)[1], expected, "the certificate after SIGHUP")
        kept.request("GET", "/healthz")
        response = kept.getresponse()
        response.read()
        checks.equal(response.status, 200, "a connection from before SIGHUP continues")

    stays = "the old certificate stays in use"
    hang_up(second, "second", "read the certificate and its key again")
    hang_up((first[0], second[1]), "second", f"{stays}: tls-key: {key} is not the key of the first certificate in {certificate}")
    hang_up((b"", first[1]), "second", f"{stays}: tls-cert: {certificate} holds no certificate")
    hang_up((first[0], b"-----BEGIN PRIVATE KEY-----\nsecretsecret\n"), "second", f"{stays}: tls-key: {key}")
    hang_up(first, "first", "read the certificate and its key again")
    checks.that("secretsecret" not in server.log.read_text(errors="replace"), "nothing of a key is in the log")
    kept.close()

    # Hundreds of clients begin a handshake and stop, while another client is served.
    half = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(300)]
    for client in half:
        client.sendall(b"\x16\x03\x01\x02")
    end = time.monotonic() + 1.5
    median, late, longest = percentiles(latencies(server, lambda: time.monotonic() < end))
    print(f"a normal TLS client during 300 half handshakes: median {median:.1f} ms, longest {longest:.1f} ms", flush=True)
    checks.that(late < 1000, "its 99th percentile", late)
    for client in half:
        client.settimeout(head_timeout + 5)
        try:
            checks.that(client.recv(1) == b"", "a half handshake is ended")
        except TimeoutError:
            checks.that(False, "a half handshake is ended")
        except OSError:
            checks.that(True, "a half handshake is ended")
        client.close()


def wrong_settings(checks, server, first, second, folder):
    """Settings that make the server refuse to start, by flag and file."""
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
