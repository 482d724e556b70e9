from __future__ import annotations

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from shelfwise.data.pair_tokens import tokenise_pairs


def test_pairs_are_joined_by_the_template_and_cut_at_the_longer_side(tiny_encoder: Path) -> None:
    file = tiny_encoder / "tokenizer.json"
    number = Tokenizer.from_file(str(file)).token_to_id
    first = ["red", "red lamp red lamp red lamp"]
    second = ["blue lamp", "blue"]

    pairs = tokenise_pairs(first, second, file, 7)

    assert pairs.separator == number("[SEP]")
    cls, sep, red, lamp, blue = (number(w) for w in ("[CLS]", "[SEP]", "red", "lamp", "blue"))
    ids, mask = pairs.table.padded(np.array([0, 1]))
    assert ids[0][mask[0]].tolist() == [cls, red, sep, blue, lamp, sep]
    # Seven tokens less three special ones leave four: three of the long side.
    assert ids[1][mask[1]].tolist() == [cls, red, lamp, red, sep, blue, sep]
