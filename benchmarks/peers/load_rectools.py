"""RecTools' own way from a log to batches of its SASRec, timed.

Run by the interpreter of `.venv-peers/rectools`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd
from measured import Asked, Steps, read_positives, tell
from rectools import Columns
from rectools.dataset import Dataset, Interactions
from rectools.model_selection import TimeRangeSplitter
from rectools.models import SASRecModel
from rectools.models.nn.transformers.sasrec import SASRecDataPreparator

TEST_SHARE = 0.2  # of the days of the log; RecTools has no default
DOES = (
    "TimeRangeSplitter on the last fifth of the days with its default filters, Dataset.construct, "
    "then SASRec's data preparator with SASRecModel's default options, up to the loaders of "
    "training and recommendation; sequences are padded when a batch is asked for, so one pass "
    "over the training loader is timed beside it"
)


def load(asked: Asked, steps: Steps) -> dict[str, int]:
    """Read, prepare, and go once through the training batches."""
    with steps.step("read"):
        rows = read_positives(asked.log, asked.kinds)
    with steps.step("prepare"):
        log = rows.rename(
            columns={"owner": Columns.User, "item_id": Columns.Item, "timestamp": Columns.Datetime}
        )
        log[Columns.Weight] = 1.0
        train, test = _split_by_time(log)
        dataset = Dataset.construct(train)
        preparator = _preparator()
        preparator.process_dataset_train(dataset)
        batches = preparator.get_dataloader_train()
        users = test[Columns.User].unique()
        known = preparator.transform_dataset_u2i(dataset, users)
        requests = preparator.get_dataloader_recommend(known, preparator.batch_size)
    with steps.step("batches"):
        _exhaust(batches)
    return {
        "interactions": len(rows),
        "users": dataset.user_id_map.size,
        "items": dataset.item_id_map.size,
        "training_interactions": len(preparator.train_dataset.interactions.df),
        "training_sequences": len(batches.dataset),
        "test_sequences": len(requests.dataset),
    }


def _split_by_time(log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    times = log[Columns.Datetime]
    days = max(1, math.ceil((times.max() - times.min()).days * TEST_SHARE))
    # The splitter asks for numbered ids, of which it uses only that they are equal or not.
    numbered = log.assign(
        **{name: pd.factorize(log[name])[0] for name in (Columns.User, Columns.Item)}
    )
    folds = TimeRangeSplitter(f"{days}D").split(Interactions(numbered))
    train_rows, test_rows, _ = next(iter(folds))
    return log.iloc[train_rows], log.iloc[test_rows]


def _preparator() -> SASRecDataPreparator:
    """With what the model itself would hand to it, so that defaults are the library's."""
    model = SASRecModel()
    model._init_data_preparator()
    preparator = model.data_preparator
    assert isinstance(preparator, SASRecDataPreparator)
    return preparator


def _exhaust(batches: Iterable[object]) -> None:
    for _ in batches:
        pass


if __name__ == "__main__":
    tell(load, ("rectools", "pandas", "numpy", "torch"), DOES)
