"""Every model of every library in turn, by its defaults and, apart from it, tuned.

The two have the same time. What an answer comes to is kept where that was asked for, so that a call
that is repeated asks only for what is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.asking import Asking
from benchmarks.failing import counted_as_failed
from benchmarks.kept import Answer, Arrays, Kept
from benchmarks.peer_process import Asked, Peer, Verb, ask_peer, peer_names, peers_of
from shelfwise.schema.manifest import file_digest, fingerprint_of
from shelfwise.schema.progress import Progress


@dataclass(frozen=True, slots=True)
class Turns:
    """What peers are asked, and what becomes of their answers."""

    verb: Verb
    task: Path  # the folder that they read
    digest: str  # of the task and of what its answers are measured by
    read: Callable[[Path], Arrays]  # an answer's folder as it is measured; may raise PeerError
    hold: Callable[[str, Arrays, dict[str, Any]], bool]  # False: it is that of the last seed
    fail: Callable[[str, str], None]

    def ask(self, asking: Asking, progress: Progress) -> None:
        """All that are wanted; one that fails is told with its reason."""
        names = peer_names(asking.scripts, self.verb)
        libraries = [
            name
            for name in names
            if asking.wants("peers", name) or any(s.startswith(f"{name}/") for s in asking.systems)
        ]
        if not libraries:
            return
        with progress.step("Peers", total=len(libraries)) as bar:
            for library in libraries:
                bar.note(library)
                for peer in self._models(library, asking):
                    if asking.wants("peers", library, peer.name):
                        self._both_ways(peer, asking)
                bar.advance()

    def _models(self, library: str, asking: Asking) -> Sequence[Peer]:
        with counted_as_failed(self.fail, library):
            return list(peers_of(library, self.verb, asking.scripts, asking.environments))
        return []

    def _both_ways(self, peer: Peer, asking: Asking) -> None:
        reasons: list[str] = []

        def fail(system: str, reason: str) -> None:
            # One that fails in both ways for one reason is told once.
            if reason not in reasons:
                self.fail(system, reason)
            reasons.append(reason)

        for tune in (False, True):
            with counted_as_failed(fail, f"{peer.name}{' (tuned)' if tune else ''}"):
                for seed in range(asking.seeds):
                    answer = self._answer(peer, Asked(asking.minutes * 60, seed, tune), asking.keep)
                    system = answer.about.get("system", peer.name) + (" (tuned)" if tune else "")
                    about = answer.about | {"system": system, "seed": seed}
                    if not self.hold(system, answer.arrays, about):
                        break

    def _answer(self, peer: Peer, asked: Asked, folder: Path | None) -> Answer:
        kept, out = Kept(folder), self.task.with_name("answer")
        key = {
            "task": self.digest,
            "peer": peer.name,
            "script": _digest(peer.script),
            **asdict(asked),
        }
        if answer := kept.found(key):
            return answer
        try:
            about = ask_peer(peer, self.task, out, asked)
            answer = Answer(about, self.read(out))
        finally:
            shutil.rmtree(out, ignore_errors=True)
        kept.keep(key, answer)
        return answer


def _digest(script: Path) -> str:
    """Of a script and of the modules that all scripts share."""
    shared = [path for path in script.parent.glob("*.py") if "_" not in path.stem]
    return fingerprint_of({path.name: file_digest(path) for path in (script, *shared)})
