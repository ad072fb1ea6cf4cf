"""What is one fact for a security review, and what became of the place it speaks of?"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from layerscope.frozen import frozen
from layerscope.model import Fate
from layerscope.rootfs.stack import DELETED, LIVE, Stack

STATES = ("visible", "replaced", "deleted")
PER_ID = 1000
# A distribution publishes what is in its packages: a key in there is a test's, or an example.
PUBLISHED = ("alpm:", "apk:", "deb:", "rpm:")
Owner = Callable[[int], str | None]


@frozen
class Exposure:
    """One fact for a security review.

    level   "info", "warning" or "error"
    state   "visible", "deleted", "replaced" or "config"
    """

    id: str
    level: str
    title: str
    path: bytes | None
    layer: int | None
    state: str
    hidden_in: int | None = None
    package: str | None = None
    detail: str | None = None


@frozen
class Ground:
    """The stacked image that facts are read from.

    fates, ended  of each row, repeated layers merged into the first
    owner         the package that has a row, None if none has
    managed       whether a distribution's package database is there, so that "owned by no package" says something
    vendor        rows whose content is as a published package shipped it, by its digest, each with that package; None if no
                  digests were compared
    """

    stack: Stack
    fates: bytearray
    ended: array[int]
    owner: Owner
    managed: bool
    vendor: Mapping[int, str] | None = None

    def state(self, row: int) -> tuple[str, int | None]:
        """Return what became of a row, and the layer that hid it."""
        fate = self.fates[row]
        return STATES[fate], None if fate == LIVE else self.ended[row]

    def publisher(self, row: int) -> str | None:
        """Return the package that has a row and gives it to everybody, None if it is somebody's own.

        Where digests were compared they tell; where not, the lists of a distribution's packages do.
        """
        if self.vendor is not None:
            return self.vendor.get(row)
        package = self.owner(row)
        return package if package is not None and package.startswith(PUBLISHED) else None

    def shows(self, row: int, path: bytes) -> bool:
        """Whether a container sees this very row at its path."""
        return self.stack.visible.get(path) == row


def hold_back(exposures: Iterable[Exposure]) -> Iterator[Exposure]:
    """Yield exposures; of one id and layer at most `PER_ID`, then one that tells how many more there are."""
    seen: Counter[tuple[str, int | None]] = Counter()
    last: dict[tuple[str, int | None], Exposure] = {}
    for exposure in exposures:
        key = (exposure.id, exposure.layer)
        seen[key] += 1
        if seen[key] <= PER_ID:
            yield exposure
        else:
            last[key] = exposure
    for key, exposure in last.items():
        more = f"and {seen[key] - PER_ID:,} more of this kind in this layer"
        yield Exposure(exposure.id, exposure.level, exposure.title, None, exposure.layer, exposure.state, detail=more)


assert (Fate.LIVE, Fate.REPLACED, Fate.DELETED) == (LIVE, 1, DELETED)  # the order of STATES
