"""The mistakes a user can act on; anything else is our bug and keeps its traceback."""

from __future__ import annotations


class ShelfwiseError(Exception):
    """Parent of every error whose message tells the reader what to do next."""


class ConfigError(ShelfwiseError):
    """A shop.toml, a ``--set`` or an argument asks for something impossible."""


class DataError(ShelfwiseError):
    """The rows of a log, catalogue or prepared folder break a rule."""


class ArtifactError(ShelfwiseError):
    """A saved run is missing a file, was altered, or is of another version."""
