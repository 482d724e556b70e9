from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.source.delimited import DelimitedText, read_delimited

CELLS = st.text(st.sampled_from('ab ,"\n;é'), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), st.sampled_from([",", "\t", ";"]))
def test_reads_whatever_the_csv_module_writes(
    rows: list[tuple[str, str, str]], separator: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([("x", "y", "z"), *rows])

    table = read_delimited(text.getvalue().encode(), "t.csv", separator)

    assert table.refused == ()
    found = [tuple(cell or "" for cell in row) for row in table.frame.rows()]
    assert found == rows


@pytest.mark.parametrize(
    ("body", "rows", "refused"),
    [
        ("1,2\n\n3,4", [("1", "2"), ("3", "4")], []),  # an empty line is no row
        ("1\n2,3\n4,5,6\n", [("2", "3")], [(1, "ragged-row"), (3, "ragged-row")]),
        ('1,5" x 7"\n', [("1", '5" x 7"')], []),  # quotes inside of a bare cell are its own
        ('1,"a\nb"\n2,c\n', [("1", "a\nb"), ("2", "c")], []),
        ('1,"a"b\n2,c\n', [("2", "c")], [(1, "unclosed-quote")]),
        ('1,"a\n2,c\n', [("2", "c")], [(1, "unclosed-quote")]),
        ('1,"a\n2,"b"\n', [("2", "b")], [(1, "unclosed-quote")]),
        ("1,a\rb\n2,c\n", [("1", "a\rb"), ("2", "c")], []),
    ],
)
def test_by_hand(body: str, rows: list[tuple[str, str]], refused: list[tuple[int, str]]) -> None:
    table = read_delimited(f"x,y\n{body}".encode(), "t.csv", None)

    assert table.frame.rows() == rows
    assert [(refusal.row, refusal.reason.code) for refusal in table.refused] == refused
    numbers = sorted([*table.row, *(row for row, _ in refused)])
    assert numbers == list(range(1, table.rows_in + 1))


PIECES = st.lists(st.sampled_from(["a,b\n", '"x,\ny",2\n', '1,"a\n', "1\n", '3,"q""\r\n"\n', "\n"]))


@given(PIECES, st.lists(st.integers(0, 60), max_size=4))
def test_where_blocks_end_changes_nothing(pieces: list[str], cuts: list[int]) -> None:
    data = b"\xef\xbb\xbfp,q\n" + "".join(pieces).encode()
    whole = read_delimited(data, "t.csv", None)

    parser, rest, rows, numbers, refused = DelimitedText("t.csv", None), b"", [], [], []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for place, (start, end) in enumerate(pairwise(edges)):
        final = place == len(edges) - 2
        table, rest = parser.read(rest + data[start:end], final=final)
        if table is not None:
            rows += table.frame.rows()
            numbers += table.row.to_list()
            refused += [(one.row, one.reason.code, one.text) for one in table.refused]

    assert rows == whole.frame.rows()
    assert numbers == whole.row.to_list()
    assert refused == [(one.row, one.reason.code, one.text) for one in whole.refused]
