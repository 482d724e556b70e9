"""A shop with every fault that the issue names, each planted once, beside rows that are good."""

from __future__ import annotations

import gzip
from pathlib import Path

HEADER = "event,user_id,session_id,item_id,timestamp,price\n"
DAYS = 30


def plant(folder: Path) -> Path:
    """Write the shop; `GOOD_EVENTS` of its events and `GOOD_ITEMS` of its items are sound."""
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text('[events]\nfile = "log-*"\n')
    _catalogue(folder)
    _sound_log(folder)
    _bad_rows(folder)
    _bad_files(folder)
    return folder


GOOD_ITEMS = 8
GOOD_EVENTS = DAYS * 4 + 4  # log-1-sound, the two of mixed zones, two of the truncated archive


def _catalogue(folder: Path) -> None:
    rows = [f"i{n},{colour} shoe,{n}.50\n".encode() for n, colour in enumerate(_COLOURS)]
    rows += [
        b"i1,another title,2.50\n",  # row 9: duplicate id, different title
        b"i20,cheap shoe,-1\n",  # row 10: negative price
        b"i21,nul\0shoe,1\n",  # row 11: a NUL byte
        b"i22,caf\xe9 shoe,1\n",  # row 12: invalid UTF-8
        b"i23," + b"long " * 400_000 + b",1\n",  # row 13: a title of 2 MB
    ]
    (folder / "catalogue.csv").write_bytes(b"item_id,title,price\n" + b"".join(rows))


_COLOURS = ("red", "blue", "green", "black", "white", "brown", "grey", "pink")


def _sound_log(folder: Path) -> None:
    rows = [
        f"{event},u{user},,i{(day + user) % GOOD_ITEMS},2026-01-{day:02}T{user + 9:02}:00:00Z,5\n"
        for day in range(1, DAYS + 1)
        for user, event in enumerate(("view", "click", "view", "purchase"))
    ]
    (folder / "log-1-sound.csv").write_text(HEADER + "".join(rows))


def _bad_rows(folder: Path) -> None:
    (folder / "log-2-rows.csv").write_text(
        HEADER + "view,,,i1,2026-01-05T10:00:00Z,5\n"  # row 1: neither user nor session
        "view,u1,,i1,yesterday,5\n"  # row 2: unparsable timestamp
        "view,u1,,i1,2026-01-05T10:00:00Z,-5\n"  # row 3: negative price
        "view,u1,,i99,2026-01-05T10:00:00Z,5\n"  # row 4: unknown item
        "view,u1,,i1,2999-01-01T00:00:00Z,5\n"  # row 5: the future
        "dance,u1,,i1,2026-01-05T10:00:00Z,5\n"  # row 6: unknown event type
        "view,u8,,i1,2026-01-05 10:00:00,5\n"  # row 7: no zone, unlike
        "view,u8,,i1,2026-01-05T11:00:00+03:00,5\n"  # row 8: good: mixed zones are told
    )


def _bad_files(folder: Path) -> None:
    row = "view,u9,,i1,2026-01-0{}T10:00:00Z,{}\n"
    (folder / "log-3-no-time.csv").write_text(
        "event,user_id,item_id\nview,u1,i1\nview,u1,i2\n"
    )  # missing required column
    (folder / "log-4-empty.csv").write_bytes(b"")
    cheap = "".join(row.format(day, "cheap") for day in range(1, 10))
    (folder / "log-5-type.csv").write_text(HEADER + cheap)  # a column of the wrong type
    packed = gzip.compress((HEADER + "".join(row.format(d, d) for d in (1, 2, 3))).encode(), 0)
    (folder / "log-6-cut.csv.gz").write_bytes(packed[:-30])  # the third row and the end are gone
