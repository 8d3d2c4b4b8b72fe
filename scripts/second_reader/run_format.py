"""Decodes posting runs: the header, keys, lists, columns, and removed positions."""

from collections import Counter
from dataclasses import dataclass, field

from binary import MASK, Damage, Reader, bits, forms, without_checksum, zigzag

INLINE, NUMBERED, BOUNDED = 1, 2, 4
KEYS_PER_PAGE, KEYS_PER_BLOCK = 1024, 64
CHUNKS_PER_GROUP, POSITIONS_PER_CHUNK, GAPS_PER_BLOCK = 32, 4096, 32
VALUES_PER_PAGE = 7680
DIMENSIONS, COLUMNS = range(1, 12), range(1, 7)
PLAIN, GAPS, BITS, RANGE = range(4)
SHAPES = ("run: plain", "run: gaps", "run: bits", "run: range")
INLINE_BYTES, LIST_PAGE_BYTES, LEAST_POSITIONS, CHECKSUM_BYTES = 8 << 10, 32 << 10, 1024, 4


def pages_of(count, size):
    """How many pages or blocks hold `count` things."""
    return (count + size - 1) // size


def wrapped(number):
    """A number of 64 bits as a signed one."""
    number &= MASK
    return number - 2**64 if number >> 63 else number


@dataclass
class Directory:
    """What the header says of the lists of a dimension."""

    values: list = field(default_factory=list)
    continued: list = field(default_factory=list)
    frequencies: dict = field(default_factory=dict)


@dataclass
class Header:
    """The header of a run."""

    events: int
    first: tuple = None
    last: tuple = None
    page_times: list = None
    page_seqs: list = None
    bounds: list = None
    dimensions: dict = None
    inline: list = None


def decode_header(payload):
    """The header, with the pages of an inline run."""
    reader = Reader(without_checksum(payload))
    reader.version(1)
    flags = reader.byte()
    if flags & ~(INLINE | NUMBERED | BOUNDED):
        raise Damage(f"unknown flags: {flags:b}")
    header = Header(reader.varint())
    if header.events:
        time = reader.signed()
        last_time = wrapped(time + reader.varint())
        seq = reader.signed()
        header.first, header.last = (time, seq), (last_time, wrapped(seq + reader.signed()))
        key_pages = pages_of(header.events, KEYS_PER_PAGE)
        header.page_times = [time]
        if key_pages > 1:
            header.page_times += [wrapped(time + difference) for difference in reader.framed(key_pages - 1)]
        if flags & NUMBERED:
            header.page_seqs = [seq] + [wrapped(seq + zigzag(difference)) for difference in reader.framed(key_pages - 1)]
        if flags & BOUNDED:
            leasts = [wrapped(seq + zigzag(difference)) for difference in reader.framed(key_pages)]
            header.bounds = [(least, wrapped(least + width)) for least, width in zip(leasts, reader.framed(key_pages))]
        present = reader.varint()
        header.dimensions = {number: directory(reader) for number in bits(present.to_bytes(8, "little"))}
        if any(number not in DIMENSIONS for number in header.dimensions):
            raise Damage(f"unknown dimensions: {present:b}")
        if flags & INLINE:
            count = key_pages + sum(1 + len(one.values) for one in header.dimensions.values())
            header.inline = [reader.take(reader.varint()) for _ in range(count)]
            if sum(map(len, header.inline)) > INLINE_BYTES:
                raise Damage("an inline run that is too long")
    forms["run: inline" if flags & INLINE else "run: pages"] += 1
    forms["run: numbered"] += flags >> 1 & 1
    forms["run: bounded"] += flags >> 2
    reader.end()
    return header


def directory(reader):
    """The directory of the pages of lists of one dimension."""
    n = reader.varint()
    if n == 0:
        return Directory()
    values, continued, c = reader.framed(n), reader.framed(n), reader.varint()
    return Directory(values, continued, dict(zip(reader.framed(c), reader.framed(c))) if c else {})


def decode_keys(header, pages):
    """All keys (time, seq), and the check that each page begins as the header says."""
    keys = []
    for number, page in enumerate(pages):
        reader = Reader(page)
        some = key_page(reader, min(KEYS_PER_PAGE, header.events - number * KEYS_PER_PAGE))
        reader.end()
        if some[0][0] != header.page_times[number] or header.page_seqs and some[0][1] != header.page_seqs[number]:
            raise Damage(f"page {number} begins with {some[0]}, and not as the header says")
        seqs = [seq for _, seq in some]
        if header.bounds and header.bounds[number] != (min(seqs), max(seqs)):
            raise Damage(f"page {number} has the numbers {min(seqs)} to {max(seqs)}, the header says {header.bounds[number]}")
        keys += some
    if (keys[0], keys[-1]) != (header.first, header.last):
        raise Damage(f"keys from {keys[0]} to {keys[-1]}, the header says {header.first} to {header.last}")
    if any(one >= other for one, other in zip(keys, keys[1:])):
        raise Damage("the keys do not ascend")
    neighbours = zip(header.page_times, header.page_times[1:])
    if bool(header.page_seqs) != any(one == other for one, other in neighbours):
        raise Damage("the flag `numbered` is not that of the first times of the pages")
    return keys


