"""Is what the run is judged on the world it was trained on?

Shares and rates of training beside those of what came later: a shift is not a fault of the run, but
it explains figures, and calibrators fitted before it are wrong after it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.item_facts import met_in
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.split import PARTS, Part
from shelfwise.evaluation.diagnosis.case import Case, Heard
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.influence import Estimate, gap_of, interval_of, mean_estimate

_RATE = 0.25  # of training's click rate
_SHARE = 0.1  # of the impressions, of a surface or of cold items


class _Share(NamedTuple):
    name: str
    by_part: dict[Part, tuple[Estimate, NDArray[np.int64]]]
    relative: bool


def drift_findings(case: Case) -> list[Finding]:
    """What moved between training and the later parts by more than a little."""
    if not case.has_impressions:
        return []
    shares = _shares(case)
    evidence = [
        Evidence.of_interval(f"{share.name}, {part}", interval_of(*share.by_part[part]))
        for share in shares
        for part in PARTS
        if part in share.by_part
    ]
    moved = [said for share in shares for part in PARTS[1:] if (said := _moved(share, part))]
    if moved:
        return [
            Finding(
                "drift",
                "warning",
                f"What came later is not what was learned: {'; '.join(moved[:3])}.",
                evidence,
                "Train on more recent rows (split.*), refit calibrators on the latest slice, and "
                "train anew more often.",
            )
        ]
    return [
        Finding(
            "drift",
            "fine",
            "Click rate, surfaces and the share of cold items stay what they were in training.",
            evidence,
        )
    ]


def _moved(share: _Share, part: Part) -> str:
    if "train" not in share.by_part or part not in share.by_part:
        return ""
    before, after = share.by_part["train"], share.by_part[part]
    gap = gap_of(after[0], after[1], before[0], before[1])
    limit = _RATE * before[0].value if share.relative else _SHARE
    if gap.low <= limit and gap.high >= -limit:
        return ""
    return f"{share.name} is {after[0].value:.3f} in {part}, {before[0].value:.3f} in training"


def _shares(case: Case) -> list[_Share]:
    cold_V = ~met_in(case.prepared, TRAINED)
    parts = {part: heard for part, heard in case.heard.items() if len(heard.answers.click_N)}
    found = [
        _share("click rate", {part: h.answers.clicked_N for part, h in parts.items()}, parts, True),
        _share(
            "share of items not met in training",
            {part: cold_V[h.answers.item_N] for part, h in parts.items() if part != "train"}
            | {"train": np.zeros(len(case.heard["train"].answers.item_N), bool)},
            parts,
            False,
        ),
    ]
    surfaces = sorted({name for heard in parts.values() for name, _ in heard.surfaces()})
    for surface in surfaces if len(surfaces) > 1 else []:
        rows = {
            part: dict(heard.surfaces()).get(surface, np.zeros(len(heard.owner_N), bool))
            for part, heard in parts.items()
        }
        found.append(_share(f"share shown in {surface}", rows, parts, False))
    return found


def _share(
    name: str, rows: dict[Part, NDArray[np.bool_]], parts: dict[Part, Heard], relative: bool
) -> _Share:
    return _Share(
        name,
        {
            part: (mean_estimate(rows[part].astype(float)), parts[part].owner_N)
            for part in parts
            if len(rows[part])
        },
        relative,
    )
