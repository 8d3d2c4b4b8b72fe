"""Clients that send almost the whole of a large body, so that the server would hold all these bytes for them."""

import json
import socket
from contextlib import ExitStack

from harness import Server
from slow_clients import head
from wire import memory

CLIENTS, BYTES = 100, 2_000_000
PATH = "/v1/analysis/user-behavior-day"
BUDGET_MIB = 32
# A quarter of the budget is for senders without a verified credential.
FIT = BUDGET_MIB * 1024 * 1024 // 4 // BYTES


def check(checks, database):
    """Strangers, and senders who know an API key without its secret, against a small budget for bodies."""
    with Server(checks, database, body_budget_mib=str(BUDGET_MIB), body_timeout="120", max_connections_per_source="0") as server:
        key = server.command_json("signing-key", "create", "--name", "check")
        before = memory(server)
        statuses = {"401": CLIENTS}
        _senders(checks, server, dict(key, api_key="ak_unknown"), "an unknown API key", statuses, before)
        # The body stays open for those whose bytes fit into the quarter; all others get 503.
        with ExitStack() as open_connections:
            _senders(checks, server, key, "a known API key without its secret", {"503": CLIENTS - FIT, "waits": FIT}, before, open_connections)
            event = json.dumps({"type": "page_load", "user_id": "u", "page": "/", "metadata": {"x": "y" * 16_000}}).encode()
            body = b"[" + b",".join([event] * 400) + b"]"
            answer = server.ask("POST", "/v1/events", body, headers={"Content-Type": "application/json"})
            checks.equal(answer.status, 200, f"a customer's batch of {len(body)} bytes meanwhile {str(answer)[:200]}")
        login = server.send("POST", "/v1/sessions", b"{}", {"Content-Type": "application/json"})
        checks.equal(login.status, 400, f"their bytes are free again: a login is read {login}")


def _senders(checks, server, key, what, expected, before, stack=None):
    """Sends all but the last byte over many connections and counts the statuses that come at once."""
    authorization = f"Authorization: SAASUSSIGV1 Sig={'0' * 64}, SaaSID={key['saas_id']}, APIKey={key['api_key']}"
    request = head("PUT", PATH, authorization, "Content-Type: application/json", f"Content-Length: {BYTES}") + b"{" + b" " * (BYTES - 2)
    got = {}
    with ExitStack() as own:
        clients = [(stack or own).enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)) for _ in range(CLIENTS)]
        for client in clients:
            try:
                client.sendall(request)
            except OSError:
                pass  # The server answered and closed the connection before it had read everything.
        for client in clients:
            client.settimeout(3)
            try:
                answer = client.recv(4096)
                status = answer.split(b" ")[1].decode() if answer else "closed"
            except TimeoutError:
                status = "waits"
            except OSError:
                status = "reset"
            got[status] = got.get(status, 0) + 1
        # A reset can overtake the answer, so an early refusal may be seen as the end of the connection.
        refused = sum(count for status, count in got.items() if status != "waits")
        checks.equal(refused, CLIENTS - expected.get("waits", 0), f"{what}: refused before the end of the body {got}")
        status = next(status for status in expected if status != "waits")
        checks.that(got.get(status, 0) > 0 and not set(got) - {status, "waits", "closed", "reset"}, f"{what}: refused with {status}", got)
        grown = memory(server) - before
        print(f"{CLIENTS} unfinished bodies of {BYTES} bytes with {what}: {got}, {grown} MiB more memory", flush=True)
        checks.that(grown < 2 * BUDGET_MIB, f"{what}: the memory stays within the budget", f"{grown} MiB")
