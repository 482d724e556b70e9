"""The simple rankers that every run stands beside, each in the setting validation prefers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.history import KINDS
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.baselines import (
    ease,
    ease_and_recent,
    item_knn,
    markov,
    own_counts,
    popularity,
    vectors,
    words,
)
from shelfwise.evaluation.baselines.role import Family, Fitted, Learned, Setting
from shelfwise.evaluation.match import View, rank_all, views
from shelfwise.metrics.value import mean_value
from shelfwise.models.config import EncoderOptions
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.progress import Progress, Silent, Step

_JUDGED = 1_000  # validation requests that settings are chosen by
_K = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """A baseline in the setting that validation prefers, learned from all before the test."""

    name: str
    setting: Setting
    validation: float  # NDCG@10 of that setting; nan where validation cannot say
    tried: int  # settings compared
    fitted: Fitted

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]`` higher means ranked earlier."""
        return self.fitted.scores(targets, rows)

    def told(self) -> str:
        """``EASE: regularisation 200, counted no``"""
        words = ", ".join(
            f"{name} {('no', 'yes')[value] if isinstance(value, bool) else f'{value:g}'}"
            for name, value in self.setting._asdict().items()
        )
        return f"{self.name}: {words.replace('_', ' ')}" if words else self.name


class Rivals(NamedTuple):
    """All baselines that a shop allows."""

    found: list[Chosen]
    notes: list[str]  # what was left out, and why

    def told(self) -> str:
        """What validation chose, in a sentence."""
        return f"Baselines as validation chose them: {'; '.join(r.told() for r in self.found)}."

    def figures(self) -> dict[str, float]:
        """Settings as a report's figures: ``baseline EASE: regularisation`` -> 200."""
        return {
            f"baseline {rival.name}: {name}": float(value)
            for rival in self.found
            for name, value in rival.setting._asdict().items()
        }


def baselines(
    prepared: PreparedShop,
    progress: Progress | None = None,
    encoder: EncoderOptions | None = None,
) -> Rivals:
    """Each learned from all behaviour before the test, in a setting chosen before the test as well.

    Validation is asked with what was learned from training alone: the setting with the highest
    NDCG@10 in the headline view is then learned anew with validation's behaviour.

    Args:
        prepared: the shop.
        progress: told of what takes long.
        encoder: whose pre-trained weights read the texts; None: no baseline asks them.
    """
    progress = progress or Silent()
    of_behaviour, of_texts = _by_behaviour(prepared), _by_texts(prepared, encoder, progress)
    families, notes = of_behaviour[0] + of_texts[0], of_behaviour[1] + of_texts[1]
    trial = _Trial.of(prepared)
    learned = learned_from(prepared, LEARNED)
    found: dict[str, Chosen] = {}
    total = sum(len(family.settings) for family in families)
    with progress.step("Choosing baselines on validation", total=total) as step:
        for family in families:
            found[family.name] = _chosen(family, trial, learned, step)
        if mixture := _mixture(found):
            found[mixture.name] = _chosen(mixture, trial, learned, step)
    return Rivals(list(found.values()), notes)


def _by_texts(
    prepared: PreparedShop, encoder: EncoderOptions | None, progress: Progress
) -> tuple[list[Family[Any]], list[str]]:
    """Words and, where there is an encoder and the catalogue is read in good time, vectors."""
    if not (prepared.items["title"].fill_null("") != "").any():
        return [], ["Baselines of texts were left out: no item has a title."]
    found: list[Family[Any]] = [words.shared_words(words.ShopWords.of(prepared))]
    if encoder is None:
        return found, []
    left_out = "The frozen encoder was left out as a baseline: "
    if len(prepared.items) > vectors.MOST_ITEMS:
        return found, [
            f"{left_out}{len(prepared.items):,} items, and {vectors.MOST_ITEMS:,} at most are read."
        ]
    try:
        read = vectors.TextVectors.of(prepared, encoder, progress)
    except (ConfigError, ArtifactError) as error:
        return found, [f"{left_out}{error}"]
    return [*found, vectors.near_texts(read)], []