def key_page(reader, count):
    """The keys of one page."""
    time, seq = reader.signed(), reader.signed()
    if count == 1:
        return [(time, seq)]
    blocks = pages_of(count, KEYS_PER_BLOCK)
    least_time = reader.varint()
    times, seqs = [time], [seq]
    if blocks > 1:
        times += [wrapped(time + difference) for difference in reader.framed(blocks - 1)]
        seqs += [wrapped(seq + zigzag(difference)) for difference in reader.framed(blocks - 1)]
    time_widths = reader.take(blocks)
    least_seqs = [zigzag(number) for number in reader.framed(blocks)]
    seq_widths = reader.take(blocks)
    keys = []
    for block in range(blocks):
        time, seq = times[block], seqs[block]
        keys.append((time, seq))
        more = min(KEYS_PER_BLOCK, count - block * KEYS_PER_BLOCK) - 1
        time_steps = reader.packed(more, time_widths[block])
        seq_steps = reader.packed(more, seq_widths[block])
        for time_step, seq_step in zip(time_steps, seq_steps):
            time, seq = wrapped(time + least_time + time_step), wrapped(seq + least_seqs[block] + seq_step)
            keys.append((time, seq))
    return keys


def decode_lists(header, number, pages):
    """The lists of a dimension, value to positions, and the check that its directory is right."""
    known, lists, on_pages = header.dimensions[number], {}, Counter()
    for place, page in enumerate(pages):
        chunks = list_page(Reader(page), header.events)
        value, positions = chunks[0]
        if len(page) > LIST_PAGE_BYTES - CHECKSUM_BYTES:
            raise Damage(f"page {place} of the lists has {len(page)} bytes")
        if place + 1 < len(pages) and sum(len(positions) for _, positions in chunks) < LEAST_POSITIONS:
            raise Damage(f"page {place} of the lists has too few positions for one that is followed by another")
        if place:
            continues = positions[0] if value in lists else 0
            if (value, continues) != (known.values[place - 1], known.continued[place - 1]):
                raise Damage(f"page {place} of the lists begins with value {value}, and not as the header says")
        for value, positions in chunks:
            last = next(reversed(lists), -1)
            if value < last or value in lists and lists[value][-1] >= positions[0]:
                raise Damage(f"a chunk of value {value} follows one of value {last}, or its positions do not ascend")
            lists.setdefault(value, []).extend(positions)
        on_pages.update({value for value, _ in chunks})
        forms["run: continued lists"] += place > 0 and known.continued[place - 1] > 0
    several = {value: len(lists[value]) for value, count in on_pages.items() if count > 1}
    if several != known.frequencies:
        raise Damage(f"lists on several pages: {several}, the header says {known.frequencies}")
    return lists


def list_page(reader, events):
    """The chunks (value, positions) of one page."""
    n = reader.varint()
    groups = pages_of(n, CHUNKS_PER_GROUP)
    first_values, offsets = [], []
    if groups > 1:
        first_values, offsets = reader.framed(groups - 1), reader.framed(groups - 1)
    start, value, chunks = reader.at, 0, []
    for number in range(n):
        if number and number % CHUNKS_PER_GROUP == 0:
            group = number // CHUNKS_PER_GROUP - 1
            value = first_values[group]
            if reader.at - start != offsets[group]:
                raise Damage(f"group {group + 1} begins at offset {reader.at - start}, the page says {offsets[group]}")
        gap, positions = chunk(reader, (events - 1).bit_length())
        value += gap
        if positions[-1] >= events or any(one >= other for one, other in zip(positions, positions[1:])):
            raise Damage(f"positions of value {value} that do not ascend or are not below {events}")
        chunks.append((value, positions))
    reader.end()
    return chunks


def chunk(reader, width):
    """One chunk: the gap of its value, and its positions."""
    head = reader.varint()
    gap, count = head >> 2, (head & 3) + 1
    if count <= 3:
        forms["run: few"] += 1
        return gap, reader.packed(count, width)
    head = reader.varint()
    count, shape = (head >> 2) + 4, head & 3
    forms[SHAPES[shape]] += 1
    if count > POSITIONS_PER_CHUNK:
        raise Damage(f"a chunk of {count} positions")
    if shape == PLAIN:
        return gap, reader.packed(count, width)
    first = reader.varint()
    if shape == RANGE:
        return gap, list(range(first, first + count))
    if shape == BITS:
        found = [first - first % 64 + bit for bit in bits(reader.take(reader.varint()))]
        if len(found) != count or found[0] != first:
            raise Damage(f"bits of {len(found)} positions from {found[0]}, expected {count} from {first}")
        return gap, found
    length = reader.varint() if count > GAPS_PER_BLOCK + 1 else None
    start, positions = reader.at, [first]
    while len(positions) < count:
        block = reader.byte()
        for step in reader.packed(min(GAPS_PER_BLOCK, count - len(positions)), block):
            positions.append(positions[-1] + 1 + step)
    if length is not None and reader.at - start != length:
        raise Damage(f"blocks of {reader.at - start} bytes, expected {length}")
    return gap, positions


def decode_column(header, pages):
    """The values of a dimension by position; None where an event has no value."""
    values = []
    for number, page in enumerate(pages):
        reader, count = Reader(page), min(VALUES_PER_PAGE, header.events - number * VALUES_PER_PAGE)
        form = reader.byte()
        forms[f"run: column {form}"] += 1
        if form == 0:
            codes = reader.framed(count)
        elif form == 1:
            d = reader.varint()
            distinct = reader.framed(d)
            codes = [distinct[index] for index in reader.packed(count, (d - 1).bit_length())]
        else:
            raise Damage(f"form {form} of a page of a column")
        reader.end()
        values += [code - 1 if code else None for code in codes]
    return values


def decode_removed(payload):
    """The removed positions of a run."""
    reader = Reader(without_checksum(payload))
    reader.version(1)
    positions = []
    for _ in range(reader.varint()):
        gap, some = chunk(reader, 20)
        if gap:
            raise Damage(f"removed positions with the gap {gap}")
        positions += some
    reader.end()
    return positions
