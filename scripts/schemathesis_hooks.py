"""Prevents schemathesis from revoking its own credential, and from waiting for events.

It uses an API token of an administrator, finds the ids of all tokens in their list, and would revoke its own one or let
it expire. From then on every response would be a 401, which checks nothing. This hook redirects changes of that token to
a spare one. check_api.py names both.

A page of the feed may wait for events for a minute. The hook cuts a valid wait to a second.
"""

import os

import schemathesis

OWN = os.environ["TRAILKEEPER_CHECK_OWN_TOKEN"]
SPARE = os.environ["TRAILKEEPER_CHECK_SPARE_TOKEN"]


@schemathesis.hook
def before_call(_context, case, _kwargs):
    """Schemathesis calls this before each request."""
    ends_tokens = case.operation.path == "/v1/tokens/{token_id}" and case.method.upper() in ("PATCH", "DELETE")
    if ends_tokens and str(case.path_parameters.get("token_id", "")).lower() == OWN:
        case.path_parameters["token_id"] = SPARE
    waits = case.operation.path == "/v1/events/feed" and str((case.query or {}).get("wait", "")).isdigit()
    if waits and 1 < int(case.query["wait"]) <= 60:
        case.query["wait"] = 1
