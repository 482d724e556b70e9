"""What shop.toml says about a shop's files and how they become examples."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from shelfwise.data.connections import RedisStream, SqlSource, one_source
from shelfwise.data.features.options import FeatureOptions
from shelfwise.data.fraud.options import FraudOptions
from shelfwise.data.privacy import PrivacyOptions
from shelfwise.data.units import Units, units_of
from shelfwise.data.weight_options import WeightOptions
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS
from shelfwise.schema.event import EventKind
from shelfwise.schema.options import Options


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


UtcTime = Annotated[datetime, AfterValidator(_as_utc)]


class ShopOptions(Options):
    """Who the shop is."""

    name: str = "my shop"
    """Shown on reports and on the storefront."""
    currency: str = "EUR"
    """Code of the currency that prices and bids are in."""
    synthetic: bool = False
    """True where the log was made by a generator; every report then says so."""


class CatalogueOptions(Options):
    """Where the items are described."""

    file: str = "catalogue.*"
    """File, folder or glob in the shop folder: csv, tsv, parquet or jsonl, plain, .gz or .zst."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""
    units: Annotated[Units, AfterValidator(units_of(CATALOGUE))] = Field(default_factory=dict)
    """Unit of a column, where it is another: "cents" for price."""
    unknown_items: Literal["reject", "keep"] = "reject"
    """What becomes of events whose item the catalogue lacks; "keep" adds the item by id alone."""
    max_title_length: PositiveInt = 2_000
    """Longer titles, in characters, are refused as damaged."""

    _one_source = model_validator(mode="after")(one_source)


class EventOptions(Options):
    """Where behaviour is logged."""

    file: str = "events.*"
    """File, folder or glob in the shop folder: csv, tsv, parquet or jsonl, plain, .gz or .zst."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    stream: RedisStream | None = None
    """A Redis stream that brings the events, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""
    units: Annotated[Units, AfterValidator(units_of(EVENTS))] = Field(default_factory=dict)
    """Unit of a column, where it is another: "cents" for price; "s", "ms", "us" or "ns"
    since 1970 for timestamp, which is else told from its size."""
    rows_in_order: bool = False
    """True where the rows of a file stand in the order in which they happened, and nothing else
    tells it: the place in the file becomes their `sequence`."""
    names: Mapping[str, EventKind] = Field(default_factory=dict)
    """The log's own event name = one of Shelfwise's kinds, where they differ."""
    timezone: str = "UTC"
    """Zone of times that carry none themselves."""
    latest: UtcTime | None = None
    """Events after this moment are refused; left out, the moment of reading."""

    _one_source = model_validator(mode="after")(one_source)


class UserOptions(Options):
    """Where users are described."""

    file: str = "users.*"
    """File, folder or glob inside the shop folder; a shop need not have one."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""

    _one_source = model_validator(mode="after")(one_source)


class JudgementOptions(Options):
    """Where people said how well items answer queries."""

    file: str = "judgements.*"
    """File, folder or glob inside the shop folder; a shop need not have one."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""

    _one_source = model_validator(mode="after")(one_source)


class CampaignOptions(Options):
    """Where advertisers' offers are listed."""

    file: str = "campaigns.*"
    """File, folder or glob inside the shop folder; a shop without ads has none."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""
    units: Annotated[Units, AfterValidator(units_of(CAMPAIGNS))] = Field(default_factory=dict)
    """Unit of a column, where it is another: "cents" for bid and budget; "s", "ms", "us"
    or "ns" since 1970 for start and end."""

    _one_source = model_validator(mode="after")(one_source)


class PairsOptions(Options):
    """The plain case: a table of text and label."""

    file: str = "pairs.*"
    """File, folder or glob inside the shop folder; used where there are no events."""
    sql: SqlSource | None = None
    """A database that holds the table, in place of a file."""
    columns: Mapping[str, str] = Field(default_factory=dict)
    """Shelfwise's column name = the file's own, where they differ."""
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    """Share of the distinct texts held out for the report, chosen by hash."""
    validation_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of the distinct texts that decide when to stop and where the threshold lies."""

    _one_source = model_validator(mode="after")(one_source)


class CleanOptions(Options):
    """Which rows say again what another has said."""

    double_click_seconds: Annotated[float, Field(ge=0)] = 1.0
    """A view, click, favourite, cart or search like the one so shortly before it is a slip of
    the finger and counted as a duplicate; rows that `sequence` orders are all kept."""


class SessionOptions(Options):
    """Where one visit ends and the next begins."""

    gap_minutes: PositiveFloat = 30
    """Without a session_id, a pause longer than this begins a new visit."""


class MemoryOptions(Options):
    """How much `prepare` holds at once; its result does not depend on it."""

    rows_together: PositiveInt = 1_000_000
    """Events that are worked on at the same time; longer logs are parted by user, on disk."""


class AttributionOptions(Options):
    """Which impression earns a click or a purchase."""

    click_window_hours: PositiveFloat = 24
    """A click or cart this long after an impression still belongs to it."""
    purchase_window_days: PositiveFloat = 7
    """A purchase this long after a click still belongs to it; younger clicks are unknown."""
    return_window_days: PositiveFloat = 60
    """A return this long after a purchase still takes it back."""


