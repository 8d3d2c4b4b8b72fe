#!/usr/bin/env python3
"""Reads access tokens and published keys with PyJWT, and replaces keys while a server runs.

    .venv/bin/python scripts/acceptance/tokens.py [--database sqlite|postgres]

`make acceptance` creates the .venv with PyJWT.
"""

import json
import sys
import threading
import time

try:
    import jwt
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
except ImportError:
    sys.exit("tokens.py needs PyJWT: run 'make acceptance', or scripts/make-venv and then .venv/bin/python")

from harness import ADMIN_EMAIL, ADMIN_PASSWORD, Checks, Server, arguments
from signature import Signer

JWKS = "/.well-known/jwks.json"
ASKED = "/v1/tenants"
# The promised times, and what a slow machine may add between two checks.
SIGNS_SECONDS = 5
REVOKED_SECONDS = 2
SLACK_SECONDS = 1.5


class Client:
    """A person who logs in."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server

    def post(self, path, body):
        """A request of the Octopai contract."""
        return self.server.send("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def login(self, name=ADMIN_EMAIL, password=ADMIN_PASSWORD):
        """The access token and the refresh token of a new session."""
        answer = self.post("/api/UserAccount/Login", {"Username": name, "Password": password})
        if answer.status != 200:
            raise RuntimeError(f"login: {answer!r}")
        return answer.json()["accessToken"], answer.json()["refreshToken"]["token"]

    def refresh(self, token):
        """The response to a refresh."""
        return self.post("/api/UserAccount/RefreshToken", {"refreshToken": token})

    def status(self, token):
        """The status of a request with this token."""
        return self.server.send("GET", ASKED, headers={"Authorization": f"Bearer {token}"}).status

    def published(self):
        """The public key set."""
        return self.server.send("GET", JWKS).json()

    def decoded(self, token):
        """The claims, verified by PyJWT with the published keys."""
        keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(self.published()).keys}
        return jwt.decode(
            token, keys[kid(token)].key, algorithms=["EdDSA"], audience="trailkeeper", issuer="trailkeeper",
            options={"require": ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]},
        )


def kid(token):
    """The key that a token names."""
    return jwt.get_unverified_header(token)["kid"]


def wait_until(holds, seconds):
    """The seconds until `holds()` is true; None if it is not true in time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if holds():
            return time.monotonic() - began
        time.sleep(0.1)
    return None


def others_can_check(checks, client):
    """PyJWT finds our keys and accepts our tokens."""
    answer = client.server.send("GET", JWKS)
    checks.equal((answer.status, answer.content_type), (200, "application/json"), "the key set is public")
    checks.equal(answer.headers.get("Cache-Control"), "public, max-age=300", "the key set may be cached")
    key = answer.json()["keys"][0]
    checks.equal(sorted(key), ["alg", "crv", "kid", "kty", "use", "x"], "a published key has no private part")
    access, _ = client.login()
    checks.equal(jwt.get_unverified_header(access)["alg"], "EdDSA", "the algorithm")
    claims = client.decoded(access)
    checks.equal(claims["exp"] - claims["iat"], 7200, "a token is valid for two hours")
    found = jwt.PyJWKClient(f"http://127.0.0.1:{client.server.port}{JWKS}").get_signing_key_from_jwt(access)
    checks.equal(found.key_id, kid(access), "PyJWT's own client finds the key by the token")


def forgeries(checks, client):
    """Tokens that an attacker forges with PyJWT."""
    access, _ = client.login()
    claims, headers = client.decoded(access), {"kid": kid(access)}
    public = jwt.PyJWKSet.from_dict(client.published())[kid(access)].key.public_bytes_raw()
    foreign = Ed25519PrivateKey.generate()
    for what, token in [
        ("none", jwt.encode(claims, None, algorithm="none", headers=headers)),
        ("HS256 with the public key", jwt.encode(claims, public, algorithm="HS256", headers=headers)),
        ("a foreign key", jwt.encode(claims, foreign, algorithm="EdDSA", headers=headers)),
        ("a foreign key of its own name", jwt.encode(claims, foreign, algorithm="EdDSA", headers={"kid": "0" * 16})),
        ("a list of audiences", jwt.encode(claims | {"aud": ["trailkeeper", "x"]}, foreign, algorithm="EdDSA", headers=headers)),
        ("nothing", ""),
    ]:
        checks.equal(client.status(token), 401, f"a token by {what}")
    checks.equal(client.status(access), 200, "the genuine token stays valid")


def rotation(checks, client):
    """A new key while the server runs: no request is refused, and the key signs within five seconds."""
    old, _ = client.login()
    refused, stop = [], threading.Event()

    def go_on():
        while not stop.is_set():
            if client.status(old) != 200:
                refused.append(time.monotonic())
            time.sleep(0.02)

    asking = threading.Thread(target=go_on)
    asking.start()
    try:
        made = client.server.command_json("token-key", "rotate")["kid"]
        took = wait_until(lambda: kid(client.login()[0]) == made, SIGNS_SECONDS + SLACK_SECONDS)
    finally:
        stop.set()
        asking.join()
    checks.that(took is not None, "a new key signs within five seconds of the command", took)
    checks.equal(refused, [], "no request was refused meanwhile")
    new, refresh = client.login()
    checks.equal([key["kid"] for key in client.published()["keys"]][:2], [made, kid(old)], "both keys are published")
    for what, token in (("old", old), ("new", new)):
        checks.equal(client.decoded(token)["aud"], "trailkeeper", f"PyJWT accepts a token of the {what} key")
        checks.equal(client.status(token), 200, f"and the server accepts the token of the {what} key")
    return old, new, refresh


