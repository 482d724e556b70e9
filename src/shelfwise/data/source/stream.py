"""Entries of a Redis stream, copied into the spool at least once each.

A consumer group hands every entry to one consumer and keeps it pending until that consumer
acknowledges it. Here that happens only after the entry is on the disk. A puller that dies in
between finds its pending entries again when it starts anew, and others take them over after a
while; what is then written twice is read once (``spool.py``). So nothing is lost, and nothing
counts twice, wherever a puller or the server is killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from shelfwise.data.connections import (
    STREAM_SCHEMES,
    RedisStream,
    masked,
    read_address,
    without_secret,
)
from shelfwise.data.source.spool import Entry, EntryId, append, make_spool
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.progress import Progress, Silent, Step

if TYPE_CHECKING:
    from redis import Redis

_START = "0-0"
_LONGEST_WAIT = 1.0  # seconds between looks at what other consumers left behind
_RETRY_AFTER = 0.5  # seconds

Batches = Iterator[Sequence[tuple[bytes, dict[bytes, bytes] | None]]]  # None: it is gone


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought."""

    spool: Path
    entries: int  # deliveries; an entry that came twice counts twice here and is read once
    segments: int  # files that were written
    gone: int  # entries that the server dropped before they could be fetched


def pull(
    stream: RedisStream,
    folder: Path,
    *,
    follow_seconds: float = 0,
    progress: Progress | None = None,
) -> Pulled:
    """Copy what the stream holds into the spool; stop when nothing is left and time is up.

    Args:
        stream: where the events are, and whose group they are for.
        folder: the shop's; the spool lies in it.
        follow_seconds: how long to go on waiting for new entries, from now. Meanwhile a
            server that went away is waited for as well.
        progress: told of each file written.

    Raises:
        ConfigError: redis is not installed, or the url cannot be read.
        DataError: the server does not answer, lets nobody in or has no such stream; or the spool
            cannot be written.
    """
    url = read_address(stream, STREAM_SCHEMES, folder)
    until = monotonic() + follow_seconds
    spool = folder / stream.spool
    with _told_apart(stream, url), (progress or Silent()).step("Pulling events") as step:
        make_spool(spool)
        puller = _Puller(stream, spool, _client(url), step)
        try:
            _until(until, puller)
        finally:
            puller.close()
    return Pulled(spool, puller.entries, puller.segments, puller.gone)


def _until(until: float, puller: _Puller) -> None:
    from redis.exceptions import AuthenticationError
    from redis.exceptions import ConnectionError as NoConnection
    from redis.exceptions import TimeoutError as NoAnswer

    while True:
        try:
            puller.drain(max(0.0, min(until - monotonic(), _LONGEST_WAIT)))
        except (NoConnection, NoAnswer) as error:
            if monotonic() >= until or isinstance(error, AuthenticationError):
                raise
            puller.joined = False  # a server that came back may have forgotten the group
            sleep(_RETRY_AFTER)
            continue
        if monotonic() >= until:
            return


class _Puller:
    """One consumer at work."""

    def __init__(self, stream: RedisStream, spool: Path, client: Redis, step: Step) -> None:
        self.entries = self.segments = self.gone = 0
        self._stream = stream
        self._spool = spool
        self._redis: Any = client  # its answers have no types
        self._step = step
        self.joined = False

    def drain(self, wait: float) -> None:
        """All that is to be had now: what this consumer left, what others left, what is new."""
        if not self.joined:
            self._join_group()
        self._take(self._pending())
        self._take(self._abandoned())
        self._take(self._new(wait))

    def close(self) -> None:
        self._redis.close()

    def _take(self, batches: Batches) -> None:
        for batch in batches:
            entries = [Entry(EntryId.of(i.decode()), fields) for i, fields in batch if fields]
            if entries:
                append(self._spool, entries, self._stream)
                self.segments += 1
                self.entries += len(entries)
            self.gone += len(batch) - len(entries)
            # The one place where an entry is let go of: it is on the disk, or gone.
            self._redis.xack(self._stream.key, self._stream.group, *(i for i, _ in batch))
            self._step.advance(len(batch))
            self._step.note(f"{self.entries:,} entries in {self.segments:,} files")

    def _pending(self) -> Batches:
        """What was delivered to this consumer before, and never acknowledged."""
        while batch := self._read("0"):
            yield batch

    def _abandoned(self) -> Batches:
        """What another consumer took long ago, and never acknowledged."""
        start: str | bytes = _START
        while True:
            start, batch, *dropped = self._redis.xautoclaim(
                self._stream.key,
                self._stream.group,
                self._stream.consumer,
                int(self._stream.claim_after_seconds * 1000),
                start_id=start,
                count=self._stream.segment_rows,
            )
            self.gone += sum(map(len, dropped))
            # Servers before 7 tell of an entry that is gone by neither id nor fields.
            if known := [pair for pair in batch if pair[0] is not None]:
                yield known
            if start in (_START, _START.encode()):
                return

    def _new(self, wait: float) -> Batches:
        block = int(wait * 1000) or None  # 0 would wait for ever
        while batch := self._read(">", block):
            block = None
            yield batch

    def _read(self, start: str, block: int | None = None) -> Any:
        answer = self._redis.xreadgroup(
            self._stream.group,
            self._stream.consumer,
            {self._stream.key: start},
            count=self._stream.segment_rows,
            block=block,
        )
        return answer[0][1] if answer else []

    def _join_group(self) -> None:
        from redis.exceptions import ResponseError

        try:
            self._redis.xgroup_create(self._stream.key, self._stream.group, id="0")
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self.joined = True


def _client(url: str) -> Redis:
    """A connection that never repeats a command by itself.

    A repeated XREADGROUP would fetch the next entries, while those of the lost answer stay
    pending; here they are asked for first whenever a connection was lost.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), socket_connect_timeout=10)


@contextmanager
def _told_apart(stream: RedisStream, url: str) -> Iterator[None]:
    """What Redis complains of, said with the way out."""
    try:
        from redis.exceptions import AuthenticationError, RedisError
        from redis.exceptions import ConnectionError as NoConnection
    except ImportError as error:
        raise ConfigError(
            "reading a stream needs redis; install it with: pip install 'shelfwise[stream]'"
        ) from error
    try:
        yield
    except OSError as error:
        raise DataError(
            f"stream:events: the spool {stream.spool} cannot be written ({error.strerror}); "
            "nothing unwritten was acknowledged, so put that right and pull again"
        ) from error
    except RedisError as error:
        said = without_secret(str(error), url)
        if isinstance(error, AuthenticationError) or said.startswith(("WRONGPASS", "NOAUTH")):
            way_out = "put a url with the right user and password into the file that url_file names"
        elif isinstance(error, NoConnection):
            way_out = "start the server or correct the url; what was pulled so far is kept"
        elif "requires the key to exist" in said:
            said = f"there is no stream {stream.key!r}"
            way_out = "correct key under [events.stream], or start what writes to it"
        elif said.startswith("WRONGTYPE"):
            said = f"{stream.key!r} is no stream"
            way_out = "correct key under [events.stream]"
        else:
            way_out = "correct [events.stream]; what was pulled so far is kept"
        raise DataError(f"stream:events: {masked(url)}: {said}; {way_out}") from error
