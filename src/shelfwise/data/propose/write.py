"""A proposed shop.toml: every guess with its reason, and what nobody could guess."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shelfwise.data.features.options import OWN, FeatureType
from shelfwise.data.features.options import Table as Place
from shelfwise.data.propose.arrange import Table, arrange
from shelfwise.data.propose.guess import SECTIONS, Guess, guess_tables, outcomes
from shelfwise.data.propose.look import NotLooked, look_at
from shelfwise.data.propose.profile import ColumnProfile
from shelfwise.data.propose.words import kind_of, plain
from shelfwise.schema.progress import Progress

NOT_GUESSED = "# NOT GUESSED:"
_NEEDED = {
    "events": (("event",), ("item_id",), ("user_id", "session_id"), ("timestamp", "sequence")),
    "judgements": (("query",), ("grade",)),
}
_SHOWN_NAMES = 40  # of events
_FEW = 50  # different values; where most rows have their own, more are ids
_CODES = 12  # different whole numbers are codes; more are amounts
_FEATURES_OF: Mapping[str, Place] = {
    "events": "events",
    "users": "users",
    "catalogue": "items",
}
_LONG = 40  # letters on average make a text
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Proposal:
    """What `init --from` writes and tells."""

    text: str
    tables: tuple[Table, ...]
    unused: tuple[NotLooked, ...]

    @property
    def not_guessed(self) -> list[str]:
        """What the owner has to decide."""
        lines = self.text.splitlines()
        marked = [line for line in lines if line.startswith(NOT_GUESSED)]
        return [line.removeprefix(NOT_GUESSED).strip() for line in marked]


def propose(shop: Path, names: Sequence[str], progress: Progress | None = None) -> Proposal:
    """Look at the files that ``names`` mean, and say in TOML what they seem to be.

    Raises:
        DataError: a name means no file, or none of all files is a table.
    """
    seen, passed = look_at(names, progress)
    tables, unused = arrange(guess_tables(seen), shop)
    unused += passed
    looked = "; ".join(one.said for one in seen)
    lines = [
        *_wrapped(f"Proposed by shelfwise init --from after a look at: {looked}."),
        *_wrapped(
            "Each guess has its reason behind it. Look through them, and decide what is marked "
            "NOT GUESSED; then run: shelfwise check. All other options keep their defaults."
        ),
    ]
    for table in tables:
        lines += ["", *_section(table, tables)]
    if not any(table.section in ("events", "pairs", "judgements") for table in tables):
        lines += ["", f"{NOT_GUESSED} which file is the log: none looks like one"]
    if unused:
        lines += ["", "# Files that became no table:"]
        lines += [f"#   {one.path.name}: {one.why}" for one in unused]
    text = "\n".join(lines) + "\n"
    tomllib.loads(text)  # what is written can be read
    return Proposal(text, tuple(tables), tuple(unused))


def _section(table: Table, tables: Sequence[Table]) -> list[str]:
    section, guesses = table.section, table.guess.guesses
    parts = f" in {len(table.files)} files" if len(table.files) > 1 else ""
    lines = [f"[{section}]", f"file = {_toml(table.pattern)}  # {table.guess.looked.said}{parts}"]
    lines += _joins(table, tables)
    if table.guess.looked.headless:
        return lines + _headless(table)
    lines += [line for guess in guesses.values() for line in _warnings(section, guess)]
    lines += _missing(table)
    if units := _units(guesses.values()):
        lines.append(units)
    lines += ["", f"[{section}.columns]", *_columns(table)]
    if section == "events" and "event" in guesses:
        lines += ["", "[events.names]", *_names(guesses["event"].profile)]
    return lines + _further(table)


def _columns(table: Table) -> list[str]:
    lines = []
    for column, guess in _with_session(table).items():
        own = guess.profile
        if own.name == column:
            lines.append(f"# {column}: called so in the file; {own.described}")
        else:
            lines.append(f"{column} = {_toml(own.name)}  # {guess.reason}; {own.described}")
    return lines


def _with_session(table: Table) -> dict[str, Guess]:
    """The guesses; where nobody is named, each search is a visit of its own."""
    guesses = dict(table.guess.guesses)
    request = guesses.get("request_id")
    if request and table.section == "events" and not guesses.keys() & {"user_id", "session_id"}:
        reason = "no column says who; so each request counts as a visit of its own"
        guesses["session_id"] = Guess("session_id", request.profile, 0.4, reason)
    order = [column.name for column in SECTIONS[table.section]]
    return {name: guesses[name] for name in order if name in guesses}


def _missing(table: Table) -> list[str]:
    has = _with_session(table).keys()
    lines = []
    for group in _NEEDED.get(table.section, ()):
        if not has & set(group):
            lines.append(f"{NOT_GUESSED} {' or '.join(group)}: {_way_out(group[0], table)}")
    return lines


def _way_out(column: str, table: Table) -> str:
    looked = table.guess.looked
    if column == "event":
        flags = ", ".join(one.name for one in outcomes(looked))
        told = f"; {flags} may say what became of a row, which needs a row of its own" * bool(flags)
        return (
            "no column says what happened; write one into the file, or read it by [events.sql] "
            f"with a query that adds it{told}"
        )
    names = ", ".join(one.name for one in looked.columns)
    if column == "timestamp":
        return f"no column holds a moment; write one into the file (it has {names})"
    return f"no column looks like it; map it under [{table.section}.columns] (the file has {names})"


def _warnings(section: str, guess: Guess) -> list[str]:
    """What cannot be read as it stands, or may be meant otherwise."""
    profile = guess.profile
    if profile.time == "unreadable" and guess.column in ("timestamp", "start", "end"):
        first = profile.common[0][0]
        return [
            f"{NOT_GUESSED} the form of {profile.name}: {first!r} is not ISO 8601; write it like "
            "2026-01-31T12:00:00Z"
        ]
    if guess.column == "timestamp" and profile.time == "clock":
        return [f'{NOT_GUESSED} timezone of {profile.name}, which names none; until then "UTC"']
    if guess.column == "grade" and not profile.is_number:
        values = ", ".join(value for value, _ in profile.common[:6])
        return [f"{NOT_GUESSED} grades in numbers: {profile.name} holds {values}"]
    money = guess.column in ("price", "bid", "budget") and profile.is_whole
    if money and min((int(float(v)) for v, _ in profile.common), default=0) >= 100:
        return [
            f"{NOT_GUESSED} unit of {profile.name}, whole numbers all; if they are cents: "
            f'units = {{ {guess.column} = "cents" }} under [{section}]'
        ]
    return []


def _units(guesses: Iterable[Guess]) -> str:
    counted = [
        f'{guess.column} = "{guess.profile.time}"'
        for guess in guesses
        if guess.column in ("timestamp", "start", "end")
        and guess.profile.time in ("s", "ms", "us", "ns")
    ]
    return f"units = {{ {', '.join(counted)} }}  # since 1970, by its size" if counted else ""


def _names(profile: ColumnProfile) -> list[str]:
    """The log's names of events; those it has in common with Shelfwise need no line."""
    lines = []
    for value, count in profile.common[:_SHOWN_NAMES]:
        kind = kind_of(value)
        rows = f"{count:,} rows"
        if kind is None:
            lines.append(
                f"{NOT_GUESSED} {_toml(value)} ({rows}): give it a kind here, or its rows are "
                "refused"
            )
        elif value == kind:
            lines.append(f"# {value}: called so in the file; {rows}")
        else:
            lines.append(f'{_key(value)} = "{kind}"  # by its name; {rows}')
    if profile.distinct > _SHOWN_NAMES:
        lines.append(f"{NOT_GUESSED} {profile.distinct - _SHOWN_NAMES} rarer names of events")
    return lines


