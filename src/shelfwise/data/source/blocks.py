"""A file's bytes, unpacked, some at a time: no table has to fit in memory to be read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from shelfwise.data.source.files import SourceFile

BLOCK = 1 << 25  # bytes looked at together
_CHUNK = 1 << 20  # packed bytes read at a time
_ZSTD_CHUNK = 1 << 14  # unpacked bytes: as many as a damaged end may cost

# What reading a damaged archive can raise.
DAMAGE = (zlib.error, EOFError, OSError, pa.ArrowException)


def unpacked(file: SourceFile) -> Iterator[bytes]:
    """The bytes of a file in small pieces; raises an error where the archive breaks."""
    with file.path.open("rb") as stream:
        packed = iter(lambda: stream.read(_CHUNK), b"")
        match file.packing:
            case "plain":
                yield from packed
            case "gz":
                yield from _gunzip(packed)
            case "zst":
                yield from _unzstd(file)


class Block(NamedTuple):
    """Some bytes of a file."""

    data: bytes
    final: bool  # nothing follows
    broken: str = ""  # why the file ends here, if it should not


def blocks(pieces: Iterator[bytes], size: int) -> Iterator[Block]:
    """The same bytes in blocks of about ``size``; the last one says what broke, if anything did."""
    gathered: list[bytes] = []
    held = 0
    try:
        for piece in pieces:
            if held >= size:
                yield Block(b"".join(gathered), final=False)
                gathered, held = [], 0
            gathered.append(piece)
            held += len(piece)
    except DAMAGE as error:
        yield Block(b"".join(gathered), final=True, broken=str(error))
        return
    yield Block(b"".join(gathered), final=True)


def _gunzip(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Every member of a gzip file in turn; EOFError where the last one is cut off."""
    member = None
    for chunk in packed:
        rest = chunk
        while rest:
            if member is None:
                rest = rest.lstrip(b"\0")  # some writers pad to a block
                if not rest:
                    break
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(rest)
            rest = member.unused_data
            if member.eof:
                member = None
            else:
                break
    if member is not None:
        raise EOFError("the archive ends before its end mark")


def _unzstd(file: SourceFile) -> Iterator[bytes]:
    with pa.OSFile(str(file.path)) as raw, pa.CompressedInputStream(raw, "zstd") as stream:
        while chunk := stream.read(_ZSTD_CHUNK):
            yield chunk
