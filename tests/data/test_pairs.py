from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.config import PairsOptions
from shelfwise.data.pairs import split_pairs, text_place
from shelfwise.schema.errors import DataError

# By their sha256 in the parts of these names, as the first test pins.
TEST, VALIDATION, TRAIN = "text 5", "text 2", "text 0"


def pairs(rows: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["text", "label"], orient="row")


def each_class_everywhere(labels: list[str]) -> list[tuple[str, str]]:
    return [(text, label) for label in labels for text in (TEST, VALIDATION, TRAIN)]


def test_a_texts_place_never_changes() -> None:
    # First 8 bytes of sha256("abc"): ba7816bf8f01cfea = 13436514500253700074, of which the last
    # six digits count.
    assert text_place("abc") == 0.700074
    assert text_place(TEST) < 0.2 <= text_place(VALIDATION) < 0.3 <= text_place(TRAIN)


def test_rows_fall_by_the_place_of_their_text() -> None:
    rows, classes = split_pairs(pairs(each_class_everywhere(["no", "yes"])), PairsOptions())

    assert classes == ["no", "yes"]
    assert rows.rows() == [
        (TEST, 0, "test"), (VALIDATION, 0, "validation"), (TRAIN, 0, "train"),
        (TEST, 1, "test"), (VALIDATION, 1, "validation"), (TRAIN, 1, "train"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "1", "0"], ["0", "1", "10"]),
        (["10", "-1", "0.5"], ["-1", "0.5", "10"]),
        (["b", "2", "a", "10"], ["2", "10", "a", "b"]),
        (["nan", "1", "inf", "0"], ["0", "1", "inf", "nan"]),  # words, though float reads them
        (["好", "坏"], ["坏", "好"]),
    ],
)
def test_classes_are_in_order_however_they_come(labels: list[str], classes: list[str]) -> None:
    for seed in range(3):
        rows = each_class_everywhere(labels)
        random.Random(seed).shuffle(rows)

        found, names = split_pairs(pairs(rows), PairsOptions())

        assert names == classes
        assert [names[label] for label in found["label"]] == [label for _, label in rows]


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=40),
    st.floats(0.01, 0.49),
    st.floats(0.01, 0.49),
)
def test_no_text_stands_in_two_parts(texts: list[str], test: float, validation: float) -> None:
    # Two classes for every text, so that only a part without any text is refused.
    table = pairs([(text, label) for text in texts for label in "ab"])
    options = PairsOptions(test_share=test, validation_share=validation)

    try:
        rows, _ = split_pairs(table, options)
    except DataError:
        return

    assert rows.group_by("text").agg(pl.col("part").n_unique())["part"].unique().to_list() == [1]
    assert rows.select("text").equals(table.select("text"))


def test_the_shares_are_kept_over_many_texts() -> None:
    # 10,000 fair draws: five standard deviations of a share of .2 are 5 * sqrt(.16 / 10,000) = .02.
    table = pairs([(f"review {n}", label) for n in range(10_000) for label in "ab"])

    parts = split_pairs(table, PairsOptions())[0]["part"]

    assert (parts == "test").mean() == pytest.approx(0.2, abs=0.02)
    assert (parts == "validation").mean() == pytest.approx(0.1, abs=0.02)


def test_all_classes_that_miss_a_part_are_told_at_once() -> None:
    rows = [*each_class_everywhere(["a"]), (TRAIN, "b"), (TEST, "c"), (VALIDATION, "c")]

    with pytest.raises(DataError) as caught:
        split_pairs(pairs(rows), PairsOptions())

    assert str(caught.value).splitlines() == [
        "pairs: 6 rows do not give every class a row in every part:",
        "  'c' has no row in train",
        "  'b' has no row in validation",
        "  'b' has no row in test",
        "  add rows of these classes, or merge them with others",
    ]


@pytest.mark.parametrize("rows", [[], each_class_everywhere(["a"])])
def test_one_class_teaches_nothing(rows: list[tuple[str, str]]) -> None:
    table = pairs(rows).cast(pl.String)

    with pytest.raises(DataError, match="at least two are needed"):
        split_pairs(table, PairsOptions())
