from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from shelfwise.evaluation.click_threshold import called_clicks
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Forecast, Outcomes
from shelfwise.metrics.classification_report import classification_report

from .test_impressions import FORECAST, OUTCOMES, flags

OPTIONS = EvaluateOptions(draws=50)


def test_the_threshold_is_validations_and_the_figures_the_tests() -> None:
    # Validation: clicks at .9 and .6, none at .5: best from .6 on. On the test three rows score
    # .6 or more, .9, .6 and .7; rows 0 and 4 of them were clicked, and of the clicks .3 is missed.
    validation = replace(OUTCOMES, clicked_N=flags("x...x."))
    test = Forecast("ours", np.array([0.9, 0.7, 0.1, 0.3, 0.6, 0.5]), FORECAST.convert_N)

    called = called_clicks((validation, FORECAST), (OUTCOMES, test), OPTIONS)

    assert called is not None
    assert called.threshold.threshold == 0.6
    found = {row.metric: row.value for row in called.rows}
    expected = classification_report(
        OUTCOMES.clicked_N.astype(int), (test.click_N >= 0.6).astype(int), ["not", "clicked"]
    )
    clicked = expected.classes[1]
    assert (clicked.precision, clicked.recall) == pytest.approx((2 / 3, 2 / 3))
    assert found == pytest.approx(
        {
            "precision": clicked.precision,
            "recall": clicked.recall,
            "f1": clicked.f1,
            "accuracy": expected.accuracy,
        }
    )
    assert {row.support for row in called.rows} == {2}
    assert "3 of 6 test impressions, of which 3 were clicked" in called.note


@pytest.mark.parametrize("what", ["no clicks", "no forecast"])
def test_without_anything_to_choose_by_nothing_is_called(what: str) -> None:
    validation: Outcomes = replace(OUTCOMES, clicked_N=flags("......"))
    forecast = FORECAST
    if what == "no forecast":
        validation, forecast = OUTCOMES, replace(FORECAST, click_N=np.full(6, nan))

    assert called_clicks((validation, forecast), (OUTCOMES, forecast), OPTIONS) is None
