"""Inverse propensity scoring (Horvitz and Thompson, 1952; Strehl et al., 2010)."""

from __future__ import annotations

from shelfwise.evaluation.off_policy.logged import Floats, Linear


def inverse_propensity(reward_N: Floats, weight_N: Floats) -> Linear:
    """``mean(w * reward)``: unbiased where the log gave every action of the policy a chance."""
    term_N = weight_N * reward_N
    value = float(term_N.mean())
    return Linear(value, term_N - value)
