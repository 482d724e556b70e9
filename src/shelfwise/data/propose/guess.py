"""Which table a file is, and which of its columns means what: guesses, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shelfwise.data.propose.look import Looked
from shelfwise.data.propose.profile import ColumnProfile
from shelfwise.data.propose.words import COLUMN_WORDS, kind_of, name_fit
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS, JUDGEMENTS, PAIRS, USERS, Column

SECTIONS: Mapping[str, tuple[Column, ...]] = {
    "events": EVENTS,
    "catalogue": CATALOGUE,
    "users": USERS,
    "judgements": JUDGEMENTS,
    "campaigns": CAMPAIGNS,
    "pairs": PAIRS,
}
_TYPES = {section: {c.name: c.type for c in columns} for section, columns in SECTIONS.items()}
_LONGEST_ID = 64  # letters on average; what is longer is text
_MOST_KINDS = 60  # different names of events, of labels, of grades
_JOINS = 0.5  # share of different values found in another file, from which on they are its ids
_ENOUGH = 0.35  # least score of a guess

Ids = Mapping[str, tuple[str, frozenset[str]]]  # item_id or user_id -> a file and its ids


@dataclass(frozen=True, slots=True)
class Guess:
    """One column and what it is taken for."""

    column: str  # Shelfwise's
    profile: ColumnProfile
    score: float  # 0 to 1
    reason: str


@dataclass(frozen=True, slots=True)
class TableGuess:
    """One file and the table it is taken for."""

    looked: Looked
    section: str  # empty: none
    guesses: Mapping[str, Guess] = field(default_factory=dict)  # by Shelfwise's column
    score: float = 0.0


def guess_tables(files: Sequence[Looked]) -> list[TableGuess]:
    """The most likely table of each file; ids of lists help to tell those of logs."""
    alone = [_guess_table(looked, {}) for looked in files]
    ids = {
        column: (table.looked.path.name, table.guesses[column].profile.values)
        for table in alone
        for section, column in (("catalogue", "item_id"), ("users", "user_id"))
        if table.section == section
    }
    return [
        table if table.section in ("catalogue", "users") else _guess_table(table.looked, ids)
        for table in alone
    ]


def _guess_table(looked: Looked, ids: Ids) -> TableGuess:
    tables = [
        TableGuess(looked, section, guesses, _table_score(section, guesses, looked))
        for section in SECTIONS
        for guesses in [_guess_columns(section, looked, ids)]
    ]
    best = max(tables, key=lambda table: table.score)
    return best if best.score > 0 else TableGuess(looked, "")


def _guess_columns(section: str, looked: Looked, ids: Ids) -> dict[str, Guess]:
    """The best column for each name, the surest first; no column has two names."""
    found = [
        guess
        for column in COLUMN_WORDS[section]
        for profile in looked.columns
        if (guess := _fit(section, column, profile, ids)).score >= _ENOUGH
    ]
    if looked.headless:
        found += _by_place(section, looked)
    chosen: dict[str, Guess] = {}
    taken: set[str] = set()
    for guess in sorted(found, key=lambda guess: -guess.score):
        if guess.column not in chosen and guess.profile.name not in taken:
            chosen[guess.column] = guess
            taken.add(guess.profile.name)
    return chosen


def _fit(section: str, column: str, profile: ColumnProfile, ids: Ids) -> Guess:
    """How well a column's name and content fit; content can rule a name out."""
    if not _can_be(section, column, profile):
        return Guess(column, profile, 0.0, "")
    by_name = name_fit(profile.name, column, COLUMN_WORDS[section][column])
    reasons = [(by_name, "by its name")]
    reasons += _by_content(section, column, profile, ids)
    score = max(score for score, _ in reasons)
    told = ", ".join(reason for one, reason in reasons if one > 0)
    # Where the name says it, what the cells say makes it surer still.
    return Guess(column, profile, min(1.0, score + 0.1 * (len(reasons) - 1)), told)


def _by_content(
    section: str, column: str, profile: ColumnProfile, ids: Ids
) -> list[tuple[float, str]]:
    said: list[tuple[float, str]] = []
    if column == "event":
        known = [value for value, _ in profile.common if kind_of(value)]
        if known and 2 * len(known) >= profile.distinct:
            said.append((0.7, f"its values are kinds of events: {', '.join(known[:4])}"))
    if _TYPES[section][column] == "time" and profile.time:
        sure = 0.4 if profile.time in ("zoned", "clock", "unreadable") else 0.36
        said.append((sure, f"it holds times {TIME_WORDS[profile.time]}"))
    if column == "ip" and profile.is_address:
        said.append((0.7, "it holds addresses"))
    if column in ids:
        file, known_ids = ids[column]
        share = _share_of(profile.values, known_ids)
        if share >= _JOINS and profile.name not in ("", file):
            said.append((0.8, f"{share:.0%} of its values are ids of {file}"))
    return said


