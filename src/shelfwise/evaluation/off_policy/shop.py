"""What a prepared log says of a policy, surface by surface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from shelfwise.data.batches import Examples, examples_of, gather
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.position_bias import PositionCurve, position_curves
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.off_policy.estimate import OffPolicy, OffPolicyOptions, estimate_policy
from shelfwise.evaluation.off_policy.item_features import ItemFeatures
from shelfwise.evaluation.off_policy.logged import LoggedRows
from shelfwise.evaluation.off_policy.policies import Logged, SlotPolicy, Softmax, Uniform
from shelfwise.evaluation.off_policy.reordered import Reordered, order_by_score, reordered_clicks
from shelfwise.evaluation.off_policy.reward_model import modelled
from shelfwise.evaluation.off_policy.slots import LoggedSlots, Reward, logged_slots
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import as_requests
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Progress

_REQUESTS = 128
Named = Literal["uniform", "logged"]
NAMED_POLICIES: Mapping[str, Named] = {"uniform": "uniform", "logged": "logged"}


class ShopOffPolicyOptions(OffPolicyOptions):
    """What is asked of a shop's log."""

    reward: Reward = "click"
    """What counts: click, purchase (closed windows alone), revenue (price of what was bought)."""
    part: Literal["test", "later"] = "test"
    """Rows that answer: the test, or validation too (not for a run, which validation chose)."""
    slots: Literal["all", "first"] = "all"
    """Every slot, given what the log put above it; or the first, which has nothing above it."""
    temperature: PositiveFloat = 1.0
    """Of a run's softmax; higher is nearer to uniform."""
    seed: int = 0
    """Of the policy's draws for the reward model."""


@dataclass(frozen=True, slots=True)
class ReorderedLists:
    """A run's order of the items that were shown, on one surface."""

    surface: str
    found: Reordered | None
    sentence: str


def off_policy_of(
    prepared: PreparedShop,
    policy: Named | RunScorer,
    options: ShopOffPolicyOptions,
    progress: Progress,
) -> list[OffPolicy]:
    """One answer for each surface that has propensities.

    Raises:
        ConfigError: a run is asked about rows it learned from.
        DataError: no impression of the part has a propensity and a place.
    """
    if options.part != "test" and not isinstance(policy, str):
        raise ConfigError(
            "part = later would ask a run about the rows it was chosen by; ask about test"
        )
    parts: Sequence[Part] = ("test",) if options.part == "test" else ("validation", "test")
    features = ItemFeatures.of(prepared, LEARNED if options.part == "test" else TRAINED)
    found, without = [], []
    for surface in Surface:
        slots = logged_slots(prepared, parts, surface, options.reward)
        if options.slots == "first":
            slots = slots.chosen(np.flatnonzero(slots.place_N == 1))
        if not len(slots):
            without += [f"{surface}: {count:,} {why}" for why, count in slots.left_out.items()]
            continue
        chosen = _policy(prepared, policy, parts, options, progress)
        with progress.step(f"Off-policy estimates ({surface})"):
            found.append(_of_surface(surface, slots, chosen, features, options))
    if not found:
        raise DataError(
            f"{prepared.folder}: no impression of the part {options.part} has a place and a "
            f"propensity ({'; '.join(without) or 'nothing was shown'}); log with what probability "
            "each item was drawn for its slot"
        )
    return found


def _policy(
    prepared: PreparedShop,
    policy: Named | RunScorer,
    parts: Sequence[Part],
    options: ShopOffPolicyOptions,
    progress: Progress,
) -> SlotPolicy:
    if policy == "logged":
        return Logged()
    if policy == "uniform":
        return Uniform()
    assert isinstance(policy, RunScorer)
    scores = _MatchScores(policy, prepared, examples_of(prepared, parts), progress)
    return Softmax(scores.of, options.temperature, "the run's match score")


