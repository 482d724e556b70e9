"""A small sound shop on disk, for tests to damage."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from shelfwise.data.config import DataOptions
from shelfwise.data.source import Fault, ShopTables, read_shop

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

CATALOGUE = "item_id,title,price\ni1,red shoe,10\ni2,blue shoe,12.50\n"
EVENTS = """\
event,user_id,session_id,item_id,timestamp,price
view,u1,,i1,2026-01-01T10:00:00Z,10
click,u1,,i2,2026-01-01T10:01:00Z,12.50
purchase,u2,,i2,2026-01-02T09:00:00Z,12.50
"""


def write_shop(folder: Path, **tables: str | bytes) -> Path:
    """``catalogue`` and ``events`` as CSV, sound where not given."""
    for name, text in {"catalogue": CATALOGUE, "events": EVENTS, **tables}.items():
        (folder / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def read(folder: Path, **options: object) -> ShopTables:
    tables = read_shop(folder, DataOptions.model_validate(options), now=NOW)
    assert_nothing_lost(tables)
    return tables


def assert_nothing_lost(tables: ShopTables) -> None:
    """The law of counts, and that kept rows and rejects are what the counts say."""
    frames = [tables.catalogue, tables.events, tables.campaigns, tables.pairs]
    for count in tables.counts:
        assert count.rows_in == count.kept + count.rejected + count.duplicates
        kept = sum(frame.filter(file=count.file).height for frame in frames if frame is not None)
        assert kept == count.kept
        rejects = tables.rejects.filter(file=count.file)
        assert rejects["row"].is_unique().all()
        assert rejects.height == count.rejected
    for group in tables.faults:
        assert 1 <= len(group.examples) <= min(group.count, 5)


def faults(tables: ShopTables) -> list[tuple[str, str, int | None]]:
    """Code, file and row of every example."""
    return [(f.code, f.file, f.row) for group in tables.faults for f in group.examples]


def only_fault(tables: ShopTables) -> Fault:
    (group,) = tables.faults
    assert group.count == 1
    return group.examples[0]
