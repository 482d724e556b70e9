"""The comparison page in a real browser, on a phone and on a desk."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving.chromium import chromium

from shelfwise.evaluation.compare_page import write_compare_page
from shelfwise.evaluation.compare_report import CompareReport, Comparison, SystemFacts
from shelfwise.evaluation.report import DataSummary, Row

from .test_data_page_browser import _OUTSIDE

NAMES = ("large", "a-name-as-long-as-" + "somebody-may-write-it-" * 4, "small")


def comparison(a: str, b: str, metric: str, value: float, half: float) -> Comparison:
    return Comparison(
        a=a,
        b=b,
        task="click" if metric == "log_loss" else "match",
        view="main",
        metric=metric,
        unit="users",
        by_distance=False,
        value=value,
        low=value - half,
        high=value + half,
        p=0.001 if abs(value) > half else 0.4,
        p_holm=0.01 if abs(value) > half else 1.0,
        draws=10_000,
        exact=False,
        support=1_449,
        seeds=(1, 3),
    )


def three_systems() -> CompareReport:
    metrics = {"ndcg@10": (0.2, 0.01), "recall@10": (-0.012, 0.004), "log_loss": (0.001, 0.02)}
    pairs = [(NAMES[0], NAMES[1]), (NAMES[0], NAMES[2]), (NAMES[1], NAMES[2])]
    return CompareReport(
        protocol="Split by time, one moment for everybody.",
        data=DataSummary("Shop", True, "f" * 64, {}, [], {"test": "2025-01-01 to 2025-02-01"}),
        systems=[SystemFacts(n, [f"runs/{n}"], [0], ["match", "click"], "0.1.0") for n in NAMES],
        grouping="Each run is a system of its own.",
        options={"train.learning_rate": ["0.002", "0.001", "0.02"]},
        rows=[
            Row(name, "main", "click" if metric == "log_loss" else "match", metric, *figures)
            for name in NAMES
            for metric, figures in dict.fromkeys(metrics, (0.5, 0.4, 0.6, 1_449)).items()
        ],
        spreads=[],
        comparisons=[comparison(*pair, m, *of) for pair in pairs for m, of in metrics.items()],
        notes=["A system with one seed is that one run."],
        reproduce={"Command": "shelfwise compare " + " ".join(f"runs/{name}" for name in NAMES)},
    )


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1200, "light")])
def test_everything_fits_and_nothing_is_fetched(tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "compare.html"
    write_compare_page(three_systems(), file)
    complaints: list[str] = []
    with chromium() as browser:
        page = browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth")
        outside = page.evaluate(_OUTSIDE)
        verdicts = page.locator(".verdicts li").count()

    assert complaints == []
    assert [url for url in fetched if not url.startswith("data:")] == [file.as_uri()]
    assert wide == width
    assert outside == []
    assert verdicts == 9
