"""Keeps schemathesis from ending the credential with which it asks.

It asks with an API token of an administrator, learns from the list of tokens which there are, and would revoke its own
or let it expire: from then on every answer is a 401, which checks nothing. What would be done to that token is done to
another one that is there for that. check_api.py names both.
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
