#!/usr/bin/env python3
"""Calls every SaaSus operation with signatures by Python's hmac, like the published clients.

    scripts/acceptance/signature.py [--database sqlite|postgres]
"""

import hashlib
import hmac
import json
import sys
from datetime import datetime, timedelta, timezone

from harness import Checks, Server, arguments

BASE = "/v1/analysis"
TENANT = "8d1f7c52-6a57-4b06-9f5e-0d1f3f6a2b11"


class Signer:
    """A client with a signing key."""

    def __init__(self, server, key):
        self.server = server
        self.key = key

    def header(self, method, host, path, body, minute, secret=None):
        """The value of the header: HMAC-SHA256 over all parts, concatenated without separators."""
        text = f"{minute:%Y%m%d%H%M}{self.key['api_key']}{method}{host}{path}".encode() + body
        signature = hmac.new((secret or self.key["secret_key"]).encode(), text, hashlib.sha256).hexdigest()
        return f"SAASUSSIGV1 Sig={signature}, SaaSID={self.key['saas_id']}, APIKey={self.key['api_key']}"

    def call(self, method, path, body=None, *, minutes=0, host=None, signed_host=None, signed_path=None,
             signed_body=None, signed_method=None, secret=None, rewrite=lambda header: header):
        """Sends a signed request. The signed parts may differ from the sent ones. If a minute ends meanwhile, the request is
        repeated, so that `minutes` is exact."""
        payload = b"" if body is None else json.dumps(body).encode()
        host = host or f"127.0.0.1:{self.server.port}"
        for _ in range(3):
            minute = datetime.now(timezone.utc)
            value = self.header(
                signed_method or method, signed_host or host, signed_path or path,
                payload if signed_body is None else signed_body, minute + timedelta(minutes=minutes), secret,
            )
            headers = {"Authorization": rewrite(value)}
            if body is not None:
                headers["Content-Type"] = "application/json"
            answer = self.server.send(method, path, None if body is None else payload, headers, host=host)
            if minute.minute == datetime.now(timezone.utc).minute:
                break
        return answer


def every_operation(checks, signer):
    """The seven operations, each signed."""
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    day, seconds = f"{today:%Y-%m-%d}", int(today.timestamp())
    history = {"timestamp": seconds, "referer": "/users?action=delete_user"}
    written = [
        ("/user-behavior-day", {"timestamp": seconds, "user_id": "signed-user", "histories": [history]}),
        ("/active-users", {"type": "daily", "date": day, "tenant_id": TENANT, "env_id": 3, "active_users": 7}),
    ]
    for path, body in written:
        answer = signer.call("PUT", BASE + path, body)
        checks.equal(answer.status, 200, f"signed PUT {path} {answer}")
        checks.equal(answer.body, b"", f"PUT {path} has an empty response")
        checks.that("json" not in answer.content_type, f"an empty answer of PUT {path} has no JSON content type", answer.content_type)
    read = [
        ("/users/signed-user/behavior-histories", lambda found: found["histories"] == [{"behaved_at": seconds, "histories": [history]}]),
        (f"/active-users?type=daily&date_from={day}&date_to={day}&tenant_id={TENANT}&env_id=3",
         lambda found: found["data"] == [{"date": day, "tenant_id": TENANT, "env_id": 3, "active_users": 7}]),
        (f"/metrics/aggregated?metrics_type=create_tenant&start_date={day}&end_date={day}", lambda found: len(found["metrics"]) == 1),
        (f"/metrics/page-statistics?start_timestamp={seconds}&end_timestamp={seconds + 86399}",
         lambda found: [page["page_url"] for page in found["page_statistics"]] == ["/users"]),
        (f"/userinfo/aggregated?start_date={day}&end_date={day}", lambda found: len(found["metrics"]) == 1),
    ]
    for path, expected in read:
        answer = signer.call("GET", BASE + path)
        if checks.equal(answer.status, 200, f"signed GET {path} {answer}"):
            checks.equal(answer.content_type, "application/json", f"GET {path} answers JSON")
            checks.that(expected(answer.json()), f"GET {path} returns the written data", answer)


