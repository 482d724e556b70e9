from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shelfwise.data.text_noise import NOISE_KINDS, SYNONYMS, Noise, NoiseKind, noisy


def altered(text: str, kind: NoiseKind, seed: int = 0) -> str:
    """Every word, where it can be."""
    return Noise(1.0, (kind,)).of(text, np.random.default_rng(seed))


def test_words_by_hand() -> None:
    assert altered("red LAMP 42", "case") == "RED lamp 42"
    assert altered("large oak table", "joined") == "largeoaktable"
    assert altered("the couch", "synonym") in {"the sofa", "the settee"}
    assert altered("红色", "sound") == "洪射"
    assert altered("木人", "shape") == "本入"
    # Two letters are no word that could be known again mistyped.
    assert altered("xl of", "keyboard") == "xl of"


def test_a_slip_keeps_the_letters_and_the_first_of_them() -> None:
    for seed in range(20):
        swapped = altered("mirror", "swap", seed)
        assert swapped != "mirror"
        assert Counter(swapped) == Counter("mirror")
        assert swapped[0] == "m"
        mistyped = altered("Mirror", "keyboard", seed)
        assert sum(a != b for a, b in zip(mistyped, "Mirror", strict=True)) == 1
        assert mistyped[0] == "M"


def test_a_lookalike_is_another_letter_that_looks_the_same() -> None:
    found = altered("soap", "homoglyph")

    assert found != "soap"
    assert len(found) == 4
    (other,) = [letter for letter in found if not letter.isascii()]
    assert unicodedata.name(other).startswith(("CYRILLIC", "GREEK"))


def test_words_are_dropped_but_never_all() -> None:
    assert altered("a b c", "drop") == "c"
    assert Noise(0.5, ("drop",)).of("one two three four", np.random.default_rng(1)) != ""


def test_synonyms_go_both_ways() -> None:
    assert all(word in SYNONYMS[other] for word, others in SYNONYMS.items() for other in others)


def test_the_strength_is_the_share_of_words_altered() -> None:
    text = " ".join(["lantern"] * 4_000)
    found = Noise(0.3, ("swap",)).of(text, np.random.default_rng(0)).split()

    share = np.mean([word != "lantern" for word in found])
    assert share == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / 4_000) ** 0.5)


@example(" ", "keyboard", 0)
@given(st.text(max_size=40), st.sampled_from(NOISE_KINDS), st.integers(0, 9))
def test_any_text_survives(text: str, kind: NoiseKind, seed: int) -> None:
    found = Noise(1.0, (kind,)).of(text, np.random.default_rng(seed))

    assert bool(found.strip()) == bool(text.strip())
    untouched = Noise(0.0).of(text, np.random.default_rng(seed))
    assert untouched == text.rstrip()


def test_a_text_is_altered_alike_wherever_it_stands() -> None:
    noise = Noise(0.5)
    texts = [f"wooden kitchen table number {n}" for n in range(30)]

    assert noisy(texts, noise, 3) == noisy(texts, noise, 3)
    assert noisy(texts, noise, 3)[:10] == noisy(texts[:10], noise, 3)
    assert noisy(texts, noise, 3) != noisy(texts, noise, 4)
    assert len({text.removesuffix(str(n)) for n, text in enumerate(noisy(texts, noise, 3))}) > 5
