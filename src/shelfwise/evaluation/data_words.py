"""What the numbers of a data report mean for the shop: one sentence a section, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isnan, log10
from typing import Literal, NamedTuple

from shelfwise.data.report.columns import TableFill
from shelfwise.data.report.concentration import Concentration
from shelfwise.data.report.days import Days
from shelfwise.data.report.delays import Delays
from shelfwise.data.report.flagged import Flagged
from shelfwise.data.report.funnel import Step, SurfaceFunnel
from shelfwise.data.report.kinds import KindCount
from shelfwise.data.report.labels import Judgements, Labels
from shelfwise.data.report.parts import PartRows
from shelfwise.data.report.rate import Rate
from shelfwise.data.report.report import Catalogue
from shelfwise.data.report.rows import Rows
from shelfwise.data.report.tasks import Task
from shelfwise.data.report.visits import Visits
from shelfwise.evaluation.report_words import DASH, amount

# Shares from which a reader is sent to look, or to act.
_REFUSED_LOOK, _REFUSED_ACT = 0.001, 0.05
_UNTOUCHED = 0.2
_CLICK_LOW, _CLICK_HIGH = 0.001, 0.5
_ONCE = 0.5
_WINDOW = 0.9
_SHORT = 5  # events
_OPEN = 0.2
_THIN_PART = 100  # positives
_FLAGGED = 0.1
_HOLES = 0.5
_DAYTIME = range(9, 21)  # hours in which no shop is at its quietest

Tone = Literal["fine", "look", "act"]


class Lead(NamedTuple):
    """What a section comes to."""

    tone: Tone
    sentence: str


def percent(share: float) -> str:
    """``12.3 %``, ``7.5 %``, ``0.84 %``: as many digits as a reader keeps."""
    if isnan(share):
        return DASH
    number = 100 * share
    if number in (0.0, 100.0):
        return f"{number:.0f} %"
    places = 1 if number >= 10 else min(4, 1 - floor(log10(number)))
    said = f"{number:.{places}f}"
    return f"{said} %" if said != "100.0" else "over 99.9 %"


def rate_words(rate: Rate) -> str:
    """``7.5 % [7.3, 7.7]``."""
    if isnan(rate.value):
        return DASH
    low, high = percent(rate.low), percent(rate.high)
    return f"{percent(rate.value)} [{low.removesuffix(' %')}, {high.removesuffix(' %')}]"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 row``, ``2 rows``."""
    several = many or (one + "es" if one.endswith("s") else one + "s")
    return f"{count:,} {one if count == 1 else several}"


def rows_lead(rows: Rows) -> Lead:
    if rows.rows_in == 0:
        return Lead("act", "No row could be read. Run shelfwise check to see what is wrong.")
    twice = f" {plural(rows.duplicates, 'row repeats', 'rows repeat')} an earlier one."
    repeated = twice if rows.duplicates else ""
    if rows.rejected == 0:
        return Lead("fine", f"All {rows.rows_in:,} rows could be read.{repeated} Nothing to do.")
    share = rows.rejected / rows.rows_in
    first = f", most often for: {rows.reasons[0].rule}" if rows.reasons else ""
    said = (
        f"{rows.rejected:,} of {rows.rows_in:,} rows ({percent(share)}) were refused{first}."
        f"{repeated}"
    )
    if share >= _REFUSED_ACT:
        return Lead("act", f"{said} Correct the source before training.")
    if share >= _REFUSED_LOOK:
        return Lead("look", f"{said} They are left out; correct the source if they matter.")
    return Lead("fine", f"{said} Too few to matter.")


def tasks_lead(tasks: Sequence[Task]) -> Lead:
    able = [task for task in tasks if task.examples]
    if not able:
        return Lead("act", "This data can teach nothing yet. Add one of the tables below.")
    thin = [task.name for task in able if task.thin]
    said = f"This data can teach {len(able)} of the {len(tasks)} things Shelfwise knows to learn."
    if thin:
        few = "; ".join(thin)
        return Lead(
            "look", f"{said} Too little to trust for: {few}. Log for longer, or do without."
        )
    return Lead("fine", f"{said} The others say what they would need.")


def funnel_lead(kinds: Sequence[KindCount], steps: Sequence[Step]) -> Lead:
    if not any(kind.kind == "impression" for kind in kinds):
        return Lead(
            "look",
            "The log does not say what was shown, only what was done, so no click rate can be told "
            "or learned. Log impressions if you can; matching works without.",
        )
    by_kind = {step.kind: step for step in steps}
    click = by_kind.get("click") or by_kind.get("view")
    if click is None or click.went_on is None:
        return Lead("look", "Things were shown, and no click is logged. Log clicks.")
    said = (
        f"Of all pairs of a shopper and an item shown, {percent(click.went_on.value)} were clicked"
    )
    sale = by_kind.get("purchase")
    said += f"; {plural(sale.pairs, 'pair')} came to a purchase." if sale else "."
    if click.went_on.value > _CLICK_HIGH:
        return Lead(
            "look", f"{said} So many clicks suggest that rows without a click are not logged."
        )
    if click.went_on.value < _CLICK_LOW:
        return Lead("look", f"{said} So few clicks suggest that many are not logged.")
    astray = click.without_before / max(1, click.pairs)
    if astray > _UNTOUCHED:
        return Lead(
            "look",
            f"{said} {percent(astray)} of the clicked pairs have no impression: some places where "
            "items are shown are not logged.",
        )
    return Lead("fine", f"{said} Rates like these are usual; compare them with your own books.")


