#!/usr/bin/env python3
"""Follows the feed of events while clients send events and the server is killed.

    scripts/acceptance/feed.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/feed.py --database postgres

Three readers follow: one by pages that wait, one by streams with random disconnects, one with a credential of one tenant.
The server is killed and started again twice meanwhile. At the end, each reader must have every acknowledged event that it
may see exactly once, and all must have them in one order. Then the time from the acknowledgement of an event to its arrival
is measured at 2,000 events per second, and the memory of 1,000 idle listeners.
"""

import multiprocessing
import resource
import socket
import statistics
import sys
import threading
import time
import uuid

from crash import Mortal
from followers import FeedReader, StreamReader, Writers
from harness import Checks, arguments
from wire import memory

RATE = 2_000
WAIT_SECONDS = 20
LISTENERS = 1_000
# Bounds that a noisy machine and a debug build keep. The figures are printed.
P99_SECONDS = 2.5
LISTENERS_MIB = 60
TENANTS = [str(uuid.UUID(int=n, version=4)) for n in (1, 2)]


def killed_meanwhile(checks, server):
    """Readers and writers go on while the server is killed twice."""
    token, scoped = server.token("analyst"), server.token("auditor", TENANTS[0])
    readers = [FeedReader(server, token, "pages").start(), StreamReader(server, token, "streams").start(),
               StreamReader(server, scoped, "streams of a tenant").start()]
    writers = Writers(server, TENANTS, RATE)
    writers.start()
    for _ in range(2):
        time.sleep(1.5)
        server.kill()
        server.start()
    time.sleep(1.5)
    writers.stop()
    own = {event for event, tenant in writers.tenant_of.items() if tenant == TENANTS[0]}
    wanted = [set(writers.tenant_of), set(writers.tenant_of), own]
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and not all(reader.has(ids) for reader, ids in zip(readers, wanted)):
        time.sleep(0.1)
    for reader in readers:
        reader.stop()
    checks.equal(set(writers.acknowledged), set(writers.tenant_of), "every event is acknowledged in the end")
    checks.equal(writers.odd, [], "every batch is taken as a whole")
    for reader, ids in zip(readers, wanted):
        checks.equal(reader.odd, [], f"{reader.name}: every answer is valid")
        checks.equal(len(reader.ids), len(set(reader.ids)), f"{reader.name}: no event comes twice")
        checks.equal((len(ids - set(reader.ids)), len(set(reader.ids) - ids)), (0, 0), f"{reader.name}: every event, and no other")
    pages, streams, of_tenant = (reader.ids for reader in readers)
    checks.that(pages == streams, "both readers of everything have one order")
    checks.that([event for event in pages if event in own] == of_tenant, "the reader of a tenant has the same order")
    print(f"{len(pages)} events, {[reader.begun for reader in readers]} connections, two kills", flush=True)


def arrivals(server, token, sender):
    """In a process of its own: reads a stream for some seconds, and sends when each event arrived."""
    reader = StreamReader(server, token, "latency", restless=False)
    threading.Timer(7, reader.stopped.set).start()
    while not reader.stopped.is_set():
        reader.read()
    sender.send(reader.arrived)


def latency(checks, server):
    """Measures the time from the acknowledgement of an event to its arrival at a reader."""
    processes = multiprocessing.get_context("fork")
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=arrivals, args=(server, server.token("auditor", TENANTS[1]), sender))
    process.start()
    time.sleep(1)
    writers = Writers(server, [TENANTS[1]], RATE)
    writers.start()
    time.sleep(4)
    writers.stop()
    # Wakes the reader, which notices only with the next text that it has to stop.
    while process.is_alive() and not receiver.poll(0.2):
        server.ask("POST", "/v1/events", {"type": "page_load", "tenant_id": TENANTS[1]})
    arrived = receiver.recv()
    process.join()
    taken = sorted(arrived[event] - at for event, at in writers.acknowledged.items() if event in arrived)
    checks.equal(len(taken), len(writers.acknowledged), "latency: every event arrives")
    rate = len(writers.acknowledged) / (max(writers.acknowledged.values()) - min(writers.acknowledged.values()))
    p99 = taken[int(len(taken) * 0.99)]
    print(f"{rate:.0f} events/s: from acknowledgement to arrival p50 {statistics.median(taken) * 1000:.0f} ms, "
          f"p99 {p99 * 1000:.0f} ms, most {taken[-1] * 1000:.0f} ms", flush=True)
    checks.that(p99 < P99_SECONDS, f"latency: p99 is below {P99_SECONDS} s", p99)


def idle(checks, server):
    """Measures the memory of many listeners, and that each of them hears of an event. They stay open."""
    token = server.token("analyst")
    before = memory(server)
    request = f"GET /v1/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    listeners = []
    for _ in range(LISTENERS):
        listener = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        listener.sendall(request)
        listeners.append(listener)
    answers = [until(listener, b"\nid: ") for listener in listeners]
    checks.equal(sum(answer.startswith(b"HTTP/1.1 200") for answer in answers), LISTENERS, "idle listeners: all are served")
    time.sleep(3)
    after = memory(server)
    print(f"{LISTENERS} idle listeners: {after - before} MiB ({before} MiB before)", flush=True)
    checks.that(after - before < LISTENERS_MIB, f"idle listeners take less than {LISTENERS_MIB} MiB", after - before)
    refused = server.ask("GET", "/v1/events/stream", token=token)
    checks.equal((refused.status, (refused.json() or {}).get("code"), refused.headers["Retry-After"]), (503, "too_many_listeners", "2"), "idle listeners: one more is refused")
    listeners.pop().close()
    listeners.append(joined(server, request, checks))
    event = str(uuid.uuid4())
    started = time.monotonic()
    server.ask("POST", "/v1/events", {"id": event, "type": "page_load"})
    for listener in listeners:
        until(listener, event.encode())
    print(f"an event reaches all of them in {time.monotonic() - started:.2f} s", flush=True)
    return listeners


def joined(server, request, checks):
    """A listener that takes the place of one that has left. The server notices the end of a connection at once."""
    deadline = time.monotonic() + 5
    while True:
        listener = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        listener.sendall(request)
        served = until(listener, b"\r\n\r\n").startswith(b"HTTP/1.1 200")
        if served or time.monotonic() > deadline:
            checks.that(served, "idle listeners: one that leaves makes room for another")
            return listener
        listener.close()
        time.sleep(0.05)


def until(listener, wanted):
    """What a listener gets, up to some text."""
    got = b""
    while wanted not in got and (part := listener.recv(65536)):
        got += part
    return got


def main():
    """Runs all parts on one server."""
    options = arguments(__doc__)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    checks = Checks()
    settings = {"max_connections_per_source": 0, "max_listeners": LISTENERS}
    with Mortal(checks, options.database, **settings) as server:
        killed_meanwhile(checks, server)
        latency(checks, server)
        listeners = idle(checks, server)
        code, took = server.end()
        checks.equal(code, 0, "SIGTERM: the server ends cleanly")
        checks.that(took < 10, "SIGTERM: listeners do not hold the server up", took)
        ends = [until(listener, b"event: end") for listener in listeners]
        said = sum(b'"reason":"stopping"' in end for end in ends)
        checks.equal(said, LISTENERS, "SIGTERM: each listener gets the reason")
        print(f"SIGTERM with {LISTENERS} listeners took {took:.2f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
