"""How a shop's database or event stream is reached, said so that no password is ever written down.

A manifest keeps the options that made it, and messages repeat them; so an address that stands
in the options holds no password. One that needs a password lies in a file of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Protocol, Self, TypeVar
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import Options

SQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg", "sqlite")
STREAM_SCHEMES = ("redis", "rediss", "unix")
_SECRET_KEYS = frozenset({"password", "passwd", "pwd", "sslpassword"})
_MASK = "***"


class SqlSource(Options):
    """A table that a query answers: PostgreSQL or SQLite."""

    url: str = ""
    """postgresql://user@host/database, or sqlite:///file (relative to the shop folder); without
    a password."""
    url_file: str = ""
    """File whose only line is the url, where that holds a password; relative to the shop folder."""
    query: Annotated[str, Field(min_length=1)]
    """SELECT that returns the table; name its columns with AS or map them under `columns`."""

    @model_validator(mode="after")
    def _address_is_sound(self) -> Self:
        _check_address(self.url, self.url_file, SQL_SCHEMES)
        return self


class RedisStream(Options):
    """A Redis stream of events; `shelfwise pull` copies it into the spool, which is what is read.

    Every entry is taken at least once, and read once: its id tells a second delivery.
    """

    url: str = ""
    """redis://host:6379/0, without a password."""
    url_file: str = ""
    """File whose only line is the url, where that holds a password; relative to the shop folder."""
    key: Annotated[str, Field(min_length=1)] = "events"
    """Name of the stream."""
    group: Annotated[str, Field(min_length=1)] = "shelfwise"
    """Consumer group; made at the beginning of the stream where it is not there."""
    consumer: Annotated[str, Field(min_length=1)] = "puller"
    """Name of this consumer; pullers that run beside each other need different ones."""
    layout: Literal["fields", "json"] = "fields"
    """How an entry holds its event: a field a column, or one field with a JSON object."""
    json_field: Annotated[str, Field(min_length=1)] = "event"
    """The field that holds the JSON object; unused with "fields"."""
    spool: Annotated[str, Field(min_length=1)] = "spool"
    """Folder that keeps what was pulled, as JSON Lines; relative to the shop folder."""
    segment_rows: PositiveInt = 10_000
    """Entries that are fetched, written and acknowledged together: one file of the spool."""
    claim_after_seconds: PositiveFloat = 60
    """Entries that another consumer took this long ago, and never acknowledged, are taken over."""

    @model_validator(mode="after")
    def _address_is_sound(self) -> Self:
        _check_address(self.url, self.url_file, STREAM_SCHEMES)
        return self


class _Addressed(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def url_file(self) -> str: ...


TableOptions = TypeVar("TableOptions", bound=Options)


def one_source(table: TableOptions) -> TableOptions:
    """Refuse a table that comes from two places at once.

    Raises:
        ValueError: more than one of file, sql and stream is given.
    """
    # By value: a saved configuration names every option.
    given = [
        name
        for name, field in type(table).model_fields.items()
        if name in ("file", "sql", "stream") and getattr(table, name) != field.default
    ]
    if len(given) > 1:
        raise ValueError(f"a table comes from one place, found {' and '.join(given)}; keep one")
    return table


def read_address(source: _Addressed, schemes: tuple[str, ...], folder: Path) -> str:
    """The whole address, password and all: for whoever connects, and for no message.

    Raises:
        ConfigError: the file that holds it cannot be read, or holds no such address.
    """
    if source.url:
        return source.url
    file = folder / source.url_file
    try:
        url = file.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"url_file = {source.url_file!r}: cannot be read ({type(error).__name__}); "
            "name a text file whose only line is the url"
        ) from error
    if _scheme(url) not in schemes or "\n" in url:
        raise ConfigError(
            f"url_file = {source.url_file!r}: its only line must be a url that starts with "
            f"{' or '.join(f'{scheme}://' for scheme in schemes)}"
        )
    return url


def masked(url: str) -> str:
    """An address as it may be shown: the password is no part of it."""
    parts = _split(url)
    if parts is None:
        return f"{_scheme(url)}://{_MASK}"
    user, _, place = parts.netloc.rpartition("@")
    shown = f"{user.partition(':')[0]}:{_MASK}@{place}" if ":" in user else parts.netloc
    query = "&".join(
        f"{key}={_MASK if key.lower() in _SECRET_KEYS else quote(value, safe='/')}"
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return f"{parts.scheme}://{shown}{parts.path}" + (f"?{query}" if query else "")


def without_secret(text: str, url: str) -> str:
    """What a driver said, with the address's passwords blotted out should it repeat them."""
    for secret in _secrets(url):
        for form in (secret, unquote(secret), quote(secret, safe="")):
            text = text.replace(form, _MASK)
    return text


def _check_address(url: str, url_file: str, schemes: tuple[str, ...]) -> None:
    if bool(url) == bool(url_file):
        raise ValueError("give one of url and url_file")
    if not url:
        return
    if _scheme(url) not in schemes:
        raise ValueError(
            f"url {masked(url)}: must start with "
            f"{' or '.join(f'{scheme}://' for scheme in schemes)}"
        )
    if _secrets(url):
        raise ValueError(
            f"url {masked(url)}: a password does not belong into the options, which are kept "
            "beside everything made with them; write the url into a file and name it as url_file "
            "(with %40 for @, %2F for /, %23 for # inside of the password)"
        )


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _secrets(url: str) -> list[str]:
    parts = _split(url)
    if parts is None:
        return [url]
    found = [parts.password or ""]
    found += [value for key, value in parse_qsl(parts.query) if key.lower() in _SECRET_KEYS]
    return [secret for secret in found if secret]


def _split(url: str) -> SplitResult | None:
    """None where it cannot be told which part is the password, as with a bare / or # in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    astray = parts.scheme != "sqlite" and "@" in parts.path + parts.query + parts.fragment
    return None if astray else parts
