"""What was found out about the same input before?

Images and reports are kept in the cache under what the input is (see `archive.identity`), what was asked, and which code
answered, packed by `cli.packing`.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from xxhash import xxh3_128_hexdigest

from layerscope._version import __version__
from layerscope.archive.cache import Cache
from layerscope.archive.identity import identify
from layerscope.archive.shelf import Kept
from layerscope.cli.packing import pack, unpack
from layerscope.frozen import frozen
from layerscope.model import Image, LayerIndex

if TYPE_CHECKING:
    from layerscope.archive.prints import Prints

T = TypeVar("T")


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
        data = None if self._key is None else self._cache.get(self._key)
        return None if data is None else unpack(data, kind)

    def remember(self, value: object) -> None:
        """Keep a value, unless the input has changed since."""
        if self._key is None or self._key != self._find_key():
            return
        data = pack(value)
        if data is not None:
            self._cache.put(self._key, data)


@frozen
class Lying:
    """Where on the shelf the files of a layer lie, by its position.

    `print` is that of its blob, `contents` are the numbers that comparing with the other layers gave.
    """

    position: int
    key: bytes
    print: int
    contents: array[int]


@frozen
class Shelved:
    """An image as it is kept: without the files of those layers that lie on the shelf already; `pull` as it was loaded with."""

    image: Image
    lying: tuple[Lying, ...]
    pull: str


class Layers:
    """What was found in compressed layers, by what their bytes are (`archive.shelf`)."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[int, tuple[bytes, Kept]] = {}  # what lies there, by the identity of its index

    @cached_property
    def prints(self) -> Prints:
        """What takes prints with the secret that is kept; a new one is made where there is none."""
        from layerscope.archive.prints import Prints

        name = self._name(b"secret")
        secret = self._cache.get(name)
        if secret is None:
            secret = os.urandom(32)
            self._cache.put(name, secret)
        return Prints(secret)

    def recall(self, key: bytes) -> Kept | None:
        """Return what is kept, None if there is nothing, or nothing that can be trusted."""
        data = self._cache.get(self._name(key))
        kept = None if data is None else unpack(data, Kept)
        return None if kept is None else self._meet(key, kept)

    def remember(self, key: bytes, kept: Kept) -> None:
        """Keep something."""
        data = pack(self._meet(key, kept))
        if data is not None:
            self._cache.put(self._name(key), data)

    def lean_on(self, image: Image, pull: str) -> Shelved:
        """Return an image that was loaded with some pull sizes, without what lies on the shelf."""
        found = {layer.position: self._known[id(layer.index)] for layer in image.layers if id(layer.index) in self._known}
        bare = (replace(layer, index=None) if layer.position in found else layer for layer in image.layers)
        lying = tuple(Lying(position, key, kept.print, kept.scan.index.contents) for position, (key, kept) in found.items())
        return Shelved(replace(image, layers=tuple(bare)), lying, pull)

    def complete(self, shelved: Shelved, pull: str) -> Image | None:
        """Return the image with all of its files and the pull sizes that are wanted, None if they are kept no longer."""
        if pull not in (shelved.pull, "off"):  # pull sizes can be left out, not added
            return None
        found: dict[int, LayerIndex] = {}
        for one in shelved.lying:
            kept = self.recall(one.key)
            if kept is None or kept.print != one.print:
                return None
            index = found[one.position] = kept.scan.index
            index.contents[:] = one.contents
            del index.prints[:], index.labels[:]
        layers = (
            replace(layer, index=found.get(layer.position, layer.index), pull=None if pull == "off" else layer.pull)
            for layer in shelved.image.layers
        )
        return replace(shelved.image, layers=tuple(layers))

    def _meet(self, key: bytes, kept: Kept) -> Kept:
        self._known[id(kept.scan.index)] = key, kept
        return kept

    def _name(self, key: bytes) -> bytes:
        return repr((code_stamp(), "layer", key)).encode()


@cache
def code_stamp() -> str:
    """Return what changes with the code: what another version found out is not believed."""
    found = sorted((entry.path, status.st_size, status.st_mtime_ns) for entry, status in _sources(Path(__file__).parents[1]))
    told = (__version__, sys.version_info[:2], found)
    return xxh3_128_hexdigest(repr(told).encode("utf-8", "surrogateescape"))


def _sources(folder: Path) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        waiting.append(entry.path)
                elif entry.name.endswith(".py"):
                    yield entry, entry.stat()
