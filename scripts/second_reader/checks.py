"""Counts checks and prints failures."""

from binary import Damage

MOST_FAILURES = 50
MOST_CHARACTERS = 400


class Checks:
    """Every decoded object and every compared sum is a check."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def equal(self, found, expected, what, where):
        """One check: both must be equal."""
        if found == expected:
            self.passed += 1
            return True
        self.fail(what, where, *differing(found, expected))
        return False

    def decoded(self, decode, *arguments, what, where):
        """One check: the bytes can be decoded. Returns the result, or None."""
        try:
            result = decode(*arguments)
        except (Damage, LookupError, ValueError) as damage:
            self.fail(what, where, f"{type(damage).__name__}: {damage}", "bytes that can be decoded")
            return None
        self.passed += 1
        return result

    def fail(self, what, where, found, expected):
        """Prints a failure, up to a limit."""
        self.failed += 1
        if self.failed <= MOST_FAILURES:
            found, expected = (repr(value)[:MOST_CHARACTERS] for value in (found, expected))
            print(f"FAILED {what} of {where}: expected {expected}, found {found}", flush=True)

    def finish(self):
        """Prints the closing line. Returns the exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1


def differing(found, expected):
    """The parts in which two values differ, so that a failure fits a line."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [key for key in {**expected, **found} if found.get(key) != expected.get(key)][:5]
        if len(keys) == 1 and len(found) + len(expected) > 2:
            return tuple(f"{keys[0]}: {text}" for text in differing(found.get(keys[0]), expected.get(keys[0])))
        return {key: found.get(key) for key in keys}, {key: expected.get(key) for key in keys}
    if isinstance(found, (set, frozenset)) and isinstance(expected, (set, frozenset)):
        return f"{sorted(found - expected)[:20]} more", f"{sorted(expected - found)[:20]} more"
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        for place, (one, other) in enumerate(zip(found, expected)):
            if one != other:
                return f"{one} at {place} of {len(found)}", f"{other} at {place} of {len(expected)}"
        return f"{len(found)} values", f"{len(expected)} values"
    return found, expected
