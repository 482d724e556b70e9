"""Which files a name in shop.toml means."""

from __future__ import annotations

from pathlib import Path

from .shop_folder import EVENTS, faults, read, write_shop


def test_a_folder_means_the_tables_in_it(tmp_path: Path) -> None:
    """Two parts in two formats, and what programs leave beside them; a stray note is told."""
    write_shop(tmp_path)
    header, *rows = EVENTS.splitlines()
    (tmp_path / "events.csv").unlink()
    log = tmp_path / "log"
    (log / "deeper").mkdir(parents=True)
    (log / "part-0.csv").write_text(f"{header}\n{rows[0]}\n")
    (log / "part-1.tsv").write_text(f"{header}\n{rows[1]}\n{rows[2]}\n".replace(",", "\t"))
    (log / "_SUCCESS").touch()
    (log / ".part-0.csv.crc").touch()
    (log / "notes.txt").touch()

    tables = read(tmp_path, events={"file": "log"})

    counts = {count.file: count.kept for count in tables.counts}
    assert counts == {"catalogue.csv": 2, "log/part-0.csv": 1, "log/part-1.tsv": 2}
    assert faults(tables) == [("unknown-format", "log/notes.txt", None)]


def test_an_empty_folder_is_no_table(tmp_path: Path) -> None:
    write_shop(tmp_path)
    (tmp_path / "log").mkdir()

    assert [code for code, *_ in faults(read(tmp_path, events={"file": "log"}))] == [
        "file-not-found"
    ]
