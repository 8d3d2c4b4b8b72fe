#!/usr/bin/env python3
"""Checks the four OpenAPI documents: they are valid, current, and match the running server.

    .venv/bin/python scripts/check_api.py [--database sqlite|postgres] [--max-examples N] [--contract NAME]

Schemathesis sends generated requests, good and bad, to every operation and compares the responses with the document.
scripts/schemathesis.toml has the exceptions and their reasons.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "acceptance"))

from harness import ROOT, Checks, Server, arguments  # noqa: E402 (found by the line above)
from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: E402

# The committed document of each contract, and the base that its paths are relative to.
CONTRACTS = {
    "saasus": ("saasus-analysis.json", "/v1/analysis"),
    "octopai": ("octopai.json", ""),
    "cripsa": ("cripsa.json", "/v1/auditlog"),
    "native": ("trailkeeper.json", ""),
}
LONGEST_LINE = 1500
# No limits and cheap password hashes: thousands of requests come from one address with one credential, half of them wrong
# on purpose.
SETTINGS = {f"limit_{group}": "0" for group in ("login", "ingest", "read", "analytics", "change", "administer", "public", "refused")}
SETTINGS["bcrypt_cost"] = "4"
# Records that the examples of the documents refer to.
WORLD = [
    ("PUT", "/v1/tenants/69e732d6-8ecc-45c4-a2eb-8438f7ffe775", {"name": "Example Ltd"}),
    ("PUT", "/v1/users/u-4711", {"email": "jane@example.com", "user_pool_id": "eu-west-1_aBcD12345", "attributes": {"department": "hr"}}),
    ("PUT", "/v1/tenants/69e732d6-8ecc-45c4-a2eb-8438f7ffe775/users/u-4711", {}),
    ("POST", "/v1/events", [
        {"type": kind, "user_id": "u-4711", "page": "/invoices", "id": f"01975f3c-2b4e-7c10-9a31-5f0d2f9b1c{number}"}
        for number, kind in enumerate(("login_success", "login_fail", "page_load", "userinfo", "password_change"), 77)
    ]),
]


def tokens(server):
    """The ids of the token that schemathesis uses, and of one that it may revoke; see schemathesis_hooks.py."""
    own = [token["token_id"] for token in server.ask("GET", "/v1/tokens").json()["tokens"] if token["state"] == "active"]
    spare = server.ask("POST", "/v1/tokens", {"name": "spare", "role": "ingest"}).json()["api_token"]["token_id"]
    return {"TRAILKEEPER_CHECK_OWN_TOKEN": own[0], "TRAILKEEPER_CHECK_SPARE_TOKEN": spare}


def schemathesis(server, contract, document, most):
    """Runs schemathesis with one document. Returns its exit status. One worker: the parser of CPython 3.11, which
    Hypothesis uses, sometimes fails when two threads use it."""
    base = CONTRACTS[contract][1]
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        # JSON Schema cannot describe NDJSON; recount.py and bad_input.py send it.
        operation.get("requestBody", {}).get("content", {}).pop("application/x-ndjson", None)
    prefixed = all(path.startswith(base) for path in document["paths"])
    saved = server.folder / f"{contract}.json"
    saved.write_text(json.dumps(document))
    command = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", ROOT / "scripts/schemathesis.toml", "--no-color",
        "run", saved, "--url", f"http://127.0.0.1:{server.port}{'' if prefixed else base}",
        "--header", f"Authorization: Bearer {server.admin}",
        "--max-examples", str(most), "--seed", "20260131", "--workers", "1", "--continue-on-failure", "--generation-database", "none",
    ]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(ROOT / "scripts/schemathesis_hooks.py")} | tokens(server)
    with subprocess.Popen(
        command, cwd=server.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as run:
        for line in run.stdout:  # A failed request is printed completely; some have megabytes.
            print(line if len(line) < LONGEST_LINE else line[:LONGEST_LINE] + "…\n", end="", flush=True)
    return run.returncode


def main():
    options = arguments(
        __doc__, ("--max-examples", {"type": int, "default": 100, "help": "requests per operation and phase"}),
        ("--contract", {"choices": sorted(CONTRACTS), "help": "check only this contract"}),
    )
    checks = Checks()
    with Server(checks, options.database, **SETTINGS) as server:
        for method, path, body in WORLD:
            checks.that(server.ask(method, path, body).status in (200, 201), f"{method} {path} is accepted")
        for contract, (committed, _) in CONTRACTS.items():
            if options.contract not in (None, contract):
                continue
            started = time.monotonic()
            answer = server.ask("GET", f"/openapi/{contract}.json", token="")
            if not checks.equal(answer.status, 200, f"/openapi/{contract}.json"):
                continue
            document = answer.json()
            checks.that(str(document.get("openapi", "")).startswith("3.1"), f"{contract}: OpenAPI 3.1", document.get("openapi"))
            errors = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
            checks.equal(errors[:5], [], f"{contract}: a valid document")
            checks.equal(json.loads((ROOT / "openapi" / committed).read_text()), document, f"{contract}: the committed document is served")
            code = schemathesis(server, contract, document, options.max_examples)
            checks.equal(code, 0, f"{contract}: schemathesis finds nothing (its report is above)")
            checks.equal(server.ask("GET", "/v1/tokens").status, 200, f"{contract}: the credential stayed valid")
            print(f"{contract}: {time.monotonic() - started:.0f} s", flush=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
