"""The same preparation as one would write it in pandas: whole tables, vectorised, no loops.

It is what `prepare_speed` measures against, and it makes the same tables: the benchmark compares
them. Steps, in this order: read, hold against the rules, normalise, pseudonyms, order, duplicates,
slips, requests, visits, attribution, histories, occasions, split, leakage guard, weights, write.
Left out on both sides: the fraud filter and features. The catalogue, which is small, is read by
the same code on both sides.
"""

from __future__ import annotations

import hmac
from pathlib import Path

import numpy as np
import pandas as pd

from shelfwise.data.config import DataOptions
from shelfwise.data.history import KINDS
from shelfwise.data.normalise import ALREADY_NORMAL, normalise_text

KIND_NAMES = [kind.value for kind in KINDS]
NUMBER = {name: place for place, name in enumerate(KIND_NAMES)}
SURFACES = ["search", "recommendation", "ads"]
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
DAY = 24 * HOUR
CONTROL = r"[\x00-\x1f\x7f-\x9f]"
IDS = ["user_id", "session_id", "item_id", "request_id", "campaign_id", "event_id", "ip"]
TEXTS = [*IDS, "query", "surface", "event"]
FIGURES = ["sequence", "position", "price", "quantity", "propensity"]
NUMBERS = ["owner", "at", "sequence", "event", "item", "query", "position"]
SLIPS = [NUMBER[kind] for kind in ("search", "view", "click", "favourite", "cart")]
KEY = b"shelfwise: a key that everybody knows"


def prepare(shop: Path, items: pd.DataFrame, out: Path, options: DataOptions) -> None:
    """Write the tables of a shop with users in every row into the folder ``out``."""
    out.mkdir(parents=True)
    events = _checked(_read(shop), items["item_id"], options)
    events, owners, queries = _numbered(events, items, _judged_queries(shop))
    events = _distinct(events, options)
    events = _visits(_requests(events), options)
    shown = _attributed(events, options)
    requests, impressions, positives = _occasions(events, shown)
    history, offsets = _history(events, len(owners), options)
    requests["history_end"] = _history_ends(history, offsets, requests)
    requests = _parted(requests, events["at"], options)
    _guard(history, offsets, requests, impressions, positives)
    tables = {
        "items": items,
        "queries": queries,
        "owners": pd.DataFrame({"owner_id": owners, "events": np.diff(offsets)}),
        "history": history.drop(columns="owner"),
        "requests": requests.drop(columns=["key", "sequence"]),
        "impressions": _weighed(impressions, "impression", requests, options),
        "positives": _weighed(positives, positives["kind"], requests, options),
    }
    for name, table in tables.items():
        table.to_parquet(out / f"{name}.parquet", index=False)


def _read(shop: Path) -> pd.DataFrame:
    events = pd.read_parquet(shop / "events.parquet")
    for name in TEXTS:
        if name in events:
            text = events[name].str.strip()
            events[name] = text.where(text != "")
        else:
            events[name] = pd.Series(None, index=events.index, dtype="str")
    for name in FIGURES:
        events[name] = events[name].astype("float64") if name in events else np.nan
    return events.reset_index(names="row")


def _checked(events: pd.DataFrame, known: pd.Series, options: DataOptions) -> pd.DataFrame:
    """Rows that keep every rule."""
    latest = pd.Timestamp(options.events.latest or pd.Timestamp.now("UTC"))
    bad = ~events["event"].isin(KIND_NAMES)
    bad |= events["user_id"].isna() & events["session_id"].isna()
    bad |= events["item_id"].isna() & (events["event"] != "search")
    bad |= events["timestamp"].isna()
    bad |= (events["timestamp"] > latest) | (events["timestamp"] < pd.Timestamp("1990", tz="UTC"))
    for name in IDS:
        if events[name].notna().any():
            bad |= events[name].str.contains(CONTROL, na=False)
            bad |= events[name].str.len() > 512
    bad |= events["query"].str.len() > options.catalogue.max_title_length
    bad |= events["query"].str.contains("\0", regex=False, na=False)
    bad |= events["surface"].notna() & ~events["surface"].isin(SURFACES)
    bad |= events["position"] < 1
    bad |= (events["price"] < 0) | (events["quantity"] <= 0)
    bad |= (events["propensity"] <= 0) | (events["propensity"] > 1)
    bad |= events["item_id"].notna() & ~events["item_id"].isin(known)
    return events[~bad]


