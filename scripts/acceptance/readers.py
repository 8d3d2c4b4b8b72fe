"""Clients that read a large response slowly: a steady one must get all of it, one that stops must be disconnected."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

EVENTS = 500
READ = "/v1/events?limit=500&type=page_load"


def check(checks, server, write_timeout):
    """Runs both at the same time, on a response of about 8 MB. The steady one takes far longer than `write_timeout`."""
    event = {"type": "page_load", "page": "/", "user_id": "reader", "metadata": {"text": "x" * 15_000}}
    stored = server.ask("POST", "/v1/events", [event] * EVENTS).json()
    checks.equal(stored and stored["stored"], EVENTS, "large events are stored")
    with ThreadPoolExecutor(2) as pool:
        steady = pool.submit(read, server, 300_000, None)
        stopped = pool.submit(read, server, 10_000_000, write_timeout + 3)
        for reader, expected in ((steady, True), (stopped, False)):
            whole, got, took = reader.result()
            what = "a steady reader gets all of a large answer" if expected else "a reader that stops half way is let go"
            checks.equal(whole, expected, f"{what} ({got} bytes in {took:.1f} s)")


def read(server, rate, pause):
    """Reads at a rate in bytes per second, with an optional pause after 1 MB. Returns whether the response is complete."""
    with socket.socket() as client:
        # Otherwise the system may take the whole rest into its buffers while the client pauses: up to 6 MB here, and up to
        # 4 MB at the server.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.settimeout(30)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"GET {READ} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.admin}\r\nConnection: close\r\n\r\n".encode())
        started, top, got = time.monotonic(), b"", 0
        try:
            while part := client.recv(65_536):
                got += len(part)
                top = top if b"\r\n\r\n" in top else top + part
                time.sleep(max(0, got / rate - (time.monotonic() - started)))
                if pause and got > 1_000_000:
                    time.sleep(pause)
                    pause = None
        except OSError:
            pass  # A reset is expected here.
        head, _, _ = top.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), -1)
        return got == len(head) + 4 + length, got, time.monotonic() - started
