"""Which bytes does no container see, and why are they there?

Groups 1 to 4 of the causes: together exactly the hidden content.
"""

from __future__ import annotations

import re
from array import array
from heapq import nlargest
from itertools import compress

from layerscope.analysis.causes import Cause, Certainty, PathShare
from layerscope.model import Image, LayerIndex
from layerscope.rootfs import REPLACED, Stack

SHOWN = 5
METADATA, IDENTICAL, DELETED_LATER, REPLACED_LATER = (
    "metadata-only-copy",
    "identical-rewrite",
    "deleted-later",
    "replaced-later",
)
NO_ASPECTS: tuple[str, ...] = ()
ASPECTS = ("mode", "owner", "time", "attributes")
CHOWN = re.compile(r"\bchown\s+(?:-\S+\s+)*([\w.${}-]+(?::[\w.${}-]*)?)")
CHMOD = re.compile(r"\bchmod\s+(?:-\S+\s+)*([\w+=,-]+)")
COPIES = ("COPY", "ADD")


class Pile:
    """Rows of one cause, summed."""

    def __init__(self) -> None:
        self.bytes = 0
        self.tar_bytes = 0
        self.rows: list[tuple[int, int]] = []
        self.aspects: set[str] = set()

    def add(self, row: int, size: int, span: int) -> None:
        """Add a row, its content and what it takes of the tar."""
        self.bytes += size
        self.tar_bytes += span
        self.rows.append((size, -row))

    def largest(self, image: Image, stack: Stack) -> tuple[PathShare, ...]:
        """Return the largest few paths."""
        shares = []
        for size, negative in nlargest(SHOWN, self.rows):
            position = stack.position_of(-negative)
            index = image.index_of(position)
            assert index is not None
            shares.append(PathShare(index.paths[-negative - stack.starts[position]], size, position))
        return tuple(shares)


def spans_with_links(stack: Stack, image: Image) -> dict[int, int]:
    """Return for each file row with hard links the bytes of the tar that the links' entries take."""
    result: dict[int, int] = {}
    for link, inode in stack.inodes.items():
        if inode >= 0:
            position = stack.position_of(link)
            index = image.index_of(position)
            assert index is not None
            result[inode] = result.get(inode, 0) + index.spans[link - stack.starts[position]]
    return result


def find_waste(image: Image, stack: Stack, fates: bytearray, ended: array[int]) -> list[Cause]:
    """Return a cause for each (kind, layer that stores, layer that hid)."""
    links = spans_with_links(stack, image)
    last = {(first if (first := layer.same_as) is not None else layer.position): layer.position for layer in image.layers}
    names = names_of(stack)
    piles: dict[tuple[str, int, int], Pile] = {}
    for layer in image.layers:
        index = layer.index
        if index is None:
            continue
        start = stack.starts[layer.position]
        moved = stack.starts[last[layer.position]] - start
        spans = index.spans
        for row in compress(range(len(index)), fates[start : start + len(index)]):
            size = index.sizes[row]
            if not size:
                continue
            ident = start + row
            hidden_in = ended[ident]
            kind, aspects = DELETED_LATER, NO_ASPECTS
            if fates[ident] == REPLACED:
                kind, aspects = _compare(image, stack, index, row, ident + moved, hidden_in, names)
            pile = piles.get((kind, layer.position, hidden_in))
            if pile is None:
                pile = piles[kind, layer.position, hidden_in] = Pile()
            pile.add(ident, size, spans[row] + links.get(ident, 0) if links else spans[row])
            if aspects:
                pile.aspects.update(aspects)
    return [_cause(image, stack, key, pile) for key, pile in piles.items()]


def names_of(stack: Stack) -> dict[int, list[int]]:
    """Return the hard-link rows of each file row that has some."""
    names: dict[int, list[int]] = {}
    for link, inode in stack.inodes.items():
        if inode >= 0:
            names.setdefault(inode, []).append(link)
    return names


