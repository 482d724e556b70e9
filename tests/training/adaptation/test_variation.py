from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.config import TextOptions
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.text import item_text
from shelfwise.data.tokens import open_tokenizer
from shelfwise.schema.item import Item
from shelfwise.training.adaptation.variation import Variations, varied_text, varied_words

SHOE = Item("i1", title="red running shoe", category="Shoes > Running", brand="Acme")


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(
    st.lists(st.text("ab红", min_size=1, max_size=4), min_size=1, max_size=9), st.integers(0, 99)
)
def test_words_are_left_out_and_none_is_made_up(words: list[str], seed: int) -> None:
    text = " ".join(words)

    varied = varied_words(text, drawn(seed))

    assert varied
    assert Counter(varied.replace(" ", "")) <= Counter(text.replace(" ", ""))


def test_text_without_words_stays() -> None:
    assert varied_words("  ", drawn(0)) == "  "
    assert {varied_words("shoe", drawn(seed)) for seed in range(20)} == {"shoe"}


def test_a_fifth_of_the_words_goes_and_half_of_the_texts_are_swapped() -> None:
    text = " ".join(f"w{n:02}" for n in range(20))
    found = [varied_words(text, drawn(seed)).split() for seed in range(400)]

    # One word of 20 is kept whatever happens: 19 x .2 of 20 are left out.
    assert abs(np.mean([len(words) for words in found]) / 20 - 0.81) < 0.01
    swapped = np.mean([words != sorted(words) for words in found])
    assert abs(swapped - 0.5) < 0.1


def test_chinese_loses_characters_not_the_whole() -> None:
    found = {varied_words("红色小茶杯", drawn(seed)) for seed in range(50)}

    assert len(found) > 5
    assert all(0 < len(text) <= 5 for text in found)


def test_brand_and_category_go_half_the_time() -> None:
    options, rng = TextOptions(), drawn(0)
    found = [varied_text(SHOE, options, rng) for _ in range(2_000)]

    # Each is left out in half. Else its word goes one time in five, unless it is the one kept: with
    # the brand 4 or 6 words are left, .5 (.5 (.8 + .2 / 4) + .5 (.8 + .2 / 6)) = .421.
    assert abs(np.mean(["Acme" in text for text in found]) - 0.421) < 0.035
    # With the category 5 or 6 words.
    assert abs(np.mean(["Shoes" in text for text in found]) - 0.418) < 0.035
    whole = item_text(SHOE, options).replace(",", "")
    assert all(set(text.replace(",", "").split()) <= set(whole.split()) for text in found)


def test_what_has_a_brand_alone_keeps_it() -> None:
    found = {varied_text(Item("i1", brand="Acme"), TextOptions(), drawn(n)) for n in range(20)}

    assert found == {"Acme"}


def test_variations_are_read_as_texts_of_the_shop_are(
    small_shop: PreparedShop, tiny_encoder: Path
) -> None:
    tokenizer = open_tokenizer(tiny_encoder / "tokenizer.json", 48)
    variations = Variations(small_shop, tokenizer, "book ")

    ids_BL, mask_BL = variations.of(np.array([0, 3, 0]), drawn(1))

    rng = drawn(1)
    options = small_shop.options.text
    items = [Item("i0", "red shoe", brand="acme"), Item("i3", "green mug", brand="acme")]
    texts = ["book " + varied_text(items[n], options, rng) for n in (0, 1, 0)]
    for row, text in enumerate(texts):
        assert ids_BL[row][mask_BL[row]].tolist() == tokenizer.encode(text).ids
    assert (ids_BL[~mask_BL] == tokenizer.token_to_id("[PAD]")).all()
