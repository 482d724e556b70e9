from __future__ import annotations

from pathlib import Path

from shelfwise.data.prepared import PreparedShop

from .command import done, shelfwise


def test_an_ablation_from_the_command_line(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    settings: list[str] = []
    for setting in (
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "model.width=16",
        "train.epochs=1",
        "train.batch_requests=256",
        "evaluate.draws=50",
    ):
        settings += ["--set", setting]

    ended = done(
        *("ablate", prepared_sample.folder, "--out", tmp_path / "ablation", "--seeds", "1"),
        *("--only", "ids", "--minutes", "5", "--html", page, *settings, "--json"),
    )

    found = ended.json
    assert [one["name"] for one in found["variants"]] == ["full model", "without ids"]
    assert found["variants"][1]["settings"] == ["model.id_embedding=false"]
    assert len(found["verdicts"]) == 1
    assert found["reproduce"]["Command"].startswith("shelfwise ablate ")
    assert found["verdicts"][0] in ended.out.replace("\n", " ")
    assert "What each part of the model is worth" in page.read_text(encoding="utf-8")


def test_a_part_that_there_is_not_is_refused(prepared_sample: PreparedShop, tmp_path: Path) -> None:
    ended = shelfwise(
        "ablate", prepared_sample.folder, "--out", tmp_path / "ablation", "--only", "colour"
    )

    assert ended.code == 1
    assert "no part is called colour; there are: text, ids, neighbours, history" in ended.err
    assert not (tmp_path / "ablation").exists()