def _pseudonyms(kind: str, ids: pd.Series) -> pd.Series:
    distinct = ids.dropna().unique()
    codes = [
        int.from_bytes(hmac.digest(KEY, f"{kind}:{one}".encode(), "sha256")[:8], "big")
        for one in distinct
    ]
    return ids.map(dict(zip(distinct, codes, strict=True)))


def _judged_queries(shop: Path) -> pd.Series:
    texts = pd.read_csv(shop / "judgements.csv")["query"].str.strip()
    return pd.Series(_normal(pd.Series(texts.unique())), dtype="str")


def _normal(texts: pd.Series) -> np.ndarray:
    """Distinct texts written one way; most are already, and a pattern tells which."""
    fine = texts.str.fullmatch(ALREADY_NORMAL).to_numpy(dtype=bool)
    done = texts.to_numpy(dtype=object)
    done[~fine] = [normalise_text(text) for text in texts[~fine]]
    return done


def _numbered(
    events: pd.DataFrame, items: pd.DataFrame, judged: pd.Series
) -> tuple[pd.DataFrame, list[str], pd.DataFrame]:
    codes = _pseudonyms("user", events["user_id"]).astype("uint64")
    distinct = np.sort(codes.unique())
    texts = events["query"].dropna().unique()
    normal = pd.Series(_normal(pd.Series(texts)), index=texts, dtype="str")
    query = events["query"].map(normal)
    queries = np.sort(pd.concat([query.dropna(), judged]).unique().astype(str))
    places = pd.Series(np.arange(len(queries)), index=queries)
    numbered = pd.DataFrame(
        {
            "event": events["event"].map(NUMBER).astype("int64"),
            "owner": np.searchsorted(distinct, codes.to_numpy()),
            "session": events["session_id"],
            "at": events["timestamp"].astype("datetime64[us, UTC]").astype("int64"),
            "item": events["item_id"].map(pd.Series(np.arange(len(items)), index=items["item_id"])),
            "query": query.map(places),
            **{name: events[name] for name in ("request_id", "surface", *FIGURES)},
            **{name: events[name] for name in ("campaign_id", "event_id")},
            "ip": _pseudonyms("ip", events["ip"]),
        }
    )
    return numbered, [f"{code:016x}" for code in distinct], pd.DataFrame({"text": queries})


def _same(events: pd.DataFrame, columns: list[str]) -> pd.Series:
    before = events[columns].shift(1)
    equal = (events[columns] == before) | (events[columns].isna() & before.isna())
    same = equal.all(axis=1)
    same.iloc[:1] = False
    return same


def _distinct(events: pd.DataFrame, options: DataOptions) -> pd.DataFrame:
    said = list(events.columns)
    rest = [name for name in said if name not in NUMBERS]
    events = events.sort_values([*NUMBERS, *rest], na_position="last", ignore_index=True)
    events = events[~_same(events, said)]
    again = events["event_id"].notna() & events.duplicated(["owner", "event_id"])
    events = events[~again]
    window = int(options.clean.double_click_seconds * SECOND)
    alike = ["owner", "event", "item", "query", "request_id"]
    light = events.loc[events["event"].isin(SLIPS) & events["sequence"].isna(), [*alike, "at"]]
    light = light.sort_values([*alike, "at"], kind="stable")
    slips = light.index[_same(light, alike) & (light["at"].diff() < window)]
    return events.drop(index=slips).reset_index(drop=True)


def _requests(events: pd.DataFrame) -> pd.DataFrame:
    """``key``: a number for each request; impressions drawn again at a place are left out."""
    shown = events["event"] == NUMBER["impression"]
    named = events.groupby(["owner", "request_id"], sort=False, dropna=False).ngroup()
    events["key"] = named.where(events["request_id"].notna())
    bare = shown & events["request_id"].isna()
    if bare.any():
        lists = events.loc[bare].groupby(["owner", "at", "surface", "query"], dropna=False).ngroup()
        events.loc[bare, "key"] = lists + named.max() + 1
    again = shown & events.duplicated(["event", "key", "item", "position"])
    return events[~again].reset_index(drop=True)


def _visits(events: pd.DataFrame, options: DataOptions) -> pd.DataFrame:
    place = pd.Series(np.arange(len(events)), index=events.index)
    said = events["session"].notna()
    begin = place.where(said).groupby([events["owner"], events["session"]]).transform("first")
    if not said.all():
        bare = events[~said]
        pause = (bare["owner"] != bare["owner"].shift(1)) | (
            bare["at"].diff() > options.sessions.gap_minutes * MINUTE
        )
        begin.loc[~said] = place[~said].where(pause).ffill()
    events["session"] = begin.rank(method="dense").astype("int64") - 1
    return events


