"""Hundreds of clients that are slow on purpose, in a separate process."""

import json
import multiprocessing
import resource
import selectors
import socket
import time

DRIP_SECONDS = 0.4


def head(method, path, *headers):
    """The head of a request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: slow.example", *headers, "", "")).encode()


class Slow:
    """One slow client: what it sends at once, what it then sends bit by bit, and whether it reads."""

    def __init__(self, kind, begin, drop, reads=True):
        self.kind, self.begin, self.drop, self.reads = kind, begin, drop, reads
        self.socket = None
        self.got = b""
        self.opened = self.closed = None

    def open(self, address):
        """Connects and sends the beginning, as far as the server accepts it."""
        self.socket = socket.socket()
        if not self.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(10)
        self.socket.connect(address)
        self.opened = time.monotonic()
        self.socket.sendall(self.begin)
        self.socket.setblocking(False)

    def drip(self):
        """Sends a little more. False if the server closed the connection."""
        try:
            if self.drop:
                self.socket.send(self.drop)
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def read(self):
        """Reads the available bytes. False if the server closed the connection."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.got += data[: max(0, 4096 - len(self.got))]
        return bool(data)


def crowd(token, document):
    """The kinds of slow clients, and their numbers."""
    bearer = f"Authorization: Bearer {token}"
    whole = head("GET", "/healthz")
    event = ("Content-Type: application/json", bearer)
    return {
        "slow head": (300, lambda: Slow("slow head", b"GET /v1/events HTTP/1.1\r\n", b"X-Slow: 1\r\n")),
        "slow later head": (200, lambda: Slow("slow later head", whole + b"GET /healthz HTTP/1.1\r\n", b"X-Slow: 1\r\n")),
        "slow body": (200, lambda: Slow("slow body", head("POST", "/v1/events", "Content-Length: 100000", *event) + b"[", b" ")),
        "slow chunked body": (100, lambda: Slow("slow chunked body", head("POST", "/v1/events", "Transfer-Encoding: chunked", *event), b"1\r\n \r\n")),
        "body nobody reads": (100, lambda: Slow("body nobody reads", head("GET", "/healthz", "Transfer-Encoding: chunked"), b"1\r\nx\r\n")),
        "idle": (100, lambda: Slow("idle", whole, b"")),
        "silent": (100, lambda: Slow("silent", b"", b"")),
        "reads nothing": (200, lambda: Slow("reads nothing", head("GET", document) * 12, b"", reads=False)),
    }


def attack(address, token, document, seconds, results):
    """Opens all clients, lets them send bit by bit for `seconds`, and reports the outcome of each kind."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    clients = [make() for count, make in crowd(token, document).values() for _ in range(count)]
    for client in clients:
        client.open(address)
    results.put("open")
    watched = selectors.DefaultSelector()
    for client in clients:
        if client.reads:
            watched.register(client.socket, selectors.EVENT_READ, client)
    deadline, next_drip = time.monotonic() + seconds, 0.0
    while time.monotonic() < deadline:
        closed = []
        for key, _ in watched.select(0.05):
            if not key.data.read():
                closed.append(key.data)
        if time.monotonic() >= next_drip:
            next_drip = time.monotonic() + DRIP_SECONDS
            closed += [client for client in clients if client.closed is None and client not in closed and not client.drip()]
        for client in closed:
            client.closed = time.monotonic()
            if client.reads:
                watched.unregister(client.socket)
    for client in clients:
        # Clients that do not read notice the end only now: a reset, or a truncated response.
        if not client.reads:
            client.socket.settimeout(1)
            while client.closed is None:
                try:
                    if not client.socket.recv(1 << 20):
                        client.closed = time.monotonic()
                except TimeoutError:
                    break
                except OSError:
                    client.closed = time.monotonic()
    outcomes = {}
    for client in clients:
        entry = outcomes.setdefault(client.kind, {"clients": 0, "open": 0, "longest": 0.0, "answers": {}})
        entry["clients"] += 1
        if client.closed is None:
            entry["open"] += 1
        else:
            entry["longest"] = max(entry["longest"], client.closed - client.opened)
        last = client.got.rpartition(b"HTTP/1.1 ")[2] if client.reads else b""
        entry["answers"][last.decode(errors="replace")] = entry["answers"].get(last.decode(errors="replace"), 0) + 1
    results.put(json.dumps(outcomes))


class Attack:
    """Runs the clients in a separate process, so that they cost the measuring client only processor time."""

    def __init__(self, address, token, document, seconds):
        context = multiprocessing.get_context("spawn")
        self.results = context.Queue()
        self.process = context.Process(target=attack, args=(address, token, document, seconds, self.results), daemon=True)
        self.process.start()
        self.results.get(timeout=120)

    def running(self):
        """Whether the attack still runs."""
        return self.process.is_alive() and self.results.empty()

    def results_by_kind(self):
        """The outcomes by kind of client."""
        result = json.loads(self.results.get(timeout=120))
        self.process.join()
        return result
