from __future__ import annotations

import numpy as np
import torch

from shelfwise.models.inference import match_scores, pair_probabilities

from .test_shelf_model import catalogue_of, model_of, requests


def test_answers_are_those_of_the_network_without_dropout() -> None:
    model = model_of()
    catalogue = catalogue_of(model)
    asked = requests()
    request_N, item_N = np.array([0, 1, 0]), np.array([3, 1, 0])
    position_N = np.array([1, 0, 4])
    pairs = (torch.from_numpy(request_N), torch.from_numpy(item_N))
    request = model.request_vectors(asked, catalogue)
    logits = model.judge(request, asked, catalogue, pairs, torch.from_numpy(position_N))
    scores = model.match_scores(request, asked, catalogue)

    model.train()  # as training leaves it
    found = pair_probabilities(model, asked, catalogue, (request_N, item_N), position_N)

    assert found.click_N.tolist() == logits.click_N.sigmoid().tolist()
    assert found.convert_N.tolist() == logits.convert_N.sigmoid().tolist()
    assert np.array_equal(match_scores(model, asked, catalogue), scores.detach().numpy())


def test_no_pairs_no_probabilities() -> None:
    model = model_of()
    none = np.zeros(0, np.int64)

    found = pair_probabilities(model, requests(), catalogue_of(model), (none, none), None)

    assert found.click_N.shape == found.convert_N.shape == (0,)