def _attributed(events: pd.DataFrame, options: DataOptions) -> pd.DataFrame:
    columns = ["key", "owner", "item", "at", "position", "surface", "propensity"]
    shown = events.loc[events["event"] == NUMBER["impression"], columns].reset_index(drop=True)
    once = shown.drop_duplicates(["key", "item"])[["key", "item"]].reset_index(names="impression")
    attribution = options.attribution

    def outcome(kinds: list[str], since: str, touch: str, hours: tuple[float, float]) -> pd.Series:
        named_hours, touch_hours = hours
        found = events[events["event"].isin([NUMBER[kind] for kind in kinds])]
        named = found[found["key"].notna()].merge(once, on=["key", "item"])
        start = shown[since].to_numpy()[named["impression"]]
        late = named["at"] - shown[touch].to_numpy()[named["impression"]] > named_hours * HOUR
        named = named[(named["at"] >= start) & ~late]
        bare = found.loc[found["key"].isna(), ["owner", "item", "at"]]
        parts = [named[["impression", "at"]]]
        if len(bare):
            touches = shown[["owner", "item", touch]].reset_index(names="impression").dropna()
            touches = touches.rename(columns={touch: "touch"}).astype({"touch": "int64"})
            near = pd.merge_asof(
                bare.sort_values("at", kind="stable"),
                touches.sort_values(["touch", "impression"]),
                left_on="at",
                right_on="touch",
                by=["owner", "item"],
                tolerance=int(touch_hours * HOUR),
            )
            parts.append(near.loc[near["impression"].notna(), ["impression", "at"]])
        first = pd.concat(parts).groupby("impression")["at"].min()
        return pd.Series(shown.index.map(first), index=shown.index)

    shown["clicked_at"] = outcome(
        ["click", "cart"], "at", "at", (np.inf, attribution.click_window_hours)
    )
    shown["touched_at"] = shown["clicked_at"].fillna(shown["at"])
    days = attribution.purchase_window_days * 24
    shown["purchased_at"] = outcome(["purchase"], "at", "touched_at", (days, days))
    days = attribution.return_window_days * 24
    shown["returned_at"] = outcome(["return"], "purchased_at", "purchased_at", (days, days))
    shown["clicked_at"] = shown[["clicked_at", "purchased_at"]].min(axis=1)
    return shown.drop(columns="touched_at")


