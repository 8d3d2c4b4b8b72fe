"""Decodes sheets and the counts of all tenants."""

from binary import Damage, Reader, bits, forms, without_checksum

VIEWS, ALL_VIEWS, ACTIVE, ACTIVE_ALL, KIND, USERINFO = range(1, 7)
LOGINS, FAILED_LOGINS, LOGIN_SOURCES, FAILED_LOGIN_SOURCES = range(7, 11)
WITH_IDS = (VIEWS, ACTIVE, KIND)
LIST, PACKED, BITS, SAME = range(4)
SHAPES = ("sheet: list", "sheet: packed", "sheet: bits", "sheet: same")
BLOCK = 16


def decode_sheet(payload):
    """The cells of a sheet: (facet, id) to (count, set of ordinals)."""
    reader = Reader(without_checksum(payload))
    reader.version(1)
    cells, sets, last = {}, {}, 0
    while reader.at < len(reader.data):
        start = reader.at
        facet = reader.byte()
        if not last < facet <= FAILED_LOGIN_SOURCES:
            raise Damage(f"facet {facet} after facet {last} at offset {start}")
        last, heads = facet, {}
        if facet not in WITH_IDS:
            cells[facet, 0] = cell(reader, start, sets, heads)
        else:
            count, length = reader.varint(), reader.varint()
            end, cell_id = reader.at + length, -1
            if count == 0:
                raise Damage(f"facet {facet} without cells at offset {start}")
            for _ in range(count):
                cell_id += 1 + reader.varint()
                cells[facet, cell_id] = cell(reader, start, sets, heads)
            if reader.at != end:
                raise Damage(f"facet {facet}: cells end at offset {reader.at}, and not at {end}")
        # A reference leads to an earlier facet, so the sets of this one become known at its end.
        sets |= heads
    return cells


def cell(reader, facet_start, sets, heads):
    """One cell: its count and its set. `sets` has the sets of earlier facets by the offsets of their heads."""
    start = reader.at
    head = reader.varint()
    n, more, shape = head >> 3, head >> 2 & 1, head & 3
    count = n + 1 + reader.varint() if more else n
    forms[SHAPES[shape]] += 1
    if shape == SAME:
        place = facet_start - reader.varint()
        if place not in sets or len(sets[place]) != n:
            raise Damage(f"a reference at offset {start} to offset {place}, where no set of {n} ids begins")
        return count, sets[place]
    if shape == LIST:
        ids = after(-1, [reader.varint() for _ in range(n)])
    else:
        length = reader.varint()
        end = reader.at + length
        ids, last = [], -1
        if shape == BITS:
            first, count_of_bytes = 64 * reader.varint(), reader.varint()
            ids = [first + bit for bit in bits(reader.take(count_of_bytes))]
            last = first + 8 * count_of_bytes - 1
            forms["sheet: blocks after bits"] += len(ids) < n
        while len(ids) < n:
            width = reader.byte()
            ids += after(last, reader.packed(min(BLOCK, n - len(ids)), width))
            last = ids[-1]
        if reader.at != end or len(ids) != n:
            raise Damage(f"a set at offset {start}: {len(ids)} ids of {n}, end at {reader.at}, expected at {end}")
    heads[start] = ids = frozenset(ids)
    if ids and max(ids) >= 2**32:
        raise Damage(f"an id of more than 32 bits in the set at offset {start}")
    return count, ids


def after(last, gaps):
    """The ids that have these gaps before them."""
    ids = []
    for gap in gaps:
        last += 1 + gap
        ids.append(last)
    return ids


def decode_tenant_counts(payload):
    """The counts of all tenants in a period: facet to {(tenant, id): (count, number of ids)}."""
    reader = Reader(without_checksum(payload))
    reader.version(1)
    tenants = [reader.take(16) for _ in range(reader.varint())]
    if tenants != sorted(set(tenants)):
        raise Damage("the tenants do not ascend")
    facets, last = {}, 0
    while reader.at < len(reader.data):
        facet, m = reader.byte(), reader.varint()
        if facet <= last or m == 0:
            raise Damage(f"facet {facet} with {m} cells after facet {last}")
        last = facet
        owners = [tenant for tenant, cells in zip(tenants, reader.framed(len(tenants))) for _ in range(cells)]
        if len(owners) != m:
            raise Damage(f"facet {facet} has {m} cells, its tenants have {len(owners)}")
        keys = list(zip(owners, reader.framed(m)))
        if keys != sorted(set(keys)):
            raise Damage(f"the cells of facet {facet} do not ascend")
        facets[facet] = dict(zip(keys, zip(reader.framed(m), reader.framed(m))))
    return facets
