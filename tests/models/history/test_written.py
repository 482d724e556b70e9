from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.config import FlatTextHistory
from shelfwise.models.history.written import WrittenHistories

BEGIN, END = 1, 2
# Item 0 has one token of its own, item 1 two; query 0 has one.
ITEMS = [np.array([BEGIN, 10, END], np.int32), np.array([BEGIN, 11, 12, END], np.int32)]
QUERIES = [np.array([BEGIN, 20, END], np.int32)]
# A text's vector is read off a table, so that gradient shows which tokens were read.
EMBEDDING = torch.arange(30.0 * 3).reshape(30, 3)


class Reader:
    """Mean of token vectors; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[list[int]]] = []
        self.table = EMBEDDING.clone().requires_grad_()

    def __call__(self, ids_BN: Tensor, mask_BN: Tensor, /) -> Tensor:
        rows = zip(ids_BN, mask_BN, strict=True)
        self.asked.append([ids[mask].tolist() for ids, mask in rows])
        seen = mask_BN[..., None].float()
        return (self.table[ids_BN] * seen).sum(1) / seen.sum(1)


def histories(reader: Reader, last: int = 10, tokens: int = 96) -> WrittenHistories:
    options = FlatTextHistory(last=last, tokens=tokens)
    return WrittenHistories(ITEMS.__getitem__, QUERIES.__getitem__, reader, 3, options)


def written(items: list[int], queries: list[int], last: int = 10, tokens: int = 96) -> list[int]:
    found: NDArray[np.int32] = histories(Reader(), last, tokens).written(
        np.array(items), np.array(queries)
    )
    return found.tolist()


def test_the_newest_stands_first_and_each_text_ends_with_its_mark() -> None:
    # Padding, item 1, a search, item 0.
    found = written([-1, 1, -1, 0], [-1, -1, 0, -1])

    assert found == [BEGIN, 10, END, 20, END, 11, 12, END]


def test_only_the_latest_events_are_written() -> None:
    assert written([1, -1, 0], [-1, 0, -1], last=2) == [BEGIN, 10, END, 20, END]
    assert written([1, 0, -1], [-1, -1, -1], last=1) == [BEGIN, 10, END]


def test_a_long_text_is_cut_and_still_ends() -> None:
    # Nine tokens: begin, 10 end, and three times 11 12 end would be 3 + 9 = 12.
    found = written([1, 1, 1, 0], [-1] * 4, tokens=8)

    assert found == [BEGIN, 10, END, 11, 12, END, 11, END]


def test_rows_stand_in_their_order_whatever_their_length_and_company() -> None:
    items = torch.tensor([[1, 1, 1], [-1, -1, -1], [-1, -1, 0], [1, 1, 1], [-1, -1, -1]])
    queries = torch.tensor([[-1] * 3, [-1] * 3, [-1] * 3, [-1] * 3, [-1, -1, 0]])
    reader = Reader()

    found = histories(reader)(items, queries)

    for row in range(len(items)):
        alone = histories(Reader())(items[row : row + 1], queries[row : row + 1])
        torch.testing.assert_close(found[row], alone[0])
    # Mean of the rows 1, 10 and 2 of the table, by hand: each is (3n, 3n + 1, 3n + 2).
    torch.testing.assert_close(found[2], torch.tensor([13.0, 14.0, 15.0]))
    assert found[1].tolist() == [0, 0, 0]
    # Two alike are read once, the shorter ones first.
    short, long = [BEGIN, 10, END], [BEGIN, *[11, 12, END] * 3]
    assert reader.asked == [[short, [BEGIN, 20, END], long]]


def test_what_was_read_of_a_batch_is_not_read_again() -> None:
    reader = Reader()
    reading = histories(reader)
    items, none = torch.tensor([[0], [1]]), torch.full((2, 1), -1)

    first = reading(items, none)
    again = reading(items.flip(0), none)

    assert torch.equal(again, first.flip(0))
    assert len(reader.asked) == 1


def test_padding_on_the_left_says_nothing() -> None:
    plain = histories(Reader())(torch.tensor([[1, 0]]), torch.full((1, 2), -1))
    padded = histories(Reader())(torch.tensor([[-1, -1, 1, 0]]), torch.full((1, 4), -1))

    assert torch.equal(plain, padded)


def test_gradient_reaches_the_words_that_were_written() -> None:
    reader = Reader()

    histories(reader)(torch.tensor([[0]]), torch.tensor([[-1]])).sum().backward()

    assert reader.table.grad is not None
    touched = reader.table.grad.abs().sum(1).nonzero().squeeze(1).tolist()
    assert touched == [BEGIN, END, 10]


def test_where_nobody_did_anything_nothing_is_read() -> None:
    reader = Reader()
    nothing = torch.full((2, 3), -1)

    assert torch.equal(histories(reader)(nothing, nothing), torch.zeros(2, 3))
    assert reader.asked == []


def test_many_long_texts_are_read_in_groups() -> None:
    # 512 tokens each: eight fill a group of 4096.
    long = [np.append(np.full(511, 3 + n, np.int32), END).astype(np.int32) for n in range(9)]
    reader = Reader()
    options = FlatTextHistory(last=1, tokens=512)
    reading = WrittenHistories(long.__getitem__, QUERIES.__getitem__, reader, 3, options)

    reading(torch.arange(9)[:, None], torch.full((9, 1), -1))

    assert [len(group) for group in reader.asked] == [8, 1]
