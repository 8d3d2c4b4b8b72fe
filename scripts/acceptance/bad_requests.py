"""Requests that each contract must reject, and the field that the error must name."""

import gzip
import json
from dataclasses import dataclass, field

TENANT = "8d1f7c52-6a57-4b06-9f5e-0d1f3f6a2b11"
NO_TENANT = "00000000-0000-0000-0000-000000000000"
SYSTEM = "ffffffff-ffff-ffff-ffff-ffffffffffff"
DAY = 1767225600  # 2026-01-01T00:00:00Z
POOL = "eu-west-1_aBcD12345"
KNOWN = "known@example.com"
LONG = 10**30


@dataclass
class Bad:
    """One request. If one field is invalid, `names` is the text that the error must contain."""

    method: str
    path: str
    names: str = ""
    body: object = None
    headers: dict = field(default_factory=dict)
    statuses: tuple = (400,)

    def __str__(self):
        sent = "" if self.body is None else f" {self.body!r}"
        return f"{self.method} {self.path} {self.headers or ''}"[:160] + sent[:160]


def variants(method, path, good, wrong):
    """Variants of a good body, each with one bad field: {field: (values…)}. ABSENT leaves the field out."""
    for name, values in wrong.items():
        for value in values:
            body = {key: old for key, old in good.items() if key != name}
            if value is not ABSENT:
                body[name] = value
            yield Bad(method, path, name, body)


def queries(path, good, wrong):
    """Variants of a good query, each with one bad parameter. Values are put into the URL unchanged."""
    for name, values in wrong.items():
        for value in values:
            query = {key: old for key, old in good.items() if key != name}
            if value is not ABSENT:
                query[name] = value
            yield Bad("GET", path + "?" + "&".join(f"{key}={old}" for key, old in query.items()), name)


ABSENT = object()
NOT_TEXT = (ABSENT, None, 5, True, [], {})
NOT_A_NUMBER = (ABSENT, None, "5", "x", True, 1.5, [], {}, -1, LONG)
NOT_UUID = ("x", "8d1f7c526a574b069f5e0d1f3f6a2b11", "8d1f7c52-6a57-4b06-9f5e-0d1f3f6a2b1g", "")
NOT_A_ZONE = ("", "UTC+9", "%2B09:00", "tokyo", "Mars/Olympus", "%00", "%ff")
NOT_A_DAY = (ABSENT, "", "yesterday", "2026-02-30", "2026-13-01", "26-01-01", "2026-1-1", "1969-12-31", "10000-01-01", "2026-01-01x", "%00", "%ff")
NOT_AN_EMAIL = ("", "x", "@", "a@", "@b", "a%20b@c.example", "%00@example.com", "%ff")

BODIES_THAT_ARE_NONE = [b"", b"{", b"nonsense", b"[1, 2", b"\xff\xfe", b'{"user_id": \xff}', b"{} {}", b"null", b"5", b'"text"', b"{'a': 1}",
                        b'{"a": 1e}', b"[" * 100_000, b'{"a":' * 100_000, b"\x00", b"\xef\xbb\xbf", b"\xef\xbb{}"]


def no_bodies(method, path, except_for=()):
    """Bodies that no operation accepts, and media types that no operation reads. A large body may also be rejected for its
    size."""
    for body in BODIES_THAT_ARE_NONE:
        if body not in except_for:
            yield Bad(method, path, body=body, headers={"Content-Type": "application/json"}, statuses=(400, 413) if len(body) > 1000 else (400,))
    for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"):
        yield Bad(method, path, "Content-Type", b"<a/>", {"Content-Type": media}, (400, 415))