def _occasions(
    events: pd.DataFrame, shown: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    asked = shown.groupby("key").agg(
        owner=("owner", "first"), at=("at", "min"), surface=("surface", "first")
    )
    asked["query"] = events[events["query"].notna()].groupby("key")["query"].first()
    inside = events[events["event"] == NUMBER["impression"]].groupby("key")
    asked[["request_id", "session"]] = inside[["request_id", "session"]].first()
    matched = events[events["event"].isin([NUMBER["click"], NUMBER["purchase"]])]
    matched = matched[matched["item"].notna()]
    bare = ~matched["key"].isin(asked.index)
    implied = (
        matched[bare]
        .groupby(["owner", "at"], as_index=False)["session"]
        .first()
        .assign(surface="recommendation")
    )
    requests = pd.concat([asked.reset_index(), implied], ignore_index=True)
    requests["sequence"] = np.nan
    requests = requests.sort_values(
        ["at", "owner", "sequence", "request_id"], na_position="last", ignore_index=True
    )
    requests["query"] = requests["query"].fillna(-1).astype("int64")
    number = requests.reset_index(names="request")
    of_key = number.dropna(subset="key").set_index("key")
    impressions = shown.assign(request=shown["key"].map(of_key["request"]))
    outcomes = ["clicked_at", "purchased_at", "returned_at"]
    impressions = impressions[
        ["request", "item", "position", "propensity", "at", *outcomes]
    ].sort_values(["request", "position", "item", "at", "propensity"], ignore_index=True)
    named = matched[~bare]
    named = named.assign(request=named["key"].map(of_key["request"]))
    named = named[named["at"] >= named["key"].map(of_key["at"])]
    unnamed = number[number["key"].isna()][["request", "owner", "at"]]
    both = pd.concat([named, matched[bare].merge(unnamed, on=["owner", "at"])])
    positives = both.groupby(["request", "item", "event"], as_index=False)["at"].min()
    positives["kind"] = np.array(KIND_NAMES)[positives["event"]]
    positives = positives.sort_values(["request", "item", "event"], ignore_index=True)
    return requests, impressions, positives[["request", "item", "kind", "at"]]


def _history(
    events: pd.DataFrame, owners: int, options: DataOptions
) -> tuple[pd.DataFrame, np.ndarray]:
    kinds = [NUMBER[kind.value] for kind in options.history.behaviours]
    kept = events[events["event"].isin(kinds) & (events["item"].notna() | events["query"].notna())]
    offsets = np.concatenate([[0], np.bincount(kept["owner"], minlength=owners).cumsum()])
    history = pd.DataFrame(
        {
            "owner": kept["owner"].to_numpy(),
            "item": kept["item"].fillna(-1).astype("int32").to_numpy(),
            "query": kept["query"].fillna(-1).astype("int32").to_numpy(),
            "kind": kept["event"].astype("uint8").to_numpy(),
            "at": kept["at"].to_numpy(),
        }
    )
    return history, offsets


def _history_ends(history: pd.DataFrame, offsets: np.ndarray, requests: pd.DataFrame) -> np.ndarray:
    counted = history[["owner", "at"]].reset_index(names="place")
    asked = requests[["owner", "at"]].reset_index(names="request")
    found = pd.merge_asof(
        asked.sort_values("at", kind="stable"),
        counted.sort_values("at", kind="stable"),
        on="at",
        by="owner",
        allow_exact_matches=False,
    ).sort_values("request")
    begin = offsets[requests["owner"].to_numpy()]
    return np.where(found["place"].isna(), begin, found["place"] + 1).astype("int64")


def _parted(requests: pd.DataFrame, at: pd.Series, options: DataOptions) -> pd.DataFrame:
    first, last = int(at.min()), int(at.max())
    span = last + 1 - first
    test = last + 1 - int(span * options.split.test_share)
    validation = test - int(span * options.split.validation_share)
    parts = np.array(["train", "validation", "test"])
    edges = np.searchsorted([validation, test], requests["at"], side="right")
    return requests.assign(part=parts[edges])


def _guard(
    history: pd.DataFrame,
    offsets: np.ndarray,
    requests: pd.DataFrame,
    impressions: pd.DataFrame,
    positives: pd.DataFrame,
) -> None:
    """Raise where the future can be seen: in histories, outcomes, matches or across parts."""
    owner, end = requests["owner"].to_numpy(), requests["history_end"].to_numpy()
    past = end > offsets[owner]
    late = history["at"].to_numpy()[end[past] - 1] >= requests["at"].to_numpy()[past]
    early = (impressions["clicked_at"] < impressions["at"]).any()
    early |= (impressions["purchased_at"] < impressions["at"]).any()
    twice = impressions.duplicated(["request", "item", "position"]).any()
    asked = requests["at"].to_numpy()[positives["request"].astype("int64")]
    before = (positives["at"] < asked).any()
    named = requests.dropna(subset="request_id")
    straddling = (named.groupby("request_id")["part"].nunique() > 1).any()
    first = impressions.groupby("item")["at"].min()
    unseen = (impressions["at"] < impressions["item"].map(first)).any()
    if late.any() or early or twice or before or straddling or unseen:
        raise ValueError("the prepared log shows the future")


def _weighed(
    rows: pd.DataFrame, kind: str | pd.Series, requests: pd.DataFrame, options: DataOptions
) -> pd.DataFrame:
    """Effective number of samples (Cui et al. 2019) of user and item, clipped, with a mean of 1."""
    del kind  # the sides of the default are user and item
    beta, (low, high) = options.weights.beta, options.weights.clip
    asked = rows["request"].astype("int64").to_numpy()
    train = requests["part"].to_numpy()[asked] == "train"
    raw = np.ones(len(rows))
    for side in (requests["owner"].to_numpy()[asked], rows["item"].astype("int64").to_numpy()):
        count = np.bincount(side[train], minlength=side.max() + 1)[side].clip(min=1)
        raw /= 1 - beta**count
    lower, upper = low / raw.max(), high / raw.min()
    for _ in range(60):  # the mean of clipped weights grows with their scale
        middle = (lower + upper) / 2
        mean = np.clip(raw[train] * middle, low, high).mean()
        lower, upper = (middle, upper) if mean < 1 else (lower, middle)
    return rows.assign(weight=np.clip(raw * lower, low, high).astype("float32"))
