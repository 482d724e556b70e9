"""Which tasks a log supports, which of them are learned, and how much each counts.

A task is supported where the parts that are learned from hold labels for it; none is ever learned
from labels that nobody gave.

Shape suffixes in this file: V = items, A = attributes, C = categories, M = positives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shelfwise.data.batches import Examples
from shelfwise.data.history import KINDS
from shelfwise.data.item_groups import GROUPINGS, item_groups
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.models.auxiliary import NO_AUXILIARY, AuxiliaryTasks
from shelfwise.models.shelf_model import ShelfModel
from shelfwise.schema.errors import ConfigError
from shelfwise.training.config import TrainOptions
from shelfwise.training.conversion_labels import learned_conversion
from shelfwise.training.item_classes import ItemClasses, item_classes
from shelfwise.training.judged_draw import Judged, judged_of
from shelfwise.training.tasks_config import FixedWeights, TaskOptions, UncertaintyWeights

MAIN = ("match", "click", "conversion")
AUXILIARY = ("interest", "intent", "attributes", "relevance")


@dataclass(frozen=True, slots=True)
class Labels:
    """What the auxiliary tasks learn from, beside a batch."""

    category_V: NDArray[np.int64]  # -1 none
    classes: ItemClasses
    judged: Judged | None
    intended_C: NDArray[np.bool_]  # categories that a query has led to
    next_categories: int  # categories of the catalogue, if what was taken is of several; else 0
    next_kinds: int  # kinds of behaviour, if what was done next is of several; else 0


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What is learned, with which weights, from what."""

    learned: tuple[str, ...] = MAIN
    left_out: Mapping[str, str] = field(default_factory=dict)  # task -> why
    weights: Mapping[str, float] = field(default_factory=dict)  # of each task that is learned
    auxiliary: AuxiliaryTasks = NO_AUXILIARY
    labels: Labels | None = None  # None: no auxiliary task is learned

    def facts(self) -> dict[str, Any]:
        """What a run remembers: the sizes of its heads, classes, and why tasks were left out."""
        labels = self.labels
        return {
            "auxiliary": self.auxiliary.model_dump(mode="json"),
            "tasks_left_out": dict(self.left_out),
            "attributes": labels.classes.facts() if labels and self.auxiliary.attributes else {},
        }


PLAIN = TaskPlan()


def plan_tasks(
    prepared: PreparedShop,
    examples: Examples,
    parts: Sequence[Part],
    tasks: TaskOptions,
    options: TrainOptions,
) -> TaskPlan:
    """The tasks that are switched on and that ``examples``, those of ``parts``, can teach.

    Raises:
        ConfigError: a task is demanded that nothing can teach, or none is left.
    """
    labels = _labels(prepared, examples, parts)
    missing = _missing(examples, labels, options)
    wishes = {task: getattr(tasks, task) for task in (*MAIN, *AUXILIARY)}
    demanded = [task for task in missing if wishes[task] is True]
    if demanded:
        raise ConfigError(
            "\n".join(
                [
                    "tasks: the log cannot teach what is demanded; set it to auto or false:",
                    *(f"  tasks.{task}: {missing[task]}" for task in demanded),
                ]
            )
        )
    off = {task: "it is switched off" for task, wish in wishes.items() if wish is False}
    left_out = missing | off
    if "click" in left_out and "conversion" not in left_out:
        if wishes["conversion"] is True:
            raise ConfigError("tasks.conversion: P(purchase | click) needs tasks.click beside it")
        left_out["conversion"] = "it is learned beside clicks, which are not"
    learned = tuple(task for task in wishes if task not in left_out)
    if not learned:
        raise ConfigError(
            "\n".join(
                ["tasks: nothing is left to learn:"]
                + [f"  tasks.{task}: {why}" for task, why in left_out.items()]
            )
        )
    weights = {task: w for task, w in _weights(tasks, options).items() if task in learned}
    auxiliary = _heads(learned, labels, weights, tasks)
    return TaskPlan(learned, left_out, weights, auxiliary, labels)


