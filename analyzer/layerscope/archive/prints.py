"""What tells one content from another? Its print decides, its label is told.

A print is 64 bits that depend on a secret: any two contents share it for one of 2^63 secrets, and no writer of an image knows
the secret. So what has one print, taken with one secret, is equal. A label is the XXH128 of a content, as `xxhsum -H2` writes
it: the same for everybody, and quick to take; but different contents of one label can be made, so nothing is decided by it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import xxhash

from layerscope.archive import quick

SMALL = 1 << 16
"""Bytes of which a print is taken at once; that of a longer content comes from those of its parts."""
WIDTH, OCTETS = 16, 8
"""Bytes of a label, and of a print."""


class Prints:
    """What takes prints and labels of contents.

    `secret` has 32 bytes: made for this process, or kept from run to run. Without the compiled part prints are those of
    SHA-256, which is given the secret first.
    """

    def __init__(self, secret: bytes = b"") -> None:
        self.secret = secret or os.urandom(32)

    @property
    def method(self) -> str:
        """How prints are taken: those of one secret can be compared if they were taken in one way."""
        return "SHA-256" if quick.Parts is None else "NH"

    @cached_property
    def key(self) -> bytes:
        """The secret, as long as the compiled part wants it."""
        return hashlib.shake_256(self.secret).digest(quick.FINAL + SMALL)

    def print_of(self, content: bytes) -> int:
        """Return the print of a content."""
        if quick.fingerprint is None:
            return self.seal(content)
        return quick.fingerprint(self.key, content) if len(content) <= SMALL else self.start((content,)).print()

    def seal(self, content: bytes) -> int:
        """Return 64 bits of the SHA-256 of the secret and a content."""
        return _number(hashlib.sha256(self.secret + content).digest()[:OCTETS])

    @property
    def label_of(self) -> Callable[[bytes], bytes]:
        """What returns the label of a content."""
        return xxhash.xxh3_128_digest

    def start(self, pieces: Iterable[bytes] = ()) -> Pieces:
        """Return what takes a content in pieces, with the first of them."""
        taken = self.begin()
        for piece in pieces:
            taken.update(piece)
        return taken

    def begin(self) -> Pieces:
        """Return what takes a content in pieces, before the first."""
        return Pieces(self)


class Whole:
    """A content that comes in pieces, as one part, whatever its length: what there is where nothing is compiled."""

    def __init__(self, secret: bytes) -> None:
        self._taken = hashlib.sha256(secret)

    def update(self, piece: bytes, /) -> None:
        """Take the next piece."""
        self._taken.update(piece)

    def prints(self) -> bytes:
        """Return the print of what was taken."""
        return self._taken.digest()[:OCTETS]


class Pieces:
    """Takes a content in pieces."""

    def __init__(self, prints: Prints) -> None:
        self._prints = prints
        self._parts = Whole(prints.secret) if quick.Parts is None else quick.Parts(prints.key)
        self._label = xxhash.xxh3_128()

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._parts.update(piece)
        self._label.update(piece)

    def watch(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield pieces that somebody else wants, and take each."""
        for piece in pieces:
            self.update(piece)
            yield piece

    def print(self) -> int:
        """Return the print of what was taken."""
        found = self._parts.prints()
        return _number(found) if len(found) == OCTETS else self._prints.seal(found)

    def label(self) -> bytes:
        """Return the label of what was taken."""
        return self._label.digest()


def _number(octets: bytes) -> int:
    return int.from_bytes(octets, sys.byteorder, signed=True)


PRINTS = Prints()
"""With a secret of this process."""
