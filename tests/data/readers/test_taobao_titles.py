"""Hand-written characters and tags."""

from __future__ import annotations

import json

import polars as pl

from shelfwise.data.readers.taobao_titles import tagged, titles_of, to_shop

# 羚跑背包男: the brand 羚跑, the product 背包, and 男 (for men) untagged.
RUNNING = "羚 B-HPPX\n跑 I-HPPX\n背 B-HCCX\n包 I-HCCX\n男 O\n"


def titles(text: str, part: str = "train") -> pl.DataFrame:
    return titles_of(tagged(text, part))


def test_characters_become_titles_and_words() -> None:
    both = titles(f"\n{RUNNING}\n\ns B-XH\n5 I-XH\n包 B-HCCX\n包 B-HCCX")

    assert both["title"].to_list() == ["羚跑背包男", "s5包包"]
    assert both["line"].to_list() == [2, 9]
    assert both["number"].to_list() == [1, 2]
    assert both["brand"].to_list() == [["羚跑"], None]
    # two entities side by side are two words, and a word said twice is one attribute
    assert both["product"].to_list() == [["背包"], ["包"]]
    assert both["pattern"].to_list() == [None, ["s5"]]


def test_an_item_has_its_only_brand_and_its_words() -> None:
    shop = to_shop(titles(f"{RUNNING}\n{RUNNING}艾 B-HPPX\n熙 I-HPPX\n"))
    first, second = shop.tables["catalogue"].to_dicts()

    assert (first["item_id"], first["brand"], first["language"]) == ("train-1", "羚跑", "zh")
    assert json.loads(first["attributes"]) == {
        "product": "背包",
        "brand": "羚跑",
        "pattern": None,
        "misc": None,
    }
    assert second["brand"] is None
    assert json.loads(second["attributes"])["brand"] == "羚跑 艾熙"


def test_a_title_is_an_item_once() -> None:
    again = pl.concat([titles(RUNNING), titles(RUNNING, "dev")])

    shop = to_shop(again)

    assert shop.kept == {"item": 1}
    assert shop.left_out.rows() == [("dev", 1, 1, "羚跑背包男", "title that came before")]


def test_a_damaged_line_costs_its_title() -> None:
    shop = to_shop(titles(f"{RUNNING}\n男\n"))

    assert shop.left_out.select("line", "reason").rows() == [
        (7, "line that is no character and tag")
    ]


def test_blanks_that_are_characters_stay() -> None:
    assert titles("a O\n  O\nb O\n")["title"].to_list() == ["a b"]