def _labels(prepared: PreparedShop, examples: Examples, parts: Sequence[Part]) -> Labels:
    category_V = item_groups(prepared.items)[:, GROUPINGS.index("category")]
    asked_M = np.repeat(examples.query_R >= 0, np.diff(examples.match_offset_R1))
    after_query = category_V[examples.match_item_M[asked_M]]
    intended_C = np.zeros(int(category_V.max(initial=-1)) + 1, dtype=bool)
    intended_C[after_query[after_query >= 0]] = True
    taken_M = category_V[examples.match_item_M]
    next_R = examples.next_kind_R
    return Labels(
        category_V=category_V,
        classes=item_classes(prepared, parts),
        judged=judged_of(prepared, parts),
        intended_C=intended_C,
        next_categories=len(intended_C) if len(np.unique(taken_M[taken_M >= 0])) > 1 else 0,
        next_kinds=len(KINDS) if len(np.unique(next_R[next_R >= 0])) > 1 else 0,
    )


def _missing(examples: Examples, labels: Labels, options: TrainOptions) -> dict[str, str]:
    """Tasks that nothing in the log can teach, with the reason."""
    found: dict[str, str] = {}
    if len(examples.match_item_M) == 0:
        found["match"] = "nothing was taken in what is learned from"
    if len(examples.shown_item_N) == 0:
        found["click"] = "the log does not say what was shown; log impressions"
    if not learned_conversion(examples, options):
        found["conversion"] = "no click that was learned from is known to have led to a purchase"
    if not labels.next_categories and not labels.next_kinds:
        found["interest"] = (
            "what was taken is of one category at most, and what shoppers did next of one kind; "
            "bring categories in the catalogue"
        )
    if labels.intended_C.sum() < 2:
        found["intent"] = (
            f"what was taken after queries is of {int(labels.intended_C.sum())} categories; bring "
            "queries with what was clicked, and categories in the catalogue"
        )
    if not labels.classes.names:
        found["attributes"] = "no brand, category or price tells items apart"
    if labels.judged is None:
        found["relevance"] = "no judgements of at least two grades; bring a table of judgements"
    return found


def main_weights(options: TrainOptions) -> dict[str, float]:
    """How much each main task counts."""
    return {"match": options.match_weight, "click": 1.0, "conversion": options.purchase_weight}


def _weights(tasks: TaskOptions, options: TrainOptions) -> dict[str, float]:
    match tasks.weights:
        case FixedWeights() as beside:
            pass
        case UncertaintyWeights():
            beside = FixedWeights()  # what they begin at
    return main_weights(options) | {
        "interest": beside.interest,
        "intent": beside.intent,
        "attributes": beside.attributes,
        "relevance": beside.relevance,
    }


def _heads(
    learned: Sequence[str], labels: Labels, weights: Mapping[str, float], tasks: TaskOptions
) -> AuxiliaryTasks:
    is_weighed = isinstance(tasks.weights, UncertaintyWeights)
    has_interest = "interest" in learned
    return AuxiliaryTasks(
        categories=labels.next_categories if has_interest else 0,
        kinds=labels.next_kinds if has_interest else 0,
        intents=len(labels.intended_C) if "intent" in learned else 0,
        attributes=labels.classes.names if "attributes" in learned else {},
        relevance="relevance" in learned,
        weighed=tuple(task for task in learned if weights[task] > 0) if is_weighed else (),
    )


def start_heads(model: ShelfModel, plan: TaskPlan) -> None:
    """Tell a fresh network's heads what the plan knows: weights, and what queries can be after."""
    if model.task_weights is not None:
        model.task_weights.start_from(plan.weights)
    if model.auxiliary.intent is not None and plan.labels is not None:
        model.auxiliary.intent.known_C.copy_(torch.from_numpy(plan.labels.intended_C))
