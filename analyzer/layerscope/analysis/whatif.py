"""How large would the image be without these files, or with these layers as one? From the books, without rebuilding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from itertools import compress

from layerscope.analysis.books import Books
from layerscope.analysis.draft import Draft, Loss, Step
from layerscope.analysis.sheets import RECORD, Sheet, merge
from layerscope.errors import SelectionError
from layerscope.frozen import frozen
from layerscope.model import ONLY_LIVE, Image
from layerscope.rootfs.paths import parent_of
from layerscope.rootfs.stack import Stack, merge_repeats
from layerscope.rootfs.stacker import stack

IDLE = "whiteouts of what is gone"
COVER = "whiteouts of what would be seen again"
Slot = tuple[tuple[int, ...], Sheet | None]
"""The positions that become one layer, and what is in it; None if its blob is not there."""


@frozen
class Sizes:
    """What a layer, or the image, weighs; `pull_bytes` is an estimate, None if unknown."""

    tar_bytes: int = 0
    content_bytes: int = 0
    live_bytes: int = 0
    pull_bytes: int | None = 0

    def __add__(self, other: Sizes) -> Sizes:
        pulls = (self.pull_bytes, other.pull_bytes)
        return Sizes(
            self.tar_bytes + other.tar_bytes,
            self.content_bytes + other.content_bytes,
            self.live_bytes + other.live_bytes,
            None if pulls[0] is None or pulls[1] is None else pulls[0] + pulls[1],
        )


@frozen
class LayerChange:
    """One layer that would be there, made of those at `positions`; several where they are squashed."""

    positions: tuple[int, ...]
    instruction: str
    before: Sizes
    after: Sizes


@frozen
class WhatIf:
    """The image as it is, as it would be, and what makes the difference; a layer that is listed twice is there once."""

    image: Image
    before: Sizes
    after: Sizes
    losses: tuple[Loss, ...]
    layers: tuple[LayerChange, ...]


def find_rows(image: Image, stacked: Stack, glob: str) -> list[int]:
    """Return the rows of all layers whose path a glob means, or a folder above it; `*` stands for anything, slashes too."""
    matches = re.compile(translate(glob)).match
    known: dict[bytes, bool] = {b"": False}

    def means(path: bytes) -> bool:
        return matches("/" + path.decode("utf-8", "surrogateescape")) is not None

    def covers(folder: bytes) -> bool:
        climbed = []
        while folder not in known:
            climbed.append(folder)
            folder = parent_of(folder)
        found = known[folder]
        for one in reversed(climbed):
            found = known[one] = found or means(one)
        return found

    rows = []
    for layer in image.layers:
        index, start = layer.index, stacked.starts[layer.position]
        if index is not None:
            pairs = zip(index.paths, index.folders, strict=True)
            rows += [start + row for row, (path, folder) in enumerate(pairs) if covers(folder) or means(path)]
    return rows


def imagine(image: Image, stacked: Stack, books: Books, steps: Sequence[Step], squash: tuple[int, int] | None = None) -> WhatIf:
    """Return what the image would weigh without the rows of all steps, then with the layers of a range as one.

    Data of a file with several names go when the last name goes. A whiteout that hid only what is gone goes with it;
    where what is gone hid something below, a whiteout takes its place. Raises
    `SelectionError` if a layer of the range is not there.
    """
    draft = Draft(image, stacked, books)
    losses = [draft.take(step) for step in steps]
    if idle := draft.idle():
        losses.append(draft.take(Step(IDLE, idle)))
    if cover := draft.cover(COVER):
        losses.append(cover)
    left = draft.remainder()
    slots: list[Slot] = [((position,), left.get(first)) for position, first in enumerate(draft.firsts)]
    layers = _weigh(image, books, slots)
    if squash is not None:
        before = _sum(layers)
        first, last = squash
        chosen = slice(first, last + 1)
        below = [sheet for _, sheet in slots[:first]]
        merged = merge(below, [_readable(positions[0], sheet) for positions, sheet in slots[chosen]])
        slots[chosen] = [(tuple(range(first, last + 1)), merged)]
        layers = _weigh(image, books, slots)
        after = _sum(layers)
        entries = sum(len(sheet.index) for sheet in left.values()) - sum(len(sheet.index) for sheet in _distinct(slots))
        content, tar = before.content_bytes - after.content_bytes, before.tar_bytes - after.tar_bytes
        losses.append(Loss(f"layers {first} to {last} as one", entries, content, tar))
    total = Sizes()
    for layer in layers:
        total += layer.before
    return WhatIf(image, total, _sum(layers), tuple(losses), layers)


def _readable(position: int, sheet: Sheet | None) -> Sheet:
    if sheet is None:
        raise SelectionError(f"layer {position} is not in the archive: it cannot be merged")
    if not len(sheet.index) and sheet.index.tar_bytes > RECORD:
        raise SelectionError(f"layer {position} could not be read: it cannot be merged")
    return sheet


def _distinct(slots: Sequence[Slot]) -> list[Sheet]:
    return list({id(sheet): sheet for _, sheet in slots if sheet is not None}.values())


def _sum(layers: Sequence[LayerChange]) -> Sizes:
    total = Sizes()
    for layer in layers:
        total += layer.after
    return total


def _weigh(image: Image, books: Books, slots: Sequence[Slot]) -> tuple[LayerChange, ...]:
    """Return each layer as it is and as it would be; one that is listed again weighs nothing there."""
    seen: dict[int, int] = {}
    firsts = [at if sheet is None else seen.setdefault(id(sheet), at) for at, (_, sheet) in enumerate(slots)]
    same_as = [None if first == at else first for at, first in enumerate(firsts)]
    stacked = stack([sheet.index if sheet else None for _, sheet in slots])
    fates, _ = merge_repeats(stacked, same_as)
    changes = []
    for at, (positions, sheet) in enumerate(slots):
        before = Sizes()
        for position in positions:
            row = books.layers[position]
            unknown = row.pull_bytes is None and image.layers[position].present
            pull = None if unknown else row.pull_bytes or 0
            before += Sizes(row.tar_bytes or 0, row.content_bytes or 0, row.live_bytes or 0, pull)
        after = Sizes(pull_bytes=before.pull_bytes)
        if sheet is not None and same_as[at] is None:
            index = sheet.index
            live = sum(compress(index.sizes, fates[stacked.starts[at] : stacked.starts[at + 1]].translate(ONLY_LIVE)))
            pull = None if sheet.pull is None else round(sheet.pull)
            after = Sizes(index.tar_bytes, index.content_bytes, live, pull)
        instruction = image.layers[positions[-1]].instruction
        changes.append(LayerChange(positions, instruction, before, after))
    return tuple(changes)
