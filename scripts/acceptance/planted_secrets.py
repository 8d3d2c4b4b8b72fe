#!/usr/bin/env python3
"""Sends recognisable passwords, tokens and keys in good and bad requests, and then searches for them: in the log of the
server, all responses, all events, the whole database, and the output of the commands.

    scripts/acceptance/planted_secrets.py [--database sqlite|postgres]

A secret may occur only in the one response that issues it. There is one documented exception: the *name* of a failed
login, whatever was typed as one, is kept in its event.
"""

import base64
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

from harness import ADMIN_EMAIL, Checks, Server, arguments
from signature import Signer

LOGIN, REFRESH, TRAIL = "/api/UserAccount/Login", "/api/UserAccount/RefreshToken", "/api/UserAccount/UserEvents"
ADMIN_PASSWORD = "planted-ADMIN-q7Xw2rTn9"
MASTER_KEY = "5ec7e7c0ffee" * 5 + "0bad"
PERSON = "person@example.com"
LONG = 24


class Planted:
    """The secrets by name, and all texts in which none of them may occur."""

    def __init__(self, server):
        self.server = server
        self.secrets = {"the administrator's password": ADMIN_PASSWORD, "the master key": MASTER_KEY}
        self.seen = []

    def plant(self, name, secret):
        """Records a secret and returns it."""
        self.secrets[name] = secret
        return secret

    def see(self, what, content):
        """Records a text that must contain no secret."""
        self.seen.append((what, content if isinstance(content, bytes) else content.encode()))

    def send(self, method, path, body=None, headers=None, hands_out=False):
        """Sends a request. Its response must contain no secret unless it issues one."""
        payload = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = dict(headers or {})
        if payload is not None:
            headers.setdefault("Content-Type", "application/json")
        answer = self.server.send(method, path, payload, headers)
        if not (hands_out and answer.status in (200, 201)):
            self.see(f"the answer {answer.status} to {method} {path[:40]}", str(answer.headers).encode() + answer.body)
        return answer

    def run(self, *command, stdin=None, hands_out=False):
        """Runs a command. Its output must contain no secret unless it issues one."""
        done = self.server.command(*command, stdin=None if stdin is None else stdin.encode())
        if not hands_out:
            self.see(f"what `{' '.join(command[:2])}` prints", done.stdout + done.stderr)
        return done

    def search(self, checks):
        """Searches all texts for all secrets."""
        for name, secret in self.secrets.items():
            found = [what for what, content in self.seen if any(form in content for form in forms(secret))]
            checks.that(not found, f"{name} occurs nowhere", f"found in {found[:5]}")


def forms(secret):
    """The secret itself, and its forms in JSON, a URL, a hex dump, and base64 (at any offset)."""
    raw = secret.encode()
    encoded = [base64.b64encode(raw[start:])[:LONG] for start in range(3)]
    return {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), *encoded}


def bearer(token):
    """The header with a token."""
    return {"Authorization": f"Bearer {token}"}


def hand_out(checks, planted):
    """Creates a secret of each kind. Each is shown once."""
    server = planted.server
    chosen = planted.plant("a password set by command", "planted-BYCOMMAND-m4Kd8sVz")
    done = planted.run("account", "create", PERSON, "--role", "admin", "--password-stdin", stdin=chosen + "\n")
    checks.equal(done.returncode, 0, "an account is created")
    generated = json.loads(planted.run("account", "create", "other@example.com", "--role", "auditor", "--json", hands_out=True).stdout)
    planted.plant("a generated password", generated["password"])
    planted.plant("an API token by command", server.admin)
    key = json.loads(planted.run("signing-key", "create", "--name", "planted", "--json", hands_out=True).stdout)
    planted.plant("a signing key's secret by command", key["secret_key"])
    login = planted.send("POST", LOGIN, {"Username": PERSON, "Password": chosen}, hands_out=True).json()
    planted.plant("an access token", login["accessToken"])
    planted.plant("a refresh token", login["refreshToken"]["token"])
    refreshed = planted.send("POST", REFRESH, {"refreshToken": login["refreshToken"]["token"]}, hands_out=True).json()
    planted.plant("a refreshed access token", refreshed["accessToken"])
    planted.plant("a refreshed refresh token", refreshed["refreshToken"]["token"])
    mine = bearer(refreshed["accessToken"])
    begun = planted.send("POST", "/v1/sessions", {"email": PERSON, "password": chosen}, hands_out=True)
    if checks.that(begun.status in (200, 201), "a native login works", begun):
        for field in ("access_token", "refresh_token"):
            planted.plant(f"the {field} of a native login", begun.json()[field])
    made = planted.send("POST", "/v1/tokens", {"name": "planted", "role": "analyst"}, mine, hands_out=True)
    if checks.equal(made.status, 201, "a token is created"):
        planted.plant("an API token over HTTP", made.json()["token"] if isinstance(made.json()["token"], str) else made.json()["secret"])
    made = planted.send("POST", "/v1/signing-keys", {"name": "planted"}, mine, hands_out=True)
    if checks.equal(made.status, 201, "a signing key is created"):
        planted.plant("a signing key's secret over HTTP", next(value for name, value in made.json().items() if "secret" in name))
    sent = planted.plant("a password sent over HTTP", "planted-BYHTTP-h6Jc3wLp")
    made = planted.send("POST", "/v1/accounts", {"email": "third@example.com", "role": "analyst", "password": sent}, mine)
    checks.equal(made.status, 201, "an account is created over HTTP")
    new = planted.plant("a changed password", "planted-CHANGED-y2Fb5nQs")
    third = planted.send("POST", LOGIN, {"Username": "third@example.com", "Password": sent}, hands_out=True).json()
    planted.plant("another access token", third["accessToken"])
    planted.plant("another refresh token", third["refreshToken"]["token"])
    changed = planted.send("PUT", "/v1/accounts/me/password", {"current_password": sent, "new_password": new}, bearer(third["accessToken"]))
    checks.that(changed.status in (200, 204), "a password is changed", changed)
    return mine, chosen, key


