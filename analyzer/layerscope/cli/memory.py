"""What was found out about the same input before?

Images and reports are kept in the cache under what the input is (see `archive.identity`), what was asked, and which code
answered. What comes back is made of the project's own values and plain data, and of nothing else.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import zstandard

from layerscope._version import __version__
from layerscope.archive.cache import Cache
from layerscope.archive.digests import expected
from layerscope.archive.identity import identify
from layerscope.archive.shelf import Kept
from layerscope.frozen import frozen
from layerscope.model import Image, LayerIndex

T = TypeVar("T")
LARGEST = 1 << 30
"""Bytes that a value may have when it is unpacked."""
PLAIN = frozenset(
    {
        ("array", "array"),
        ("array", "_array_reconstructor"),
        ("builtins", "bytearray"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
    }
)


class Memory:
    """A value that depends on an input and on what was asked of it, and on nothing else."""

    def __init__(self, cache: Cache, source: str, asked: object) -> None:
        """`asked` is told apart by its repr."""
        self._cache = cache
        self._source = source
        self._asked = asked
        self._key = self._find_key()

    def _find_key(self) -> bytes | None:
        """Return under what the value is kept; None where the input cannot be known again."""
        if self._cache.folder is None:
            return None
        identity = identify(self._source)
        return (
            None
            if identity is None
            else repr((code_stamp(), self._source, identity, self._asked)).encode("utf-8", "surrogateescape")
        )

    def recall(self, kind: type[T]) -> T | None:
        """Return what is kept, None if there is nothing, or nothing that can be trusted."""
        return None if self._key is None else _take(self._cache, self._key, kind)

    def remember(self, value: object) -> None:
        """Keep a value, unless the input has changed since."""
        if self._key is None or self._key != self._find_key():
            return
        _put(self._cache, self._key, value)


@frozen
class Lying:
    """Where on the shelf the files of a layer lie, by its position; `digest` is that of its blob."""

    position: int
    key: bytes
    digest: bytes


@frozen
class Shelved:
    """An image as it is kept: without the files of those layers that lie on the shelf already."""

    image: Image
    lying: tuple[Lying, ...]


class Layers:
    """What was found in compressed layers, by what their bytes are (`archive.shelf`)."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[int, tuple[bytes, Kept]] = {}  # what lies there, by the identity of its index

    def recall(self, key: bytes) -> Kept | None:
        """Return what is kept, None if there is nothing, or nothing that can be trusted."""
        kept = _take(self._cache, self._name(key), Kept)
        return None if kept is None else self._meet(key, kept)

    def remember(self, key: bytes, kept: Kept) -> None:
        """Keep something."""
        _put(self._cache, self._name(key), self._meet(key, kept))

    def lean_on(self, image: Image) -> Shelved:
        """Return an image without what lies on the shelf."""
        found = {layer.position: self._known[id(layer.index)] for layer in image.layers if id(layer.index) in self._known}
        bare = (replace(layer, index=None) if layer.position in found else layer for layer in image.layers)
        lying = tuple(Lying(position, key, kept.digest) for position, (key, kept) in found.items())
        return Shelved(replace(image, layers=tuple(bare)), lying)

    def complete(self, shelved: Shelved) -> Image | None:
        """Return the image with all of its files, None if some of them are on the shelf no longer."""
        found: dict[int, LayerIndex] = {}
        for one in shelved.lying:
            kept = self.recall(one.key)
            if kept is None or kept.digest != one.digest:
                return None
            found[one.position] = kept.scan.index
        layers = (replace(layer, index=found.get(layer.position, layer.index)) for layer in shelved.image.layers)
        return replace(shelved.image, layers=tuple(layers))

    def _meet(self, key: bytes, kept: Kept) -> Kept:
        self._known[id(kept.scan.index)] = key, kept
        return kept

    def _name(self, key: bytes) -> bytes:
        return repr((code_stamp(), "layer", key)).encode()


def _take(cache: Cache, key: bytes, kind: type[T]) -> T | None:
    data = cache.get(key)
    if data is None:
        return None
    try:
        found = _Reader(_Source(data)).load()
    except Exception:  # noqa: BLE001 - written by hand: then it is not remembered
        return None
    return found if isinstance(found, kind) else None


def _put(cache: Cache, key: bytes, value: object) -> None:
    """Keep a value; it is packed as it is written, so that it never lies in memory twice."""
    packed = io.BytesIO()
    with zstandard.ZstdCompressor(level=1).stream_writer(packed, closefd=False) as writer:
        target = _Target(writer)
        pickle.Pickler(target, protocol=5).dump(value)
    if target.size <= LARGEST:
        cache.put(key, packed.getvalue())


class _Target:
    """Counts what is written."""

    def __init__(self, writer: zstandard.ZstdCompressionWriter) -> None:
        self._writer = writer
        self.size = 0

    def write(self, data: bytes, /) -> None:
        """Write some bytes."""
        self.size += len(data)
        self._writer.write(data)


class _Source:
    """What an entry holds, unpacked as it is read: no more than may be."""

    def __init__(self, data: bytes) -> None:
        self._reader = zstandard.ZstdDecompressor().stream_reader(data)
        self._left = LARGEST

    def read(self, size: int, /) -> bytes:
        """Return so many bytes."""
        data = self._reader.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise pickle.UnpicklingError("too large")
        return data

    def readline(self) -> bytes:
        """Refuse: no value that is kept has lines."""
        raise pickle.UnpicklingError("a line")


class _Reader(pickle.Unpickler):
    """Reads plain data and values of the project; anything else that a pickle may name is refused."""

    def find_class(self, module: str, name: str) -> object:
        """Return the class of a value."""
        if (module, name) in PLAIN:
            return getattr(import_module(module), name)
        if module.partition(".")[0] == "layerscope" and "." not in name:
            found = getattr(import_module(module), name, None)
            if isinstance(found, type) and found.__module__ == module and (is_dataclass(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value")


@cache
def code_stamp() -> str:
    """Return what changes with the code, and with how it hashes: what another version found out is not believed."""
    digest = hashlib.sha256(repr((__version__, sys.version_info[:2], expected())).encode())
    for entry in sorted(_sources(Path(__file__).parents[1]), key=lambda entry: entry.path):
        status = entry.stat()
        digest.update(repr((entry.path, status.st_size, status.st_mtime_ns)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[os.DirEntry[str]]:
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        waiting.append(entry.path)
                elif entry.name.endswith(".py"):
                    yield entry
