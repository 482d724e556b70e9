"""Three shoppers and four items, whose every count can be taken by hand.

owner 0: item 0, item 1, item 0       (days 0, 1, 2)
owner 1: item 1, a search, item 2     (days 0, 1, 2)
owner 2: nothing before the test
"""

from __future__ import annotations

import numpy as np

from shelfwise.data.attribution import DAY
from shelfwise.data.history import KINDS, History
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.baselines.role import Learned
from shelfwise.evaluation.baselines.vectors import TextVectors
from shelfwise.evaluation.baselines.words import ShopWords
from shelfwise.retrieval.taken import Taken
from shelfwise.retrieval.text_index import TextIndex
from shelfwise.schema.event import EventKind

BUY, VIEW, SEARCH = (
    KINDS.index(kind) for kind in (EventKind.PURCHASE, EventKind.VIEW, EventKind.SEARCH)
)
KIND_NUMBERS = np.array([BUY], np.uint8)
ITEMS = 4


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


# Owner 1 also viewed item 0 last, and owner 2 buys only in the test.
HISTORY = History(
    offset_U1=ints(0, 3, 7, 8),
    item_E=ints(0, 1, 0, 1, -1, 2, 0, 1).astype(np.int32),
    query_E=ints(-1, -1, -1, -1, 0, -1, -1, -1).astype(np.int32),
    kind_E=np.array([BUY, BUY, BUY, BUY, SEARCH, BUY, VIEW, BUY], np.uint8),
    at_E=ints(0, 1, 2, 0, 1, 2, 3, 9) * DAY,
)
TAKEN = Taken(ints(0, 0, 0, 1, 1), ints(0, 1, 0, 1, 2), ints(0, 1, 2, 0, 2) * DAY, 3, ITEMS)
LEARNED = Learned(HISTORY, KIND_NUMBERS, TAKEN, 4 * DAY)
# Each owner asks on day 4: owner 0 knows 3 events, owner 1 four, owner 2 none.
TARGETS = MatchTargets(
    owner_T=ints(0, 1, 2),
    at_T=ints(4, 4, 4) * DAY,
    end_T=ints(3, 7, 7),
    query_T=ints(-1, -1, -1),
    right_target_P=ints(0, 1, 2),
    right_item_P=ints(2, 3, 1),
    seen_target_S=ints(0, 0, 1, 1),
    seen_item_S=ints(0, 1, 1, 2),
)
ALL_ROWS = ints(0, 1, 2)

TITLES = ("red shoe", "blue shoe", "blue lamp", "tea")
INDEX = TextIndex(TITLES)
WORDS = ShopWords(
    INDEX.word_weights(), INDEX.word_counts(TITLES), INDEX.word_counts(["lamp", "nothing known"])
)
# Items at right angles, but for the last, which lies between the first two.
VECTORS = TextVectors(
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]], np.float32),
    np.array([[0, 0.6, 0.8], [0, 0, 1]], np.float32),
)
