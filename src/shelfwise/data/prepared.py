"""A shop's log, ready for training: the tables that `prepare` wrote, opened and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import ValidationError

from shelfwise.data.config import DataOptions
from shelfwise.data.history import History
from shelfwise.data.split import Moments, Part
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.item import Campaign, Item
from shelfwise.schema.manifest import MANIFEST, Manifest, open_sealed
from shelfwise.schema.options import explain

FEATURES = "features.parquet"
VOCABULARIES = "vocabularies.parquet"


@dataclass(frozen=True, slots=True)
class PreparedShop:
    """Catalogue, behaviour and requests of one shop.

    Row numbers are names: ``items`` row i is item i wherever a number stands for an item, and so
    for ``queries``, ``owners`` and ``requests``.
    """

    folder: Path
    options: DataOptions
    manifest: Manifest
    moments: Moments
    items: pl.DataFrame  # item_id, title, category, brand, price, ..., text, and features
    queries: pl.DataFrame  # text
    owners: pl.DataFrame  # owner_id: a pseudonym
    history: History
    requests: pl.DataFrame  # request_id, owner, at, query, surface, session, part, history_end, ...
    impressions: pl.DataFrame  # request, item, position, propensity, at, times of outcomes, weight
    positives: pl.DataFrame  # request, item, kind, at, weight
    campaigns: pl.DataFrame  # campaign_id, item_id, title, bid, budget, start, end
    judgements: pl.DataFrame  # query, item, grade, part
    users: pl.DataFrame  # owner, and features of those that the shop describes
    fraud: pl.DataFrame  # actor, id, score, reason, ...: who is flagged
    # Owners that a part's targets may belong to; a part that is not named asks for everybody's.
    asked_U: Mapping[Part, NDArray[np.bool_]] = field(default_factory=dict)

    def features(self) -> pl.LazyFrame:
        """Counts and rates as of each impression's request, row by row as ``impressions``.

        Columns are described in `data.features.point_in_time`. Read when it is collected: the
        table is several times as large as all others.

        Raises:
            ArtifactError: preparation was asked not to write it.
        """
        if not (self.folder / FEATURES).is_file():
            raise ArtifactError(
                f"{self.folder}: has no {FEATURES}; set features.statistics = true in shop.toml "
                "and prepare again"
            )
        return pl.scan_parquet(self.folder / FEATURES)

    @property
    def has_impressions(self) -> bool:
        """Whether the log says what was shown, so that a click rate can be learned."""
        return len(self.impressions) > 0


@dataclass(frozen=True, slots=True)
class PreparedPairs:
    """The plain case: texts and their labels, each distinct text in one part."""

    folder: Path
    options: DataOptions
    manifest: Manifest
    classes: tuple[str, ...]
    rows: pl.DataFrame  # text, label (number of the class), part


@dataclass(frozen=True, slots=True)
class PreparedJudgements:
    """The text-only case: how well items answer queries, and nobody's behaviour."""

    folder: Path
    options: DataOptions
    manifest: Manifest
    items: pl.DataFrame  # item_id, title, ..., text
    queries: pl.DataFrame  # text
    judgements: pl.DataFrame  # query, item, grade, part


Prepared = PreparedShop | PreparedPairs | PreparedJudgements


def open_prepared(folder: Path) -> Prepared:
    """Open what `prepare` wrote.

    Raises:
        ArtifactError: the folder is not a prepared one, or a file in it was altered.
    """
    manifest = open_sealed(folder, "prepared")
    options = _options_of(manifest, folder)
    match manifest.facts.get("shape"):
        case "pairs":
            rows = pl.read_parquet(folder / "pairs.parquet", glob=False)
            return PreparedPairs(folder, options, manifest, tuple(manifest.facts["classes"]), rows)
        case "shop":
            return _open_shop(folder, options, manifest)
        case "judgements":
            tables = (
                pl.read_parquet(folder / f"{name}.parquet", glob=False)
                for name in ("items", "queries", "judgements")
            )
            return PreparedJudgements(folder, options, manifest, *tables)
        case other:
            raise ArtifactError(f"{folder}: holds a prepared {other!r}, which is unknown here")


def logged_or_labelled(prepared: Prepared) -> PreparedShop | PreparedPairs:
    """A log, or pairs of text and label: what runs can be compared and cross-validated on.

    Raises:
        ArtifactError: there are judgements and nothing else.
    """
    if isinstance(prepared, PreparedJudgements):
        raise ArtifactError(
            f"{prepared.folder}: holds judgements alone, and this command works on a log or on "
            "pairs of text and label; train on it and measure the run with: shelfwise evaluate"
        )
    return prepared


def open_prepared_shop(folder: Path) -> PreparedShop:
    """Open a prepared shop; a prepared table of pairs is refused."""
    prepared = open_prepared(folder)
    if not isinstance(prepared, PreparedShop):
        holds = "text and labels" if isinstance(prepared, PreparedPairs) else "judgements alone"
        raise ArtifactError(f"{folder}: holds {holds}, a log with behaviour is needed")
    return prepared


def _options_of(manifest: Manifest, folder: Path) -> DataOptions:
    saved = manifest.facts.get("options", {})
    try:
        # The options of later commands stand beside those of prepare.
        return DataOptions.model_validate(
            {name: saved[name] for name in DataOptions.model_fields if name in saved}
        )
    except ValidationError as error:
        raise ArtifactError(
            "\n".join([f"{folder / MANIFEST}: facts.options:", *explain(error, DataOptions)])
        ) from error


def _open_shop(folder: Path, options: DataOptions, manifest: Manifest) -> PreparedShop:
    def table(name: str) -> pl.DataFrame:
        return pl.read_parquet(folder / f"{name}.parquet", glob=False)

    owners = table("owners")
    return PreparedShop(
        folder=folder,
        options=options,
        manifest=manifest,
        moments=Moments(**manifest.facts["moments"]),
        items=table("items"),
        queries=table("queries"),
        owners=owners.select("owner_id"),
        history=_history(owners, table("history")),
        requests=table("requests"),
        impressions=table("impressions"),
        positives=table("positives"),
        campaigns=table("campaigns"),
        judgements=table("judgements"),
        users=table("users"),
        fraud=table("fraud"),
    )


def _history(owners: pl.DataFrame, events: pl.DataFrame) -> History:
    return History(
        offset_U1=np.concatenate([[0], owners["events"].to_numpy().cumsum()]).astype(np.int64),
        item_E=events["item"].to_numpy().astype(np.int32),
        query_E=events["query"].to_numpy().astype(np.int32),
        kind_E=events["kind"].to_numpy().astype(np.uint8),
        at_E=events["at"].to_numpy().astype(np.int64),
    )


def item_of(row: dict[str, object]) -> Item:
    """The typed item of a catalogue row; missing words are empty."""
    price = row.get("price")
    return Item(
        item_id=str(row["item_id"]),
        title=str(row.get("title") or ""),
        category=str(row.get("category") or ""),
        brand=str(row.get("brand") or ""),
        price=float(price) if isinstance(price, int | float) else None,
        attributes=str(row.get("attributes") or ""),
        available=row.get("available") is not False,
    )


def campaigns_of(table: pl.DataFrame) -> tuple[Campaign, ...]:
    """The typed campaigns of a prepared shop."""
    return tuple(
        Campaign(row["campaign_id"], row["item_id"], row["bid"], row["title"] or "", row["budget"])
        for row in table.iter_rows(named=True)
    )
