"""When in the year and in the week a product type is wanted.

    season = 1 + a cos(2 pi (day of year - peak) / 365.25) + b cos(2 pi (weekday - peak day) / 7)

with the rows below; types without a row are wanted alike all year, all week.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from shelfwise.data.sample_shop.catalogue import Floats, Ints
from shelfwise.data.sample_shop.vocabulary import Vocabulary

_DAY_MS = 86_400_000
_YEAR_DAYS = 365.25

# English name of the type: day of the year of most interest, and a.
_IN_THE_YEAR = {
    "coat": (10, 0.8),
    "sweater": (350, 0.7),
    "hoodie": (310, 0.3),
    "jacket": (290, 0.4),
    "boots": (330, 0.6),
    "sandals": (180, 0.9),
    "dress": (165, 0.4),
    "skirt": (165, 0.3),
    "sunscreen": (190, 0.9),
    "face cream": (15, 0.3),
    "suitcase": (180, 0.5),
    "backpack": (235, 0.5),
    "duvet cover": (320, 0.3),
    "headphones": (345, 0.3),
    "smartwatch": (345, 0.3),
    "yoga mat": (10, 0.5),
    "dumbbells": (10, 0.6),
    "resistance bands": (10, 0.5),
    "tent": (195, 0.8),
    "sleeping bag": (195, 0.7),
    "water bottle": (185, 0.4),
    "headlamp": (330, 0.4),
    "bike helmet": (150, 0.5),
    "bike light": (320, 0.5),
    "cycling jersey": (160, 0.6),
    "building blocks": (345, 0.7),
    "plush toy": (345, 0.6),
    "jigsaw puzzle": (345, 0.6),
    "board game": (350, 0.7),
    "toy car": (345, 0.7),
    "green tea": (10, 0.3),
    "fruit juice": (190, 0.3),
    "chocolate": (350, 0.5),
    "travel guide": (160, 0.6),
    "gardening book": (105, 0.6),
    "cookbook": (340, 0.4),
}
# English name of the type: weekday of most interest (0 is Monday), and b.
_IN_THE_WEEK = {
    "pasta": (4, 0.2),
    "olive oil": (4, 0.15),
    "wine glasses": (4, 0.25),
    "frying pan": (5, 0.2),
    "board game": (5, 0.15),
    "desk": (1, 0.2),
    "office chair": (1, 0.2),
    "keyboard": (1, 0.15),
    "coffee beans": (0, 0.2),
    "picture book": (6, 0.2),
}


class Seasons:
    """The season of every type at every moment of a log."""

    def __init__(self, vocabulary: Vocabulary, start: datetime) -> None:
        nothing = (0, 0.0)
        names = [row.key for row in vocabulary.types]
        self._peak_T, self._year_T = np.array([_IN_THE_YEAR.get(name, nothing) for name in names]).T
        self._day_T, self._week_T = np.array([_IN_THE_WEEK.get(name, nothing) for name in names]).T
        self._first_day = start.timetuple().tm_yday
        self._first_weekday = start.weekday()
        self.highest = float((1 + self._year_T + self._week_T).max())

    def of(self, kind: Ints, at_ms: Ints) -> Floats:
        """Interest in types at moments, relative to its mean; ``kind`` and ``at_ms`` broadcast."""
        day = at_ms // _DAY_MS
        in_year = 2 * np.pi * (self._first_day + day - self._peak_T[kind]) / _YEAR_DAYS
        in_week = 2 * np.pi * (self._first_weekday + day - self._day_T[kind]) / 7
        return np.asarray(
            1 + self._year_T[kind] * np.cos(in_year) + self._week_T[kind] * np.cos(in_week)
        )