TIME_WORDS = {
    "zoned": "that name their zone",
    "clock": "without a zone",
    "s": "in seconds since 1970",
    "ms": "in milliseconds since 1970",
    "us": "in microseconds since 1970",
    "ns": "in nanoseconds since 1970",
    "unreadable": "that are not ISO 8601",
}


def _share_of(values: frozenset[str], known: frozenset[str]) -> float:
    return len(values & known) / len(values) if len(values) >= 3 else 0.0


def _can_be(section: str, column: str, profile: ColumnProfile) -> bool:
    """Whether the cells allow it; a column without any allows everything."""
    if profile.filled == 0:
        return True
    if column == "event" and section == "events":
        return profile.distinct <= _MOST_KINDS and not profile.time
    match _TYPES[section][column]:
        case "number":
            return profile.is_number or (column == "grade" and profile.distinct <= _MOST_KINDS)
        case "integer":
            return profile.is_whole
        case "flag":
            return profile.is_flag
        case "time":
            return profile.time is not None
        case "text":
            return _can_be_text(column, profile)


def _can_be_text(column: str, profile: ColumnProfile) -> bool:
    if column == "label":
        return profile.distinct <= _MOST_KINDS
    if column in ("title", "query", "text"):
        return not profile.is_number and profile.time is None
    if column.endswith("_id"):
        whole = profile.is_whole or not profile.is_number or _is_float_id(profile)
        return profile.length <= _LONGEST_ID and profile.time not in ("zoned", "clock") and whole
    # Published logs often have numbers in place of addresses.
    return column != "ip" or profile.is_address or profile.is_whole


def _is_float_id(profile: ColumnProfile) -> bool:
    return all(value.endswith(".0") for value, _ in profile.common)


def _by_place(section: str, looked: Looked) -> list[Guess]:
    """Columns without names: ids stand in the order user, item, as logs are usually written."""
    if section != "events":
        return []
    ids = [one for one in looked.columns if one.is_whole and one.distinct > _MOST_KINDS]
    ids = [one for one in ids if one.time is None]
    reason = "by its place alone, the file has no names: users usually come first, then items"
    names = ("user_id", "item_id")
    return [Guess(name, one, 0.4, reason) for name, one in zip(names, ids, strict=False)]


def _table_score(section: str, guesses: Mapping[str, Guess], looked: Looked) -> float:
    """How much speaks for a table; 0 where something that it cannot do without is missing."""
    has = guesses.keys()
    match section:
        case "events":
            return _log_score(guesses, looked)
        case "catalogue":
            facts = has & {"title", "category", "brand", "price"}
            listed = "item_id" in has and guesses["item_id"].profile.unique
            return 3.0 + len(facts) + ("title" in facts) if listed and facts else 0.0
        case "users":
            listed = "user_id" in has and guesses["user_id"].profile.unique
            return 4.0 if listed and not _has_item(looked) else 0.0
        case "judgements":
            judged = {"query", "grade"} <= has and has & {"item_id", "title"}
            return 7.5 if judged and not _has_behaviour(looked) else 0.0
        case "campaigns":
            return 9.0 if {"campaign_id", "item_id", "bid"} <= has else 0.0
        case _:
            plain = {"text", "label"} <= has and len(looked.columns) <= 4
            return 3.5 if plain else 0.0


def _log_score(guesses: Mapping[str, Guess], looked: Looked) -> float:
    has = guesses.keys()
    who = 2.0 * bool(has & {"user_id", "session_id"})
    when = 2.0 * bool(has & {"timestamp", "sequence"})
    # Of a log whose rows say with flags what became of them, as of a wide table of impressions.
    hints = len(has & {"request_id", "position", "ip", "price", "query"}) + bool(outcomes(looked))
    score = 3.0 * ("event" in has) + who + 2.0 * ("item_id" in has) + when + min(2.0, hints)
    listed = "item_id" in has and guesses["item_id"].profile.unique
    return score if score >= 6.0 and not (listed and "event" not in has and not who) else 0.0


def _has_item(looked: Looked) -> bool:
    return "item_id" in _guess_columns("events", looked, {})


def _has_behaviour(looked: Looked) -> bool:
    log = _guess_columns("events", looked, {})
    return "event" in log or "user_id" in log


def outcomes(looked: Looked) -> list[ColumnProfile]:
    """Flags that seem to say whether a row was clicked, bought, installed, ..."""
    words = ("click", "book", "purchase", "buy", "order", "attributed", "convers", "install")
    return [
        one for one in looked.columns if one.is_flag and any(w in one.name.lower() for w in words)
    ]
