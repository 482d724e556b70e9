"""What a report says of the data it was measured on."""

from __future__ import annotations

from shelfwise.data.config import SplitOptions
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs, PreparedShop
from shelfwise.data.split import PARTS, moment_text
from shelfwise.evaluation.report import DataSummary


def data_summary(prepared: Prepared) -> DataSummary:
    """Name, counts, rows of each file, and the time each part covers."""
    facts = prepared.manifest.facts
    periods: dict[str, str] = {}
    if isinstance(prepared, PreparedShop):
        periods = _by_time(prepared) if prepared.options.split.by_time else _by_request(prepared)
    return DataSummary(
        name=prepared.options.shop.name,
        synthetic=prepared.options.shop.synthetic,
        fingerprint=prepared.manifest.data_fingerprint,
        counts=dict(facts["counts"]),
        rows=list(facts["rows"]),
        periods=periods,
    )


def _by_time(prepared: PreparedShop) -> dict[str, str]:
    moments = prepared.moments
    return {
        part: f"{moment_text(moments.start_of(part))} to {moment_text(moments.end_of(part))}"
        for part in PARTS
    }


def _by_request(prepared: PreparedShop) -> dict[str, str]:
    """Each part's first and last request: parts lie side by side in time."""
    found: dict[str, str] = {}
    for part in PARTS:
        at_R = prepared.requests.filter(part=part)["at"].to_numpy()
        found[part] = f"{len(at_R):,} requests"
        if len(at_R) and prepared.manifest.facts.get("clock") != "order":
            found[part] += f", {moment_text(at_R.min())} to {moment_text(at_R.max())}"
    return found


def protocol_of(prepared: Prepared) -> str:
    """The protocol in one or two sentences."""
    if isinstance(prepared, PreparedPairs):
        shares = prepared.options.pairs
        return (
            f"Rows parted by a hash of their text: {shares.test_share:.0%} test, "
            f"{shares.validation_share:.0%} validation; no text stands in two parts."
        )
    if isinstance(prepared, PreparedJudgements):
        return (
            "Judged queries in order of sha256: the first 70 % train, the next 10 % validate, the "
            "last 20 % test; no query is in two parts. Validation chooses, the test reports. Of "
            "each query its judged items are ordered; gain 2^grade - 1, grades from the lowest "
            "one on, ties by expectation."
        )
    seen = prepared.options.match.seen == "remove"
    rule = "items already taken are removed" if seen else "items already taken are ranked too"
    what = {
        "period": "each shopper of the test with a past is asked for once, at its start; right is "
        "every item taken in it",
        "next": "each test behaviour with a past is a request; right is that one item",
    }[prepared.options.match.target]
    return (
        f"{_split_words(prepared.options.split)}; validation chooses, the test reports. Match: "
        f"{what}; all {len(prepared.items)} items are ranked; {rule}."
    )


def _split_words(options: SplitOptions) -> str:
    match options.kind:
        case "time":
            return "Split by time, one moment for everybody"
        case "rolling":
            window = options.window or options.windows
            return f"Split by time, window {window} of {options.windows}, one moment for everybody"
        case "leave_last_out":
            return "Each shopper's last match is the test, the one before it validation"
        case "cold_items":
            return "A fifth of the items, by hash, is the test and a tenth validation"
        case "cold_queries":
            return "A fifth of the queries, by hash, is the test and a tenth validation"
