from __future__ import annotations

from pathlib import Path

from training.judged_shop import judged_shop

from .command import done, shelfwise


def test_judgements_alone_go_through_every_command(tiny_encoder: Path, tmp_path: Path) -> None:
    judged_shop(tmp_path / "made")
    prepared, run, page = (tmp_path / name for name in ("prepared", "run", "report.html"))
    first = done("prepare", tmp_path / "made" / "shop", "--out", prepared)
    assert "next: shelfwise train" in first.out
    settings = (f"model.encoder.name={tiny_encoder}", "train.epochs=1", "train.threads=1")
    flags = [word for setting in settings for word in ("--set", setting)]

    trained = done("train", prepared, "--out", run, *flags, "--json")
    report = done("evaluate", run, "--html", page, "--json")
    found = done(
        "rank", run, "--surface", "search", "--query", "small red lamp", "--k", "3", "--json"
    )

    assert trained.json["tasks"] == ["relevance"]
    assert set(trained.json["validation"]) == {"spearman", "ndcg@10", "rmse"}
    ours = {row["metric"] for row in report.json["rows"] if row["system"] == "shelfwise"}
    assert ours == {"ndcg@10", "pairwise_accuracy", "spearman", "rmse", "kappa"}
    assert "frozen encoder cosine" in page.read_text(encoding="utf-8")
    assert len(found.json["items"]) == 3
    assert found.json["items"][0]["p_click"] is None


def test_what_needs_a_log_is_refused_in_words(tmp_path: Path) -> None:
    judged_shop(tmp_path)

    ended = shelfwise("cross-validate", tmp_path / "prepared", "--out", tmp_path / "folds")

    assert (ended.code, "judgements alone" in ended.err) == (1, True)
    assert "shelfwise evaluate" in ended.err