def what_clients_do(checks, signer):
    """Differences between published clients that must be accepted, and small clock differences."""
    path = f"{BASE}/users/signed-user/behavior-histories"
    escaped = f"{BASE}/users/%E3%81%82%2Fb/behavior-histories"
    commas = f"{BASE}/userinfo/aggregated?start_date=2026-01-01&end_date=2026-01-02&tenant_ids={TENANT}%2C{TENANT}"
    accepted = {
        "the host with its port": dict(path=path),
        "the host without its port, as the Java client signs": dict(path=path, signed_host="127.0.0.1"),
        "a host name instead of the address": dict(path=path, host=f"localhost:{signer.server.port}"),
        "a path with a space, signed decoded": dict(path=f"{BASE}/users/jane%20doe/behavior-histories",
                                                    signed_path=f"{BASE}/users/jane doe/behavior-histories"),
        "percent escapes in upper case": dict(path=escaped),
        "percent escapes in lower case, sent so": dict(path=escaped.replace("%E3%81%82%2F", "%e3%81%82%2f")),
        "percent escapes in lower case, sent in upper case": dict(path=escaped, signed_path=escaped.replace("%E3%81%82%2F", "%e3%81%82%2f")),
        "escapes in the query": dict(path=commas),
        "escapes in the query in lower case": dict(path=commas, signed_path=commas.replace("%2C", "%2c")),
        "the query as it was sent, in any order": dict(path=f"{BASE}/userinfo/aggregated?end_date=2026-01-02&start_date=2026-01-01"),
        "a clock one minute behind": dict(path=path, minutes=-1),
        "a clock one minute ahead": dict(path=path, minutes=1),
    }
    for what, call in accepted.items():
        answer = signer.call("GET", **call)
        checks.equal(answer.status, 200, f"{what}: accepted {answer}")
    body = {"type": "daily", "date": "2026-01-01", "tenant_id": TENANT, "env_id": 1, "active_users": 1}
    for host in (None, "127.0.0.1"):
        answer = signer.call("PUT", f"{BASE}/active-users", body, signed_host=host)
        checks.equal(answer.status, 200, f"a body, signed for host {host or 'with port'} {answer}")

    header = signer.header("GET", f"127.0.0.1:{signer.server.port}", path, b"", datetime.now(timezone.utc))
    twice = [signer.server.ask("GET", path, headers={"Authorization": header}, token="").status for _ in range(2)]
    checks.equal(twice, [200, 200], "the same header twice: no nonce is signed, so a repetition is accepted")


