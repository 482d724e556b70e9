"""Which languages titles are written in, as far as their letters tell (Lui and Baldwin, 2012).

A title is a few words, often names: of those called clear about one in twenty is called wrong, so
a rare language is no finding, and rare ones are lumped together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

_SAMPLE = 2_000  # distinct titles
_SURE = 0.3  # probability below which a short title is no evidence; there are over 100 languages
_CHINESE = ("yue", "wuu")  # written alike, and told apart from zh by guessing
_FEWEST = 0.02  # share of the sure ones below which a language is lumped with others


@dataclass(frozen=True, slots=True)
class Languages:
    """Languages of a sample of distinct titles."""

    sampled: int
    distinct: int  # titles there are
    shares: dict[str, float]  # en -> share of the titles that are clear; "other": rare ones
    unclear: int  # too short or mixed to tell
    declared: dict[str, int]  # what the catalogue itself says -> items; empty: nothing
    disagree: int  # of the clear ones with a declared language


def languages(catalogue: pl.DataFrame, seed: int) -> Languages | None:
    """None where no item has a title.

    Args:
        catalogue: checked items.
        seed: same titles and seed, same sample, in whatever order the items come.
    """
    titled = catalogue.filter(pl.col("title").is_not_null()).select("title", "language")
    once = titled.unique("title", keep="any").sort("title")
    if once.is_empty():
        return None
    drawn = once.sample(min(_SAMPLE, len(once)), seed=seed)
    told = _told(drawn["title"].to_list())
    clear = [language for language in told if language]
    common = Counter(clear)
    shares = {
        name: count / len(clear)
        for name, count in common.most_common()
        if count >= _FEWEST * len(clear)
    }
    rest = 1 - sum(shares.values())
    said = [(language or "").split("-")[0].lower() for language in drawn["language"].to_list()]
    pairs = [(a, b) for a, b in zip(told, said, strict=True) if a and b]
    return Languages(
        len(drawn),
        len(once),
        shares | ({"other": rest} if clear and rest > 1e-9 else {}),
        len(told) - len(clear),
        dict(titled["language"].drop_nulls().value_counts(sort=True).iter_rows()),
        sum(a != b for a, b in pairs),
    )


def _told(titles: list[str]) -> list[str]:
    """The language of each title, or nothing where it is unclear."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # takes a quarter of a second

    identify = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # Capitals throughout look like no language.
    return [_most_likely(dict(identify.rank(title.lower()))) for title in titles]


def _most_likely(probability: dict[str, float]) -> str:
    probability["zh"] += sum(probability.pop(name) for name in _CHINESE)
    name = max(probability, key=probability.__getitem__)
    return name if probability[name] >= _SURE else ""
