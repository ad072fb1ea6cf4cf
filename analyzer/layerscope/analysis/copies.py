"""Which live files are stored more than once? Group 9 of the causes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.duplicates import Duplicates
from layerscope.analysis.remedies import BASE
from layerscope.analysis.scene import Pile, Scene

ID = "duplicate-content"


def find_copies(scene: Scene, duplicates: Duplicates, claimed: set[int], parts: Mapping[int, int]) -> list[Cause]:
    """Return a cause for each layer that stores copies of what is already there.

    Of each set the copies that nothing else claims count, less one: the first in layer and tar order stays. Of a copy of which
    something claims a part (`parts`: row -> bytes), the rest counts.
    """
    piles: dict[int, Pile] = {}
    originals: dict[int, set[int]] = {}
    starts, links = scene.stack.starts, scene.links
    for size, places in duplicates.places():
        left = [place for place in places if place[0] not in claimed]
        if len(left) < 2:
            continue
        original = left[0][1]
        for row, position in left[1:]:
            if position not in piles:
                piles[position], originals[position] = Pile(), set()
            index = scene.image.layers[position].index
            assert index is not None
            span, part = index.spans[row - starts[position]] + links.get(row, 0), parts.get(row, 0)
            piles[position].add(row, size - part, span - part)
            originals[position].add(original)
    return [_cause(scene, position, pile, originals[position]) for position, pile in piles.items()]


def _cause(scene: Scene, position: int, pile: Pile, originals: set[int]) -> Cause:
    count = len(pile.rows)
    copies = f"{count:,} cop{'y' if count == 1 else 'ies'} of files that"
    if originals == {position}:
        title = f"{copies} this layer holds already"
    elif len(originals) == 1:
        title = f"{copies} layer {min(originals)} holds already"
    else:
        *others, last = map(str, sorted(originals))
        title = f"{copies} layers {', '.join(others)} and {last} hold already"
        if len(originals) > 3:
            title = f"{copies} lower layers hold already"
    return pile.cause(scene, ID, Certainty.POSSIBLE, position, title, _fix(scene, position, pile, originals))


def _fix(scene: Scene, position: int, pile: Pile, originals: set[int]) -> str:
    if scene.in_base(position):
        return BASE.format(layer=position, act="link")
    broken = list(takewhile(lambda there: there is not None, (_linked_in(scene, row) for row in pile.rows)))
    if len(broken) == len(pile.rows):
        of = f"layer {broken[0]}" if len(set(broken)) == 1 else "lower layers"
        return f"layer {position} stores hard links of {of} as files of their own: make its change where the links are made"
    if originals == {position}:
        return f"keep one copy: in the step of layer {position} use hard links or symlinks, or drop the copies"
    return f"keep one copy: let layer {position} link to the file it repeats, or drop it"


def _linked_in(scene: Scene, row: int) -> int | None:
    """Return the layer position of the hard link whose place a file of the same content took, None if it took none's."""
    link = scene.stack.ousted[row]
    inode = scene.stack.inodes.get(link, -1)
    return scene.stack.position_of(link) if link >= 0 and inode >= 0 and scene.same_content(inode, row) else None
