"""Was this very layer read before? What was found in a compressed one is kept, and had again where the same bytes come again.

A blob is known by all of its bytes, hashed anew whenever they are met: never by the digest, the diff ID or the name that an
archive tells. Its size and its two ends only say which entry to look at; the entry is believed if it was made of a blob of the
digest that this one has. For uncompressed layers that would not pay: to hash one takes longer than to read its headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from layerscope.archive.digests import Hasher, best, digest
from layerscope.archive.limits import Limits
from layerscope.frozen import frozen
from layerscope.model import Level

if TYPE_CHECKING:
    from layerscope.archive.scan import Scan, Settings

LEAST = 1 << 18
"""Bytes of a blob that is worth an entry."""
END = 1 << 12
"""Bytes at each end by which an entry is found."""


@frozen
class Kept:
    """What was found in a blob, and the digest of that blob."""

    digest: bytes
    scan: Scan


class Shelf(Protocol):
    """Where what was found is kept, under a key that is not to be believed by itself."""

    def recall(self, key: bytes) -> Kept | None:
        """Return what is kept under a key, if anything can be trusted to be."""

    def remember(self, key: bytes, kept: Kept) -> None:
        """Keep something."""


def scan_again(
    shelf: Shelf,
    settings: Settings,
    algorithm: str,
    ends: tuple[int, bytes, bytes],
    chunks: Callable[[], Iterator[bytes]],
    scan: Callable[[Iterator[bytes]], Scan],
) -> Scan:
    """Return what was found in a blob, by `scan` or, if it was scanned before, from the shelf.

    `ends` are the blob's size, its first and its last bytes; `chunks` gives all of them each time it is called.
    """
    name, start_hash = best()
    asked = (name, algorithm if settings.verify else None, settings.inspectors.fingerprint, _fixed(settings.limits))
    key = digest(repr((asked, ends)).encode())
    kept = shelf.recall(key)
    if kept is not None and settings.limits.hold(kept.scan.index):
        hasher = start_hash()
        for _ in _hashed(chunks(), hasher):
            pass
        if hasher.digest() == kept.digest:
            if settings.progress is not None:
                settings.progress(ends[0])
            return replace(kept.scan, recalled=True)
    hasher = start_hash()
    found = scan(_hashed(chunks(), hasher))
    if not any(note.level is Level.ERROR for note in found.index.notes):
        shelf.remember(key, Kept(hasher.digest(), found))
    return found


def _hashed(chunks: Iterator[bytes], hasher: Hasher) -> Iterator[bytes]:
    for chunk in chunks:
        hasher.update(chunk)
        yield chunk


def _fixed(limits: Limits) -> Limits:
    """Return limits without those that other layers use up."""
    return replace(limits, entries=0, extension_bytes=0, sparse_fragments=0, kept_bytes=0)
