"""Layers made by hand, and a slow, plain way of stacking them."""

from __future__ import annotations

import os
from array import array
from pathlib import Path

import pytest
from layerscope.model import Fate, Kind, LayerIndex
from layerscope.packages.databases import PATTERNS
from layerscope.packages.patterns import Patterns
from layerscope.rootfs.stack import Stack

KEEP = Patterns(PATTERNS)


def corpus(name: str) -> Path:
    """Find a file of the corpus, or skip the test."""
    root = Path(os.environ.get("LAYERSCOPE_CORPUS", Path(__file__).parents[2] / "../shared/corpus"))
    if not (root / name).exists():
        pytest.skip(f"the corpus has no {name} here")
    return root / name


def layer(*rows: tuple) -> LayerIndex:
    """Build an index: (path, content or size), (path, Kind.X), (path, Kind.SYMLINK or HARDLINK, target)."""
    paths, kinds, sizes, links, kept = [], bytearray(), array("q"), {}, {}
    for row, (path, what, *target) in enumerate(rows):
        path = path.encode() if isinstance(path, str) else path
        paths.append(path)
        if isinstance(what, Kind):
            kinds.append(what)
            sizes.append(0)
            if target:
                links[row] = target[0].encode() if isinstance(target[0], str) else target[0]
        else:
            kinds.append(Kind.FILE)
            sizes.append(what if isinstance(what, int) else len(what))
            if KEEP(path):
                kept[row] = what.encode() if isinstance(what, str) else b"" if isinstance(what, int) else what
    count = len(paths)
    zeros = array("q", [0]) * count
    return LayerIndex(
        paths=paths, folders=[path.rpartition(b"/")[0] for path in paths], kinds=kinds, sizes=sizes, modes=zeros, uids=zeros[:], gids=zeros[:], mtimes=[0] * count,
        offsets=zeros, spans=zeros, links=links, xattrs={}, declared={}, sparse={}, contents=array("i", bytes(4 * count)), kept=kept, tar_bytes=0,
    )  # fmt: skip


def stack(indexes: list[LayerIndex | None]) -> Stack:
    """Stack layers row by row; folders join, anything else replaces."""
    starts = [0]
    for index in indexes:
        starts.append(starts[-1] + (len(index) if index else 0))
    fates = bytearray(starts[-1])
    ended = array("q", [-1]) * starts[-1]
    inodes: dict[int, int] = {}
    alive: dict[bytes, int] = {}

    def bury(path: bytes, fate: Fate, position: int, *, itself: bool = True) -> None:
        for other in [one for one in alive if (itself and one == path) or one.startswith(path + b"/" if path else b"")]:
            row = alive.pop(other)
            fates[row], ended[row] = (fate if other == path else Fate.DELETED), position

    for position, index in enumerate(indexes):
        if index is None:
            continue
        put = {path for path, kind in zip(index.paths, index.kinds, strict=True) if kind not in {Kind.WHITEOUT, Kind.OPAQUE}}
        for path, kind in zip(index.paths, index.kinds, strict=True):
            if kind in {Kind.WHITEOUT, Kind.OPAQUE}:
                fate = Fate.REPLACED if path in put else Fate.DELETED
                bury(path, fate, position, itself=kind == Kind.WHITEOUT)
        for row, (path, kind) in enumerate(zip(index.paths, index.kinds, strict=True)):
            if kind in {Kind.WHITEOUT, Kind.OPAQUE}:
                continue
            target = alive.get(index.links.get(row, b""), -1) if kind == Kind.HARDLINK else -1
            if kind != Kind.DIRECTORY:
                bury(path, Fate.REPLACED, position)
            elif path in alive and index.kinds:
                other = alive.pop(path)
                fates[other], ended[other] = Fate.REPLACED, position
            number = starts[position] + row
            alive[path] = number
            if kind == Kind.HARDLINK:
                inodes[number] = inodes.get(target, target)
    names = {inode: (fates[inode], ended[inode]) for inode in inodes.values() if inode >= 0}
    for inode in names:
        group = [inode, *(name for name, to in inodes.items() if to == inode)]
        if any(fates[name] == Fate.LIVE for name in group):
            fates[inode], ended[inode] = Fate.LIVE, -1
        else:
            last = max(ended[name] for name in group)
            fates[inode], ended[inode] = min(fates[name] for name in group if ended[name] == last), last
    return Stack(tuple(starts), fates, ended, inodes, names, dict(alive))
