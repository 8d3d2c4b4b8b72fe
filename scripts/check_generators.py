#!/usr/bin/env python3
"""Generates SDKs from the OpenAPI documents with generators of other projects, compiles them, and uses some.

    .generators/venv/bin/python scripts/check_generators.py [--proof]

--proof makes the checks that take long: the Rust client of openapi-generator is checked by cargo.

crates/http/tests/api/openapi/generators.rs tests the properties of the documents that these generators need.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent / "acceptance"))

from harness import ADMIN_EMAIL, ADMIN_PASSWORD, ROOT, Checks, Server  # noqa: E402 (found by the line above)

SOURCES = ROOT / "scripts/generators"
TOOLS = ROOT / ".generators"
OUT = TOOLS / "out"
BIN = TOOLS / "venv/bin"
# The document of all contracts is not committed; the program prints it.
ALL = OUT / "all.json"
# The documents by the names of their SDKs.
DOCUMENTS = {
    "native": ROOT / "openapi/trailkeeper.json",
    "saasus": ROOT / "openapi/saasus-analysis.json",
    "octopai": ROOT / "openapi/octopai.json",
    "cripsa": ROOT / "openapi/cripsa.json",
    "all": ALL,
}
ENVIRONMENT = os.environ | {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "PYTHONDONTWRITEBYTECODE": "1",
    # The linters must not report their use, nor look for newer versions.
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
}
# Three events. The list by source has the two without a source of their own, newest first; the metadata is the first one's.
# The third event is stored although two of its fields are wrong.
USED = {
    "stored": 3, "types": ["logout", "page_load"], "metadata": {"plan": "pro"}, "warned": ["source", "user_agent"],
}
# openapi-python-client knows no NDJSON and makes a client without it.
KNOWN_WARNING = "Unsupported content type application/x-ndjson"
# The TypeScript of an SDK is compiled as strictly as its users may compile it.
TYPESCRIPT = {
    "strict": True, "noUncheckedIndexedAccess": False, "target": "es2022", "module": "commonjs",
    "moduleResolution": "node10", "lib": ["es2022", "dom"], "types": [],
}
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


class Generators:
    """Runs the tools, and counts a check for each."""

    def __init__(self, checks):
        self.checks = checks

    def run(self, what, *command, cwd=OUT, **environment):
        """One check: the command must succeed. Returns its output, or None if it failed."""
        started = time.monotonic()
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd, env=ENVIRONMENT | environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )
        print(f"{time.monotonic() - started:5.1f} s  {what}", flush=True)
        passed = self.checks.that(done.returncode == 0, what, f"exit status {done.returncode}\n{done.stdout[-8000:]}")
        return done.stdout if passed else None

    def node(self, name):
        """The path of a program of package.json."""
        return TOOLS / "node_modules/.bin" / name

    def lint(self):
        """Redocly's and Spectral's rules; a warning is an error too."""
        self.run("redocly", self.node("redocly"), "lint", "--config", SOURCES / "redocly.yaml", *DOCUMENTS.values())
        self.run(
            "spectral", self.node("spectral"), "lint", "--ruleset", SOURCES / "spectral.yaml",
            "--fail-severity", "hint", *DOCUMENTS.values(),
        )

    def openapi_typescript(self):
        """Types of openapi-typescript, compiled."""
        folder = fresh("openapi-typescript")
        for name, document in DOCUMENTS.items():
            self.run(f"openapi-typescript {name}", self.node("openapi-typescript"), document, "--output", folder / f"{name}.ts")
        self.tsc("openapi-typescript: tsc", folder, [f"{name}.ts" for name in DOCUMENTS], noEmit=True)

    def openapi_python_client(self):
        """Clients of openapi-python-client, imported."""
        folder = fresh("openapi-python-client")
        for name, document in DOCUMENTS.items():
            said = self.run(
                f"openapi-python-client {name}", BIN / "openapi-python-client", "generate", "--path", document, "--meta", "none",
                "--config", SOURCES / "openapi-python-client.yaml", "--output-path", folder / f"trailkeeper_{name}",
            )
            warnings = (said or "").count("WARNING") - (said or "").count(KNOWN_WARNING)
            self.checks.equal(warnings, 0, f"openapi-python-client {name}: unknown warnings in\n{said}")
            self.import_all(f"openapi-python-client {name}: import", folder, f"trailkeeper_{name}")

    def openapi_generator(self, generator, folder, **properties):
        """Clients of openapi-generator, all in one run of Java. `{}` in a property is the name of the document."""
        configurations = []
        for name, document in DOCUMENTS.items():
            configuration = folder / f"{name}.json"
            configuration.write_text(json.dumps({
                "generatorName": generator,
                "inputSpec": str(document),
                "outputDir": str(folder / name),
                "additionalProperties": {key: value.format(name) for key, value in properties.items()},
                "globalProperties": {part: "false" for part in ("apiDocs", "modelDocs", "apiTests", "modelTests")},
            }))
            configurations.append(configuration)
        self.run(
            f"openapi-generator {generator}", BIN / "openapi-generator-cli", "batch", "--fail-fast", "--threads", "2",
            *configurations,
        )

    def python(self):
        """Python clients of openapi-generator, imported."""
        folder = fresh("python")
        self.openapi_generator("python", folder, packageName="trailkeeper_{}")
        for name in DOCUMENTS:
            self.import_all(f"openapi-generator python {name}: import", folder / name, f"trailkeeper_{name}")

    def typescript_fetch(self):
        """TypeScript clients of openapi-generator, compiled."""
        folder = fresh("typescript-fetch")
        self.openapi_generator("typescript-fetch", folder, npmName="trailkeeper-{}")
        shutil.copy(SOURCES / "use_typescript_fetch.ts", folder)
        entries = [f"{name}/src/index.ts" for name in DOCUMENTS] + ["use_typescript_fetch.ts"]
        self.tsc("openapi-generator typescript-fetch: tsc", folder, entries, outDir="compiled")

    def rust(self):
        """Rust clients of openapi-generator, checked by cargo."""
        folder = fresh("rust")
        self.openapi_generator("rust", folder, packageName="trailkeeper-{}")
        for name in DOCUMENTS:
            # A workspace of its own, not a member of ours.
            with (folder / name / "Cargo.toml").open("a") as manifest:
                manifest.write("\n[workspace]\n")
            self.run(
                f"openapi-generator rust {name}: cargo check", os.environ.get("CARGO", "cargo"), "check", "--quiet",
                cwd=folder / name, CARGO_TARGET_DIR=str(folder / "target"),
            )

    def tsc(self, what, folder, files, **options):
        """Compiles TypeScript."""
        (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": TYPESCRIPT | options, "files": files}))
        self.run(what, self.node("tsc"), "--project", folder)

    def import_all(self, what, folder, package):
        """Imports every module of a package."""
        count = self.run(what, BIN / "python", "-c", IMPORT_ALL, package, PYTHONPATH=str(folder))
        self.checks.that(count is not None and int(count) > 5, f"{what}: modules", count)

    def patterns(self):
        """The patterns of addresses and networks match exactly what Python's own parser takes, port, zone and mask aside."""
        schemas = json.loads(DOCUMENTS["native"].read_text())["components"]["schemas"]
        random = Random(20260131)
        kinds = {
            "Address": (ip_address, address_text),
            "AddressOrNetwork": (
                lambda text: ip_network(text, strict=False),
                lambda random: f"{address_text(random)}/{random.randrange(140)}" if random.random() < 0.7 else address_text(random)),
        }
        for name, (parse, text) in kinds.items():
            matched = [0, 0]
            for _ in range(20_000):
                sent = mutated(random, text(random))
                # Python also takes an IPv4 tail, a mask in dots, and zeros before a prefix; the document leaves them out.
                left_out = re.search(r"[.].*:|:.*[.]|/.*[.]|/0[0-9]|%", sent)
                if left_out:
                    continue
                expected = parses(parse, sent)
                matched[expected] += 1
                found = re.search(schemas[name]["pattern"], sent) is not None
                if found != expected or len(sent) > schemas[name]["maxLength"] and found:
                    self.checks.that(False, f"{name}: {sent!r} is {'' if expected else 'not '}one")
            self.checks.that(min(matched) > 2_000, f"{name}: both outcomes are tried", matched)

    def descriptions(self):
        """The clients of the native document contain the description of every field."""
        schemas = json.loads(DOCUMENTS["native"].read_text())["components"]["schemas"]
        fields = [
            (f"{name}.{field}", "oneOf" in schema, words(schema["description"]))
            for name, declared in schemas.items() for field, schema in declared.get("properties", {}).items()
        ]
        self.checks.that(len(fields) > 300 and any(optional for _, optional, _ in fields), "fields are described", len(fields))
        for client, pattern in {
            "openapi-typescript": "openapi-typescript/native.ts",
            "openapi-generator typescript-fetch": "typescript-fetch/native/src/models/*.ts",
            "openapi-generator python": "python/native/trailkeeper_native/models/*.py",
            "openapi-python-client": "openapi-python-client/trailkeeper_native/models/*.py",
        }.items():
            code = words(" ".join(file.read_text() for file in OUT.glob(pattern)))
            # openapi-python-client ignores a description beside a reference, and keeps one beside a choice.
            lost = [name for name, optional, text in fields if text not in code and (optional or client != "openapi-python-client")]
            self.checks.equal(lost, [], f"{client}: fields without their description")

    def use(self):
        """Sends requests to a server with the generated clients."""
        clients = {
            "openapi-generator python": (
                [BIN / "python", SOURCES / "use_openapi_generator.py"], OUT / "python/native"),
            "openapi-python-client": (
                [BIN / "python", SOURCES / "use_openapi_python_client.py"], OUT / "openapi-python-client"),
            "openapi-generator typescript-fetch": (
                [BIN / "node", OUT / "typescript-fetch/compiled/use_typescript_fetch.js"], OUT),
        }
        for name, (command, folder) in clients.items():
            with Server(self.checks) as server:
                url = f"http://127.0.0.1:{server.port}"
                said = self.run(f"{name}: requests", *command, url, ADMIN_EMAIL, ADMIN_PASSWORD, PYTHONPATH=str(folder))
                self.checks.equal(json.loads(said or "null"), USED, f"{name}: events are recorded and listed")


