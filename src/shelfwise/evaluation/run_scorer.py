"""A run's answers for prepared requests, in blocks: what evaluation measures.

Shape suffixes in this file: T = targets, V = items, Q = queries, N = impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, batches
from shelfwise.data.history import window
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, past_of
from shelfwise.evaluation.impressions import Forecast
from shelfwise.models.calibration import NOT_CALIBRATED, Calibration, PairLogits
from shelfwise.models.inference import examination, match_scores, pair_logits
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Progress
from shelfwise.training.calibrate import joined

_REQUESTS = 256


@dataclass(frozen=True, slots=True)
class Said:
    """What a network says of impressions, before it is read as probabilities."""

    logits: PairLogits  # at the place each was shown at
    seen_N: NDArray[np.float32]  # what that place adds to the click's, over the first place
    calibration: Calibration
    has_conversion: bool = True  # False: what it says of purchases was never learned

    def forecast(
        self, system: str, *, with_position: bool = True, calibrated: bool = True
    ) -> Forecast:
        """Probabilities, nan of what was not learned.

        Without position each item is judged as if it stood first.
        """
        logits = self.logits
        if not with_position:
            logits = logits._replace(click_N=logits.click_N - self.seen_N)
        said = (self.calibration if calibrated else NOT_CALIBRATED)(logits)
        convert_N = said.convert_N if self.has_conversion else np.full(len(said.click_N), np.nan)
        return Forecast(system, said.click_N, convert_N)


class RunScorer:
    """The run's answers for prepared requests, in blocks."""

    def __init__(self, run: LoadedRun, prepared: PreparedShop) -> None:
        self.run = run
        self.prepared = prepared
        self.queries = run.encode_queries(prepared.queries["text"].to_list())

    def match(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]`` match score of every item, asked on a recommendation shelf."""
        history = past_of(self.prepared, targets, rows)
        surface_R = np.full(len(rows), SURFACES.index(Surface.RECOMMENDATION), np.int64)
        asked = as_requests(history, targets.query_T[rows], surface_R, self._device)
        catalogue = self.run.catalogue(self.queries.chosen(asked.query_texts))
        return match_scores(self.run.model, asked.requests, catalogue)

    def search(self, query_Q: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[Q, V]`` match score of every item for a query typed by somebody without a history."""
        none = np.zeros(len(query_Q), np.int64)
        history = window(self.prepared.history, none, none, none, self.prepared.options.history)
        surface_R = np.full(len(query_Q), SURFACES.index(Surface.SEARCH), np.int64)
        asked = as_requests(history, query_Q, surface_R, self._device)
        catalogue = self.run.catalogue(self.queries.chosen(asked.query_texts))
        return match_scores(self.run.model, asked.requests, catalogue)

    def forecast(
        self,
        examples: Examples,
        system: str,
        with_position: bool,
        progress: Progress,
        *,
        calibrated: bool = True,
    ) -> Forecast:
        """Click and conversion probabilities of every impression, in order."""
        heard = self.hear(examples, progress)
        return heard.forecast(system, with_position=with_position, calibrated=calibrated)

    def hear(self, examples: Examples, progress: Progress) -> Said:
        """What the network says of every impression, in order; asked once, read in several ways."""
        heads = self.run.model.heads
        parts, seen = [], [np.zeros(0, np.float32)]
        with progress.step("Scoring impressions", total=len(examples)) as step:
            for batch in batches(self.prepared, examples, _REQUESTS, None):
                asked = as_requests(batch.history, batch.query_R, batch.surface_R, self._device)
                catalogue = self.run.catalogue(self.queries.chosen(asked.query_texts))
                pairs = (batch.shown_request_N, batch.shown_item_N)
                logits = pair_logits(
                    self.run.model, asked.requests, catalogue, pairs, batch.position_N
                )
                parts.append(logits)
                seen.append(examination(heads, logits.surface_N, batch.position_N))
                step.advance(len(batch.query_R))
        known = self.run.has_conversion
        return Said(joined(parts), np.concatenate(seen), self.run.calibration, known)

    @property
    def _device(self) -> Any:
        return self.run.known.item_VD.device
