"""Prevents schemathesis from revoking its own credential, and from waiting for events.

It uses an API token of an administrator, finds the ids of all tokens in their list, and would revoke its own one or let
it expire. From then on every response would be a 401, which checks nothing. This hook redirects changes of that token to
a spare one. check_api.py names both.

A page of the feed may wait for events for a minute. The hook cuts a valid wait to a second. Forwarding streams would send to
generated hosts, so the hook gives them a name that does not exist.
"""

import os
import re

import schemathesis

OWN = os.environ["TRAILKEEPER_CHECK_OWN_TOKEN"]
SPARE = os.environ["TRAILKEEPER_CHECK_SPARE_TOKEN"]
DESTINATION = re.compile(r"https://[!#-;=?-\[\]_a-z~]+")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Schemathesis calls this before each request."""
    ends_tokens = case.operation.path == "/v1/tokens/{token_id}" and case.method.upper() in ("PATCH", "DELETE")
    if ends_tokens and str(case.path_parameters.get("token_id", "")).lower() == OWN:
        case.path_parameters["token_id"] = SPARE
    waits = case.operation.path == "/v1/events/feed" and str((case.query or {}).get("wait", "")).isdigit()
    if waits and 1 < int(case.query["wait"]) <= 60:
        case.query["wait"] = 1
    creates = case.operation.path == "/v1/streams" and case.method.upper() == "POST" and isinstance(case.body, dict)
    if creates and DESTINATION.fullmatch(str(case.body.get("destination"))):
        case.body["destination"] = "https://nobody.invalid/"
