#!/usr/bin/env python3
"""Forwards events to a receiver that is slow, refuses, closes in the middle, redirects, answers 410, and dies.

    scripts/acceptance/streams.py [--database sqlite]
    scripts/with-postgres scripts/acceptance/streams.py --database postgres

The published library of Standard Webhooks checks every signature, the SDK of CloudEvents and the schemas of OCSF the formats. Each event must arrive at least once, in the order of the
feed, also when the server is killed while it sends. A retry has the same id. Nothing of an answer and nothing of a URL but its
host may show in the log and in the trail.
"""

import json
import sys
import threading
import time
import uuid

from certificates import make
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from crash import Mortal
from followers import Writers
from harness import Checks, arguments
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from webhook_receiver import ANSWER, Receiver

TENANTS = [str(uuid.UUID(int=n, version=4)) for n in (1, 2)]
SYSTEM = "ffffffff-ffff-ffff-ffff-ffffffffffff"
WAIT_SECONDS = 30
OCSF_VERSION = "1.5.0"
OCSF = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF_VERSION))


class Scene:
    """The server, the receiver, and what the checks share."""

    def __init__(self, checks, server):
        self.checks = checks
        self.server = server
        self.receiver = Receiver(*server.certificate)

    def create(self, path, **fields):
        """A stream to a path of the receiver."""
        answer = self.server.ask("POST", "/v1/streams", {"destination": self.receiver.url(path), **fields})
        self.checks.equal(answer.status, 201, f"{path}: a stream is made")
        made = answer.json()
        self.receiver.inbox(path).secrets = [made["secret"]]
        return made["stream"]["stream_id"]

    def stream(self, stream):
        """The record of a stream."""
        return self.server.ask("GET", f"/v1/streams/{stream}").json()

    def change(self, stream, **fields):
        """Changes a stream."""
        answer = self.server.ask("PATCH", f"/v1/streams/{stream}", fields)
        self.checks.equal(answer.status, 200, f"a stream is changed: {fields}")
        return answer.json()

    def send(self, count, kind="login_fail", tenant=None):
        """Stores events. Returns their ids."""
        events = [{"id": str(uuid.uuid4()), "type": kind, "user_id": f"u-{n}", "page": "/ä?b=\"c\"",
                   "source": "203.0.113.7", "metadata": {"n": n, "big": 12345678901234567890}} for n in range(count)]
        for event in events:
            event |= {"tenant_id": tenant} if tenant else {}
        self.server.ask("POST", "/v1/events", events)
        return [event["id"] for event in events]

    def feed(self, query):
        """All events of the feed."""
        events, cursor = [], None
        while True:
            page = self.server.ask("GET", "/v1/events/feed", query=query | ({"cursor": cursor} if cursor else {})).json()
            events += page["events"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return events

    def until(self, holds, what, detail=lambda: ""):
        """Waits until something holds."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (done := holds()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.checks.that(done, what, "" if done else detail())

    def arrive(self, path, ids, what):
        """Waits until these events, and no others, have arrived in this order."""
        inbox = self.receiver.inbox(path)
        self.until(lambda: len(inbox.events()) >= len(ids), f"{what}: all arrive", lambda: (len(inbox.events()), len(ids)))
        self.checks.that(inbox.events() == ids, f"{what}: these events in this order", (len(inbox.events()), len(ids)))
        self.checks.equal(inbox.odd, [], f"{what}: every signature is right")


def good(scene):
    """What a receiver gets that behaves well."""
    checks, inbox = scene.checks, scene.receiver.inbox("/good")
    sent = scene.send(1300)
    scene.send(3, kind="page_load")
    stream = scene.create("/good", name="good", start="beginning", filter={"type": ["login_fail"]})
    scene.arrive("/good", sent, "good")
    sizes = [len(body["data"]["events"]) for _, body in inbox.messages]
    checks.that(max(sizes) <= 500 and len(sizes) <= 4, "good: batches of up to 500", sizes)
    events = [event for _, body in inbox.messages for event in body["data"]["events"]]
    feed = scene.feed({"type": "login_fail", "limit": 1000})
    reader = 16
    without_reader = [{**event, "position": event["position"][:-reader]} for event in feed]
    checks.that([{**event, "position": event["position"][:-reader]} for event in events] == without_reader,
                "good: events are those of the feed", (events[:1], feed[:1]))
    headers, body = inbox.messages[0]
    checks.equal((headers["content-type"], body["type"], body["data"]["stream_id"], body["data"]["gap"]),
                 ("application/json", "trailkeeper.events", stream, False), "good: the envelope")
    page = scene.server.ask("GET", "/v1/events/feed", query={"type": "login_fail", "cursor": events[1298]["position"]}).json()
    checks.equal([event["id"] for event in page["events"]], sent[1299:], "good: a position is a cursor of the feed")
    started = time.monotonic()
    sent += scene.send(1)
    scene.arrive("/good", sent, "good, later")
    print(f"a new event arrived after {time.monotonic() - started:.2f} s", flush=True)
    tested = scene.server.ask("POST", f"/v1/streams/{stream}/test", {}).json()
    checks.equal((tested["accepted"], tested["error"]), (True, None), "good: a test is accepted")
    headers, body = inbox.messages.pop()
    checks.equal((headers["webhook-id"], body["type"]), (tested["message_id"], "trailkeeper.test"), "good: the test message")
    record = scene.stream(stream)
    seen = [record[field] for field in ("state", "behind_events", "behind_since", "last_error", "failures")]
    checks.equal(seen, ["active", record["behind_events"], record["behind_since"], None, 0], "good: the record")
    checks.that(record["last_success_at"] is not None, "good: the last success")
    # Both secrets sign, and new ones open after the master key was replaced.
    rotated = scene.server.ask("POST", f"/v1/streams/{stream}/rotate-secret", {}).json()
    inbox.secrets.append(rotated["secret"])
    done = scene.server.command("master-key", "rotate")
    checks.equal(done.returncode, 0, "good: the master key is replaced")
    sent += scene.send(2)
    scene.arrive("/good", sent, "good, with two secrets")
    checks.equal(len(inbox.messages[-1][0]["webhook-signature"].split(" ")), 2, "good: two signatures")
    confined = scene.create("/tenant", tenant_id=TENANTS[0], start="beginning")
    own = scene.send(4, tenant=TENANTS[0])
    scene.send(4, tenant=TENANTS[1])
    scene.arrive("/tenant", own, "a stream of a tenant")
    return [stream, confined]


def formats(scene):
    """Events as the SDK of CloudEvents and the schema of OCSF want them."""
    checks = scene.checks
    kinds = ["login_success", "login_fail", "logout", "page_load", "userinfo", "sign_up", "password_change", "x.format"]
    events = [{"id": str(uuid.uuid4()), "type": kind, "user_id": "jäne", "user_name": "Jane", "page": "/a?b=c",
               "session_id": "s-1", "source": "2001:db8::7", "user_agent": "Mozilla/5.0", "trace_id": "t-1",
               "target": {"type": "invoice", "id": "7"}, "metadata": {"n": 12345678901234567890}} for kind in kinds]
    events += [{"id": str(uuid.uuid4()), "type": kind} for kind in kinds]
    ids = [event["id"] for event in events]
    streams = {form: scene.create(f"/{form}", format=form, start="now") for form in ("cloudevents", "ocsf")}
    scene.server.ask("POST", "/v1/events", events)
    feed = {event["id"]: event for event in scene.feed({"limit": 1000}) if event["id"] in ids}
    for form, stream in streams.items():
        inbox = scene.receiver.inbox(f"/{form}")
        taken = lambda inbox=inbox: [event for _, body in inbox.messages for event in body]
        native = (lambda event: event["data"]) if form == "cloudevents" else (lambda event: event["unmapped"]["trailkeeper"])
        scene.until(lambda: set(ids) <= {native(event)["id"] for event in taken()}, f"{form}: all arrive", taken)
        own = [event for event in taken() if native(event)["id"] in ids]
        checks.equal([native(event)["id"] for event in own], ids, f"{form}: in the order of the feed")
        same = [{**native(event), "position": ""} == {**feed[native(event)["id"]], "position": ""} for event in own]
        checks.that(all(same), f"{form}: each has the event of the feed", same)
        checks.equal(inbox.odd, [], f"{form}: every signature is right")
        tested = scene.server.ask("POST", f"/v1/streams/{stream}/test", {}).json()
        checks.equal(tested["error"], None, f"{form}: a test is accepted")
        headers, message = inbox.messages[-1]
        validate = cloud_event if form == "cloudevents" else ocsf_event
        for event in [*taken()]:
            validate(checks, event)
        checks.equal(len(message), 1, f"{form}: the test is one event")
        wanted = "application/cloudevents-batch+json" if form == "cloudevents" else "application/json"
        checks.equal(headers["content-type"], wanted, f"{form}: the content type")
    classes = {native_type: [] for native_type in kinds}
    for _, body in scene.receiver.inbox("/ocsf").messages:
        for event in body:
            classes.setdefault(event["metadata"]["event_code"], []).append(event["class_uid"])
    checks.equal([classes[kind] for kind in kinds],
                 [[3002, 3002], [3002, 3002], [3002, 3002], [6001, 0], [0, 0], [3001, 3001], [3001, 3001], [0, 0]],
                 "ocsf: the class that fits each type")
    for stream in streams.values():
        scene.change(stream, paused=True)


def cloud_event(checks, event):
    """Reads an event by the SDK of CloudEvents, which checks its attributes."""
    try:
        read = JSONFormat().read(None, json.dumps(event))
        checks.equal((read.get_id(), read.get_type(), read.get_specversion()), (event["id"], event["type"], "1.0"), "cloudevents: the SDK reads it")
    except (CloudEventValidationError, ValueError) as error:
        checks.that(False, "cloudevents: the SDK reads it", (str(error), event))


SCHEMAS = {}


def ocsf_event(checks, event):
    """Checks an event by the schema of its class."""
    if event["class_uid"] not in SCHEMAS:
        name = OCSF.lookup_class_name_from_uid(class_uid=event["class_uid"])
        schema = OCSF.get_class_schema(class_name=name, profiles=[])
        SCHEMAS[event["class_uid"]] = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors = [error.message[:300] for error in SCHEMAS[event["class_uid"]].iter_errors(event)]
    checks.equal((errors, event["metadata"]["version"]), ([], OCSF_VERSION), f"ocsf: class {event['class_uid']} is valid")


def bad(scene):
    """Receivers that do not behave. Each event arrives at last, and a retry has the id of the first attempt."""
    checks = scene.checks
    for mode, reason in [("refuse", "answered 500"), ("redirect", "a redirect"), ("close", "closed the connection")]:
        path, inbox = f"/{mode}", scene.receiver.inbox(f"/{mode}")
        stream = scene.create(path, name=mode, filter={"type": [f"bad.{mode}"]})
        inbox.mode = mode
        ids = scene.send(3, kind=f"bad.{mode}")
        scene.until(lambda inbox=inbox: len(inbox.attempts) >= 2, f"{mode}: it is tried again")
        later = scene.send(2, kind=f"bad.{mode}")
        scene.until(lambda stream=stream: scene.stream(stream)["failures"] >= 2, f"{mode}: failures are counted")
        record = scene.stream(stream)
        checks.that(reason in record["last_error"], f"{mode}: the reason", record["last_error"])
        checks.equal(record["state"], "active", f"{mode}: it is not failing yet")
        checks.that(record["behind_events"] >= 5 and record["behind_since"] and record["next_attempt_at"],
                    f"{mode}: the lag", record)
        inbox.mode = "accept"
        scene.change(stream, paused=False)
        scene.arrive(path, ids + later, mode)
        checks.equal(len(set(inbox.attempts)), 2, f"{mode}: a retry has the same id")
        checks.equal(len(inbox.messages), 2, f"{mode}: a retry has the same events")
        scene.until(lambda stream=stream: scene.stream(stream)["failures"] == 0, f"{mode}: the success is recorded")
        after = scene.stream(stream)
        checks.equal((after["failures"], after["failing_since"], after["last_error"]), (0, None, record["last_error"]),
                     f"{mode}: it has recovered")
    checks.equal(scene.receiver.inbox("/followed").odd, [], "redirect: it is not followed")
    checks.equal(scene.receiver.inbox("/followed").attempts, [], "redirect: nothing is sent to the other address")


def gone(scene):
    """410 pauses a stream, and a slow receiver does not."""
    checks, inbox = scene.checks, scene.receiver.inbox("/gone")
    stream = scene.create("/gone", filter={"type": ["x.gone"]})
    inbox.mode = "gone"
    ids = scene.send(2, kind="x.gone")
    scene.until(lambda: scene.stream(stream)["state"] == "paused", "410 pauses the stream")
    tested = scene.server.ask("POST", f"/v1/streams/{stream}/test", {})
    checks.that(not tested.json()["accepted"] and ANSWER not in tested.body, "410: a test shows no answer", tested)
    inbox.mode = "slow"
    scene.change(stream, paused=False)
    scene.arrive("/gone", ids, "slow")
    scene.change(stream, paused=True)
    inbox.mode = "accept"
    more = scene.send(2, kind="x.gone")
    time.sleep(1)
    checks.equal(inbox.events(), ids, "a paused stream sends nothing")
    scene.change(stream, paused=False, filter={"type": ["x.gone", "x.other"]})
    more += scene.send(1, kind="x.other")
    scene.arrive("/gone", ids + more, "resumed with another filter")


def failing(scene):
    """A stream that did not succeed for a day is failing, and so is one whose position is of a lost database."""
    checks, inbox = scene.checks, scene.receiver.inbox("/failing")
    stream = scene.create("/failing", filter={"type": ["x.failing"]})
    inbox.mode = "refuse"
    ids = scene.send(2, kind="x.failing")
    scene.until(lambda: scene.stream(stream)["failures"] >= 1, "failing: it fails")
    day = "86460000000" if scene.server.database.kind == "sqlite" else "interval '1441 minutes'"
    mine = "name IS NULL AND conditions LIKE '%x.failing%'"
    scene.server.database.change(f"UPDATE streams SET failing_since = failing_since - {day}, "
                                 f"next_attempt_at = next_attempt_at - {day}, revision = revision + 1 WHERE {mine}")
    scene.until(lambda: scene.stream(stream)["state"] == "failing", "failing after a day of failures",
                lambda: scene.stream(stream))
    inbox.mode = "accept"
    scene.server.database.change(f"UPDATE streams SET next_attempt_at = next_attempt_at - {day}, revision = revision + 1 WHERE {mine}")
    scene.arrive("/failing", ids, "failing: nothing is skipped")
    scene.until(lambda: scene.stream(stream)["state"] == "active", "failing: a success ends it")
    other = "x'00112233445566778899aabbccddeeff'" if scene.server.database.kind == "sqlite" else "'00112233-4455-6677-8899-aabbccddeeff'"
    scene.server.database.change(f"UPDATE streams SET history = {other}, revision = revision + 1 WHERE {mine}")
    scene.until(lambda: scene.stream(stream)["state"] == "failing", "failing: the position is of another database")
    record = scene.stream(stream)
    checks.that("PATCH with start" in record["last_error"], "failing: the way out", record["last_error"])
    checks.equal(record["behind_events"], None, "failing: the lag is unknown")
    checks.equal(scene.change(stream, start="now")["state"], "active", "failing: the way out helps")
    more = scene.send(1, kind="x.failing")
    scene.arrive("/failing", ids + more, "a new start")


def refused_addresses(scene):
    """Addresses that the operator did not name."""
    for address in ["127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[fd00::1]"]:
        answer = scene.server.ask("POST", "/v1/streams", {"destination": f"https://{address}/"})
        scene.checks.equal((answer.status, answer.json().get("field")), (400, "destination"), f"{address} is not allowed")


def killed(scene):
    """The server is killed while it sends, and the receiver dies, while writers go on."""
    checks, server, inbox = scene.checks, scene.server, scene.receiver.inbox("/killed")
    stream = scene.create("/killed", filter={"type": ["page_load"]})
    writers = Writers(server, TENANTS, 1_000)
    writers.start()
    time.sleep(1)
    # In the middle of a message.
    inbox.mode = "slow"
    time.sleep(1)
    server.kill()
    inbox.mode = "accept"
    server.start()
    time.sleep(1)
    scene.receiver.die()
    time.sleep(2)
    scene.receiver.start()
    writers.stop()
    scene.change(stream, paused=False)
    expected = set(writers.acknowledged)
    scene.until(lambda: expected <= set(inbox.events()), "killed: every acknowledged event arrives",
                lambda: len(expected - set(inbox.events())))
    order = [event["id"] for event in scene.feed({"type": "page_load", "limit": 1000}) if event["id"] in writers.tenant_of]
    checks.that(inbox.events() == order, "killed: in the order of the feed", (len(order), len(inbox.events())))
    checks.equal(inbox.odd, [], "killed: every signature is right")
    arrived = sum(len(body["data"]["events"]) for _, body in inbox.messages)
    print(f"{len(order)} events in {len(inbox.messages)} messages, {arrived - len(order)} of them twice", flush=True)


def trail(scene, streams):
    """Only changes of state are recorded, and no URL."""
    checks, server = scene.checks, scene.server
    for stream in streams:
        checks.equal(server.ask("DELETE", f"/v1/streams/{stream}").status, 204, "a stream is deleted")
    events = server.ask("GET", "/v1/events", query={"tenant_id": SYSTEM, "limit": 1000, "target_type": "stream"}).json()["events"]
    kinds = {event["type"] for event in events}
    checks.equal(kinds, {"stream_create", "stream_change", "stream_secret_rotate", "stream_delete"}, "the trail")
    by_server = [event["metadata"]["state"] for event in events if event["user_id"] == "trailkeeper"]
    changes = sorted((change["from"], change["to"]) for change in by_server)
    checks.equal(changes, [("active", "failing"), ("active", "failing"), ("active", "paused"), ("failing", "active")],
                 "the trail has each change of state by the server, and no delivery")
    for what, text in [("the trail", repr(events)), ("the log", server.log.read_text(errors="replace"))]:
        checks.that("SECRET-OF-THE" not in text, f"{what} shows no URL and no answer")
    records = server.ask("GET", "/v1/streams")
    checks.that(ANSWER not in records.body, "the records show no answer")


def main():
    """Runs all parts on one server."""
    options = arguments(__doc__)
    checks = Checks()
    server = Mortal(checks, options.database, stream_networks="127.0.0.1")
    server.certificate = make(server.folder, "receiver", authority=False)
    server.settings["SSL_CERT_FILE"] = str(server.certificate[0])
    with server:
        scene = Scene(checks, server)
        streams = good(scene)
        formats(scene)
        refused_addresses(scene)
        parts = [threading.Thread(target=part, args=(scene,)) for part in (bad, gone, failing)]
        for part in parts:
            part.start()
        for part in parts:
            part.join()
        killed(scene)
        trail(scene, streams)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
