"""Hand-written pairs of the three files, in both editions' columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.qbqtc import CARD, read
from shelfwise.schema.errors import DataError

OLD = '{"id": 0, "query": "三江", "title": "三水", "relevant": "2"}\n'
DEV = '{"id": 0, "query": "咳嗽", "title": "感冒", "label": "1"}\n'


def published(folder: Path, **contents: str) -> PublishedFolder:
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(content, encoding="utf-8")
    return PublishedFolder(CARD, folder)


def test_the_files_are_told_apart_and_both_names_of_the_grade_are_read(tmp_path: Path) -> None:
    rows_in, shop = read(published(tmp_path, train_old=OLD, dev=DEV + DEV, test_public=DEV))

    assert rows_in == 4
    assert shop.tables["judgements"].rows() == [
        ("三江", "三水", 2.0, "train_old"),
        ("咳嗽", "感冒", 1.0, "dev"),
        ("咳嗽", "感冒", 1.0, "dev"),
        ("咳嗽", "感冒", 1.0, "test_public"),
    ]
    assert shop.found["pairs judged again"] == 2
    assert shop.found["pairs of dev"] == 2


def test_what_is_no_judgement_is_left_out(tmp_path: Path) -> None:
    bad = DEV.replace('"1"', '"3"') + DEV.replace('"感冒"', "null")
    _, shop = read(published(tmp_path, train_old=OLD, dev=bad, test_public=DEV))

    assert shop.left_out.select("published_part", "line", "reason").rows() == [
        ("dev", 1, "grade other than 0, 1 or 2"),
        ("dev", 2, "query, title or grade missing"),
    ]
    assert shop.kept == {"judgement": 2}


def test_every_file_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"qbqtc needs one of dev.json, dataset/dev.json"):
        read(published(tmp_path, train_old=OLD))