@dataclass(frozen=True, slots=True)
class _MatchScores:
    """The run's match score of every item, for prepared requests by their numbers."""

    scorer: RunScorer
    prepared: PreparedShop
    examples: Examples
    progress: Progress

    def of(
        self, requests: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Blocks of places in ``requests`` (sorted) with ``[B, V]`` scores."""
        run = self.scorer.run
        row_R = np.searchsorted(self.examples.request_R, requests)
        device = run.known.item_VD.device
        with self.progress.step("Scoring the catalogue", total=len(requests)) as step:
            for start in range(0, len(requests), _REQUESTS):
                places = np.arange(start, min(start + _REQUESTS, len(requests)))
                batch = gather(self.prepared, self.examples, row_R[places])
                asked = as_requests(batch.history, batch.query_R, batch.surface_R, device)
                catalogue = run.catalogue(self.scorer.queries.chosen(asked.query_texts))
                yield places, match_scores(run.model, asked.requests, catalogue)
                step.advance(len(places))


def _of_surface(
    surface: Surface,
    slots: LoggedSlots,
    policy: SlotPolicy,
    features: ItemFeatures,
    options: ShopOffPolicyOptions,
) -> OffPolicy:
    filled = policy.fill(slots, np.random.default_rng(options.seed))
    target_feature = np.mean(
        [features.at(drawn_N, slots.place_N) for drawn_N in filled.drawn_SN], axis=0
    )
    model = modelled(
        features.at(slots.item_N, slots.place_N), target_feature, slots.reward_N, slots.owner_N
    )
    rows = LoggedRows(slots.reward_N, slots.propensity_N, filled.target_N, slots.owner_N, model)
    which = "every slot, given what the log put above it"
    found = estimate_policy(
        rows,
        options,
        policy=policy.sentence,
        reward=options.reward,
        where=f"{surface}: {which if options.slots == 'all' else 'the first slot'}",
    )
    notes = [f"{count:,} rows left out: {why}." for why, count in slots.left_out.items()]
    if slots.unpriced:
        notes.append(f"{slots.unpriced:,} purchases of items without a price count as 0.")
    return replace(found, notes=[*found.notes, *notes])


def reordered_lists(
    prepared: PreparedShop, scorer: RunScorer, progress: Progress
) -> list[ReorderedLists]:
    """What the test's lists would have earned, had the run ordered what stood on them.

    The position curves are measured on training and validation.
    """
    examples = examples_of(prepared, ["test"])
    forecast = scorer.forecast(examples, "order", with_position=False, progress=progress)
    return [
        lists_by(curve, examples, forecast.click_N) for curve in position_curves(prepared, LEARNED)
    ]


def lists_by(
    curve: PositionCurve, examples: Examples, score_N: NDArray[np.floating]
) -> ReorderedLists:
    """The lists of one surface in the order of ``score_N``, one score an impression.

    Suspected machines are left out, as they are of the curve and of the other estimates.
    """
    count_R = np.diff(examples.shown_offset_R1)
    here_N = np.repeat(examples.surface_R == list(Surface).index(Surface(curve.surface)), count_R)
    mine = here_N & (examples.position_N > 0) & (examples.weight_N > 0)
    if curve.refused or not mine.any():
        why = curve.refused or f"No list of the test on {curve.surface}."
        return ReorderedLists(curve.surface, None, why)
    place_N = examples.position_N[mine]
    request_N = np.repeat(examples.request_R, count_R)[mine]
    owner_N = np.repeat(examples.owner_R, count_R)[mine]
    new_N = order_by_score(score_N[mine], request_N, place_N)
    clicked_N = examples.clicked_N[mine].astype(np.float64)
    told = reordered_clicks(clicked_N, place_N, new_N, curve, owner_N)
    return ReorderedLists(curve.surface, told, _words(curve.surface, told))


def _words(surface: str, told: Reordered) -> str:
    value, gain = told.value, told.gain
    verdict = (
        "more than as logged"
        if gain.low > 0
        else "less than as logged"
        if gain.high < 0
        else "no difference to the logged order can be told"
    )
    return (
        f"On {surface}, the run's order of the same items earns {value.value:.4f} clicks an "
        f"impression ({value.low:.4f} to {value.high:.4f}): {verdict} ({gain.value:+.4f}, "
        f"{gain.low:+.4f} to {gain.high:+.4f})."
    )