def _mixture(found: Mapping[str, Chosen]) -> Family[Any] | None:
    """What is mixed of two baselines that were chosen already."""
    alone, recent = found.get("EASE"), found.get("recent popularity")
    if alone is None or recent is None:
        return None
    match alone.setting, recent.setting:
        case ease.Ridge() as ridge, popularity.LastDays() as window:
            return ease_and_recent.ease_and_recent(ridge, window)
    return None


def _by_behaviour(prepared: PreparedShop) -> tuple[list[Family[Any]], list[str]]:
    """What this log and catalogue allow, and a note on what they do not."""
    timed = prepared.manifest.facts.get("clock") != "order"
    moments = prepared.moments
    notes = []
    found: list[Family[Any]] = [popularity.of_all_time()]
    recent = popularity.of_late(longest=(moments.validation - moments.first) / DAY)
    if timed and recent.settings:
        found.append(recent)
    found += [item_knn.by_cosine(), item_knn.by_bm25(), markov.markov()]
    if prepared.options.match.target == "period" or prepared.options.match.seen == "keep":
        found.append(own_counts.own_counts(timed=timed))
    if len(prepared.items) <= ease.MOST_ITEMS:
        found.append(ease.ease(len(prepared.items)))
    else:
        notes.append(
            f"EASE was left out: {len(prepared.items):,} items, and it is solved for "
            f"{ease.MOST_ITEMS:,} at most."
        )
    return found, notes


class _Trial(NamedTuple):
    """What settings are compared on: validation, learned from training alone."""

    learned: Learned
    targets: MatchTargets
    headline: View
    repeats: View  # where what was taken before may be right again

    @classmethod
    def of(cls, prepared: PreparedShop) -> _Trial:
        targets = match_targets(prepared, "validation", doubted=False)
        if len(targets):
            rows = np.unique(np.linspace(0, len(targets) - 1, _JUDGED).astype(np.int64))
            targets = targets.chosen(rows)
        learned = learned_from(prepared, TRAINED)
        warm_V = np.bincount(learned.taken.item_E, minlength=learned.taken.items) > 0
        looked_at = views(prepared, targets, warm_V)
        repeats = next(view for view in looked_at if view.name in ("main", "all"))
        return cls(learned, targets, looked_at[0], repeats)

    def ndcg(self, fitted: Fitted, view: View) -> float:
        """Mean over the targets; nan where none has an answer in this view."""
        items = self.learned.taken.items
        ranked = rank_all({"": fitted.scores}, self.targets, [view], items, Silent())
        return mean_value(ranked["", view.name].ndcg(_K)).value


def _chosen(family: Family[Any], trial: _Trial, learned: Learned, step: Step) -> Chosen:
    step.note(family.name)
    view = trial.repeats if family.repeats else trial.headline
    values = np.full(len(family.settings), np.nan)
    if len(trial.targets) and len(family.settings):
        for place, fitted in enumerate(family.fit(trial.learned, family.settings)):
            values[place] = trial.ndcg(fitted, view)
            step.advance()
    best = 0 if np.isnan(values).all() else int(np.nanargmax(values))
    setting = family.settings[best]
    fitted = next(family.fit(learned, [setting]))
    return Chosen(family.name, setting, float(values[best]), len(family.settings), fitted)


def match_kind_numbers(prepared: PreparedShop) -> NDArray[np.uint8]:
    """Numbers of the behaviours that count as a match."""
    names = prepared.manifest.facts["match_kinds"]
    return np.array([place for place, kind in enumerate(KINDS) if kind in names], np.uint8)


def learned_from(prepared: PreparedShop, parts: Sequence[Part]) -> Learned:
    """What a baseline may look at when it learns from ``parts``."""
    return Learned(
        prepared.history,
        match_kind_numbers(prepared),
        taken_in(prepared, parts),
        prepared.moments.known_until(parts),
    )