def use_rightly(planted, mine, key):
    """Sends good requests with valid credentials."""
    for path in ("/v1/events", "/v1/users", "/v1/accounts", "/v1/accounts/me", "/v1/tokens", "/v1/signing-keys", "/v1/sessions", "/v1/analytics/traffic"):
        for credential in (mine, bearer(planted.server.admin)):
            planted.send("GET", path, headers=credential)
    planted.send("POST", "/v1/events", {"type": "page_load", "user_id": "u1", "page": "/a"}, bearer(planted.server.admin))
    signer, minute = Signer(planted.server, key), datetime.now(timezone.utc)
    host = f"127.0.0.1:{planted.server.port}"
    path = "/v1/analysis/users/u1/behavior-histories"
    for shift in (0, -60):
        value = signer.header("GET", host, path, b"", minute + timedelta(minutes=shift))
        planted.send("GET", path, headers={"Authorization": value})


def use_wrongly(checks, planted, chosen, key):
    """Sends valid and invalid secrets in every place where a client may put them."""
    wrong = planted.plant("a wrong password", "planted-WRONG-t8Gv1xRe")
    long = planted.plant("a password that is too long", "planted-TOOLONG-" + "k3" * 40)
    short = planted.plant("a password that is too short", "pl-SHORT-z")
    secrets = [*planted.secrets.values()]
    # A separate session, because reusing a refresh token ends its session.
    login = planted.send("POST", LOGIN, {"Username": PERSON, "Password": chosen}, hands_out=True).json()
    mine = bearer(planted.plant("the access token of the curious", login["accessToken"]))
    planted.plant("the refresh token of the curious", login["refreshToken"]["token"])
    for name, password in ((PERSON, wrong), ("nobody@example.com", wrong), (PERSON, long), (PERSON, chosen + "x")):
        planted.send("POST", LOGIN, {"Username": name, "Password": password})
        planted.send("POST", "/v1/sessions", {"email": name, "password": password})
    for password in (long, short):
        planted.send("POST", "/v1/accounts", {"email": "fourth@example.com", "role": "admin", "password": password}, mine)
        planted.send("PUT", "/v1/accounts/me/password", {"current_password": wrong, "new_password": password}, mine)
        planted.run("account", "set-password", PERSON, "--password-stdin", stdin=password + "\n")
    for secret in secrets:
        quoted = quote(secret, safe="")
        for headers in (bearer(secret), {"Authorization": "Basic " + base64.b64encode(f"{PERSON}:{secret}".encode()).decode()},
                        {"Authorization": f"SAASUSSIGV1 Sig={secret}, SaaSID={key['saas_id']}, APIKey={key['api_key']}"},
                        {"Authorization": secret}, {"Cookie": f"session={secret}", **mine}):
            planted.send("GET", "/v1/analysis/users/u1/behavior-histories", headers=headers)
        # For some seconds, a spent token returns its successor again.
        planted.send("POST", REFRESH, {"refreshToken": secret}, hands_out=True)
        planted.send("POST", "/v1/sessions/refresh", {"refresh_token": secret}, hands_out=True)
        # Unknown fields, and malformed bodies.
        for body in ({"Username": PERSON, "Password": [secret]}, {"Username": PERSON, "password ": secret}, f'{{"Username":"{PERSON}","Password":"{secret}'.encode()):
            planted.send("POST", LOGIN, body)
        planted.send("POST", "/v1/sessions", {"email": PERSON, "password": {"is": secret}})
        planted.send("GET", f"/v1/analysis/users/u1/behavior-histories?password={quoted}&token={quoted}", headers=mine)
        planted.send("GET", f"/v1/analysis/userinfo/aggregated?start_date=2026-01-01&end_date=2026-01-02&access_token={quoted}", headers=mine)
    for token in [secret for secret in secrets if secret.startswith(("tk_", "rt_", "eyJ"))]:
        # Tokens are recognised anywhere.
        for path in (f"/v1/users/{token}", f"/v1/events?cursor={token}", f"/v1/events/{token}", f"/v1/{token}", f"/v1/events?tenant_id={token}", f"/v1/tokens/{token}"):
            planted.send("GET", path, headers=mine)
            planted.send("DELETE", path, headers=mine)
        planted.send("GET", "/v1/events", headers={"X-Request-Id": token, "User-Agent": f"agent {token}", **mine})
        # A token is not kept as the name of a failed login either.
        planted.send("POST", "/v1/sessions", {"email": token, "password": wrong}, {"User-Agent": token})
        planted.send("POST", "/v1/tokens", {"name": "x", "role": "admin", "expires_at": token}, mine)
    checks.equal(planted.send("GET", "/v1/events", headers=mine).status, 200, "the credential stays valid")
    return mine


