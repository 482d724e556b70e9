"""Which ranker a run folder is for."""

from __future__ import annotations

from pathlib import Path

from shelfwise.ranking.config import RankOptions
from shelfwise.ranking.ranker import Ranker
from shelfwise.ranking.relevance_ranker import RelevanceRanker
from shelfwise.schema.manifest import open_sealed


def ranker_of(folder: Path, options: RankOptions) -> Ranker | RelevanceRanker:
    """The ranker of a run that learned a shop's log, or judgements alone.

    Raises:
        ArtifactError: the folder is no run, of another version, altered, or a classifier.
    """
    if open_sealed(folder, "run").facts["shape"] == "relevance":
        return RelevanceRanker.load(folder, options)
    return Ranker.load(folder, options)
