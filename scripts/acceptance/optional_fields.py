#!/usr/bin/env python3
"""Sends events with bad values of optional fields, and metadata of every form. No event may be lost: a value comes back
equal, cut if it is free text, or in `original` with its start and, if it is longer, its SHA-256.

    scripts/acceptance/optional_fields.py [--database sqlite|postgres]
"""

import hashlib
import json
import random
import re
import sys
import unicodedata
import uuid
from decimal import Decimal

from harness import Checks, Server, arguments

IDENTIFYING = {"user_id": 128, "page": 2048, "session_id": 128, "trace_id": 128, "target.type": 64, "target.id": 256}
FREE = {"user_agent": 1024, "user_name": 256, "target.name": 256}
MAX_METADATA = 16 * 1024


def compact(value):
    """JSON as it is sent, and as it is kept of a value that is no text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def control(text):
    """Whether the text has a control character."""
    return any(unicodedata.category(c) == "Cc" for c in text)


def unicode(text):
    """Whether the text has no surrogate without a partner."""
    return not any(0xD800 <= ord(c) <= 0xDFFF for c in text)


def kept(text):
    """What is kept of a value that cannot be stored."""
    start = text[:1024].replace("\0", "\u2400")
    return {"text": start} if start == text else {"text": start, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def expected(field, value):
    """The value that is stored, and what is kept of the one that was sent."""
    if value is None or value == "":
        return None, None
    if isinstance(value, str) and unicode(value):
        if field in IDENTIFYING:
            good = len(value) <= IDENTIFYING[field] and not control(value)
            return (value, None) if good else (None, kept(value))
        return "".join(" " if control(c) else c for c in value[: FREE[field]]), None
    if isinstance(value, str) and field in FREE:
        return "".join(c if unicode(c) else "\ufffd" for c in value), None
    return None, kept(json.dumps(value, separators=(",", ":")))


def values(choose, limit):
    """Values of every kind for a field that takes `limit` characters."""
    yield from (None, "", "a", "é" * limit, "é" * (limit + 1), "a" * 1024, "a" * 1025, "x" * 5000, "a\tb", "\0", "a\r\nb", "\x7f", "\x85", "a\ud83d")
    yield from (5, -1.5, 12345678901234567890123, True, False, [], [1, "é"], {}, {"b": 1, "a": [None]})
    for _ in range(20):
        length = choose.choice((1, 5, limit, limit + 1, 3000))
        yield "".join(choose.choice(("a", "é", "👩", choose.choice("a\tb\x1f"), chr(choose.randrange(0xA1, 0xD7FF)))) for _ in range(length))


def event_of(field, value):
    """An event with one field."""
    outer, _, inner = field.partition(".")
    return {"id": str(uuid.uuid4()), "type": "x", outer: {inner: value} if inner else value}


def send(server, events):
    """Records events, each as a line of NDJSON, and returns their results."""
    body = "\n".join(json.dumps(event, separators=(",", ":")) if isinstance(event, dict) else event for event in events)
    answer = server.ask("POST", "/v1/events", body.encode(), headers={"Content-Type": "application/x-ndjson"})
    return (answer.json() or {}).get("results", [])


def fields(checks, server):
    """Every field with every kind of value."""
    choose = random.Random(20260131)
    cases = [(field, value) for limits in (IDENTIFYING, FREE) for field, limit in limits.items() for value in values(choose, limit)]
    events = [event_of(field, value) for field, value in cases]
    results = send(server, events)
    checks.equal([result["status"] for result in results], ["stored"] * len(cases), "every event is stored")
    bad = 0
    for (field, value), event, result in zip(cases, events, results):
        seen = server.ask("GET", f"/v1/events/{event['id']}").json() or {}
        outer, _, inner = field.partition(".")
        stored, original = expected(field, value)
        got = (seen.get(outer) or {}).get(inner) if inner else seen.get(outer)
        shown = f"{field} of {str(value)[:40]!a}"
        checks.equal(got, stored, f"{shown} is stored as it should be")
        checks.equal(seen.get("original"), original and {field: original}, f"{shown} is kept as it should be")
        changed = stored != value and value not in (None, "")
        warned = [warning["field"] for warning in result.get("warnings", [])]
        checks.equal(warned, [field] if changed else [], f"{shown} has a warning if it was changed")
        rows = server.database.rows(f"SELECT original FROM event_log WHERE id = '{event['id']}'")
        in_log = json.loads(rows[0][0]) if rows and rows[0] and rows[0][0] else None
        checks.equal(in_log, original and {field: original}, f"{shown} is kept in event_log")
        bad += changed
    print(f"{len(cases)} values of optional fields, {bad} of them bad", flush=True)


def empty(checks, server):
    """Every field but `type` may be an empty text, which is the same as no field."""
    names = ("id", "occurred_at", "tenant_id", "env_id", "user_id", "user_name", "outcome", "source", "user_agent", "page", "session_id", "trace_id", "target", "metadata")
    results = send(server, [{"type": "x"} | {name: ""} for name in names] + [{"type": "x"} | dict.fromkeys(names, ""), {"type": ""}])
    checks.equal([(result["status"], result.get("warnings")) for result in results], [("stored", None)] * (len(names) + 1) + [("refused", None)], "an empty text is no field")
    for result in results[:-1]:
        seen = server.ask("GET", f"/v1/events/{result['id']}").json() or {}
        got = (seen.get("env_id"), seen.get("outcome"), seen.get("tenant_id"), seen.get("original"), seen.get("occurred_at") == seen.get("received_at"))
        checks.equal(got, (1, "unknown", str(uuid.UUID(int=0)), None, True), "an event with empty texts has the defaults")


def number(choose):
    """A number in JSON, of any size."""
    digits = lambda most: "".join(choose.choice("0123456789") for _ in range(choose.randint(1, most)))
    whole = choose.choice(("0", choose.choice("123456789") + digits(40), choose.choice("123456789")))
    fraction = choose.choice(("", "." + digits(30)))
    exponent = choose.choice(("", "", f"e{choose.randint(-20, 20)}", f"E+{choose.randint(0, 500)}", f"E-{choose.randint(300, 500)}"))
    return choose.choice(("", "-")) + whole + fraction + exponent


def tree(choose, depth=0):
    """JSON of any form, as text."""
    kind = choose.randrange(7 if depth < 6 else 4)
    space = choose.choice(("", "", " ", "\t"))
    if kind < 2:
        inner = number(choose)
    elif kind == 2:
        inner = json.dumps("".join(choose.choice('a"\\/\n\x1fé👩{}[],:') for _ in range(choose.randrange(8))), ensure_ascii=choose.random() < 0.5)
    elif kind == 3:
        inner = choose.choice(("true", "false", "null", "{}", "[]"))
    elif kind == 4:
        inner = "[" + ",".join(tree(choose, depth + 1) for _ in range(choose.randrange(4))) + "]"
    else:
        inner = object_of(choose, depth)
    return space + inner + space


def object_of(choose, depth=0):
    """A JSON object of any form, as text."""
    names = choose.sample(("a", "b", "é", "a b", "", "\\u00e8", "z\\n", "aa", "B"), choose.randrange(5))
    return "{" + ",".join(f'"{name}" : {tree(choose, depth + 1)}' for name in names) + "}"


def exact(text):
    """JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|\s+')


