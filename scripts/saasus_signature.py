#!/usr/bin/env python3
"""Request signatures of SaaSus clients (SAASUSSIGV1), implemented with Python's hmac.

This implementation shares no code with the server, so that each verifies the other.

  saasus_signature.py vectors > crates/auth/tests/saasus_signature_vectors.json
      prints the test vectors of the server's tests

  saasus_signature.py sign PUT http://127.0.0.1:8080/v1/analysis/active-users \\
      --saas-id ID --api-key KEY --secret-key SECRET [--body TEXT | --body-file FILE]
      prints the value of the Authorization header for a request that is sent within this minute
"""

import argparse
import hashlib
import hmac
import json
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit


def signature(secret, at, api_key, method, host, path_and_query, body):
    """Lower-case hex of HMAC-SHA256 over minute, key, method, host, path with query, and body."""
    minute = at.astimezone(timezone.utc).strftime("%Y%m%d%H%M")
    message = (minute + api_key + method + host + path_and_query).encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def header(sig, saas_id, api_key):
    """The part of the Authorization header after the scheme."""
    return f"Sig={sig}, SaaSID={saas_id}, APIKey={api_key}"


SECRET = "sk_Zq3vJ8tWn1LxRb6YcKd0PfHg5MaTsUe2oViX9B4DwNy"
API_KEY = "ak_0Yk7TqVw2mRz9LdXc4HbNs8JfPg5Ae1U"
SAAS_ID = "saas_n5Hq2Lw8ZtXc0RbV"