def _compare(
    image: Image, stack: Stack, index: LayerIndex, row: int, ident: int, hidden_in: int, names: dict[int, list[int]]
) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a replacement: was the same content stored again, and what differs?"""
    digest = index.digests.get(row)
    if digest is None:
        return REPLACED_LATER, ()
    first, beyond = stack.starts[hidden_in], stack.starts[hidden_in + 1]
    for name in (ident, *names[ident]) if ident in names else (ident,):
        successor = stack.successors.get(name, -1)
        if not first <= successor < beyond:
            continue
        successor = stack.inodes.get(successor, successor)
        if successor < 0 or successor == ident:
            continue
        position = hidden_in if first <= successor < beyond else stack.position_of(successor)
        other = image.index_of(position)
        assert other is not None
        there = successor - stack.starts[position]
        if other.digests.get(there) == digest:
            aspects = differences(index, row, other, there)
            return (METADATA if aspects else IDENTICAL), aspects
    return REPLACED_LATER, ()


def differences(one: LayerIndex, row: int, other: LayerIndex, there: int) -> tuple[str, ...]:
    """Return what differs between two rows beside content."""
    found = []
    if one.modes[row] != other.modes[there]:
        found.append("mode")
    if one.uids[row] != other.uids[there] or one.gids[row] != other.gids[there]:
        found.append("owner")
    if one.mtimes[row] != other.mtimes[there]:
        found.append("time")
    if one.xattrs.get(row, ()) != other.xattrs.get(there, ()):
        found.append("attributes")
    return tuple(found)


def _cause(image: Image, stack: Stack, key: tuple[str, int, int], pile: Pile) -> Cause:
    kind, position, hidden_in = key
    adds, hides = image.layers[position].instruction, image.layers[hidden_in].instruction
    return Cause(
        id=kind,
        title=_title(kind, len(pile.rows), pile.aspects),
        certainty=Certainty.FACT,
        bytes=pile.bytes,
        tar_bytes=pile.tar_bytes,
        layer=position,
        instruction=adds,
        hidden_in=hidden_in,
        hidden_by_instruction=hides,
        fix=_fix(kind, position, adds, hidden_in, hides, pile.aspects),
        path_count=len(pile.rows),
        paths=pile.largest(image, stack),
    )


def _title(kind: str, count: int, aspects: set[str]) -> str:
    files = f"{count:,} file{'' if count == 1 else 's'}"
    if kind == METADATA:
        differing = " and ".join(aspect for aspect in ASPECTS if aspect in aspects)
        verb = "differs" if len(aspects) == 1 and "attributes" not in aspects else "differ"
        return f"{files} stored twice, only the {differing} {verb}"
    if kind == IDENTICAL:
        return f"{files} stored twice, nothing differs"
    if kind == DELETED_LATER:
        return f"{files} deleted later, still shipped"
    return f"{files} replaced later, old content still shipped"


def _fix(kind: str, position: int, adds: str, hidden_in: int, hides: str, aspects: set[str]) -> str:
    """Return one concrete thing to do."""
    same = position == hidden_in
    copied = adds.startswith(COPIES)
    if same:
        return f"layer {position} stores these paths twice: let its builder write each path once"
    if kind == METADATA:
        owner, mode = CHOWN.search(hides), CHMOD.search(hides)
        if copied and (owner or mode) and not hides.startswith(COPIES):
            flags = " ".join(flag for flag in (owner and f"--chown={owner[1]}", mode and f"--chmod={mode[1]}") if flag)
            verb = adds.split(maxsplit=1)[0]
            return f"{verb} {flags} in layer {position}, and drop the step of layer {hidden_in}"
        if hides.startswith(COPIES):
            return f"copy these files once: layer {hidden_in} stores again what layer {position} has"
        what = "chown" if owner else "chmod" if mode else "change of " + " and ".join(a for a in ASPECTS if a in aspects)
        return f"do the {what} in the RUN that makes the files (layer {position}): a later one copies each file whole"
    if kind == IDENTICAL:
        return f"store these files once: layer {hidden_in} writes again what layer {position} has"
    if kind == DELETED_LATER:
        if copied:
            verb = adds.split(maxsplit=1)[0]
            return f"do not copy them in layer {position} (.dockerignore, or a narrower {verb}): deleting later frees nothing"
        return f"delete them in the RUN that makes them (layer {position}); a later layer frees nothing"
    if copied:
        return f"copy the final content in layer {position}, instead of changing it in layer {hidden_in}"
    return f"write the final content in one layer: move the change of layer {hidden_in} into layer {position}"