def without_spaces(text):
    """The same JSON without spaces between its tokens."""
    return TOKENS.sub(lambda found: found[1] or found[2] or "", text)


def written_out(text):
    """The size in bytes of the same JSON without spaces and exponents."""
    return len(TOKENS.sub(lambda found: found[1] or (found[2] and format(Decimal(found[2]), "f")) or "", text).encode())


def metadata(checks, server):
    """Metadata comes back equal by value, to the last digit, or is kept by its start."""
    choose = random.Random(7)
    texts = ['{"n":12345678901234567890123}', '{"n":3.14159265358979323846}', '{"n":1E-400}', '{"n":-0}', '{"n":1e400}', '{"n":1e99999}', '{"n":"' + "x" * MAX_METADATA + '"}']
    texts += [object_of(choose) for _ in range(400)]
    ids = [str(uuid.uuid4()) for _ in texts]
    lines = [f'{{"id":"{event}","type":"m","metadata":{text}}}'.replace("\t", " ") for event, text in zip(ids, texts)]
    checks.equal([result["status"] for result in send(server, lines)], ["stored"] * len(texts), "every event with metadata is stored")
    refused = []
    for event, text in zip(ids, texts):
        seen = exact(server.ask("GET", f"/v1/events/{event}").body)
        if seen["metadata"] is None:
            refused.append(text)
            checks.equal(seen["original"], {"metadata": kept(without_spaces(text))}, f"{text[:60]} is kept by its start")
        else:
            checks.equal(seen["metadata"], exact(text), f"{text[:60]} comes back to the last digit")
    checks.equal(refused, [text for text in texts if written_out(text) > MAX_METADATA], "only what is too large is not stored as it was sent")
    print(f"{len(texts)} objects as metadata, {len(refused)} of them too large", flush=True)


def main():
    options = arguments(__doc__)
    checks = Checks()
    with Server(checks, options.database) as server:
        fields(checks, server)
        empty(checks, server)
        metadata(checks, server)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
