"""Our own answers for carts, kept as a peer's are: a call that is repeated learns what is missing.

Shape suffix: T = rows of the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import shelfwise
from benchmarks import cart_log
from benchmarks.asking import Asking
from benchmarks.cart_log import CartRanker
from benchmarks.cart_models import Forecast
from benchmarks.cart_peers import forecast_of
from benchmarks.cart_variants import Variant
from benchmarks.kept import Answer, Kept
from shelfwise.schema.manifest import file_digest, fingerprint_of

_LEARNS = ("data", "losses", "models", "ranking", "schema", "training")


@dataclass(frozen=True, slots=True)
class KeptRanker:
    """A ranker that is asked only for what no earlier call has kept."""

    ranker: CartRanker
    asking: Asking
    digest: str  # of the task and of the test's labels

    def forecast(self, variant: Variant, seed: int) -> Forecast:
        """The variant's answer for the test; nan for all other rows."""
        pairs, kept = self.ranker.pairs, Kept(self.asking.keep)
        key = {
            "task": self.digest,
            "program": _program(),
            "variant": variant._asdict(),
            "settings": list(self.asking.settings),
            "minutes": self.asking.minutes,
            "seed": seed,
        }
        if answer := kept.found(key):
            return forecast_of(pairs, variant.name, answer.arrays, answer.about)
        found = self.ranker.forecast(variant, self.asking.minutes, seed)
        answer_T2 = np.stack([found.cart_N, found.convert_N], axis=1)[pairs.rows("test")]
        kept.keep(key, Answer(dict(found.told), {"forecast": answer_T2.astype(np.float32)}))
        return found


def _program() -> str:
    """Digest of everything that learns: another version of it may answer otherwise."""
    root = Path(shelfwise.__file__).parent
    made_of = [path for part in _LEARNS for path in (root / part).rglob("*.py")]
    digests = {str(path.relative_to(root)): file_digest(path) for path in made_of}
    return fingerprint_of(digests, file_digest(Path(cart_log.__file__)))
