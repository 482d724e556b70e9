"""Files of pulled entries: whole, unchanged, and each entry read once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.connections import RedisStream
from shelfwise.data.source.spool import Entry, EntryId, SpooledStream, append, make_spool

STREAM = RedisStream(url="redis://127.0.0.1")

entry_ids = st.builds(EntryId, st.integers(0, 3), st.integers(0, 3))
# What pullers wrote, in the order in which they wrote it; the same entry may be in several files.
deliveries = st.lists(st.sets(entry_ids, min_size=1, max_size=6), min_size=1, max_size=8)


def entry(number: EntryId) -> Entry:
    return Entry(number, {b"event_id": str(number).encode()})


@settings(max_examples=50, deadline=None)
@given(batches=deliveries)
def test_each_entry_is_read_once_however_it_was_written(batches: list[set[EntryId]]) -> None:
    with TemporaryDirectory() as folder:
        spool = Path(folder) / "spool"
        make_spool(spool)
        for batch in batches:
            append(spool, [entry(number) for number in batch], STREAM)
        tables = list(SpooledStream(STREAM, "events", Path(folder)).read())

    read = [event_id for table in tables for event_id in table.frame["event_id"]]
    assert sorted(read) == sorted({str(number) for batch in batches for number in batch})
    rows = [row for table in tables for row in table.row]
    assert rows == list(range(1, len(rows) + 1))


def test_ids_are_compared_as_numbers(tmp_path: Path) -> None:
    """9-0 comes before 10-0, and 2-10 after 2-9, which text would turn round."""
    make_spool(tmp_path / "spool")
    for number in (EntryId(10, 0), EntryId(2, 10), EntryId(9, 0), EntryId(2, 9)):
        append(tmp_path / "spool", [entry(number)], STREAM)

    tables = list(SpooledStream(STREAM, "events", tmp_path).read())

    assert [t.frame["event_id"][0] for t in tables] == ["2-9", "2-10", "9-0", "10-0"]


def test_the_same_ends_with_another_middle_are_another_file(tmp_path: Path) -> None:
    make_spool(tmp_path)
    ends = [entry(EntryId(1, 0)), entry(EntryId(3, 0))]
    whole = append(tmp_path, [*ends, entry(EntryId(2, 0))], STREAM)

    assert append(tmp_path, ends, STREAM) != whole
    assert append(tmp_path, [*ends, entry(EntryId(2, 0))], STREAM) == whole
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_killed_pull_left_half_written_is_neither_read_nor_kept(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    make_spool(spool)
    path = append(spool, [entry(EntryId(1, 0))], STREAM)
    half = spool / f".{path.name}.partial-00000000"
    half.write_text('{"stream_entry_id": "2-0", "even')

    (table,) = SpooledStream(STREAM, "events", tmp_path).read()
    make_spool(spool)

    assert table.frame["event_id"].to_list() == ["1-0"]
    assert list(spool.iterdir()) == [path]


def test_a_line_that_the_disk_damaged_is_refused_and_the_others_read(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    make_spool(spool)
    path = append(spool, [entry(EntryId(i, 0)) for i in range(1, 4)], STREAM)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:20], lines[2]]))

    (table,) = SpooledStream(STREAM, "events", tmp_path).read()

    assert table.frame["event_id"].to_list() == ["1-0", "3-0"]
    assert [(refusal.row, refusal.reason.code) for refusal in table.refused] == [(3, "broken-json")]