def collect(checks, planted, mine):
    """Collects all events, the log, the database, and the output of commands."""
    server = planted.server
    for command in (("account", "list"), ("token", "list"), ("signing-key", "list"), ("config",), ("account", "list", "--json"), ("token", "list", "--json"),
                    ("signing-key", "list", "--json"), ("verify",), ("rebuild",)):
        planted.run(*command)
    cursor, events = "", 0
    while cursor is not None:
        page = server.send("GET", f"/v1/events?limit=1000{cursor}", headers=bearer(server.admin)).json()
        events += len(page["events"])
        planted.see("an event", json.dumps(page["events"]))
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    checks.that(events > 50, "there are many events to search", events)
    planted.send("POST", TRAIL, {"RowsInPage": 1000}, mine)
    planted.see("the database", contents(server.database))
    checks.equal(server.stop(), 0, "the server ends")
    log = server.log.read_bytes()
    checks.that(b"request served" in log and len(log) > 50_000, "the log has all requests", len(log))
    planted.see("the log", log)
    planted.see("the database of the ended server", contents(server.database))


def contents(database):
    """The contents of the database: the bytes of its files, or a dump; and every value of every table."""
    if database.kind == "postgres":
        dump = subprocess.run(["pg_dump", "--dbname", database.url], capture_output=True, timeout=120, check=False)
        if dump.returncode != 0:
            raise RuntimeError(f"pg_dump: {dump.stderr.decode(errors='replace')}")
        return dump.stdout
    found = [path.read_bytes() for path in database.file.parent.glob(database.file.name + "*")]
    with closing(sqlite3.connect(f"file:{database.file}?mode=ro", uri=True, timeout=30)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            found += [repr(row).encode() for row in connection.execute(f'SELECT * FROM "{table}"')]
    return b"\n".join(found)


def typed_as_a_name(planted):
    """The documented exception: at most 128 characters are kept in the event of the failed login, and nowhere else. Runs
    before the wrong passwords, because logins are delayed after many of them."""
    typed = "planted-TYPEDNAME-w9Qe4uHd"
    for path, body in ((LOGIN, {"Username": typed, "Password": "x" * 12}), ("/v1/sessions", {"email": typed, "password": "x" * 12})):
        planted.send("POST", path, body)
    return typed


def main():
    """Runs all checks."""
    args = arguments(__doc__.splitlines()[0])
    checks = Checks()
    settings = {"admin_password": ADMIN_PASSWORD, "master_key": MASTER_KEY, "log": "debug", "bcrypt_cost": "4"}
    # Without limits: that many wrong attempts would be delayed, and not reach the code under test.
    settings |= {name: "0" for name in ("limit_login", "limit_public", "limit_refused", "limit_administer")} | {"login_delays": "false"}
    with Server(checks, args.database, **settings) as server:
        planted = Planted(server)
        mine, chosen, key = hand_out(checks, planted)
        use_rightly(planted, mine, key)
        typed = typed_as_a_name(planted)
        mine = use_wrongly(checks, planted, chosen, key)
        collect(checks, planted, mine)
        planted.search(checks)
        where = {what for what, content in planted.seen if typed.encode() in content}
        checks.that("the log" not in where, "a typed name is not in the log", where)
        checks.that(all(what.startswith(("an event", "the database", "the answer 200")) for what in where), "a typed name is only in events", where)
        checks.that(ADMIN_EMAIL.encode() in b"".join(content for _, content in planted.seen), "the search finds a text that exists")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