def saasus():
    """Bad requests to /v1/analysis."""
    base = "/v1/analysis"
    history = {"timestamp": DAY, "referer": "/a"}
    behavior = {"timestamp": DAY, "user_id": "u", "histories": [history]}
    path = f"{base}/user-behavior-day"
    yield from no_bodies("PUT", path)
    yield from variants("PUT", path, behavior, {
        "timestamp": (*NOT_A_NUMBER, DAY * 1000, 253402300800),
        "user_id": (*NOT_TEXT, "", "u" * 129, "nul\0", "line\n"),
        "histories": (ABSENT, None, {}, "x", 5, [5], ["x"], [[]]),
    })
    for name, values in {"timestamp": (*NOT_A_NUMBER, DAY - 86400, DAY + 86400), "referer": NOT_TEXT}.items():
        for value in values:
            entry = {key: old for key, old in history.items() if key != name} | ({} if value is ABSENT else {name: value})
            yield Bad("PUT", path, name, behavior | {"histories": [history, entry]})
    report = {"type": "daily", "date": "2026-01-01", "tenant_id": TENANT, "env_id": 1, "active_users": 5}
    path = f"{base}/active-users"
    yield from no_bodies("PUT", path)
    yield from variants("PUT", path, report, {
        "type": (*NOT_TEXT, "", "weekly", "Daily"), "date": (*NOT_TEXT, "", "2026-01", "2026-02-30", "1969-12-31", "2026-1-1"),
        "tenant_id": (*NOT_TEXT, *NOT_UUID, SYSTEM), "env_id": (*NOT_A_NUMBER, 4294967296), "active_users": NOT_A_NUMBER,
    })
    yield Bad("PUT", path, "date", report | {"type": "monthly"})
    asked = {"type": "daily", "date_from": "2026-01-01", "date_to": "2026-01-02"}
    yield from queries(path, asked, {"type": (ABSENT, "", "weekly", "%00", "%ff"), "date_from": (*NOT_A_DAY, "2026-01", "2026-01-03"),
                                     "date_to": ("", "2026-02-30", "2025-12-31"), "tenant_id": (*NOT_UUID, "%ff"), "env_id": ("1",), "timezone": NOT_A_ZONE})
    yield from queries(path, asked | {"tenant_id": TENANT}, {"env_id": ("-1", "x", "1.5", "4294967296", str(LONG), "")})
    yield from queries(path, {"type": "monthly", "date_from": "2026-01"}, {"date_from": ("2026-01-01", "2026-13", "2026"), "date_to": ("2025-12", "2026-02-01")})
    dated = {"start_date": NOT_A_DAY, "end_date": (*NOT_A_DAY, "2025-12-31"), "tenant_ids": (*NOT_UUID[:-1], f"{TENANT},x", f"{TENANT}&tenant_ids=x"), "timezone": NOT_A_ZONE}
    span = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    yield from queries(f"{base}/metrics/aggregated", span | {"metrics_type": "create_tenant"}, dated | {"metrics_type": (ABSENT, "", "create_planet")})
    yield from queries(f"{base}/userinfo/aggregated", span, dated)
    seconds = (ABSENT, "", "x", "1.5", "-1", "1e9", str(LONG), "9223372036854775808", "2026-01-01", "%ff")
    yield from queries(f"{base}/metrics/page-statistics", {"start_timestamp": DAY, "end_timestamp": DAY + 86400},
                       {"start_timestamp": (*seconds, DAY + 86401), "end_timestamp": (*seconds, DAY - 1, DAY + 86400 * 3700)})
    for user in ("u" * 129, "%00", "%ff", "a%0Ab"):
        yield Bad("GET", f"{base}/users/{user}/behavior-histories", "user_id")
    yield from lost(base, [("DELETE", "/active-users"), ("POST", "/user-behavior-day"), ("PUT", "/metrics/aggregated"), ("PATCH", "/users/u/behavior-histories")])


def octopai():
    """Bad requests to /api."""
    base = "/api/UserAccount"
    for path, good, wrong in (
        ("Login", {"Username": "a@example.com", "Password": "x"}, {"Username": (ABSENT, 5, [], {}), "Password": (ABSENT, 5, [], {})}),
        ("RefreshToken", {"refreshToken": "x"}, {"refreshToken": (ABSENT, 5, [], {})}),
        ("UserEvents", {"PageNumber": "1", "RowsInPage": "50"}, {
            "PageNumber": ("0", 0, -1, "-1", "x", "", 1.5, "1.5", LONG, str(LONG), [], {}, True, "１"),
            "RowsInPage": ("0", 0, -1, "1001", 1001, "x", "", 1.5, LONG, [], {}, True)}),
    ):
        yield from no_bodies("POST", f"{base}/{path}", (b"", b"null") if path == "UserEvents" else ())  # without a body: the first page
        yield from variants("POST", f"{base}/{path}", good, wrong)
    yield from lost(base, [("GET", "/Login"), ("PUT", "/RefreshToken"), ("GET", "/UserEvents"), ("DELETE", "/UserEvents")])


