"""What tasks gain from each other, told from runs whose manifests say that they learned fewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli.command import done
from safetensors.torch import load_file, save_file

from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.diagnosis.case import Case, open_case
from shelfwise.evaluation.diagnosis.single_task import single_task_findings
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import open_sealed, seal
from shelfwise.schema.progress import Silent
from shelfwise.schema.run_files import MODEL

from .planted import copied


def saying(run: Path, to: Path, data: str | None = None, **settings: Any) -> Path:
    """The same weights under a manifest with these training options."""
    copied(run, to)
    old = open_sealed(to, "run")
    facts = old.facts | {"train": old.facts["train"] | settings}
    seal(to, "run", seed=old.seed, data_fingerprint=data or old.data_fingerprint, facts=facts)
    return to


def deafened(run: Path) -> Path:
    """The click head listens to nothing but the place."""
    old = open_sealed(run, "run")
    tensors = load_file(run / MODEL)
    tensors["heads.click.weight"] = 0 * tensors["heads.click.weight"]
    for name in ("heads.wide.weight", "heads.own_rate"):  # clicks first, then conversion
        tensors[name][0] = 0
    save_file(tensors, run / MODEL)
    seal(run, "run", seed=old.seed, data_fingerprint=old.data_fingerprint, facts=old.facts)
    return run


def case_of(run: Path, prepared: PreparedShop) -> Case:
    return open_case(run, open_run(run), prepared, None, Silent())


def test_the_same_weights_gain_nothing(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    single = saying(tiny_run, tmp_path / "single", purchase_weight=0.0)

    found = single_task_findings(case_of(tiny_run, prepared_sample), [single], Silent())[0]

    assert (found.name, found.severity) == ("tasks together", "fine")
    assert "no gain can be told" in found.sentence
    assert [(one.name.split(":")[0], one.value) for one in found.evidence] == [
        ("match", 0),
        ("click", 0),
    ]


def test_a_task_that_does_better_alone_is_named(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    hurt = deafened(copied(tiny_run, tmp_path / "hurt"))
    single = saying(tiny_run, tmp_path / "single", match_weight=0.0)

    case = case_of(hurt, prepared_sample)
    found = single_task_findings(case, [single], Silent())[0]
    back = single_task_findings(
        case_of(tiny_run, prepared_sample),
        [deafened(copied(single, tmp_path / "deaf"))],
        Silent(),
    )[0]

    click = next(one for one in found.evidence if one.name.startswith("click"))
    gained = next(one for one in back.evidence if one.name.startswith("click"))
    # Which one is the run and which the single changes the sign alone.
    assert click.value == pytest.approx(-gained.value)
    assert click.low == pytest.approx(-gained.high)
    assert (found.name == "task conflict") == (click.high < 0)


def test_runs_that_cannot_be_compared_are_all_named(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    wrong = [
        saying(tiny_run, tmp_path / "other", data="x" * 64, match_weight=0.0),
        saying(tiny_run, tmp_path / "refitted", refit=True, match_weight=0.0),
        tiny_run,
    ]

    with pytest.raises(ConfigError) as caught:
        single_task_findings(case_of(tiny_run, prepared_sample), wrong, Silent())

    first, *lines = str(caught.value).splitlines()
    assert first == "--single:"
    assert ["other data" in lines[0], "has learned validation" in lines[1]] == [True, True]
    assert "as many tasks as the run itself" in lines[2]


def test_a_refitted_run_is_judged_by_the_test_through_the_command(
    tiny_run: Path, tmp_path: Path
) -> None:
    run = saying(tiny_run, tmp_path / "run", refit=True)
    single = saying(tiny_run, tmp_path / "single", refit=True, match_weight=0.0)
    page = tmp_path / "page.html"
    assert open_run(run).learned == LEARNED

    answer = done("diagnose", run, "--single", single, "--html", page, "--json").json

    assert answer["judged"] == "test"
    assert "the test is no longer unseen" in answer["protocol"]
    together = next(one for one in answer["findings"] if one["name"] == "tasks together")
    told = [one["name"] for one in together["evidence"]]
    assert told == [f"{task}: gain over {single}" for task in ("click", "conversion")]
    assert "Tasks together" in page.read_text(encoding="utf-8")
