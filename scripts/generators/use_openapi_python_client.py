"""Uses the client that openapi-python-client made of the native document: logs in, records three events as a list, lists them.

    use_openapi_python_client.py URL EMAIL PASSWORD
"""

import json
import sys

from trailkeeper_native import AuthenticatedClient, Client
from trailkeeper_native.api.events import get_event, list_events, record_events
from trailkeeper_native.api.sessions import log_in
from trailkeeper_native.models import EventInput, LoginInput, Metadata

url, email, password = sys.argv[1:]
tokens = log_in.sync(client=Client(url), body=LoginInput(email=email, password=password))
client = AuthenticatedClient(url, tokens.access_token)
metadata = Metadata.from_dict({"plan": "pro"})
result = record_events.sync(client=client, body=[
    EventInput(type_="page_load", user_id="u1", page="/a", metadata=metadata),
    EventInput(type_="logout", user_id="u1"),
    EventInput(type_="login_fail", user_id="u1", source="AWS Internal", user_agent="\t" * 2_000),
])
listed = list_events.sync(
    client=client, user_id=["u1", "u2"], type_not=["sign_up", "userinfo"], source=["127.0.0.0/8"], from_="2020-01-31", to="2999-01-31T12:00:00+09:00",
)
first = get_event.sync(result.results[0].id, client=client)
print(json.dumps({
    "stored": result.stored,
    "types": [event.type_ for event in listed.events],
    "metadata": first.metadata.to_dict(),
    "warned": [warning.field for warning in result.results[2].warnings],
}))
