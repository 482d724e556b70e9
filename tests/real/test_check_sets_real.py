"""The converted sets as `shelfwise check` finds them: nothing wrong that is not in the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.command import Ended, done, shelfwise

DATA = Path(__file__).parents[3] / "shared" / "data"


def checked(name: str, folder: str, out: Path) -> Ended:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    done("datasets", "convert", name, "--from", DATA / folder, "--out", out / name)
    return shelfwise("check", out / name, "--json")


@pytest.mark.parametrize(
    ("name", "folder", "kept"),
    [
        ("amazon-beauty", "beauty", {"catalogue": 12_101, "events": 198_502}),
        ("home-depot", "home_depot", {"catalogue": 54_667, "judgements": 74_067}),
        ("esci", "format_samples", {"catalogue": 200, "judgements": 200}),
        ("best-buy", "format_samples", {"catalogue": 846, "events": 1_875}),
    ],
)
def test_no_fault_is_found(name: str, folder: str, kept: dict[str, int], tmp_path: Path) -> None:
    ended = checked(name, folder, tmp_path)

    assert ended.code == 0
    assert ended.json["faults"] == []
    files = {file["file"].removesuffix(".parquet"): file["kept"] for file in ended.json["files"]}
    assert files == kept


def test_qbqtc_graded_nine_pairs_in_two_ways(tmp_path: Path) -> None:
    ended = checked("qbqtc", "qbqtc", tmp_path)

    # Judges may differ: both grades are kept, and told.
    assert ended.code == 0
    (note,) = (note for note in ended.json["notes"] if "one grade" in note)
    assert "(rows: 9)" in note
    (file,) = ended.json["files"]
    assert (file["rows_in"], file["kept"], file["duplicates"]) == (40_000, 38_760, 1_240)


def test_beibei_has_no_order_to_prepare(tmp_path: Path) -> None:
    ended = checked("beibei", "beibei", tmp_path)

    assert ended.code == 1
    (fault,) = ended.json["faults"]
    assert "timestamp or sequence" in fault["examples"][0]["rule"]


def test_titles_of_taobao_are_a_catalogue_alone(tmp_path: Path) -> None:
    ended = checked("taobao-titles-zh", "taobao_titles_zh", tmp_path)

    assert ended.code == 1
    (file,) = ended.json["files"]
    assert (file["kept"], file["rejected"], file["duplicates"]) == (5_531, 0, 0)
