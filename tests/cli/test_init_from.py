"""`shelfwise init --from`, as a person or a program meets it."""

from __future__ import annotations

from pathlib import Path

from .command import done, shelfwise

LOG = "event,visitor,sku,time\nview,u1,i1,2026-01-01T10:00:00Z\nbuy,u1,i1,2026-01-01T11:00:00Z\n"
ITEMS = "sku,name\ni1,red shoe\ni2,blue shoe\n"


def test_from_files_to_a_check_without_faults(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "items.csv").write_text(ITEMS)

    told = done("init", tmp_path, "--from", tmp_path / "log.csv", tmp_path / "items.csv", "--json")
    checked = done("check", tmp_path, "--json").json

    assert told.json == {
        "file": str(tmp_path / "shop.toml"),
        "tables": {"events": "log.csv", "catalogue": "items.csv"},
        "not_guessed": [],
        "unused": [],
    }
    assert "events: log.csv (all 2 rows looked at)" in told.out
    assert [count["kept"] for count in checked["files"]] == [2, 2]


def test_what_was_not_guessed_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG.replace("buy", "teleport"))

    told = done("init", tmp_path / "shop", "--from", tmp_path, "--json")

    assert len(told.json["not_guessed"]) == 1
    assert told.json["not_guessed"][0].startswith('"teleport" (1 rows)')
    assert told.out.count("not guessed:") == 1


def test_arguments_in_the_wrong_place(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(LOG)

    for words in (("--from", log, log), (tmp_path, log), (tmp_path, "--from", log, "--set", "a=1")):
        assert shelfwise("init", *words).code == 1
    assert list(tmp_path.iterdir()) == [log]