def vectors():
    """The test cases. The parts that the client signed may differ from those that the server received."""
    cases = []

    def case(name, accepted, *, method="GET", host="api.example.com", path="/v1/analysis/metrics/page-statistics",
             body="", now="2026-07-23T10:36:37Z", public_hosts=(), signed=None, form=None, secret=SECRET):
        signed = signed or {}
        at = datetime.fromisoformat(now.replace("Z", "+00:00")) + timedelta(minutes=signed.get("minutes", 0))
        sig = signature(
            secret,
            at,
            signed.get("api_key", API_KEY),
            signed.get("method", method),
            signed.get("host", host),
            signed.get("path", path),
            signed.get("body", body).encode(),
        )
        cases.append({
            "name": name,
            "accepted": accepted,
            "secret": SECRET,
            "header": (form or header)(sig, SAAS_ID, API_KEY),
            "method": method,
            "host": host,
            "path_and_query": path,
            "body": body,
            "now": now,
            "public_hosts": list(public_hosts),
        })

    query = "/v1/analysis/active-users?type=daily&date_from=2026-07-01&tenant_id=69e732d6-8ecc-45c4-a2eb-8438f7ffe775"
    update = '{"type":"daily","date":"2026-07-23","tenant_id":"69e732d6-8ecc-45c4-a2eb-8438f7ffe775","env_id":1,"active_users":7}'
    upper = "/v1/analysis/users/a%2Fb%C3%A9/behavior-histories"
    lower = "/v1/analysis/users/a%2fb%c3%a9/behavior-histories"

    case("a plain request", True)
    case("with a query", True, path=query)
    case("with a body", True, method="PUT", path="/v1/analysis/active-users", body=update)
    case("with a body beyond ASCII", True, method="PUT", body='{"user_id":"キキ","histories":[]}')
    case("with an empty query", True, path="/v1/analysis/active-users?")
    case("a host with its port", True, host="127.0.0.1:8080")
    case("a host whose port the client does not sign", True, host="127.0.0.1:8080", signed={"host": "127.0.0.1"})
    case("an IPv6 host with its port", True, host="[::1]:8080")
    case("an IPv6 host whose port the client does not sign", True, host="[::1]:8080", signed={"host": "[::1]"})
    case("an IPv6 host without a port", True, host="[2001:db8::7]")
    case("escapes as they were sent, upper case", True, path=upper)
    case("escapes as they were sent, lower case", True, path=lower)
    case("escapes signed in lower case, sent in upper case", True, path=upper, signed={"path": lower})
    case("escapes signed in upper case, sent in lower case", True, path=lower, signed={"path": upper})
    case("mixed escapes signed in lower case", True, path="/v1/a%2Fb%c3%A9", signed={"path": "/v1/a%2fb%c3%a9"})
    spaced = "/v1/analysis/users/jane%20d%C3%B6e/behavior-histories"
    case("a decoded path, as some SDKs sign", True, path=spaced, signed={"path": unquote(spaced)})
    for what, sent in [("an address", "jane%2Bx%40example.com"), ("base64", "aGk%3D"), ("other signs", "a%26b%3Bc")]:
        path = f"/v1/analysis/users/{sent}/behavior-histories"
        case(f"a decoded path with {what}", True, path=path, signed={"path": unquote(path)})
    case("a decoded path before a query as it was sent", True, path=spaced + "?a=b%2Cc",
         signed={"path": unquote(spaced) + "?a=b%2Cc"})
    case("a decoded path and a decoded query", True, path=spaced + "?a=b%2Cc", signed={"path": unquote(spaced + "?a=b%2Cc")})
    case("a public host behind a proxy", True, host="10.0.0.5:8080", public_hosts=["a.example", "api.example.com"],
         signed={"host": "api.example.com"})
    case("a public host with its port behind a proxy", True, host="10.0.0.5", public_hosts=["api.example.com:8443"],
         signed={"host": "api.example.com:8443"})
    case("a public host whose port the client does not sign", True, host="10.0.0.5",
         public_hosts=["api.example.com:8443"], signed={"host": "api.example.com"})
    case("port, escapes and minute differ at once", True, host="api.example.com:443", path=upper,
         signed={"host": "api.example.com", "path": lower, "minutes": -1})
    case("a client one minute behind", True, signed={"minutes": -1})
    case("a client one minute ahead", True, signed={"minutes": 1})
    case("signed before midnight, received after", True, now="2027-01-01T00:00:01Z", signed={"minutes": -1})
    case("signed after a leap day, received on it", True, now="2028-02-29T23:59:59Z", signed={"minutes": 1})
    case("names in another order and case, without spaces", True,
         form=lambda sig, saas_id, api_key: f"apikey={api_key},SAASID={saas_id},sig={sig}")
    case("many spaces", True,
         form=lambda sig, saas_id, api_key: f"  Sig = {sig} ,  SaaSID = {saas_id} ,APIKey= {api_key}  ")

    case("two minutes behind", False, signed={"minutes": -2})
    case("two minutes ahead", False, signed={"minutes": 2})
    case("an hour behind, as with a wrong time zone", False, signed={"minutes": -60})
    case("another secret", False, secret="sk_Aq3vJ8tWn1LxRb6YcKd0PfHg5MaTsUe2oViX9B4DwNy")
    case("another method", False, method="PUT", signed={"method": "GET"})
    case("another path", False, signed={"path": "/v1/analysis/metrics/aggregated"})
    case("another host", False, signed={"host": "evil.example"})
    case("another port", False, host="api.example.com:8443", signed={"host": "api.example.com:443"})
    case("a public host that is not configured", False, host="10.0.0.5", public_hosts=["a.example"],
         signed={"host": "api.example.com"})
    case("another query", False, path=query, signed={"path": query.replace("daily", "monthly")})
    case("the query left out of the signature", False, path=query, signed={"path": query.split("?")[0]})
    case("a changed body", False, method="PUT", body=update, signed={"body": update.replace("7}", "8}")})
    case("a body that was not signed", False, method="PUT", body=update, signed={"body": ""})
    case("signed with another key's name", False, signed={"api_key": "ak_1Yk7TqVw2mRz9LdXc4HbNs8JfPg5Ae1U"})
    for what, sent in [("slash", "%2F"), ("question mark", "%3F"), ("percent sign", "%25"),
                       ("number sign", "%23"), ("line feed", "%0A"), ("byte that is no text", "%FF")]:
        path = f"/v1/analysis/users/a%20{sent}b/behavior-histories"
        case(f"a decoded path whose escapes stand for a {what}", False, path=path, signed={"path": unquote(path, errors="replace")})
    case("a decoded query whose escapes stand for an ampersand", False, path=f"{spaced}?a=b%26tenant_id%3Dc",
         signed={"path": unquote(f"{spaced}?a=b%26tenant_id%3Dc")})
    case("the path's beginning moved into the host", False, host="api.example.com/v1", path="/analysis/metrics/page-statistics",
         signed={"host": "api.example.com", "path": "/v1/analysis/metrics/page-statistics"})
    case("letters of the path folded, not only escapes", False, path="/v1/Analysis%2F", signed={"path": "/v1/analysis%2f"})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("vectors", help="print the test vectors as JSON")
    sign = commands.add_parser("sign", help="print the Authorization header of one request")
    sign.add_argument("method")
    sign.add_argument("url")
    sign.add_argument("--saas-id", required=True)
    sign.add_argument("--api-key", required=True)
    sign.add_argument("--secret-key", required=True)
    body = sign.add_mutually_exclusive_group()
    body.add_argument("--body", default="")
    body.add_argument("--body-file", type=argparse.FileType("rb"))
    arguments = parser.parse_args()

    if arguments.command == "vectors":
        json.dump(vectors(), sys.stdout, indent=2, ensure_ascii=False)
        print()
        return
    url = urlsplit(arguments.url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    content = arguments.body_file.read() if arguments.body_file else arguments.body.encode()
    sig = signature(
        arguments.secret_key, datetime.now(timezone.utc), arguments.api_key, arguments.method.upper(), url.netloc, path, content
    )
    print("SAASUSSIGV1 " + header(sig, arguments.saas_id, arguments.api_key))


if __name__ == "__main__":
    main()