def surfaces_lead(surfaces: Sequence[SurfaceFunnel]) -> str:
    best = max(surfaces, key=lambda one: -1.0 if isnan(one.clicked.value) else one.clicked.value)
    name = best.surface or "no named surface"
    return (
        "Here each click and purchase is joined to the impression that earned it. "
        f"Clicked most: {name}, {percent(best.clicked.value)} of what it showed."
    )


def days_lead(days: Days) -> Lead:
    counts = {
        what: len({mark.day for mark in days.marks if mark.what == what and not mark.kind})
        for what in ("gap", "dip", "spike")
    }
    alone = sorted({mark.kind for mark in days.marks if mark.kind})
    closed = f" Nothing is ever logged on a {' or '.join(days.closed)}." if days.closed else ""
    length = len(next(iter(days.rows.values())))
    span = f"{plural(length, 'day')}, {days.first} to {days.last}."
    if not any(counts.values()) and alone:
        said = f"{span} No day stands out as a whole, but some do in: {', '.join(alone)}.{closed}"
        return Lead("look", f"{said} Bots, a sale or a change of logging look like this.")
    if not any(counts.values()):
        return Lead("fine", f"{span} No day stands out.{closed}")
    told = {
        "gap": plural(counts["gap"], "day without any event", "days without any event"),
        "dip": plural(counts["dip"], "day far below the usual", "days far below the usual"),
        "spike": plural(counts["spike"], "day far above it", "days far above the usual"),
    }
    if counts["spike"] == 1 and not counts["dip"]:
        told["spike"] = "1 day far above the usual"
    said = " and ".join(told[what] for what in told if counts[what])
    return Lead(
        "look",
        f"{span} {said[:1].upper()}{said[1:]}.{closed} Find out whether logging failed, the shop "
        "was closed, or it was real, before the model learns from it.",
    )


def hours_lead(days: Days) -> Lead:
    """The quietest six hours should be the night; else the time zone is wrong."""
    twice = days.hours * 2
    start = min(range(24), key=lambda hour: sum(twice[hour : hour + 6]))
    middle = (start + 3) % 24
    said = f"Quietest from {start}:00 to {(start + 6) % 24}:00 in {days.zone}."
    if middle in _DAYTIME:
        return Lead(
            "look", f"{said} Shops are quiet at night: the zone under [events] may be wrong."
        )
    return Lead("fine", f"{said} As one would expect of a shop where this is the local time.")


def concentration_lead(items: Concentration, owners: Concentration) -> Lead:
    said = (
        f"The busiest fifth of the items has {percent(items.top['20 %'])} of the events, the "
        f"busiest fifth of the shoppers {percent(owners.top['20 %'])}."
    )
    if items.once > _ONCE:
        return Lead(
            "look",
            f"{said} {percent(items.once)} of the items have one event alone: their text must "
            "carry them, so make titles and categories say what they are.",
        )
    if items.top["1 %"] > _ONCE:
        return Lead(
            "look", f"{said} One item in a hundred has more than half of it all: weigh rows."
        )
    return Lead("fine", f"{said} Weighing keeps this head from drowning the rest in training.")


def visits_lead(visits: Visits) -> Lead:
    alone = visits.history_lengths["1"] / max(1, visits.history.count)
    said = (
        f"Half of the shoppers have {amount(visits.history.median)} events or more; "
        f"{percent(alone)} have one alone."
    )
    if alone > _ONCE:
        return Lead(
            "look",
            f"{said} Most requests will come without a past: rankings will rest on the query, the "
            "visit and what is popular. Check that user ids survive between visits.",
        )
    if visits.history.median < _SHORT:
        return Lead(
            "fine", f"{said} A short past: what is asked for now and what sells count most."
        )
    return Lead("fine", f"{said} Enough of a past to rank by.")


def delays_lead(delays: Delays) -> Lead:
    window = hours_words(24 * delays.window_days)
    if delays.touched.hits == 0:
        return Lead("look", f"No purchase follows a {delays.touch}: ids of items or users differ.")
    if delays.hours.most == 0:
        return Lead(
            "look",
            f"Every purchase has the very time of its {delays.touch}: the log does not know when "
            "things were bought, so delays cannot be told.",
        )
    said = (
        f"Half of the purchases come within {hours_words(delays.hours.median)} of the last "
        f"{delays.touch}; {percent(delays.within_window.value)} within the attribution window of "
        f"{window}."
    )
    if delays.within_window.value < _WINDOW:
        days = ceil(delays.hours.p99 / 24)
        return Lead(
            "look", f"{said} purchase_window_days = {days} under [attribution] would hold 99 %."
        )
    if delays.touched.value < 1 - _UNTOUCHED:
        return Lead(
            "look",
            f"{said} {percent(1 - delays.touched.value)} of all purchases have no {delays.touch} "
            "before them and teach nothing about conversion: log where they come from.",
        )
    if delays.still_open.value > _OPEN:
        return Lead(
            "look",
            f"{said} {percent(delays.still_open.value)} of the {delays.touch}s are too young to "
            "tell at the log's end: a longer log, or a shorter window, would use more of it.",
        )
    return Lead("fine", f"{said} The window fits.")