def cripsa():
    """Bad requests to /v1/auditlog."""
    base = "/v1/auditlog"
    regions = {"region": ("x" * 33, "%20", "us-east-1", "%ff"), "user_pool_id": ("x", "_a", "eu-west-1_", "eu-west-1_a-b", "a" * 60 + "_b", "%00")}
    span = {"start_date": "2026-01-01", "end_date": "2026-01-31"}
    days = {"start_date": (*NOT_A_DAY, "2026-02-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00"), "end_date": (*NOT_A_DAY, "2025-12-31", "2026-01-31T00:00:60.5.5Z"), "timezone": NOT_A_ZONE}
    email = {"email": (ABSENT, *NOT_AN_EMAIL)}
    yield from queries(f"{base}/users/count", span | {"region": "eu-west-1", "user_pool_id": POOL},
                       days | {"region": (ABSENT, "", *regions["region"]), "user_pool_id": (ABSENT, "", *regions["user_pool_id"])})
    yield from queries(f"{base}/users/events", span | {"email": KNOWN}, days | email | {
        "login_event": ("", "signin", "Login"), "event_response": ("", "pass", "Maybe"), "limit": ("0", "61", "-1", "x", "1.5", str(LONG)),
        "next_token": ("", "x", "%00", "z" * 5000), "user_pool_id": regions["user_pool_id"]})
    yield from queries(f"{base}/users", {"email": KNOWN}, email | {"user_pool_id": regions["user_pool_id"]})
    path = f"{base}/users/attributes"
    change = {"email": KNOWN, "attributes": [{"name": "nickname", "value": "changed"}]}
    yield from no_bodies("PATCH", path)
    yield from variants("PATCH", path, change, {"email": (*NOT_TEXT, "", "x", "a b@c.example", "a\0@b.example"), "attributes": (ABSENT, None, "x", {}, [], [5], [{}])})
    for name, value in (("n" * 33, "v"), ("", "v"), ("n\0", "v"), ("n", "v" * 2049), ("n", "\0"), ("sub", "v"), (5, "v"), ("n", 5), ("n", None), ("email", "x")):
        yield Bad("PATCH", path, "attributes", change | {"attributes": [change["attributes"][0], {"name": name, "value": value}]})
    yield Bad("PATCH", path, "attributes", change | {"attributes": change["attributes"] * 2})
    yield Bad("PATCH", path, "email", change | {"email": "nobody@example.com"}, statuses=(404,))
    yield Bad("GET", f"{base}/users/events?email=nobody@example.com&start_date=2026-01-01&end_date=2026-01-31", "email", statuses=(404,))
    yield from lost(base, [("POST", "/users"), ("PUT", "/users/attributes"), ("DELETE", "/users/count"), ("POST", "/users/events")])


