"""The columns of a shop's files: the one table that check, init, prepare and the docs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "number", "integer", "time", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column a file may have, by the name Shelfwise calls it."""

    name: str
    type: ColumnType
    meaning: str
    required: bool = False


CATALOGUE = (
    Column("item_id", "text", "the shop's own id of the item, unique", required=True),
    Column("title", "text", "what the shopper reads"),
    Column("category", "text", "path from broad to narrow, parts joined by ' > '"),
    Column("brand", "text", "maker or label"),
    Column("price", "number", "current price, 0 or more, in the shop's currency"),
    Column("attributes", "text", 'JSON object of further properties, {"colour": "red"}'),
    Column("language", "text", "language of the title: en, zh, ..."),
    Column("available", "flag", "whether it can be shown now"),
    Column("domain", "text", "which of several shops or markets it belongs to"),
)

EVENTS = (
    Column("event", "text", "what happened; one of the event kinds", required=True),
    Column("user_id", "text", "who, where known; else session_id must say"),
    Column("session_id", "text", "visit; stands in for an unknown user"),
    Column("item_id", "text", "what it happened to; a search may lack it"),
    Column("timestamp", "time", "when: ISO 8601, or seconds or milliseconds since 1970"),
    Column("sequence", "integer", "order within user or session, where time is coarse or absent"),
    Column("request_id", "text", "ties impressions, clicks and purchases of one ranking together"),
    Column("query", "text", "what the user typed"),
    Column("surface", "text", "where it was shown: search, recommendation or ads"),
    Column("position", "integer", "place in the list, 1 is the first"),
    Column("price", "number", "unit price at that moment"),
    Column("quantity", "number", "how many units"),
    Column("propensity", "number", "probability with which the item was shown there"),
    Column("campaign_id", "text", "the ad campaign that paid for the place"),
    Column("event_id", "text", "the row's own id; a second row with it is a duplicate"),
    Column("ip", "text", "address it came from; the fraud filter reads it, only a hash is kept"),
)

CAMPAIGNS = (
    Column("campaign_id", "text", "the campaign, unique", required=True),
    Column("item_id", "text", "the item it advertises", required=True),
    Column("title", "text", "the ad's own text, where it differs from the item's"),
    Column("bid", "number", "offer per click, in the shop's currency", required=True),
    Column("budget", "number", "most it may spend"),
    Column("start", "time", "first moment it may be shown"),
    Column("end", "time", "last moment it may be shown"),
)

USERS = (
    Column("user_id", "text", "the user, unique; all other columns are features", required=True),
)

JUDGEMENTS = (
    Column("query", "text", "what is typed", required=True),
    Column("item_id", "text", "the item judged; where the catalogue lacks it, title must say"),
    Column("title", "text", "the item's text, for judged items without a catalogue"),
    Column("grade", "number", "how well it answers, 0 or more, higher is better", required=True),
)

# Columns whose values stand for a person; nothing but a pseudonym of them is written.
PERSONAL = ("user_id", "session_id", "ip")

PAIRS = (
    Column("text", "text", "the text to classify", required=True),
    Column("label", "text", "its class", required=True),
)