def revocation(checks, client, tokens, refresh):
    """Removed keys: their tokens are refused within two seconds; refresh tokens stay valid."""
    done = client.server.command_json("token-key", "rotate", "--revoke-others")
    checks.that(set(map(kid, tokens)) <= set(done["revoked"]), "the older keys are revoked", done)
    took = wait_until(lambda: all(client.status(token) == 401 for token in tokens), REVOKED_SECONDS)
    checks.that(took is not None, "tokens of revoked keys are refused within two seconds")
    checks.equal([key["kid"] for key in client.published()["keys"]], [done["kid"]], "one key is published")
    answer = client.refresh(refresh)
    checks.equal(answer.status, 200, "a logged-in client gets a new token")
    checks.equal(kid(answer.json()["accessToken"]), done["kid"], "of the new key")
    checks.equal(client.status(answer.json()["accessToken"]), 200, "which is valid")


def api_token(checks, client):
    """A token that another process revokes while it is in use: the server refuses it within two seconds."""
    made = client.server.command_json("token", "create", "--role", "analyst", "--name", "in use")
    checks.equal(client.status(made["token"]), 200, "the token is valid")
    client.server.command("token", "revoke", made["id"])
    took = wait_until(lambda: client.status(made["token"]) == 401, REVOKED_SECONDS)
    checks.that(took is not None, "a revoked API token is refused within two seconds", took)


def master_key(checks, client):
    """A new master key while the server runs."""
    server = client.server
    signer = Signer(server, server.command_json("signing-key", "create", "--name", "tokens.py"))
    access, _ = client.login()
    path = "/v1/analysis/users/nobody/behavior-histories"
    before = signer.call("GET", path).status
    first = (server.data / "master.key").read_text()
    for _ in range(2):
        done = server.command("master-key", "rotate")
        checks.equal(done.returncode, 0, "the master key is replaced")
        checks.equal(signer.call("GET", path).status, before, "signatures are checked as before")
        checks.equal(client.status(access), 200, "access tokens stay valid")
        checks.equal(client.status(client.login()[0]), 200, "logins work")
    checks.equal(before, 200, "a signature is valid")
    checks.that((server.data / "master.key").read_text() != first, "the file has another key")
    for name in ("master.key", "master.key.previous"):
        checks.equal((server.data / name).stat().st_mode & 0o777, 0o600, f"the mode of {name}")
    later = Signer(server, server.command_json("signing-key", "create", "--name", "later"))
    checks.equal(later.call("GET", path).status, 200, "a secret that another process sealed with the new key opens")


def two_tabs(checks, client):
    """Two refreshes at the same moment, and one that comes too late."""
    _, first = client.login()
    answers = []
    tabs = [threading.Thread(target=lambda: answers.append(client.refresh(first))) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    checks.equal([answer.status for answer in answers], [200, 200], "both tabs stay logged in")
    successors = {answer.json()["refreshToken"]["token"] for answer in answers}
    checks.equal(len(successors), 1, "with the same successor")
    accesses = [answer.json()["accessToken"] for answer in answers]
    checks.equal([client.status(access) for access in accesses], [200, 200], "and a valid access token each")
    time.sleep(10.2)
    again = client.refresh(first)
    checks.equal(again.status, 200, "after ten seconds the spent token is exchanged once more, its successor was not used")
    replacement = again.json()["refreshToken"]["token"]
    checks.equal(replacement in successors, False, "for another successor")
    checks.equal(client.refresh(successors.pop()).status, 401, "which invalidates the first one")
    accesses.append(again.json()["accessToken"])
    checks.equal([client.status(access) for access in accesses], [401] * 3, "and its use ends the session")
    checks.equal(client.refresh(replacement).status, 401, "for every holder of a token")


def disabled(checks, client):
    """An account that another process disables is refused at once."""
    made = client.server.command_json("account", "create", "jane@example.com", "--role", "analyst")
    access, refresh = client.login(made["email"], made["password"])
    checks.equal(client.status(access), 200, "the account is logged in")
    client.server.command("account", "disable", made["email"])
    checks.equal(client.status(access), 401, "a disabled account is refused")
    checks.equal(client.refresh(refresh).status, 401, "and cannot refresh")


def main():
    """Runs all checks."""
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database, bcrypt_cost="4") as server:
        client = Client(checks, server)
        others_can_check(checks, client)
        forgeries(checks, client)
        old, new, refresh = rotation(checks, client)
        revocation(checks, client, (old, new), refresh)
        api_token(checks, client)
        master_key(checks, client)
        two_tabs(checks, client)
        disabled(checks, client)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