def hours_words(hours: float) -> str:
    """``40 min``, ``5.2 h``, ``3.1 days``."""
    if isnan(hours):
        return DASH
    if hours < 1 / 60:
        return f"{3_600 * hours:.0f} s"
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days".replace(".0 ", " ")


def catalogue_lead(found: Catalogue, fills: Sequence[TableFill]) -> Lead:
    untitled = next(
        column.missing
        for fill in fills
        if fill.table == "catalogue"
        for column in fill.columns
        if column.name == "title"
    )
    said = f"{plural(found.items, 'item')}."
    if untitled:
        return Lead(
            "act" if untitled > found.items / 20 else "look",
            f"{said} {untitled:,} have no title: the model reads titles, so it cannot know them.",
        )
    notes = []
    if found.near_duplicates and found.near_duplicates.groups:
        notes.append(f"{plural(found.near_duplicates.groups, 'group')} of nearly the same title")
    if found.prices and found.prices.far + found.prices.zero:
        notes.append(f"{plural(found.prices.far + found.prices.zero, 'price')} of 0 or far out")
    if found.categories and found.categories.changes:
        rows = sum(change.rows for change in found.categories.changes)
        notes.append(f"{plural(rows, 'category path')} written in another way")
    if not notes:
        return Lead("fine", f"{said} Titles, prices and categories are in order.")
    return Lead("look", f"{said} Worth a look: {', '.join(notes)}. Nothing of it is removed.")


def parts_lead(parts: Sequence[PartRows]) -> Lead:
    thin = [part.part for part in parts if part.positives < _THIN_PART]
    if len(parts) < 3:
        return Lead("act", "A part of the split has no request. Move its start under [split].")
    if thin:
        return Lead(
            "look",
            f"Fewer than {_THIN_PART} matches in: {', '.join(thin)}. Figures of such a part have "
            "wide intervals: give it more time under [split].",
        )
    return Lead("fine", "Every part has enough to train on or to be judged by.")


def flagged_lead(found: Flagged) -> Lead:
    actors = sum(kind.flagged for kind in found.kinds)
    if actors == 0:
        return Lead("fine", "Nobody behaves like a machine.")
    who = ", ".join(plural(kind.flagged, actor_words(kind.actor)) for kind in found.kinds)
    said = (
        f"Flagged for behaving like a machine: {who}. Nothing is learned from "
        f"{percent(found.requests.value)} of the requests of training; their rows stay in the data."
    )
    if found.requests.value > _FLAGGED:
        return Lead("act", f"{said} So many: look at the reasons before you believe the filter.")
    return Lead("look", f"{said} Look at the reasons below; [fraud] sets how strict the filter is.")


def actor_words(actor: str) -> str:
    """What a kind of actor is to a shop."""
    return {"owner": "shopper", "session": "visit", "ip": "address"}.get(actor, actor)


def labels_lead(found: Labels) -> Lead:
    least = min(found.classes.values())
    said = f"{plural(found.rows, 'text')} of {plural(found.class_count, 'class', 'classes')}."
    if found.contradicted:
        return Lead(
            "look",
            f"{said} {plural(found.contradicted, 'text has', 'texts have')} several labels: the "
            "model cannot get all of them right; decide on one.",
        )
    if found.class_count <= len(found.classes) and least < _THIN_PART:
        return Lead(
            "look", f"{said} The rarest has {least:,}: collect more, or join it to another."
        )
    return Lead("fine", f"{said} No text contradicts itself.")


def judgements_lead(found: Judgements) -> Lead:
    each = amount(round(found.per_query.mean, 1))
    said = f"{plural(found.queries, 'query', 'queries')}, {each} judged items each."
    same = found.one_grade / found.queries
    if same > _ONCE:
        return Lead(
            "look",
            f"{said} {percent(same)} of them have one grade throughout and cannot tell a good "
            "ranking from a bad one: judge bad answers too.",
        )
    return Lead("fine", f"{said} Enough contrast to compare rankings.")


def columns_lead(fills: Sequence[TableFill]) -> Lead:
    holes = [
        f"{fill.table}.{column.name} ({percent(column.missing / column.rows)})"
        for fill in fills
        for column in fill.columns
        if column.known and column.rows and _HOLES < column.missing / column.rows < 1
    ]
    if not holes:
        return Lead("fine", "What the files have, they have throughout.")
    return Lead(
        "fine",
        "Often empty, which is right where it does not apply: " + ", ".join(holes[:6]) + ".",
    )
