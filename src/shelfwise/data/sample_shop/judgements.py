"""Graded query-item pairs, as a shop's judges would write them: from what the query meant."""

from __future__ import annotations

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Ints
from shelfwise.data.sample_shop.queries import Searches, grade

# By grade: unrelated; of the same category, bought beside it; the right type that lacks something
# asked for; all that was asked for.
LABELS = ("irrelevant", "complement", "substitute", "exact")
_QUERIES_PER_SHOPPER = 0.12
_MOST_PAIRS_PER_GRADE = 3


def draw_judgements(
    searches: Searches, catalogue: Catalogue, users: int, rng: np.random.Generator
) -> tuple[list[str], Ints, Ints]:
    """Distinct correctly typed queries, each with up to three items of every grade.

    Returns:
        Query, item number and grade of each pair.
    """
    first_row: dict[str, int] = {}
    for row, text in enumerate(searches.clean):
        first_row.setdefault(text, row)
    distinct = np.array(list(first_row.values()), dtype=np.int64)
    count = min(len(distinct), max(20, round(_QUERIES_PER_SHOPPER * users)))
    chosen = np.sort(rng.choice(distinct, size=count, replace=False))

    queries: list[str] = []
    items: list[Ints] = []
    every_item = np.arange(len(catalogue))
    for row in chosen:
        grade_I = grade(searches, np.array([row]), catalogue, every_item)
        for value in range(len(LABELS)):
            of_grade = np.flatnonzero(grade_I == value)
            some = rng.permutation(of_grade)[:_MOST_PAIRS_PER_GRADE]
            queries += [searches.clean[row]] * len(some)
            items.append(some)
    item_J = np.concatenate(items)
    meant_J = np.array([first_row[query] for query in queries], dtype=np.int64)
    return queries, item_J, grade(searches, meant_J, catalogue, item_J)
