"""Crowds hired to push an item: its takers are alike in a way that takers of no other item are.

Who is paid to take an item hides that among others, and these are drawn by a recipe: from the whole
catalogue, from the best-sellers, or to be sent back. One such profile looks like a person with odd
tastes. A hundred of them behind one item do not: in an honest shop the takers of an item are spread
over what shoppers can be, and those of a pushed item sit in one corner of it (group shilling: Zhou
et al. 2014; lists of recipes: Mobasher et al. 2007).

Everybody is placed in a tenth of the shoppers who took about as many items, by each of three
figures, and the takers of every item are counted by tenth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from shelfwise.data.fraud.acts import is_kind
from shelfwise.data.fraud.company import MOST_ITEMS, Together, mixed
from shelfwise.schema.event import EventKind

FIGURES = {
    "company": "how well what they take goes together",
    "fame": "how well known it is",
    "returned": "how much of it they send back",
}
TAKEN: Mapping[str, pl.DataType] = {
    "owner": pl.Int32(),
    "item": pl.Int32(),
    "returned": pl.Float64(),
}
_FEWEST_ITEMS = 3
_FEWEST_TAKERS = 30
_TENTHS = 10
_EVEN = 0.1  # part that all items have in what is expected of one
# Quantiles whose mean stands for the middle: of few takers a tenth often has none or one in half of
# the items, and their median jumps from one to the other.
_MIDDLE = (0.25, 0.375, 0.5, 0.625, 0.75)
_ALIKE = 41  # items, an item and those whose number of takers is nearest
_MOST_PAIRS = 4_000_000  # of items, of as many owners, looked at for what is usual
# Chi square less its degrees of freedom, a taker; honest items reach 1.4, of thirty takers 2.3.
_EFFECT = 1.5
_TIMES = 2.0  # what all but three of a hundred items have of it
_TASTE = 1.2  # mean logarithm of the lift of an item's takers, above which they are of one taste
_SURE = 25.0  # the same in its standard deviations
_SPREAD = (2 * (_TENTHS - 1)) ** 0.5


def taken_of(events: pl.DataFrame) -> pl.DataFrame:
    """Columns of `TAKEN`: what each owner took to, each item once.

    Args:
        events: ``event, owner, item``; what was only shown or searched for is not taken.
    """
    sent_back = is_kind(EventKind.RETURN)
    takings = (
        events.filter(
            pl.col("item").is_not_null() & ~is_kind(EventKind.IMPRESSION, EventKind.SEARCH)
        )
        .group_by("owner", "item")
        .agg((~sent_back).any().alias("kept"), sent_back.any().cast(pl.Float64).alias("returned"))
        .filter("kept")
        .with_columns(pl.col("returned").mean().over("owner"))
    )
    return takings.select(pl.col(name).cast(kind) for name, kind in TAKEN.items())


def crowds(taken: pl.DataFrame) -> pl.DataFrame:
    """Everybody who belongs to a crowd, and how surely.

    Args:
        taken: ``owner, item, returned`` (share of the owner's takings sent back), each pair once.

    What is usual is measured on owners with four million pairs of items together, drawn once and
    for all; in a larger shop a crowd is seen where thirty of these belong to it.

    Returns:
        ``id, crowd`` (chance that the owner was hired, in (0, 1]) and ``crowd_text``, in order of
        ``id``; nobody else has a row.
    """
    chosen = _with_enough(taken)
    if chosen.is_empty():
        return _nobody()
    usual = _Usual.of(chosen)
    placed = usual.placed(chosen.join(usual.owners, on="owner", how="semi"))
    takings = chosen.select("owner", "item").join(placed, on="owner")
    counts = [_by_tenth(takings, figure) for figure in FIGURES]
    # Who takes what goes together this well has a taste, not an order.
    fans = takings.group_by("item").agg(pl.col("lift").mean()).filter(pl.col("lift") > _TASTE)
    pushed = pl.concat([one.filter(_is_crowd()) for one in counts])
    pushed = pushed.join(fans, on="item", how="anti")
    if pushed.is_empty():
        return _nobody()
    suspects = chosen.join(
        chosen.join(pushed, on="item", how="semi").select("owner").unique(), on="owner", how="semi"
    )
    return _members(
        suspects.select("owner", "item").join(usual.placed(suspects), on="owner"), pushed
    )


def _nobody() -> pl.DataFrame:
    return pl.DataFrame(schema={"id": pl.UInt64, "crowd": pl.Float64, "crowd_text": pl.String})


def _with_enough(taken: pl.DataFrame) -> pl.DataFrame:
    # In one order, so that sums of the same numbers are the same to the bit.
    taken = taken.sort("owner", "item").cast({"owner": pl.Int64, "item": pl.Int64})
    sized = taken.with_columns(pl.len().over("owner").alias("size"))
    return sized.filter(pl.col("size") >= _FEWEST_ITEMS).with_columns(
        pl.col("size").log(2).floor().cast(pl.Int8).alias("class")
    )


class _Usual(NamedTuple):
    """What is usual: which items are taken together, and how shoppers spread."""

    owners: pl.DataFrame  # ``owner``: on whom this rests
    together: Together
    figures: pl.DataFrame  # theirs
    edges: pl.DataFrame  # ``class, figure, edge``: nine of each

    @classmethod
    def of(cls, chosen: pl.DataFrame) -> _Usual:
        looked_up = pl.min_horizontal("size", pl.lit(MOST_ITEMS)).first()
        pairs = (looked_up * (looked_up - 1) // 2).alias("pairs")
        owners = chosen.group_by("owner").agg(pairs)
        owners = (
            owners.with_columns(pl.Series("draw", mixed(owners["owner"].to_numpy())))
            .sort("draw")
            .filter(pl.col("pairs").cum_sum() <= _MOST_PAIRS)
            .select("owner")
        )
        some = chosen.join(owners, on="owner", how="semi")
        items = int(chosen.select(pl.col("item").max()).item()) + 1
        together = Together.of(some["owner"].to_numpy(), some["item"].to_numpy(), items)
        figures = _figures(some, together, own=True)
        return cls(owners, together, figures, _edges(figures))

    def placed(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """``owner``, the tenth, from 0, by each of `FIGURES`, and ``lift``, the company itself."""
        known = self.figures.join(chosen, on="owner", how="semi")
        others = chosen.join(self.owners, on="owner", how="anti")
        figures = pl.concat([known, _figures(others, self.together, own=False)])
        placed = figures.select("owner", pl.col("company").alias("lift"))
        for figure in FIGURES:
            tenths = (
                figures.select("owner", "class", figure)
                .join(self.edges.filter(pl.col("figure") == figure), on="class")
                .group_by("owner")
                .agg((pl.col(figure) > pl.col("edge")).sum().cast(pl.Int8).alias(figure))
            )
            placed = placed.join(tenths, on="owner")
        return placed


def _figures(chosen: pl.DataFrame, together: Together, *, own: bool) -> pl.DataFrame:
    """``owner, class`` and each of `FIGURES`; ``own``: their takings are among those counted."""
    owner_U, company_U = together.company(
        chosen["owner"].to_numpy(), chosen["item"].to_numpy(), own
    )
    company = pl.DataFrame({"owner": owner_U, "company": company_U})
    takers = pl.lit(pl.Series(together.takers_V)).gather(pl.col("item"))
    return (
        chosen.group_by("owner", "class", maintain_order=True)
        .agg((takers - int(own) + 1).log().mean().alias("fame"), pl.col("returned").first())
        .join(company, on="owner")
        .select("owner", "class", *FIGURES)
    )


def _edges(figures: pl.DataFrame) -> pl.DataFrame:
    """Where one tenth of a class of shoppers ends and the next begins."""
    return pl.concat(
        figures.group_by("class").agg(
            pl.lit(figure).alias("figure"), pl.col(figure).quantile(step / _TENTHS).alias("edge")
        )
        for figure in FIGURES
        for step in range(1, _TENTHS)
    )


def _by_tenth(placed: pl.DataFrame, figure: str) -> pl.DataFrame:
    """``item, figure, tenth, takers, all, expected, over, below``: an item's takers by tenth.

    Expected is what the middle half of the forty items with the most similar number of takers have:
    takers of a rare item like rare items, in any honest shop. ``over`` is chi square against that,
    less its degrees of freedom; one more is expected in each tenth, so that a tenth that hardly
    anybody falls into says little. ``below``: whether the takers stand lower than expected.
    """
    tenth = pl.DataFrame({"tenth": range(_TENTHS)}, schema={"tenth": pl.Int8})
    counts = placed.group_by("item", pl.col(figure).alias("tenth")).agg(
        pl.len().cast(pl.Float64).alias("takers")
    )
    items = counts.group_by("item").agg(pl.col("takers").sum().alias("all")).sort("all", "item")
    share = pl.col("takers") / pl.col("all")
    middle = pl.mean_horizontal(
        share.rolling_quantile(
            part, window_size=_ALIKE, min_samples=1, center=True, interpolation="linear"
        ).over("tenth")
        for part in _MIDDLE
    )
    told = (
        items.join(tenth, how="cross")
        .join(counts, on=["item", "tenth"], how="left", maintain_order="left")
        .with_columns(pl.col("takers").fill_null(0.0))
        .with_columns((middle + _EVEN * share.mean().over("tenth")).alias("share"))
        .with_columns(pl.col("share") / pl.col("share").sum().over("item"))
    )
    expected = pl.col("all") * pl.col("share")
    square = ((pl.col("takers") - expected) ** 2 / (expected + 1)).sum().over("item")
    moved = (pl.col("tenth") * (pl.col("takers") - expected)).sum().over("item")
    return told.select(
        "item",
        pl.lit(figure).alias("figure"),
        "tenth",
        "takers",
        "all",
        expected.alias("expected"),
        (square - (_TENTHS - 1)).alias("over"),
        (moved < 0).alias("below"),
    )


def _is_crowd() -> pl.Expr:
    many = pl.col("all") >= _FEWEST_TAKERS
    effect = pl.col("over") / pl.col("all")
    # Where takers of many items differ from those of others, that speaks for nobody's being hired;
    # nor does it where they have good company, for a narrow taste gives that.
    usual = effect.filter(pl.col("all") >= _TENTHS).quantile(0.97, interpolation="lower")
    speaks = (pl.col("figure") != "company") | pl.col("below")
    odd = effect >= pl.max_horizontal(pl.lit(_EFFECT), _TIMES * usual)
    sure = pl.col("over") >= _SURE * _SPREAD
    return pl.all_horizontal(many, speaks, odd, sure)


def _members(placed: pl.DataFrame, pushed: pl.DataFrame) -> pl.DataFrame:
    """Takers of a pushed item from those tenths that its crowd fills."""
    hired = pushed.with_columns(_hired().alias("crowd"))
    found = [
        placed.select("owner", "item", pl.col(figure).alias("tenth")).join(
            hired.filter(pl.col("figure") == figure), on=["item", "tenth"]
        )
        for figure in FIGURES
    ]
    text = pl.format(
        "took what {} users looked at took, {} of them in the same tenth of all by {}",
        pl.col("all").cast(pl.Int64),
        pl.col("takers").cast(pl.Int64),
        pl.col("figure").replace_strict(FIGURES),
    )
    return (
        pl.concat(found)
        .sort("owner", "crowd", "item", descending=[False, True, False])
        .group_by("owner", maintain_order=True)
        .agg(pl.col("crowd").first(), text.first().alias("crowd_text"))
        .select(pl.col("owner").cast(pl.UInt64).alias("id"), "crowd", "crowd_text")
        .filter(pl.col("crowd") > 0)
        .sort("id")
    )


def _hired() -> pl.Expr:
    """Share of a tenth's takers who were hired: those above what the emptier half has.

    Honest takers are spread as expected, so the five tenths that are emptiest for that, most of
    whose takers are honest, tell how many honest ones there are.
    """
    ratio = pl.col("takers") / pl.col("expected").clip(lower_bound=1e-9)
    low = pl.when(ratio.rank("ordinal").over("item", "figure") <= _TENTHS // 2)
    honest = low.then(pl.col("takers")).otherwise(0.0).sum().over("item", "figure") / low.then(
        pl.col("expected")
    ).otherwise(0.0).sum().over("item", "figure").clip(lower_bound=1e-9)
    # One taker more, so that a single one is never hired.
    return (1 - (honest * pl.col("expected") + 1) / pl.col("takers")).clip(0, 1)
