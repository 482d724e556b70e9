from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from shelfwise.data.batches import examples_between
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.by_field import Field, calibration_rows, surface_field
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Outcomes
from shelfwise.metrics.field_calibration import field_calibration

from .test_impressions import FORECAST, OUTCOMES, ints

OPTIONS = EvaluateOptions(draws=50)
SURFACE = Field("surface", ("search", "shelf", "ads"), ints(0, 0, 2, 0, 2, 2))


def test_figures_agree_with_the_metric() -> None:
    rows = calibration_rows(SURFACE, OUTCOMES, FORECAST, OPTIONS)

    found = {(row.task, row.metric): row for row in rows}
    # search: .9 + .2 + .3 promised, two clicks; ads: .1 + .6 + .5, one click.
    assert found["click", "pcoc@search"].value == pytest.approx(1.4 / 2)
    assert found["click", "pcoc@ads"].value == pytest.approx(1.2 / 1)
    field = field_calibration(FORECAST.click_N, OUTCOMES.clicked_N, SURFACE.value_N)
    assert found["click", "field_ece@surface"].value == pytest.approx(field.error().value)
    relative = field.relative_error().value
    assert found["click", "field_rce@surface"].value == pytest.approx(relative)
    assert {row.view for row in rows} == {"by surface"}
    # Both clicked rows whose window is closed were a search: nothing to tell apart.
    assert {row.task for row in rows} == {"click"}


def test_a_single_value_or_no_forecast_says_nothing() -> None:
    alike = replace(SURFACE, value_N=np.zeros(6, np.int64))
    assert calibration_rows(alike, OUTCOMES, FORECAST, OPTIONS) == []
    silent = replace(FORECAST, click_N=np.full(6, nan))
    assert calibration_rows(SURFACE, OUTCOMES, silent, OPTIONS) == []


def test_the_surface_of_each_impression(prepared_sample: PreparedShop) -> None:
    moments = prepared_sample.moments
    examples = examples_between(prepared_sample, moments.test, moments.end)

    field = surface_field(examples)

    asked = prepared_sample.requests["surface"].gather(Outcomes.of(examples).request_N)
    assert [field.names[value] for value in field.value_N] == asked.cast(str).to_list()
