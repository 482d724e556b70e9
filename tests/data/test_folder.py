from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shelfwise.data.folder import new_folder
from shelfwise.schema.errors import ConfigError

MARKER = "manifest.json"


def write(path: Path, text: str) -> None:
    with new_folder(path, MARKER) as folder:
        (folder / MARKER).write_text(text)


def write_and_fail(path: Path, end: type[BaseException]) -> None:
    with new_folder(path, MARKER) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        raise end


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_appears_when_the_block_ends_and_its_parents_are_made(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"

    with new_folder(out, MARKER) as folder:
        (folder / "file").write_text("x")
        assert not out.exists()

    assert (out / "file").read_text() == "x"
    assert names(tmp_path / "a") == ["b"]


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("before", [False, True])
def test_an_error_leaves_all_as_it_was(
    tmp_path: Path, end: type[BaseException], before: bool
) -> None:
    if before:
        write(tmp_path / "out", "old")

    with pytest.raises(end):
        write_and_fail(tmp_path / "out", end)

    assert names(tmp_path) == (["out"] if before else [])
    assert not before or (tmp_path / "out" / MARKER).read_text() == "old"


def test_our_own_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    (tmp_path / "out" / "more").write_text("x")

    write(tmp_path / "out", "new")

    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == [MARKER]
    assert (tmp_path / "out" / MARKER).read_text() == "new"


def test_an_empty_folder_is_anybodys(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    write(tmp_path / "out", "new")

    assert names(tmp_path / "out") == [MARKER]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("x")
    (tmp_path / "file").write_text("x")

    with pytest.raises(ConfigError, match=r"out: is not empty and not ours \(it has no manifest"):
        write(tmp_path / "out", "new")
    with pytest.raises(ConfigError, match="file: is a file"):
        write(tmp_path / "file", "new")
    with pytest.raises(ConfigError, match="no folder can be made there"):
        write(tmp_path / "file" / "out", "new")

    assert names(tmp_path) == ["file", "out"]
    assert names(tmp_path / "out") == ["thesis.doc"]


def test_what_came_meanwhile_stays_too(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def write_while_somebody_else_does() -> None:
        with new_folder(out, MARKER):
            out.mkdir()
            (out / "thesis.doc").write_text("x")

    with pytest.raises(ConfigError, match="not ours"):
        write_while_somebody_else_does()

    assert names(tmp_path) == ["out"]
    assert names(out) == ["thesis.doc"]


def test_a_link_to_our_own_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "first", "old")
    (tmp_path / "latest").symlink_to("first")

    write(tmp_path / "latest", "new")

    assert names(tmp_path) == ["first", "latest"]
    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "first" / MARKER).read_text() == "new"


def test_the_old_comes_back_where_the_new_cannot_be_moved(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")

    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "out", MARKER) as folder:
        shutil.rmtree(folder)

    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / MARKER).read_text() == "old"
