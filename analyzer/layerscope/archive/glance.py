"""Who may want a file? Declared by its path and its mode, so that a glance tells of nearly every file that nobody does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerscope.frozen import frozen

PAIRS = 1 << 16
KEEP, SHOW = 1, 2


@frozen
class Glance:
    """What is true of every file that somebody wants; of most others it is not.

    Its path ends in one of `ends`, of two bytes each, or begins with one of `starts`, or has `inside` in it, or it has one of
    the permission bits `modes`. A path of less than two bytes may always be wanted.
    """

    ends: frozenset[bytes]
    starts: tuple[bytes, ...] = ()
    inside: bytes = b""
    modes: int = 0

    @property
    def any(self) -> bool:
        """Whether any file may be wanted."""
        return b"" in self.starts

    def may_want(self, path: bytes, mode: int) -> bool:
        """Whether it is true of a file."""
        return bool(
            mode & self.modes
            or path[-2:] in self.ends
            or (self.inside and path.find(self.inside) >= 0)
            or path.startswith(self.starts)
            or len(path) < 2
        )


ANY = Glance(frozenset(), starts=(b"",))


class Files:
    """The files that some inspector wants: those whose path ends in an ending, or has a part in it, or that have a mode."""

    def __init__(self, endings: tuple[bytes, ...], *, inside: bytes = b"", modes: int = 0) -> None:
        self.endings = endings
        self.glance = Glance(frozenset(ending[-2:] for ending in endings), inside=inside, modes=modes)

    def __call__(self, path: bytes, mode: int, _size: int) -> bool:
        """Whether a file is one of them."""
        glance = self.glance
        return bool(
            mode & glance.modes
            or (path[-2:] in glance.ends and path.endswith(self.endings))
            or (glance.inside and path.find(glance.inside) >= 0)
        )


def glance_of(asked: Callable[..., bool]) -> Glance:
    """Return what a test of files says of them, ANY if it says nothing."""
    found = getattr(asked, "glance", ANY)
    return found if isinstance(found, Glance) else ANY


def union(glances: Sequence[Glance]) -> Glance:
    """Return what is true of every file that one of several wants."""
    inside = {one.inside for one in glances if one.inside}
    if len(inside) > 1:
        return ANY
    return Glance(
        frozenset[bytes]().union(*(one.ends for one in glances)),
        tuple(start for one in glances for start in one.starts),
        next(iter(inside), b""),
        sum({1 << bit for one in glances for bit in range(12) if one.modes >> bit & 1}),
    )


def table(kept: Glance, shown: Glance) -> bytes:
    """Return for each two last bytes of a path whether it may be kept or shown, by these alone.

    How a path begins is asked only of what is kept.
    """
    always = KEEP * kept.any | SHOW * bool(shown.starts)
    made = bytearray((always,)) * PAIRS
    for glance, bit in ((kept, KEEP), (shown, SHOW)):
        for end in glance.ends:
            made[int.from_bytes(end)] |= bit
    return bytes(made)
