"""Bytes per event of a SQLite file after a checkpoint, by part, as `make bench-server GROWTH=1` measured them."""

MEASURED = {
    1_000_000: {"events": 63.08, "ids": 6.68, "postings": 36.66, "sheets": 35.26, "dictionaries": 22.61, "rest": 5.51},
    5_000_000: {"events": 63.73, "ids": 6.68, "postings": 35.14, "sheets": 20.85, "dictionaries": 6.97, "rest": 5.79},
    20_000_000: {"events": 64.07, "ids": 6.64, "postings": 34.80, "sheets": 12.52, "dictionaries": 3.96, "rest": 4.04},
}
