from __future__ import annotations

import pytest

from shelfwise.config import ShopConfig, validated
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adaptation.options import Adaptation, NoAdaptation


def test_it_is_off_where_nothing_is_said() -> None:
    assert ShopConfig().adaptation == NoAdaptation()


def test_one_setting_switches_it_on() -> None:
    config = validated({}, ["adaptation.steps=7", "adaptation.kind=on"], "here")

    assert config.adaptation == Adaptation(steps=7)


def test_a_stage_that_would_learn_nothing_is_refused() -> None:
    settings = ["adaptation.kind=on", "adaptation.pairs=[]", "adaptation.masked_weight=0"]

    with pytest.raises(ConfigError, match="nothing would be learned"):
        validated({}, settings, "here")
    assert isinstance(validated({}, settings[:2], "here").adaptation, Adaptation)
