from __future__ import annotations

from pathlib import Path

import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.progress import Silent
from shelfwise.training.adaptation.adapt import Adapted
from shelfwise.training.adaptation.options import Adaptation, AdaptationOptions, NoAdaptation
from shelfwise.training.adaptation.stage import Place, starting_encoder
from shelfwise.training.config import TrainOptions

from .small_shop import start_of

ON = Adaptation(steps=15, check_steps=15, batch_pairs=16)
TRAIN = TrainOptions(device="cpu", threads=1, encoder_learning_rate=1e-3)


def begun(
    prepared: PreparedShop, encoder: Path, options: AdaptationOptions, place: Place
) -> Adapted:
    start = start_of(prepared, encoder)
    return starting_encoder(prepared, start, options, TRAIN, place, Silent())


def test_off_leaves_everything_as_it_is(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    found = begun(small_shop, tiny_encoder, NoAdaptation(), Place(tmp_path / "adapted", {}))

    assert found == Adapted(tiny_encoder, {"kind": "off"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [True, False])
def test_it_is_done_once(
    prepared_sample: PreparedShop,
    small_shop: PreparedShop,
    tiny_encoder: Path,
    tmp_path: Path,
    kept: bool,
) -> None:
    # Of seven items none is ever far, so there nothing is kept.
    shop = prepared_sample if kept else small_shop
    place = Place(tmp_path / "adapted", {"data": "same", "layers": (1, 2)})
    one = begun(shop, tiny_encoder, ON, place)

    again = begun(shop, tiny_encoder, ON, place)
    other = begun(shop, tiny_encoder, ON, place._replace(made_of={"data": "another"}))

    assert one.facts["kept"] is kept
    assert again == one  # to the second: nothing was done
    assert other.source == one.source
    seconds = [found.facts.pop("seconds") for found in (one, other)]
    assert other.facts == one.facts
    assert min(seconds) > 0


def test_what_was_left_unfinished_is_begun_anew(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    left = tmp_path / "adapted" / "encoder"
    left.mkdir(parents=True)

    found = begun(small_shop, tiny_encoder, ON, Place(tmp_path / "adapted", {}))

    assert found.facts["kind"] == "on"
    assert not left.exists()