def words(text):
    """The letters and digits of a text, without the line breaks, comment signs and escapes of a language."""
    return " ".join(re.findall(r"[^\W_]+", text))


def address_text(random):
    """A random address in one of its spellings."""
    if random.random() < 0.3:
        return str(ip_address(random.getrandbits(32)))
    groups = [random.choice((0, 0, random.getrandbits(16))) for _ in range(8)]
    address = ip_address(b"".join(group.to_bytes(2, "big") for group in groups))
    return random.choice((address.compressed, address.exploded, str(address).upper()))


def mutated(random, text):
    """The text, in half of the cases with one character removed, replaced or added."""
    if random.random() < 0.5:
        return text
    at = random.randrange(len(text))
    return text[:at] + random.choice(("", *"0123456789abcdefg:./ ")) + text[at + random.randrange(2):]


def parses(parse, text):
    """Whether the parser takes the text."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def fresh(name):
    """An empty folder."""
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proof", action="store_true", help="make the checks that take long, instead of the others")
    options = parser.parse_args()
    checks = Checks()
    generators = Generators(checks)
    OUT.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("TRAILKEEPER_BIN") or ROOT / "target/debug/trailkeeper"
    ALL.write_text(subprocess.run([program, "openapi"], stdout=subprocess.PIPE, text=True, check=True).stdout)
    if options.proof:
        generators.rust()
        return checks.finish()
    generators.lint()
    generators.patterns()
    generators.openapi_typescript()
    generators.openapi_python_client()
    generators.python()
    generators.typescript_fetch()
    generators.descriptions()
    generators.use()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
