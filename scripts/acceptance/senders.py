#!/usr/bin/env python3
"""Sends events by the published SDKs of CloudEvents and OpenTelemetry, and compares what is stored with what was sent.

    scripts/acceptance/senders.py [--database sqlite|postgres]

The SDKs are in scripts/requirements.txt.
"""

import sys
from datetime import datetime, timedelta, timezone

import requests
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from harness import Checks, Server, arguments

NO_TENANT = "00000000-0000-0000-0000-000000000000"
EVENTS = 1200


def listed(server, kind):
    """All events of a type without a tenant, read page by page."""
    events, query = [], {"tenant_id": NO_TENANT, "limit": 1000, "type": kind}
    while True:
        page = server.ask("GET", "/v1/events", query=query).json()
        events += page["events"]
        if page["next_cursor"] is None:
            return events
        query["cursor"] = page["next_cursor"]


def check_cloud_events(checks, server):
    """Sends events in every mode; the same event in two modes is one."""
    url, token = f"http://127.0.0.1:{server.port}/v1/events", {"Authorization": f"Bearer {server.token('ingest')}"}
    at = datetime.now(timezone.utc).replace(microsecond=123000) - timedelta(hours=1)
    sent = [
        CloudEvent(
            {"id": str(number), "type": "com.example.signed_in", "source": "/shops/köln", "time": at, "subject": f"user {number}",
             "datacontenttype": "application/json", "traceparent": f"00-{number + 1:032x}-b7ad6b7169203331-01"},
            {"outcome": "success", "source": "203.0.113.7", "plan": "pro", "page": f"/orders/{number}"},
        )
        for number in range(50)
    ]
    for number, event in enumerate(sent):
        encode = http.to_structured_event if number % 2 else http.to_binary_event
        for repeat in ("stored", "known"):
            message = encode(event)
            answer = requests.post(url, data=message.body, headers=message.headers | token, timeout=30)
            checks.equal(answer.json()["results"][0]["status"], repeat, f"CloudEvents: event {number} in a mode of its own")
            encode = http.to_binary_event if number % 2 else http.to_structured_event
    batch = b"[" + b",".join(http.to_structured_event(event).body for event in sent) + b"]"
    answer = requests.post(url, data=batch, headers=token | {"Content-Type": "application/cloudevents-batch+json"}, timeout=30)
    checks.equal(answer.json()["known"], len(sent), "CloudEvents: a batch has the same ids")
    stored = listed(server, "com.example.signed_in")
    got = {(event["user_id"], event["page"], event["source"], event["outcome"], event["trace_id"], event["metadata"]["plan"],
            datetime.fromisoformat(event["occurred_at"].replace("Z", "+00:00"))) for event in stored}
    expected = {(f"user {n}", f"/orders/{n}", "203.0.113.7", "success", f"{n + 1:032x}", "pro", at) for n in range(50)}
    checks.equal((len(stored), got), (50, expected), "CloudEvents: the fields are those that were sent")
    checks.equal({event["metadata"]["cloudevent"]["source"] for event in stored}, {"/shops/köln"}, "CloudEvents: the source is kept")


def check_open_telemetry(checks, server):
    """Emits records by the SDK with gzip, and exports the same batch twice, as a retry does."""
    url = f"http://127.0.0.1:{server.port}/v1/otlp/v1/logs"
    headers = {"Authorization": f"Bearer {server.token('ingest')}"}
    exporter = OTLPLogExporter(endpoint=url, headers=headers, compression=Compression.Gzip)
    exported = []

    class Twice:
        """An exporter that sends each batch two times."""

        def export(self, batch):
            exported.extend(batch)
            results = [exporter.export(batch), exporter.export(batch)]
            checks.that(all(result.name == "SUCCESS" for result in results), "OpenTelemetry: a batch is exported", str(results))
            return results[0]

        def shutdown(self):
            exporter.shutdown()

        def force_flush(self, timeout_millis=30_000):
            return exporter.force_flush(timeout_millis)

    provider = LoggerProvider(Resource.create({"service.name": "shop", "service.instance.id": "i-1"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(Twice()))
    logger = provider.get_logger("checkout", "1.0")
    start = 1_761_990_000_000_000_000
    for number in range(EVENTS):
        user = {"user.id": f"user-{number % 7}"} if number % 3 else {"enduser.id": "e", "enduser.pseudo.id": "p"}
        logger.emit(LogRecord(
            timestamp=start + number * 1_000_000, severity_number=SeverityNumber.INFO, body={"order": number},
            event_name="order.placed" if number % 2 else None,
            attributes=user | {"client.address": "203.0.113.7", "session.id": f"s-{number}", "url.path": f"/orders/{number}",
                               "items": number} | ({} if number % 2 else {"event.name": "order.placed"}),
        ))
    # A record that is no event.
    logger.emit(LogRecord(timestamp=start, body="a line of a log"))
    provider.force_flush()
    provider.shutdown()
    checks.equal(len(exported), EVENTS + 1, "OpenTelemetry: the SDK exported every record")
    stored = listed(server, "order.placed")
    got = sorted((event["session_id"], event["user_id"], event["page"], event["source"], event["metadata"]["body"]["order"],
                  event["metadata"]["attributes"]["items"], event["metadata"]["resource"]["service.name"]) for event in stored)
    expected = sorted((f"s-{n}", f"user-{n % 7}" if n % 3 else "e", f"/orders/{n}", "203.0.113.7", n, n, "shop") for n in range(EVENTS))
    checks.equal(len(stored), EVENTS, "OpenTelemetry: each event is stored once")
    checks.that(got == expected, "OpenTelemetry: the fields are those that were emitted", f"{got[:2]} {expected[:2]}")
    listed_pseudonyms = [event for event in stored if event["user_id"] == "p"]
    checks.equal(listed_pseudonyms, [], "OpenTelemetry: a pseudonym is no user")
    wrong = OTLPLogExporter(endpoint=url, headers={"Authorization": "Bearer wrong"}, timeout=20)
    checks.equal(wrong.export(exported[:1]).name, "FAILURE", "OpenTelemetry: a wrong token fails at once, without a retry")


def main():
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database) as server:
        check_cloud_events(checks, server)
        check_open_telemetry(checks, server)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
