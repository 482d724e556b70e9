from __future__ import annotations

from pathlib import Path

from .command import done, shelfwise

FEW = (
    "attack.most_targets=40",
    "attack.gradient_targets=20",
    "attack.gradient_steps=1",
    "attack.noise_shares=[0.5]",
    "attack.radii=[0.3]",
    "attack.stuffed_words=[3]",
    "attack.draws=50",
)
SETTINGS = tuple(word for setting in FEW for word in ("--set", setting))


def test_a_run_is_attacked_and_a_page_written(tiny_run: Path, tmp_path: Path) -> None:
    page = tmp_path / "attack.html"

    ended = done("attack", tiny_run, "--html", page, *SETTINGS, "--json")

    told = ended.json
    assert 0 < told["robustness"] < 1.5
    assert [curve["points"][0]["strength"] for curve in told["curves"]].count(0.5) >= 4
    assert "gradient on items" in ended.out
    assert f"page: {page}" in ended.out
    assert page.is_file()


def test_what_it_cannot_do_is_refused_before_any_work(tiny_run: Path, tmp_path: Path) -> None:
    ended = shelfwise("attack", tiny_run, "--html", tmp_path / "no" / "page.html")
    assert (ended.code, "does not exist" in ended.err) == (1, True)
    ended = shelfwise("attack", tiny_run, "--set", "train.epochs=3")
    assert (ended.code, "takes only [attack]" in ended.err) == (1, True)
    ended = shelfwise("attack", tiny_run, "--set", "attack.noise_shares=[0.4,0.1]")
    assert (ended.code, "strengths must rise: 0.1, 0.4" in ended.err) == (1, True)
