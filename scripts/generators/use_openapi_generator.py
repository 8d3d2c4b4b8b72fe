"""Uses the client that openapi-generator made of the native document: logs in, records three events as a list, lists them.

    use_openapi_generator.py URL EMAIL PASSWORD
"""

import json
import sys

import trailkeeper_native as native

url, email, password = sys.argv[1:]
with native.ApiClient(native.Configuration(host=url)) as client:
    tokens = native.SessionsApi(client).log_in(native.LoginInput(email=email, password=password))
with native.ApiClient(native.Configuration(host=url, access_token=tokens.access_token)) as client:
    events = native.EventsApi(client)
    sent = [
        native.EventInput(type="page_load", user_id="u1", page="/a", metadata={"plan": "pro"}),
        native.EventInput(type="logout", user_id="u1"),
        native.EventInput(type="login_fail", user_id="u1", source="AWS Internal", user_agent="\t" * 2_000),
    ]
    result = events.record_events(sent)
    listed = events.list_events(
        user_id=["u1", "u2"], type_not=["sign_up", "userinfo"], source=["127.0.0.0/8"], var_from="2020-01-31",
        to="2999-01-31T12:00:00+09:00",
    )
    first = events.get_event(result.results[0].id)
print(json.dumps({
    "stored": result.stored,
    "types": [event.type for event in listed.events],
    "metadata": first.metadata,
    "warned": [warning.var_field for warning in result.results[2].warnings],
}))
