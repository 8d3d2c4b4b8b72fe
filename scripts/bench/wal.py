"""Reads the frames of SQLite's log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log)."""

import struct

HEADER = struct.Struct(">8I")
FRAME = struct.Struct(">6I")
MAGIC = (0x377F0682, 0x377F0683)


def frames(file):
    """(bytes, commits) of a log. Frames of an earlier generation, which have another salt, do not count."""
    if not file.exists() or file.stat().st_size < HEADER.size:
        return 0, 0
    count = commits = 0
    with file.open("rb") as log:
        magic, _, page_size, _, *salt, _, _ = HEADER.unpack(log.read(HEADER.size))
        if magic not in MAGIC:
            raise RuntimeError(f"{file} is no log of SQLite")
        while len(head := log.read(FRAME.size)) == FRAME.size:
            _, pages_after_commit, *frame_salt, _, _ = FRAME.unpack(head)
            if frame_salt != salt:
                break
            count += 1
            commits += pages_after_commit != 0
            log.seek(page_size, 1)
    return count * (FRAME.size + page_size), commits