def what_is_refused(checks, signer, revoked):
    """Requests of a thief or a broken client: 401 in the format of the contract, always with the same text."""
    path = f"{BASE}/users/signed-user/behavior-histories"
    body = {"type": "daily", "date": "2026-01-01", "tenant_id": TENANT, "env_id": 1, "active_users": 5}
    put = dict(method="PUT", path=f"{BASE}/active-users", body=body)
    get = dict(method="GET", path=path)
    api_key = signer.key["api_key"]
    refused = {
        "another secret": get | dict(secret="0" * 64),
        "no secret": get | dict(secret="\0"),
        "a clock three minutes behind": get | dict(minutes=-3),
        "a clock three minutes ahead": get | dict(minutes=3),
        "another path": get | dict(signed_path=path.replace("signed-user", "other-user")),
        "a query that was added": get | dict(path=path + "?x=1", signed_path=path),
        "another method": get | dict(signed_method="PUT"),
        "another host": get | dict(signed_host="elsewhere.example"),
        "a changed body": put | dict(signed_body=json.dumps(body | {"active_users": 4}).encode()),
        "a body that was not signed": put | dict(signed_body=b""),
        "an unknown API key": get | dict(rewrite=lambda header: header.replace(api_key, "f" * len(api_key))),
        "no API key": get | dict(rewrite=lambda header: header.split(", APIKey")[0]),
        "no signature": get | dict(rewrite=lambda header: "SAASUSSIGV1 " + header.split(", ", 1)[1]),
        "an empty signature": get | dict(rewrite=lambda header: "SAASUSSIGV1 Sig=, " + header.split(", ", 1)[1]),
        "a signature that is no hex": get | dict(rewrite=lambda header: "SAASUSSIGV1 Sig=" + "zz" * 32 + ", " + header.split(", ", 1)[1]),
        "a cut signature": get | dict(rewrite=lambda header: header.replace("Sig=", "Sig=x", 1)[:40]),
        "nothing but the scheme": get | dict(rewrite=lambda _: "SAASUSSIGV1"),
        "another scheme": get | dict(rewrite=lambda header: header.replace("SAASUSSIGV1", "SAASUSSIGV2")),
    }
    for what, call in refused.items():
        answer = signer.call(**call)
        is_refusal(checks, answer, what)
    is_refusal(checks, revoked.call(**get), "a revoked key")
    answer = signer.call("GET", f"{BASE}/active-users?type=daily&date_from=2026-01-01&date_to=2026-01-01&tenant_id={TENANT}")
    checks.equal([row["active_users"] for row in (answer.json() or {}).get("data", [])], [1], "a refused request changed nothing")

    # Path and body are signed without anything between them. A thief moves the tenant from the path into the body.
    narrow = f"{BASE}/active-users?type=daily&date_from=2026-01-01&date_to=2026-01-01"
    tenant = f"&tenant_id={TENANT}"
    host = f"127.0.0.1:{signer.server.port}"
    header = signer.header("GET", host, narrow + tenant, b"", datetime.now(timezone.utc))
    answer = signer.server.send("GET", narrow, tenant.encode(), {"Authorization": header}, host=host)
    checks.equal(answer.status, 400, f"text that moved from the path into the body is refused {answer}")
    checks.equal((answer.json() or {}).get("type"), "unexpected_body", "the refusal names the body")

    elsewhere = [("GET", "/v1/events", None), ("GET", "/v1/auditlog/users?email=a%40example.com", None),
                 ("POST", "/api/UserAccount/UserEvents", {})]
    for method, other, body in elsewhere:
        checks.equal(signer.call(method, other, body).status, 401, f"a signature is valid only for SaaSus operations, not for {other}")


def is_refusal(checks, answer, what):
    """Checks a 401 in the format of the SaaSus contract."""
    error = answer.json()
    checks.equal(answer.status, 401, f"{what}: refused {answer}")
    checks.that(
        isinstance(error, dict) and set(error) == {"type", "message"} and error["type"] == "unauthorized",
        f"{what}: refused in the contract's shape", answer,
    )


def main():
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database) as server:
        key = server.command_json("signing-key", "create", "--name", "check")
        checks.equal(sorted(key), ["api_key", "saas_id", "secret_key"], "a signing key has three parts")
        doomed = server.command_json("signing-key", "create", "--name", "doomed")
        signer, revoked = Signer(server, key), Signer(server, doomed)
        path = f"{BASE}/users/nobody/behavior-histories"
        checks.equal(revoked.call("GET", path).status, 200, "a key works until it is revoked")
        listed = server.command("signing-key", "list").stdout.decode()
        ids = [line.split()[0] for line in listed.splitlines() if "doomed" in line]
        if checks.equal(len(ids), 1, f"the list of keys names the key once: {listed}"):
            done = server.command("signing-key", "revoke", ids[0])
            checks.equal(done.returncode, 0, f"a key can be revoked {done.stderr}")
        every_operation(checks, signer)
        what_clients_do(checks, signer)
        what_is_refused(checks, signer, revoked)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
