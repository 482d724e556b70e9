"""Other ways to part the same prepared shop: for cross-validation and for learning curves.

Every view reads what lies before the test alone: the test stays unread, so that choosing by these
figures costs it nothing. What is judged is called "test" within a view, as it is elsewhere; its
rows come from the shop's own validation part or from before it, its judged queries from validation.

Where time parts the split, a view has three moments of its own, each part as long as the shop's
validation: a network of the view stops early on one slice and is judged on the next. Elsewhere
owners take turns.

Shape suffixes in this file: R = requests, U = owners.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.split import LATER, Moments, Part, part_of
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest

_RANGE = 1 << 64  # of the digest's first eight bytes


def owner_places(prepared: PreparedShop, salt: str) -> NDArray[np.float64]:
    """``[U]`` a number in [0, 1) for each owner, the same on every machine and in longer logs."""
    return np.array([_place(salt, owner) for owner in prepared.owners["owner_id"]])


def _place(salt: str, name: str) -> float:
    digest = hashlib.sha256(f"{salt}:{name}".encode()).digest()
    return int.from_bytes(digest[:8]) / _RANGE


def user_fold(prepared: PreparedShop, folds: int, fold: int) -> PreparedShop:
    """Learned from all users but a ``folds``-th, judged on the others' requests of validation.

    Where time parts the split, a judged request is later as well as another user's: training ends
    where validation began, and stops early on the slice before it.

    Args:
        prepared: the shop.
        folds: how many; every user is judged in one of them.
        fold: which, from 0.
    """
    held_U = (owner_places(prepared, "fold") * folds).astype(np.int64) == fold
    held_R = held_U[prepared.requests["owner"].to_numpy()]
    moments = prepared.moments
    if prepared.options.split.by_time:
        moments = _one_slice_earlier(prepared)
        part = prepared.requests.select(part_of(pl.col("at"), moments).alias("part"))["part"]
        judged_R = (part == "test").to_numpy()
        kept_R = held_R == judged_R
    else:
        part = prepared.requests["part"]
        is_validation_R = (part == "validation").to_numpy()
        kept_R = np.where(held_R, is_validation_R, (part != "test").to_numpy())
        part = _where(held_R & is_validation_R, "test", part)
    return _view(
        prepared,
        f"user fold {fold + 1} of {folds}",
        moments,
        _where(~kept_R, LATER, part),
        {"train": ~held_U, "validation": ~held_U, "test": held_U},
    )


def text_fold(prepared: PreparedPairs, folds: int, fold: int) -> PreparedPairs:
    """Learned from all texts but a ``folds``-th, judged on those; texts of the test are left out.

    A ninth of the other texts stops training early, and all copies of a text go together.
    """
    rows = prepared.rows.filter(pl.col("part") != "test")
    texts = rows["text"].unique()
    held = pl.Series([int(_place("fold", text) * folds) == fold for text in texts])
    stops = pl.Series([_place("stop", text) < 1 / 9 for text in texts])
    part = texts.to_frame("text").select(
        "text",
        pl.when(pl.lit(held))
        .then(pl.lit("test"))
        .when(pl.lit(stops))
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
        .alias("part"),
    )
    named = f"text fold {fold + 1} of {folds}"
    return replace(
        prepared,
        manifest=_own_manifest(prepared, named),
        rows=rows.drop("part").join(part, on="text", how="left", maintain_order="left"),
    )


def time_fold(prepared: PreparedShop, folds: int, fold: int) -> PreparedShop:
    """Learned from all that came before a slice of time, judged on the slice; 0 is the earliest.

    Slices are as long as validation and end where the test begins; each has a slice before it on
    which training stops early (forward chaining).

    Raises:
        ConfigError: the split is not by time, or so many slices leave nothing to learn from.
    """
    if not prepared.options.split.by_time:
        raise ConfigError(
            f"split.kind {prepared.options.split.kind!r} knows no moments, so there are no folds "
            "by time; ask for folds by user"
        )
    first, validation, test, _ = prepared.moments
    length = test - validation
    most = max(0, (validation - first - 1) // length - 1)
    if folds > most:
        raise ConfigError(
            f"{folds} folds by time: training is {(validation - first) / length:.1f} times as "
            f"long as validation, which leaves room for {most}; ask for fewer, or prepare with a "
            "smaller split.validation_share"
        )
    end = test - (folds - 1 - fold) * length
    moments = Moments(first, end - 2 * length, end - length, end)
    part = prepared.requests.select(part_of(pl.col("at"), moments).alias("part"))["part"]
    return _view(prepared, f"time fold {fold + 1} of {folds}", moments, part, {})


def share_of_training(prepared: PreparedShop, share: float, seed: int) -> PreparedShop:
    """Learned from the requests of a share of the users, judged on everybody's of validation.

    Smaller shares are parts of larger ones of the same ``seed``.
    """
    chosen_U = owner_places(prepared, f"share-{seed}") < share
    chosen_R = chosen_U[prepared.requests["owner"].to_numpy()]
    moments, asked = prepared.moments, dict[Part, NDArray[np.bool_]]()
    if prepared.options.split.by_time:
        moments = _one_slice_earlier(prepared)
        part = prepared.requests.select(part_of(pl.col("at"), moments).alias("part"))["part"]
    else:
        judge_U = owner_places(prepared, "judge") < 0.5
        judge_R = judge_U[prepared.requests["owner"].to_numpy()]
        part = _where(
            (prepared.requests["part"] == "test").to_numpy(), LATER, prepared.requests["part"]
        )
        part = _where(judge_R & (part == "validation").to_numpy(), "test", part)
        asked = {"validation": ~judge_U, "test": judge_U}
    dropped_R = (part == "train").to_numpy() & ~chosen_R
    return _view(
        prepared,
        f"{share:.1%} of the users in training, draw {seed}",
        moments,
        _where(dropped_R, LATER, part),
        asked,
    )


def before_test(
    prepared: PreparedShop, share: float = 1.0, fold: tuple[int, int] = (0, 1)
) -> PreparedShop:
    """The shop as it is, but for the test, which is in no part: for choosing by validation.

    Args:
        prepared: the shop.
        share: of the users, whose training requests alone are learned from; smaller shares are
            parts of larger ones. Everybody's validation judges.
        fold: of how many by user, which: its users alone judge, and only others are learned from.
    """
    number, folds = fold
    place_U = owner_places(prepared, "fold")
    judges_U = (place_U * folds).astype(np.int64) == number
    learns_U = owner_places(prepared, "share") < share
    if folds > 1:
        learns_U &= ~judges_U
    owner_R = prepared.requests["owner"].to_numpy()
    part = prepared.requests["part"]
    kept_R = np.select(
        [(part == "train").to_numpy(), (part == "validation").to_numpy()],
        [learns_U[owner_R], judges_U[owner_R]],
        default=False,
    )
    named = f"before the test, {share:.3%} of the users, fold {number + 1} of {folds}"
    return replace(
        _view(
            prepared,
            named,
            prepared.moments._replace(end=prepared.moments.test),
            _where(~kept_R, LATER, part),
            {"train": learns_U, "validation": judges_U},
        ),
        judgements=prepared.judgements.filter(pl.col("part") != "test"),
    )


def _one_slice_earlier(prepared: PreparedShop) -> Moments:
    """The three moments such that the shop's validation is judged.

    Raises:
        ConfigError: training is too short to give a slice away.
    """
    first, validation, test, _ = prepared.moments
    earlier = validation - (test - validation)
    if earlier <= first:
        raise ConfigError(
            "training is shorter than validation, so none of it can be spared to stop early on; "
            "prepare with a smaller split.validation_share"
        )
    return Moments(first, earlier, validation, test)


def _where(chosen_R: NDArray[np.bool_], name: str, part: pl.Series) -> pl.Series:
    return part.to_frame("part").select(
        pl.when(pl.lit(pl.Series(chosen_R, dtype=pl.Boolean)))
        .then(pl.lit(name))
        .otherwise(pl.col("part"))
        .alias("part")
    )["part"]


def _view(
    prepared: PreparedShop,
    name: str,
    moments: Moments,
    part: pl.Series,
    asked: Mapping[Part, NDArray[np.bool_]],
) -> PreparedShop:
    return replace(
        prepared,
        manifest=_own_manifest(prepared, name),
        moments=moments,
        requests=prepared.requests.with_columns(part.alias("part")),
        judgements=_judged_by_validation(prepared.judgements),
        asked_U=asked,
    )


def _judged_by_validation(judgements: pl.DataFrame) -> pl.DataFrame:
    """Without the test's verdicts; queries are parted by hash, so no view has others of its own."""
    judged = pl.col("part").replace({"validation": "test"})
    return judgements.filter(pl.col("part") != "test").with_columns(judged)


def _own_manifest(prepared: PreparedShop | PreparedPairs, name: str) -> Manifest:
    """With a fingerprint of the view's own: its runs must not pass for runs of the whole."""
    told = f"{prepared.manifest.data_fingerprint}:{name}"
    fingerprint = hashlib.sha256(told.encode()).hexdigest()
    return prepared.manifest.model_copy(update={"data_fingerprint": fingerprint})