class SplitOptions(Options):
    """Where training ends and judgement begins."""

    kind: Literal["time", "rolling", "leave_last_out", "cold_items", "cold_queries"] = "time"
    """time: two moments for everybody; rolling: the same in one of several windows that end ever
    later; leave_last_out: each shopper's last match is the test, the one before it validation (as
    papers do); cold_items, cold_queries: a fifth is the test, a tenth validation, by hash."""
    validation_start: UtcTime | None = None
    """First moment of validation; left out, the last `validation_share` before the test."""
    test_start: UtcTime | None = None
    """First moment of the test; left out, the last `test_share` of the log's time."""
    validation_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    """Share of the log's duration, where no moment is given."""
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    """Share of the log's duration, where no moment is given; rolling: of each window's test."""
    windows: PositiveInt = 3
    """rolling: how many tests stand one after the other at the end of the log."""
    window: PositiveInt | None = None
    """rolling: which window is prepared, 1 being the earliest; left out, the last."""

    @property
    def by_time(self) -> bool:
        """Whether a moment parts training from the rest, so that nothing later is learned from."""
        return self.kind in ("time", "rolling")

    @model_validator(mode="after")
    def _only_what_is_read(self) -> Self:
        read = _READ_BY_SPLIT[self.kind]
        # By value: a saved configuration names every option.
        unread = [
            name
            for name, field in type(self).model_fields.items()
            if name not in (*read, "kind") and getattr(self, name) != field.default
        ]
        if unread:
            told = f"reads {', '.join(read)} alone" if read else "reads no further option"
            raise ValueError(f"kind {self.kind!r} {told}; leave out {', '.join(unread)}")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        both = self.validation_start is not None and self.test_start is not None
        if both and self.validation_start >= self.test_start:  # type: ignore[operator]  # both set
            raise ValueError(
                f"validation_start ({self.validation_start}) must lie before "
                f"test_start ({self.test_start})"
            )
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> Self:
        if self.kind != "rolling":
            return self
        if self.window is not None and self.window > self.windows:
            raise ValueError(f"window {self.window} of {self.windows}: there are not so many")
        taken = self.windows * self.test_share + self.validation_share
        if taken >= 1:
            raise ValueError(
                f"{self.windows} tests of {self.test_share:g} of the log and validation of "
                f"{self.validation_share:g} leave nothing to train on; lower windows or test_share"
            )
        return self


_READ_BY_SPLIT: Mapping[str, tuple[str, ...]] = {
    "time": ("validation_start", "test_start", "validation_share", "test_share"),
    "rolling": ("windows", "window", "validation_share", "test_share"),
    "leave_last_out": (),
    "cold_items": (),
    "cold_queries": (),
}


class MatchOptions(Options):
    """What counts as a match between a user and an item."""

    events: tuple[EventKind, ...] = ()
    """Behaviours that make an item a positive; empty: derived from what the log holds."""
    target: Literal["period", "next"] = "period"
    """Predict the items of the coming period, or the next item of the sequence."""
    seen: Literal["keep", "remove"] = "keep"
    """Whether items the user already took are ranked again, or only new ones are asked for."""


class HistoryOptions(Options):
    """How much of the past a request is answered with."""

    max_length: PositiveInt = 50
    """Events looked at: the most recent ones, but for the reserve."""
    purchase_reserve: NonNegativeInt = 0
    """Places of these that are kept for the latest of older purchases, where there are such."""
    repeat_length: PositiveInt = 500
    """Events looked back on for whether the very same item was met before."""
    behaviours: tuple[EventKind, ...] = (
        EventKind.SEARCH,
        EventKind.VIEW,
        EventKind.CLICK,
        EventKind.FAVOURITE,
        EventKind.CART,
        EventKind.PURCHASE,
        EventKind.RETURN,
    )
    """Behaviours that enter the history; impressions never do."""

    @model_validator(mode="after")
    def _something_recent_stays(self) -> Self:
        if self.purchase_reserve >= self.max_length:
            raise ValueError(
                f"purchase_reserve ({self.purchase_reserve}) must be below max_length "
                f"({self.max_length}); the latest event itself needs a place"
            )
        if "repeat_length" in self.model_fields_set and self.repeat_length < self.max_length:
            raise ValueError(
                f"repeat_length ({self.repeat_length}) must not be below max_length "
                f"({self.max_length}); what is read is met as well"
            )
        return self


class TextOptions(Options):
    """How an item or a query is written for the language model."""

    fields: tuple[Literal["title", "category", "brand", "attributes", "price"], ...] = (
        "title",
        "category",
        "brand",
    )
    """What of an item is written, in this order."""
    max_tokens: PositiveInt = 48
    """Longer texts are cut."""


class DataOptions(Options):
    """Everything that `prepare` reads."""

    shop: ShopOptions = ShopOptions()
    catalogue: CatalogueOptions = CatalogueOptions()
    events: EventOptions = EventOptions()
    users: UserOptions = UserOptions()
    judgements: JudgementOptions = JudgementOptions()
    campaigns: CampaignOptions = CampaignOptions()
    pairs: PairsOptions = PairsOptions()
    privacy: PrivacyOptions = PrivacyOptions()
    clean: CleanOptions = CleanOptions()
    sessions: SessionOptions = SessionOptions()
    attribution: AttributionOptions = AttributionOptions()
    split: SplitOptions = SplitOptions()
    match: MatchOptions = MatchOptions()
    history: HistoryOptions = HistoryOptions()
    weights: WeightOptions = WeightOptions()
    fraud: FraudOptions = FraudOptions()
    features: FeatureOptions = FeatureOptions()
    text: TextOptions = TextOptions()
    memory: MemoryOptions = MemoryOptions()
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _target_of_the_split(self) -> Self:
        if not self.split.by_time and self.match.target == "period":
            raise ValueError(
                f"split.kind {self.split.kind!r} has no period to predict, for it parts requests "
                'and not time; set match.target = "next"'
            )
        return self
