"""What a report says of the data it was measured on."""

from __future__ import annotations

from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.split import moment_text
from shelfwise.evaluation.report import DataSummary


def data_summary(prepared: PreparedShop | PreparedPairs) -> DataSummary:
    """Name, counts, rows of each file, and the time each part covers."""
    facts = prepared.manifest.facts
    periods = {}
    if isinstance(prepared, PreparedShop):
        moments = prepared.moments
        edges = (moments.first, moments.validation, moments.test, moments.end)
        names = ("train", "validation", "test")
        for name, start, end in zip(names, edges[:-1], edges[1:], strict=True):
            periods[name] = f"{moment_text(start)} to {moment_text(end)}"
    return DataSummary(
        name=prepared.options.shop.name,
        synthetic=prepared.options.shop.synthetic,
        fingerprint=prepared.manifest.data_fingerprint,
        counts=dict(facts["counts"]),
        rows=list(facts["rows"]),
        periods=periods,
    )


def protocol_of(prepared: PreparedShop | PreparedPairs) -> str:
    """The protocol in one or two sentences."""
    if isinstance(prepared, PreparedPairs):
        shares = prepared.options.pairs
        return (
            f"Rows parted by a hash of their text: {shares.test_share:.0%} test, "
            f"{shares.validation_share:.0%} validation; no text stands in two parts."
        )
    seen = prepared.options.match.seen == "remove"
    rule = "items already taken are removed" if seen else "items already taken are ranked too"
    what = {
        "period": "each shopper of the test with a past is asked for once, at its start; right is "
        "every item taken in it",
        "next": "each test behaviour with a past is a request; right is that one item",
    }[prepared.options.match.target]
    return (
        "Split by time, one moment for everybody; validation chooses, the test reports. Match: "
        f"{what}; all {len(prepared.items)} items are ranked; {rule}."
    )
