"""Decodes deltas, and the lists of deltas that passes have claimed."""

from binary import Damage, Reader, bits, forms, without_checksum

MICROSECONDS = {0: 1, 1: 1_000, 2: 1_000_000}
COLUMNS = 10
# What a missing column means: environment 1, success. In the other columns, no value.
DEFAULTS = {0: 1, 2: 0}


def decode_delta(payload):
    """The events of a delta: (number, tenant's 16 bytes, time in microseconds, values of the ten columns)."""
    reader = Reader(without_checksum(payload))
    reader.version(2)
    n, t = reader.varint(), reader.varint()
    tenants = [reader.take(16) for _ in range(t)]
    if n == 0 or t == 0 or tenants != sorted(set(tenants)):
        raise Damage(f"{n} events, {t} tenants, or tenants that do not ascend")
    sizes = reader.framed(t) if t > 1 else [n]
    if sum(sizes) != n or 0 in sizes:
        raise Damage(f"sections of {sizes} events, expected {n} in all")
    owners = [tenant for tenant, size in zip(tenants, sizes) for _ in range(size)]
    numbers = reader.framed(n)
    if list(zip(owners, numbers)) != sorted(zip(owners, numbers)) or len(set(numbers)) != n:
        raise Damage("the events are not sorted by tenant and number")
    unit = MICROSECONDS[reader.byte()]
    forms[f"delta: unit of {unit}"] += 1
    times = [unit * time for time in reader.framed(n)]
    present = reader.varint()
    if present >> COLUMNS:
        raise Damage(f"unknown columns: {present:b}")
    columns = [
        column(reader, n) if present >> c & 1 else [DEFAULTS.get(c)] * n
        for c in range(COLUMNS)
    ]
    reader.end()
    return list(zip(numbers, owners, times, zip(*columns)))


def column(reader, n):
    """The values of n events; None where an event has no value."""
    form = reader.byte()
    forms[f"delta: column {form}"] += 1
    if form == 0:
        return reader.framed(n)
    if form != 1:
        raise Damage(f"form {form} of a column")
    having = bits(reader.take((n + 7) // 8))
    values = [None] * n
    for place, value in zip(having, reader.framed(len(having))):
        values[place] = value
    return values


def decode_claim(payload):
    """The numbers of the deltas that a pass has claimed."""
    reader = Reader(without_checksum(payload))
    numbers = reader.framed(reader.varint())
    reader.end()
    return numbers