def native():
    """Bad requests to /v1."""
    yield from no_bodies("POST", "/v1/events")
    for body in ([5], ["x"], [[]], [None]):
        yield Bad("POST", "/v1/events", body=body, statuses=(200, 400))
    ndjson = {"Content-Type": "application/x-ndjson"}
    yield Bad("POST", "/v1/events", "5000", json.dumps([{"type": "a"}] * 5001).encode(), {"Content-Type": "application/json"}, (413,))
    yield Bad("POST", "/v1/events", "5000", b'{"type":"a"}\n' * 5001, ndjson, (413,))
    yield Bad("POST", "/v1/events", "8", b" " * (8 * 1024 * 1024 + 1), {"Content-Type": "application/json"}, (413,))
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    whole = gzip.compress(json.dumps([{"type": "a"}] * 100).encode())
    yield Bad("POST", "/v1/events", "8", gzip.compress(b" " * (256 * 1024 * 1024), 6), packed, (413,))
    yield Bad("POST", "/v1/events", "", whole[:-12], packed)
    yield Bad("POST", "/v1/events", "", b"no gzip", packed)
    yield Bad("POST", "/v1/events", "", whole[:-8] + b"\0" * 8, packed)
    for encoding in ("br", "zstd", "deflate", "gzip, gzip", "x"):
        yield Bad("POST", "/v1/events", "Content-Encoding", whole, packed | {"Content-Encoding": encoding}, (400, 415))
    yield from queries("/v1/events", {}, {
        "tenant_id": (*NOT_UUID, "%00"), "env_id": ("x", "-1", "4294967296"), "user_id": ("", "u" * 129, "%00", "%ff"), "type": ("", "Not%20A%20Type"),
        "outcome": ("", "good"), "source": ("", "x", "1.2.3", "1.2.3.4/33", "::/129"), "session_id": ("", "s" * 129),
        "from": ("", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "x"), "to": ("", "2026-13-01T00:00:00Z"),
        "limit": ("0", "1001", "-1", "x", "1.5", "", str(LONG)), "cursor": ("x", "e", "e00", "%00", "%ff", "e" * 5000), "unknown_filter": ("1",)})
    yield Bad("GET", "/v1/events?limit=1&limit=2", "limit")
    yield Bad("GET", "/v1/events?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "from")
    for event in ("x", "%00", "%ff", TENANT[:-1]):
        yield Bad("GET", f"/v1/events/{event}")
    yield Bad("GET", f"/v1/events/{TENANT}", statuses=(404,))
    tenant = f"/v1/tenants/{TENANT}"
    yield from directory(tenant, {"name": (5, True, [], "", "n" * 257, "\0"), "created_at": WHENS})
    yield from directory("/v1/users/u", {
        "email": (5, "", "x", "a b@c.d", "@"), "username": (5, "", "n" * 129, "\0"), "attributes": (5, "x", [], {"email": "a@b.c"}, {"sub": "x"}, {"n": 5}, {"n" * 33: "v"}, {"n": "v" * 2049}, {"n": "\0"}), "region": (5, "", "x" * 33), "user_pool_id": (5, "x"),
        "status": (5, "", "confirmed"), "enabled": ("true", 1), "registered_at": WHENS})
    yield Bad("PUT", "/v1/users/u", "region", {"region": "us-east-1", "user_pool_id": POOL})
    yield Bad("PUT", "/v1/users/u", "email", {"email": KNOWN.upper(), "user_pool_id": POOL}, statuses=(409,))
    yield from directory(f"{tenant}/users/u", {"created_at": WHENS})
    for path in (f"/v1/tenants/{NO_TENANT}", f"/v1/tenants/{SYSTEM}", "/v1/tenants/x", f"/v1/tenants/{SYSTEM}/users/u"):
        yield Bad("PUT", path, "tenant_id", {})
    for path in ("/v1/users/" + "u" * 129, "/v1/users/%00", "/v1/users/%ff", f"{tenant}/users/%00"):
        yield Bad("PUT", path, "user_id", {})
    for path in (tenant, "/v1/users/u", f"{tenant}/users/u"):
        yield from (Bad(method, path, statuses=(404,)) for method in ("GET", "DELETE"))
    for path in ("/v1/tenants", "/v1/users", f"{tenant}/users"):
        yield from queries(path, {}, {"limit": ("0", "1001", "x"), "cursor": ("x", "%ff")})
    yield from lost("/v1", [("DELETE", "/events"), ("PUT", "/events"), ("POST", "/tenants"), ("PATCH", "/users/u"), ("POST", tenant[3:])])
    yield Bad("GET", "/nothing", statuses=(404,))


WHENS = (5, "", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00", "2999-01-01T00:00:00Z", "1969-12-31T23:59:59Z")


def directory(path, wrong):
    """Bodies of a record, with each field invalid in turn. Tenants and memberships need no body."""
    yield from no_bodies("PUT", path, () if path == "/v1/users/u" else (b"", b"null"))
    yield from variants("PUT", path, {}, wrong)


def lost(base, methods):
    """Paths and methods that the contract does not define."""
    for path in ("/nothing", "/users/../nothing", "//", "/%2e%2e", "/%00", "/%ff", "/" + "x" * 3000):
        yield Bad("GET", base + path, statuses=(404,) if path in ("/nothing", "//") else (400, 404))
    for method, path in methods:
        yield Bad(method, base + path, statuses=(405,))


BAD_EVENTS = {
    "type": (ABSENT, None, 5, "", "Login", "9a", "a" * 65, "a-b", "\0"), "id": (5, *NOT_UUID[:-1]), "occurred_at": (5, " ", "2026-02-30T00:00:00Z", "2026-01-01", "2999-01-01T00:00:00Z"),
    "tenant_id": (5, *NOT_UUID[:-1], SYSTEM), "env_id": (-1, 4294967296, "1", 1.5, LONG), "outcome": (5, " ", "Success"), "target": ({"kind": "x"}, {"type": "x", "Id": "x"}), "colour": ("red", None),
}
