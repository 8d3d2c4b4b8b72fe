"""The building blocks of all formats of docs/sheets.md: numbers, packed numbers, bits, checksums and hashes."""

from collections import Counter

MASK = 2**64 - 1

# How often each shape and form was met, to see what a database covers.
forms = Counter()


class Damage(Exception):
    """Bytes that the document does not allow."""


def zigzag(number):
    """The signed number that a varint in zigzag encoding stands for."""
    return number >> 1 ^ -(number & 1)


def checksum(data):
    """The lower 32 bits of a state of 64 bits."""
    state = 0x517CC1B727220A95 ^ len(data)
    whole = len(data) // 8 * 8
    for at in range(0, whole + 1, 8):
        word = int.from_bytes(data[at:at + 8], "little")
        mixed = (state ^ word) * 0x9E3779B97F4A7C15 & MASK
        state = mixed ^ mixed >> 32
    return state & 0xFFFFFFFF


def without_checksum(data):
    """The bytes before the checksum, which must be right."""
    body, last = data[:-4], int.from_bytes(data[-4:], "little")
    if len(data) < 5 or checksum(body) != last:
        raise Damage(f"a wrong checksum of {len(data)} bytes: {last:08x} stored, {checksum(body):08x} computed")
    return body


def siphash_1_3(key, message):
    """SipHash with one round per word and three at the end, under a key of 16 bytes."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    a, b = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    c, d = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573
    whole = len(message) // 8 * 8
    words = [int.from_bytes(message[at:at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(message[whole:], "little") | (len(message) & 0xFF) << 56)
    for number in range(len(words) + 3):
        word = words[number] if number < len(words) else 0
        if number == len(words):
            c ^= 0xFF
        d ^= word
        a = a + b & MASK
        c = c + d & MASK
        b = (b << 13 | b >> 51) & MASK ^ a
        d = (d << 16 | d >> 48) & MASK ^ c
        a = (a << 32 | a >> 32) & MASK
        c = c + b & MASK
        a = a + d & MASK
        b = (b << 17 | b >> 47) & MASK ^ c
        d = (d << 21 | d >> 43) & MASK ^ a
        c = (c << 32 | c >> 32) & MASK
        a ^= word
    return a ^ b ^ c ^ d


def bits(data):
    """The places of the bits that are set, least significant first."""
    return [8 * at + bit for at, byte in enumerate(data) if byte for bit in range(8) if byte >> bit & 1]


class Reader:
    """Reads bytes from front to back."""

    def __init__(self, data, at=0):
        self.data = data
        self.at = at

    def take(self, length):
        """The next `length` bytes."""
        end = self.at + length
        if end > len(self.data):
            raise Damage(f"{length} bytes at offset {self.at} of {len(self.data)}")
        taken = self.data[self.at:end]
        self.at = end
        return taken

    def byte(self):
        """The next byte."""
        return self.take(1)[0]

    def version(self, expected):
        """The version, which is the first byte."""
        if (found := self.byte()) != expected:
            raise Damage(f"version {found}, expected {expected}")

    def varint(self):
        """A number of seven bits per byte, least significant first, in its shortest form."""
        start, number, shift = self.at, 0, 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if number > MASK or (byte == 0 and shift > 7):
            raise Damage(f"a varint at offset {start} that is too large or not in its shortest form")
        return number

    def signed(self):
        """A varint in zigzag encoding."""
        return zigzag(self.varint())

    def packed(self, count, width):
        """Numbers of one width in bits, least significant first, filled up to a byte."""
        start, data = self.at, self.take((count * width + 7) // 8)
        if width > 64:
            raise Damage(f"a width of {width} bits at offset {start}")
        mask = (1 << width) - 1
        numbers = [
            int.from_bytes(data[at >> 3:(at + width + 7) >> 3], "little") >> (at & 7) & mask
            for at in range(0, count * width, width)
        ] if width else [0] * count
        if count * width % 8 and data[-1] >> count * width % 8:
            raise Damage(f"packed numbers at offset {start}: bits after the last one")
        return numbers

    def framed(self, count):
        """Numbers as their differences to the smallest one."""
        least = self.varint()
        return [least + number & MASK for number in self.packed(count, self.byte())]

    def end(self):
        """Nothing may follow."""
        if self.at != len(self.data):
            raise Damage(f"{len(self.data) - self.at} bytes are left at offset {self.at}")
