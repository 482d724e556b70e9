"""What all commands have in common: help, exit codes, errors, and what is imported."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from shelfwise.cli.main import app

from .command import PROCESS, shelfwise
from .test_flags import FROZEN

GROUPS = ("shelfwise", "shelfwise ab", "shelfwise datasets", "shelfwise encoder")
COMMANDS = [name.split()[1:] for name in FROZEN if name not in GROUPS]

MISTAKES = [
    ("init .", "shop.toml: is there already; edit it, or replace it with --force"),
    ("init shop.toml", "shop.toml: no folder can be made there (File exists)"),
    ("init new --set seed", "--set seed: write it as section.key=value"),
    ("sample new --items 1", "items: Input should be greater than or equal to"),
    ("check nowhere", "nowhere: not a folder"),
    ("check . --set shop.nam=x", "shop.nam: unknown option; did you mean name?"),
    ("prepare . --out new", ".: cannot be prepared:"),
    ("train . --out new", "no manifest.json found; a prepared folder has one"),
    ("evaluate nowhere", "no manifest.json found; a run folder has one"),
    ("rank nowhere --query x", "no manifest.json found; a run folder has one"),
    ("serve nowhere", "no manifest.json found; a run folder has one"),
    ("demo --out new --items 1", "items: Input should be greater than or equal to"),
    ("datasets convert no-such-set --from . --out new", "no-such-set"),
    ("compare nowhere elsewhere", "no manifest.json found; a run folder has one"),
    ("diagnose nowhere", "no manifest.json found; a run folder has one"),
    ("calibrate nowhere --out new", "no manifest.json found; a run folder has one"),
    ("cross-validate . --out new", "no manifest.json found; a prepared folder has one"),
    ("learning-curve . --out new --shares a", "must be numbers with commas between them"),
    ("off-policy nowhere", "no manifest.json found; a prepared folder has one"),
]

MISUSES = [
    ("no-such-command", "No such command 'no-such-command'"),
    ("check", "Missing argument 'shop'"),
    ("check . --jsno", "No such option: --jsno"),
    ("train .", "Missing option '--out'"),
    ("rank . --surface serch", "'serch' is not one of 'search', 'recommendation', 'ads'"),
    ("rank . --k 0", "Invalid value for '--k': Input should be greater than or equal to 1"),
    ("sample new --language fr", "'fr' is not one of 'en', 'zh', 'both'"),
    ("datasets convert x", "Missing option '--from'"),
]


@pytest.mark.parametrize(
    "words", [*(name.split()[1:] for name in GROUPS), *COMMANDS], ids=shlex.join
)
def test_help_says_what_it_does(words: list[str]) -> None:
    ended = shelfwise(*words, "--help")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: {shlex.join(['shelfwise', *words])} ")


@pytest.mark.parametrize("words", COMMANDS, ids=shlex.join)
def test_help_shows_an_example_that_can_be_typed(words: list[str]) -> None:
    told = shelfwise(*words, "--help").out
    example = told.partition("Example:\n")[2].splitlines()[0].strip()

    assert shlex.split(example)[: len(words) + 1] == ["shelfwise", *words]
    # Parses the words as the command would, and runs nothing.
    command = typer.main.get_command(app)
    for name in words:
        command = command.commands[name]  # type: ignore[attr-defined]
    command.make_context(example, shlex.split(example)[len(words) + 1 :])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: nothing but an empty shop.toml."""
    (tmp_path / "shop.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_a_mistake_is_one_message_and_exit_1(folder: Path, line: str, message: str) -> None:
    ended = shelfwise(*line.split())

    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""
    assert [path.name for path in folder.iterdir()] == ["shop.toml"]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
@pytest.mark.usefixtures("folder")
def test_a_mistake_is_told_to_programs_too(line: str, message: str) -> None:
    ended = shelfwise(*line.split(), "--json")

    assert ended.code == 1
    assert ended.json == {"ok": False, "error": ended.err.removeprefix("error: ").rstrip()}
    assert message in ended.json["error"]


@pytest.mark.parametrize(("line", "message"), MISUSES)
@pytest.mark.usefixtures("folder")
def test_a_line_that_cannot_be_read_is_exit_2(line: str, message: str) -> None:
    ended = shelfwise(*line.split())

    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("shelfwise.config.load_config", broken)

    with pytest.raises(ZeroDivisionError):
        shelfwise("check", tmp_path)


def test_an_interrupt_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shelfwise.config.load_config", interrupted)

    assert shelfwise("check", tmp_path) == (
        130, "", (
    "interrupted: no half-written output is left behind, but for the checkpoints that "
    "`train --resume` goes on from\n"
),
    )  # fmt: skip
    assert shelfwise("check", tmp_path, "--json").json == {"ok": False, "error": "interrupted"}


def test_the_version() -> None:
    assert shelfwise("--version").out.startswith("shelfwise 0.")


HEAVY = {"torch", "transformers", "tokenizers", "polars", "pyarrow", "numpy", "scipy", "sklearn"}


@pytest.mark.parametrize(
    "program",
    [
        "import shelfwise",
        "import shelfwise.serving.app",
        "import shelfwise.cli.main",
        "from cli.command import done; done('--help')",
        "from cli.command import done; done('train', '--help')",
    ],
)
def test_what_need_not_be_heavy_is_light(program: str) -> None:
    tests = Path(__file__).parents[1]
    told = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    finder = f"import sys; sys.path[:0] = [{str(tests)!r}, {str(tests.parent / 'src')!r}]"

    ended = subprocess.run(
        [sys.executable, "-c", f"{finder}; {program}; {told}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(ended.stdout.split()) & HEAVY == set()


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    # As `shelfwise ... | head -1` does; the pipe has no reader from the start.
    (tmp_path / "shop.toml").touch()
    with subprocess.Popen(
        [*PROCESS, "datasets", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
