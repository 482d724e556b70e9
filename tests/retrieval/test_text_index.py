from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shelfwise.retrieval.text_index import TextIndex, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("White Hanging Hearts", ["white", "hanging", "heart"]),
        ("glass bus iris gas", ["glass", "bus", "iris", "gas"]),
        ("T-shirt_XL 3.5", ["t", "shirt", "xl", "3", "5"]),
        ("Café crème", ["café", "crème"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("白色T恤", ["白", "色", "白色", "t", "恤"]),
        ("茶 壶", ["茶", "壶"]),
        ("龙井茶", ["龙", "井", "茶", "龙井", "井茶"]),
        ("  ?! ", []),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


TEXTS = ["red shoe", "red shoe for running in the red hills", "blue lamp", "白色茶壶", "", "shoe"]


def test_what_is_shared_decides_and_short_or_rare_counts_more() -> None:
    index = TextIndex(TEXTS)

    shoe = index.scores("shoes")
    # Once in a shorter text says more; nothing shared is 0.
    assert shoe[5] > shoe[0] > shoe[1] > 0
    assert shoe[[2, 3, 4]].tolist() == [0, 0, 0]
    both = index.scores("blue shoe")
    # "blue" stands in one text, "shoe" in three.
    assert both[2] > both[5] > both[0]
    assert shoe.shape == (len(TEXTS),)


def test_scores_are_those_of_the_formula() -> None:
    # Lucene's BM25, k1 = 1.5, b = .75: idf = log(1 + (N - n + .5) / (n + .5)).
    index = TextIndex(["red shoe", "red red hat box", "lamp"])

    found = index.scores("red")

    idf = np.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = (2 + 4 + 1) / 3
    expected = [
        idf * times / (times + 1.5 * (1 - 0.75 + 0.75 * length / mean))
        for times, length in [(1, 2), (2, 4), (0, 1)]
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_chinese_is_found_by_its_pairs() -> None:
    index = TextIndex(["白色茶壶", "茶色白壶", "蓝色杯子"])

    found = index.scores("茶壶")

    assert found[0] > found[1] > 0
    assert found[2] == 0


@pytest.mark.parametrize("query", ["", "?!", "unheard-of", "没有"])
def test_unknown_words_find_nothing(query: str) -> None:
    assert TextIndex(TEXTS).scores(query).tolist() == [0] * len(TEXTS)


def test_a_catalogue_without_any_word() -> None:
    index = TextIndex(["", "?"])

    assert index.scores("shoe").tolist() == [0, 0]


def test_many_texts_at_once_score_as_each_alone() -> None:
    index = TextIndex(["red shoe", "blue shoes, red", "", "白色T恤"])
    queries = ["red red shoe", "白色", "nothing known", ""]

    found = (index.word_counts(queries) @ index.word_weights()).toarray()

    for row, query in enumerate(queries):
        assert found[row] == pytest.approx(index.scores(query), rel=1e-5)


def test_it_leaves_jax_and_its_gpu_alone(tmp_path: Path) -> None:
    """bm25s would compute with it on import, and jax takes most of a GPU's memory then."""
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("print('jax is imported')")
    (tmp_path / "jax" / "lax.py").write_text("def top_k(scores, k):\n    print('and computes')")
    asked = (
        "from shelfwise.retrieval.text_index import TextIndex as T; print(T(['a b']).scores('b'))"
    )

    said = subprocess.run(
        [sys.executable, "-c", f"{asked}; import jax"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    # The index first, and jax as good as new for whoever asks for it.
    assert said[0].startswith("[0.")
    assert said[1:] == ["jax is imported"]
