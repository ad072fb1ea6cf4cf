"""Which files of packages are not as they were shipped?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.model import Deviation, Image

CHANGED = "vendor-file-changed"
_SHOWN = 12


def find_changed(image: Image, ground: Ground, deviations: Iterable[Deviation]) -> Iterator[Exposure]:
    """Return the files whose digest is not the one that their package's database tells, with both."""
    starts = ground.stack.starts
    for one in deviations:
        position = bisect_right(starts, one.row) - 1
        index = image.index_of(position)
        assert index is not None
        state, hidden = ground.state(one.row)
        expected, found = one.expected.hex()[:_SHOWN], one.found.hex()[:_SHOWN]
        before = "" if one.intact is None else f"; unchanged in layer {one.intact}"
        yield Exposure(
            id=CHANGED,
            level="warning",
            title="not as its package shipped it",
            path=index.paths[one.row - starts[position]],
            layer=position,
            state=state,
            hidden_in=hidden,
            package=one.package,
            detail=f"{one.algorithm} {found}..., shipped as {expected}...{before}",
        )
