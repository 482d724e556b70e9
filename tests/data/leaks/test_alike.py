from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.leaks.alike import alike

Pair = tuple[int | None, str | None]
PAIRS = st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from([None, "a", "b"]))


@settings(deadline=None)
@given(st.lists(PAIRS, max_size=20))
def test_rows_that_share_all_values_with_another(pairs: list[Pair]) -> None:
    table = pl.DataFrame(
        [(*pair, place) for place, pair in enumerate(pairs)],
        schema={"number": pl.Int64, "word": pl.String, "place": pl.Int64},
        orient="row",
    )

    found = alike(table, ["number", "word"])["place"].to_list()

    assert found == [place for place, pair in enumerate(pairs) if pairs.count(pair) > 1]
