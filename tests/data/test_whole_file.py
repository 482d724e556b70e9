from __future__ import annotations

from pathlib import Path

import pytest

from shelfwise.data.whole_file import write_whole


def test_a_file_is_replaced_and_readable_by_all(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"

    write_whole(file, "one")
    write_whole(file, "红色")

    assert file.read_text(encoding="utf-8") == "红色"
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]


def test_an_interrupt_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "a.txt").write_text("one")
    monkeypatch.setattr(Path, "replace", interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.txt", "two")

    assert [path.read_text() for path in tmp_path.iterdir()] == ["one"]
