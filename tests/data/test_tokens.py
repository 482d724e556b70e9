from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.schema.errors import ConfigError

CLS, SEP, UNKNOWN, A, B, C = 1, 2, 3, 4, 5, 6


def tokenizer_file(folder: Path, pad: str) -> Path:
    """Words a, b and c; written with the padding and cutting of its training, to be undone."""
    words = {pad: 9, "[CLS]": CLS, "[SEP]": SEP, "[UNK]": UNKNOWN, "a": A, "b": B, "c": C}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(max_length=3)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def rows(table: TokenTable) -> list[list[int]]:
    return [part.tolist() for part in np.split(table.ids, table.offset_T1[1:-1])]


def test_special_tokens_stand_around_and_long_texts_are_cut(tmp_path: Path) -> None:
    table = tokenise(["a b", "", "a b c a b", "d"], tokenizer_file(tmp_path, "[PAD]"), 5)

    assert rows(table) == [
        [CLS, A, B, SEP],
        [CLS, SEP],
        [CLS, A, B, C, SEP],
        [CLS, UNKNOWN, SEP],
    ]
    assert table.lengths().tolist() == [4, 2, 5, 3]


@pytest.mark.parametrize(("pad", "pad_id"), [("[PAD]", 9), ("<pad>", 9), ("nothing", 0)])
def test_the_chosen_texts_padded_to_the_longest_of_them(
    tmp_path: Path, pad: str, pad_id: int
) -> None:
    table = tokenise(["a b", "", "a b c a b", "d"], tokenizer_file(tmp_path, pad), 8)

    ids, mask = table.padded(np.array([3, 1, 3]))

    assert table.pad_id == pad_id
    assert ids.tolist() == [[CLS, UNKNOWN, SEP], [CLS, SEP, pad_id], [CLS, UNKNOWN, SEP]]
    assert mask.tolist() == [[True] * 3, [True, True, False], [True] * 3]


def test_texts_of_the_same_tokens_are_known_by_the_first() -> None:
    # Texts of tokens 1 2, 3, 1 2, 12, 3: those at 2 and 4 came before.
    ids = np.array([1, 2, 3, 1, 2, 12, 3], np.int32)

    table = TokenTable(np.array([0, 2, 3, 5, 6, 7]), ids, pad_id=0)

    assert table.firsts().tolist() == [0, 1, 0, 3, 1]


def test_no_texts_at_all(tmp_path: Path) -> None:
    table = tokenise([], tokenizer_file(tmp_path, "[PAD]"), 8)

    assert (table.offset_T1.tolist(), table.ids.tolist()) == ([0], [])
    assert table.padded(np.zeros(0, np.int64))[0].shape == (0, 1)


def test_many_texts_are_the_same_as_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tokenizer_file(tmp_path, "[PAD]")
    texts = ["a", "b c", "", "c b a", "a b"]
    whole = tokenise(texts, file, 4)

    monkeypatch.setattr("shelfwise.data.tokens._CHUNK", 2)

    assert rows(tokenise(texts, file, 4)) == rows(whole)


@pytest.mark.parametrize("max_tokens", [1, 2])
def test_room_for_special_tokens_alone_is_too_little(tmp_path: Path, max_tokens: int) -> None:
    with pytest.raises(ConfigError, match=r"max_tokens: . leaves no room .* 2 special tokens"):
        tokenise(["a"], tokenizer_file(tmp_path, "[PAD]"), max_tokens)