def _further(table: Table) -> list[str]:
    """Columns that have no name of ours, as features where they may be some.

    Of users and items they are facts. Of an event they may be what came of it, which gives away
    the answer; so whoever knows the log has to say which are known before.
    """
    used = {guess.profile.name for guess in table.guess.guesses.values()}
    further = [one for one in table.guess.looked.columns if one.name not in used]
    place = _FEATURES_OF.get(table.section)
    if not further or place is None:
        return [f"# {one.name}: a further column, not read; {one.described}" for one in further]
    lines = ["", f"[features.{place}]"]
    if place == "events":
        lines.append("# Take the # away from what is known before it is known what comes of a row.")
    for one in further:
        type_ = _feature(one)
        if type_ is None or one.name in OWN[place]:
            lines.append(f"# {one.name}: no feature as it stands; {one.described}")
        else:
            mark = "# " if place == "events" else ""
            lines.append(f'{mark}{_key(one.name)} = "{type_}"  # {one.described}')
    return lines


def _feature(profile: ColumnProfile) -> FeatureType | None:
    """The type of a feature; None of times, of what never differs, and of what may be an id."""
    if profile.distinct <= 1 or (profile.time and not profile.is_number):
        return None
    if profile.length > _LONG and not profile.is_number:
        return "text"
    coded = plain(profile.name).endswith(("id", "code", "type"))
    counted = profile.is_whole and profile.distinct > _CODES and not coded
    hardly_repeats = profile.distinct > max(_FEW, profile.filled // 2)
    if profile.is_number and (counted or not profile.is_whole):
        return None if profile.is_whole and hardly_repeats else "number"
    return None if hardly_repeats else "category"


def _joins(table: Table, tables: Sequence[Table]) -> list[str]:
    """How many ids of a log are in the lists of items and users."""
    lines = []
    for section, column in (("catalogue", "item_id"), ("users", "user_id")):
        other = next((one for one in tables if one.section == section), None)
        own = table.guess.guesses.get(column)
        if other is None or own is None or table.section == section:
            continue
        listed, name = other.guess.guesses[column].profile, other.guess.looked.path.name
        share = len(own.profile.values & listed.values) / max(1, len(own.profile.values))
        part = "" if other.guess.looked.whole else ", of which only the first rows were looked at"
        lines.append(f"# {share:.0%} of the different {column} in the sample are in {name}{part}")
        if share < 1 and section == "catalogue" and table.section == "events":
            lines.append(
                '# events of others are refused, unless [catalogue] unknown_items = "keep"'
            )
    return lines


def _headless(table: Table) -> list[str]:
    """A file whose first line is a row: without names, nothing can be mapped."""
    looked = table.guess.looked
    ours = {guess.profile.name: column for column, guess in table.guess.guesses.items()}
    names = [ours.get(one.name, one.name.replace(" ", "_")) for one in looked.columns]
    lines = [
        f"{NOT_GUESSED} names of the columns: the first line of the file is a row already; write "
        "this line above it",
        f"#   {','.join(names)}",
    ]
    for column, guess in table.guess.guesses.items():
        lines.append(f"# {column}: {guess.reason}; {guess.profile.described}")
    if "event" in table.guess.guesses:
        lines += ["", "[events.names]", *_names(table.guess.guesses["event"].profile)]
    return lines


def _wrapped(text: str) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _toml(text: str) -> str:
    # A JSON string is a TOML one, but for the one control character that JSON leaves bare.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)
