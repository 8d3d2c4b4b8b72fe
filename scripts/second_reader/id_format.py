"""Decodes runs of ids."""

from binary import Damage, Reader, siphash_1_3, without_checksum

PAGES_PER_RUN = 2**24
PAGE_BYTES = 4050
ID_DOMAIN = b"\x01"


def id_key(secret, event_id, tenant):
    """The key of an event: 32 bits of the hash of its id, and 16 of that of its id and tenant."""
    of_id = siphash_1_3(secret, ID_DOMAIN + event_id)
    of_both = siphash_1_3(secret, ID_DOMAIN + event_id + tenant.to_bytes(8, "little"))
    return of_id >> 32 << 16 | of_both >> 48


def decode_id_header(payload):
    """The first keys of the pages."""
    reader = Reader(without_checksum(payload))
    reader.version(1)
    keys, key = [], 0
    for _ in range(reader.varint()):
        key += reader.varint()
        keys.append(key)
    reader.end()
    return keys


def decode_id_page(payload):
    """The entries (key, seq) of a page."""
    if len(payload) > PAGE_BYTES:
        raise Damage(f"a page of {len(payload)} bytes")
    reader = Reader(without_checksum(payload))
    count, key = reader.varint(), reader.varint()
    keys = [key]
    for gap in reader.framed(count - 1):
        key += gap
        keys.append(key)
    seqs = reader.framed(count)
    reader.end()
    return list(zip(keys, seqs))
