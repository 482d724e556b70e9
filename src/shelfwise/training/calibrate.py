"""A network's calibration, fitted on the validation part: later than what the network learned from.

Every logged row counts once, whatever it weighed in training, suspected machines included. The
purchase map is fitted on clicked rows, since P(purchase | click) is multiplied with P(click): where
both hold, their product holds. Purchases that were still to come are allowed for.

Shape suffixes in this file: R = requests, N = impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shelfwise.data.batches import Examples, batches
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.calibration import (
    Calibration,
    CalibrationOptions,
    PairLogits,
    TaskCalibration,
)
from shelfwise.models.inference import pair_logits
from shelfwise.models.inputs import as_requests
from shelfwise.schema.progress import Progress
from shelfwise.training.calibrators import Fitted, Rows, fit_task
from shelfwise.training.network import Network

_REQUESTS = 256


@dataclass(frozen=True, slots=True)
class FittedCalibration:
    """Maps of clicks and purchases, with what they rest on."""

    click: Fitted
    convert: Fitted

    @property
    def calibration(self) -> Calibration:
        """What is kept and applied."""
        return Calibration(click=self.click.calibration, convert=self.convert.calibration)

    def facts(self) -> dict[str, Any]:
        """What a run remembers of it: rows, positives, kinds, log loss on other owners."""
        return {"click": self.click.facts(), "conversion": self.convert.facts()}


_NONE = Fitted(TaskCalibration(), rows=0, positives=0, log_loss={})
NOTHING_TO_CALIBRATE = FittedCalibration(_NONE, _NONE)


def calibrate(
    network: Network,
    prepared: PreparedShop,
    examples: Examples,
    options: CalibrationOptions,
    progress: Progress,
) -> FittedCalibration:
    """Fit the maps of a network that has learned, from requests it has not."""
    if len(examples.shown_item_N) == 0:  # nothing was shown in this part
        return NOTHING_TO_CALIBRATE
    found = []
    with progress.step("Scoring validation", total=len(examples)) as step:
        for batch in batches(prepared, examples, _REQUESTS, None):
            now = network.moments(batch.at_R)
            asked = as_requests(
                batch.history, batch.query_R, batch.surface_R, network.bank.device, now.moment_R
            )
            catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
            pairs = (batch.shown_request_N, batch.shown_item_N)
            found.append(
                pair_logits(network.model, asked.requests, catalogue, pairs, batch.position_N)
            )
            step.advance(len(batch.query_R))
    return fit_calibration(joined(found), examples, options)


def joined(parts: list[PairLogits]) -> PairLogits:
    """Logits of several batches, one after the other."""
    nothing = PairLogits(np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
    return PairLogits(*(np.concatenate(column) for column in zip(nothing, *parts, strict=True)))


def fit_calibration(
    logits: PairLogits, examples: Examples, options: CalibrationOptions
) -> FittedCalibration:
    """Fit the maps to what came of ``examples``.

    Args:
        logits: of every impression of the examples, in their order, each at its own position.
        examples: requests later than those the network learned from.
        options: which maps.
    """
    owner_N = np.repeat(examples.owner_R, np.diff(examples.shown_offset_R1))
    clicks = Rows(
        logits.click_N.astype(np.float64),
        examples.clicked_N,
        np.ones(len(owner_N)),
        owner_N,
        logits.surface_N,
    )
    purchases = clicks._replace(
        logit_N=logits.convert_N.astype(np.float64),
        happened_N=examples.purchased_N,
        arrived_N=examples.arrived_N.astype(np.float64),
    ).where(examples.clicked_N & (examples.arrived_N > 0))
    return FittedCalibration(fit_task(clicks, options), fit_task(purchases, options))
