"""What shops call columns and events that Shelfwise knows by one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from shelfwise.schema.event import EventKind

_ALIKE = 0.85  # share of letters in common from which on two words are one misspelt

_USER = "user userid uid visitor visitorid customer customerid custid member memberid account "
_ITEM = "item itemid product productid productuid prodid sku skuid asin article articleid propid "
_TIME = "timestamp time ts datetime date eventtime createdat clicktime visittime invoicedate "

# Section of shop.toml -> column -> words that mean it, without separators.
COLUMN_WORDS: Mapping[str, Mapping[str, frozenset[str]]] = {
    section: {column: frozenset(words.split()) for column, words in columns.items()}
    for section, columns in {
        "events": {
            "event": "event eventtype eventname behavior behaviour behaviortype action actiontype "
            "interaction type",
            "user_id": _USER
            + "shopper shopperid buyer buyerid client clientid reviewerid personid",
            "session_id": "session sessionid usersession visit visitid sid",
            "item_id": _ITEM + "stockcode hotelid movieid isbn goodsid app appid clothingmodel",
            "timestamp": _TIME + "occurredat unixtime servertime eventtimestamp",
            "sequence": "sequence seq step order orderofclick",
            "request_id": "request requestid searchid srchid rankingid impressionid",
            "query": "query searchterm searchquery keyword keywords searchtext term q",
            "surface": "surface placement",
            "position": "position pos rank slot",
            "price": "price priceusd unitprice saleprice cost",
            "quantity": "quantity qty units",
            "propensity": "propensity propensityscore pscore",
            "campaign_id": "campaign campaignid adgroupid",
            "event_id": "eventid messageid logid",
            "ip": "ip ipaddress clientip remoteaddr",
        },
        "catalogue": {
            "item_id": _ITEM + "stockcode hotelid movieid isbn goodsid id code",
            "title": "title name productname producttitle itemname itemtitle description",
            "category": "category categorycode categorypath categoryname cat maincategory "
            "department categoryid",
            "brand": "brand brandname productbrand manufacturer maker vendor",
            "price": "price priceusd unitprice saleprice cost",
            "attributes": "attributes properties specs",
            "language": "language lang locale",
            "available": "available instock isavailable active",
            "domain": "domain shop store market site",
        },
        "users": {"user_id": _USER + "shopper shopperid buyer buyerid client clientid id"},
        "judgements": {
            "query": "query searchterm searchquery keyword searchtext term q",
            "item_id": _ITEM + "docid document",
            "title": "title name producttitle productname itemtitle document text",
            "grade": "grade relevance label rating score judgement esci escilabel",
        },
        "campaigns": {
            "campaign_id": "campaign campaignid adgroupid ad adid id",
            "item_id": _ITEM,
            "title": "title adtitle headline text",
            "bid": "bid cpc maxbid bidprice",
            "budget": "budget dailybudget totalbudget",
            "start": "start startdate starttime begin from",
            "end": "end enddate endtime until to",
        },
        "pairs": {
            "text": "text sentence review body content comment message",
            "label": "label class target sentiment category",
        },
    }.items()
}

_EVENT_WORDS: Mapping[EventKind, str] = {
    EventKind.SEARCH: "search query searched viewsearchresults",
    EventKind.IMPRESSION: "impression impressions imp show shown exposure expose display",
    EventKind.VIEW: "view pv pageview detail details detailpage productview viewitem viewed "
    "itemview productdetail visit",
    EventKind.CLICK: "click clk clicks tap clicked selectitem",
    EventKind.FAVOURITE: "fav favorite favourite wishlist addtowishlist like bookmark collect",
    EventKind.CART: "cart addtocart addtobasket basket atc addcart add",
    EventKind.PURCHASE: "purchase buy transaction order ordered conversion sale sold pay payment "
    "booking bought purchased",
    EventKind.RETURN: "return refund returned refunded cancellation cancelled",
}
_KIND_OF: Mapping[str, EventKind] = {
    word: kind for kind, words in _EVENT_WORDS.items() for word in words.split()
}


def plain(name: str) -> str:
    """A name without case and separators: "session.ID" and "sessionId" are "sessionid"."""
    return re.sub(r"[^0-9a-z]", "", name.lower())


def kind_of(name: str) -> EventKind | None:
    """The behaviour that a log's event name means; None where no word is like it."""
    return _KIND_OF.get(plain(name))


def name_fit(own: str, column: str, words: frozenset[str]) -> float:
    """How well a name fits a column, from 0 to 1."""
    word = plain(own)
    if word == plain(column):
        return 1.0
    if word in words:
        return 0.9
    parts = [plain(part) for part in re.split(r"[^0-9A-Za-z]+", own) if part]
    tails = {"".join(parts[i:]) for i in range(1, len(parts))}
    if tails & (words | {plain(column)}):
        return 0.6  # "order_item_id", "page.2..clothing.model."
    near = max(SequenceMatcher(None, word, other).ratio() for other in (*words, plain(column)))
    return 0.5 if len(word) >= 5 and near >= _ALIKE else 0.0
