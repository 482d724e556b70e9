"""Shelfwise: one fine-tuned language model that ranks a shop's search, recommendations and ads.

This file stays light on purpose: ``import shelfwise`` reads no library and does no work.
"""

__version__ = "0.1.0"
