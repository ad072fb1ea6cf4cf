"""What tells one content from another? Its print decides, its label is told.

A print is 64 bits that depend on a secret: any two contents share it for one of 2^63 secrets, and no writer of an image knows
the secret. So what has one print, taken with one secret, is equal. A label is the XXH128 of a content, as `xxhsum -H2` writes
it: the same for everybody, and quick to take; but different contents of one label can be made, so nothing is decided by it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import blake2b, shake_256

import xxhash

from layerscope.archive import quick

SMALL = 1 << 16
"""Bytes of which a print is taken at once; that of a longer content comes from those of its parts."""
ALGORITHM, WIDTH = "xxh128", 16
"""What a label is, and how many bytes it has."""


class Prints:
    """What takes prints and labels of contents.

    `secret` has 32 bytes: made for this process, or kept from run to run. Without the compiled part prints are keyed BLAKE2.
    """

    def __init__(self, secret: bytes = b"") -> None:
        self.secret = secret or os.urandom(32)

    @property
    def method(self) -> str:
        """How prints are taken: those of one secret can be compared if they were taken in one way."""
        return "BLAKE2" if quick.Parts is None else "NH"

    @cached_property
    def key(self) -> bytes:
        """The secret, as long as the compiled part wants it."""
        return shake_256(self.secret).digest(quick.FINAL + SMALL)

    def print_of(self, content: bytes) -> int:
        """Return the print of a content."""
        if quick.fingerprint is not None and len(content) <= SMALL:
            return quick.fingerprint(self.key, content)
        return self.start((content,)).print()

    @property
    def label_of(self) -> Callable[[bytes], bytes]:
        """What returns the label of a content."""
        return xxhash.xxh3_128_digest

    def start(self, pieces: Iterable[bytes] = ()) -> Pieces:
        """Return what takes a content in pieces, with the first of them."""
        taken = Pieces(self)
        for piece in pieces:
            taken.update(piece)
        return taken


class Pieces:
    """Takes a content in pieces."""

    def __init__(self, prints: Prints) -> None:
        self._secret = prints.secret
        self._parts = None if quick.Parts is None else quick.Parts(prints.key)
        self._whole = blake2b(digest_size=8, key=prints.secret)
        self._label = xxhash.xxh3_128()

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        (self._whole if self._parts is None else self._parts).update(piece)
        self._label.update(piece)

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield pieces that somebody else wants, and take each."""
        for piece in pieces:
            self.update(piece)
            yield piece

    def print(self) -> int:
        """Return the print of what was taken."""
        found = self._whole.digest() if self._parts is None else self._parts.prints()
        if len(found) > 8:
            found = blake2b(found, digest_size=8, key=self._secret).digest()
        return int.from_bytes(found, sys.byteorder, signed=True)

    def label(self) -> bytes:
        """Return the label of what was taken."""
        return self._label.digest()


PRINTS = Prints()
"""With a secret of this process."""
