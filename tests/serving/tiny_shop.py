"""A shop of a few items whose ranking can be worked out by hand; no model, same role."""

from __future__ import annotations

from dataclasses import dataclass, field

from shelfwise.data.config import ShopOptions
from shelfwise.schema.event import Surface
from shelfwise.schema.item import Item
from shelfwise.schema.ranking import Ranking, RankRequest, ScoredItem

NAN = float("nan")

ITEMS = (
    Item("shoe-1", "Trail running shoe", "Sport > Run > Shoes", "Fellrun", 89, '{"drop": "6 mm"}'),
    Item("shoe-2", "Road running shoe, wide", "Sport > Run > Shoes", "Kilometre", 119.5),
    Item("sock-1", "Merino running socks, 3 pairs", "Sport > Run > Socks", "Fellrun", 24.9),
    Item("bottle-1", "Soft flask 500 ml", "Sport > Run > Bottles", "Quellen", 18.0),
    Item("pot-1", "Cast iron casserole 4.7 l", "Kitchen > Cookware", "Herd & Sohn", 149.0),
    Item("knife-1", "Chef's knife 20 cm", "Kitchen > Knives", "Herd & Sohn", 74.0),
    Item("tea-1", "西湖龙井 明前特级绿茶 250克", "食品 > 茶叶", "狮峰", 168.0),
    Item("tea-2", "Jasmine pearls, loose leaf", "Food > Tea", "Lotus", 12.5),
    Item("lamp-1", "Reading lamp with dimmer", "Home > Lighting", "Lumen", 59.0),
    Item("rug-1", "Wool rug 140 x 200 cm, hand woven in grey", "Home > Textiles", "", 220.0),
    Item("book-1", "A field guide to shelves", "Books", "", None),
    Item("odd/1", "<script>document.title='stolen'</script>", "Books", "<b>bold</b>", 5.0),
)  # fmt: skip

SHOP = ShopOptions(name="Corner shop", currency="EUR", synthetic=True)


@dataclass
class TinyShop:
    """Ranks by shared words, then by the category last looked at, then in catalogue order."""

    shop: ShopOptions = SHOP
    version: str = "tiny-1"
    asked: list[RankRequest] = field(default_factory=list)

    def rank(self, request: RankRequest) -> Ranking:
        self.asked.append(request)
        match request.surface:
            case Surface.SEARCH:
                items = [item for item in ITEMS if self._match(item, request) > 0]
            case Surface.RECOMMENDATION:
                seen = {event.item_id for event in request.history}
                items = [item for item in ITEMS if item.item_id not in seen]
            case Surface.ADS:
                items = [item for item in ITEMS if item.item_id in ("shoe-2", "lamp-1")]
        ordered = sorted(items, key=lambda item: -self._match(item, request))[: request.k]
        return Ranking(
            request_id=request.request_id,
            surface=request.surface,
            items=tuple(self._scored(item, request) for item in ordered),
            model_version=self.version,
        )

    def item(self, item_id: str) -> Item | None:
        return next((item for item in ITEMS if item.item_id == item_id), None)

    def _match(self, item: Item, request: RankRequest) -> float:
        """One for each word of the query in the title, a half for the last event's category."""
        title = item.title.lower()
        words = sum(word in title for word in request.query.lower().split())
        clicked = [self.item(event.item_id) for event in request.history if event.item_id]
        last = clicked[-1] if clicked else None
        return words + 0.5 * (last is not None and _broad(last) == _broad(item))

    def _scored(self, item: Item, request: RankRequest) -> ScoredItem:
        """Dearer items are clicked less; the log never taught what becomes of books."""
        taught = item.price is not None
        return ScoredItem(
            item=item,
            match=self._match(item, request),
            p_click=10 / (100 + item.price) if item.price is not None else NAN,
            p_convert=0.25 if taught else NAN,
            campaign_id=f"c-{item.item_id}" if request.surface is Surface.ADS else "",
            charge=0.4 if request.surface is Surface.ADS else 0.0,
        )


def _broad(item: Item) -> str:
    return item.category.split(" > ")[0]
