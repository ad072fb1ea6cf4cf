"""Was this very layer read before? What was found in a compressed one is kept, and had again where the same bytes come again.

A blob is known by all of its bytes, whose print is taken anew whenever they are met: never by the digest, the diff ID or the
name that an archive tells. Its size and its two ends only say which entry to look at; the entry is believed if it was made of a
blob with the print that this one has. For uncompressed layers that would not pay: to read all of one takes longer than to read
its headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from layerscope.archive.limits import Limits
from layerscope.frozen import frozen
from layerscope.model import Level

if TYPE_CHECKING:
    from layerscope.archive.prints import Prints
    from layerscope.archive.scan import Scan, Settings

LEAST = 1 << 18
"""Bytes of a blob that is worth an entry."""
END = 1 << 12
"""Bytes at each end by which an entry is found."""


@frozen
class Kept:
    """What was found in a blob, and the print of that blob."""

    print: int
    scan: Scan


class Shelf(Protocol):
    """Where what was found is kept, under a key that is not to be believed by itself."""

    @property
    def prints(self) -> Prints:
        """What takes prints with a secret that is kept as well."""

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
    prints = settings.prints
    verified = algorithm if settings.verify else None
    asked = (prints.method, verified, settings.inspectors.fingerprint, _fixed(settings.limits))
    key = prints.print_of(repr((asked, ends)).encode()).to_bytes(8, signed=True)
    kept = shelf.recall(key)
    if kept is not None and settings.limits.hold(kept.scan.index) and prints.start(chunks()).print() == kept.print:
        if settings.progress is not None:
            settings.progress(ends[0])
        return replace(kept.scan, recalled=True)
    blob = prints.start()
    found = scan(blob.watch(chunks()))
    if not any(note.level is Level.ERROR for note in found.index.notes):
        shelf.remember(key, Kept(blob.print(), found))
    return found


def _fixed(limits: Limits) -> Limits:
    """Return limits without those that other layers use up."""
    return replace(limits, entries=0, extension_bytes=0, sparse_fragments=0, kept_bytes=0)
