"""Under which name does a file stand that is stored as an object?

OSTree stores each file once, as `sysroot/ostree/repo/objects/AB/HASH.file`; `usr/bin/bash` is a hard link to it. All names of a
file are worth the same: it is taken to stand under the first that says something, and the object's name to be the link.
"""

from __future__ import annotations

import re
from itertools import compress, repeat

from layerscope.archive.tar.folders import EACH, parent_of
from layerscope.model import ONLY_FOLDERS, Kind, LayerIndex, only
from layerscope.regex import regex

ROOM = 1 << 26
"""Bytes of folders that are looked at in one layer; where there are more, nothing gets another name."""

FILE, SYMLINK, HARDLINK = int(Kind.FILE), int(Kind.SYMLINK), int(Kind.HARDLINK)
_END = b".file"
_OBJECT = regex(rb"(?:.*/)?repo/objects/[0-9a-f]{2}/[0-9a-f]{62}\.file", re.DOTALL)
_LEAVES = only(*(kind for kind in Kind if kind not in (Kind.DIRECTORY, Kind.OPAQUE, Kind.OTHER)))


def name_objects(index: LayerIndex) -> None:
    """Let each object and the first hard link to it change names; `renamed` tells which did.

    Nobody must see a difference but by the names: one that was linked to before stays where it is; so do all of a layer that
    lists something twice, or something below what is no folder.
    """
    paths, folders, kinds, links = index.paths, index.folders, index.kinds, index.links
    if HARDLINK not in kinds or not any(map(bytes.endswith, links.values(), repeat(_END))) or not _healthy(index):
        return
    objects: dict[bytes, int] = {}
    known: set[bytes] = set()
    for row, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
        if kind == HARDLINK:
            home = objects.pop(links[row], -1)
            known.add(links[row])
            if home >= 0 and path not in known and not _is_object(path):
                index.renamed[home] = row
                paths[home], paths[row], folders[home], folders[row] = path, paths[home], folders[row], folders[home]
                links[row] = path
        elif kind in (FILE, SYMLINK) and _is_object(path):
            objects[path] = row


def _is_object(path: bytes) -> bool:
    return path.endswith(_END) and _OBJECT.fullmatch(path) is not None


def _healthy(index: LayerIndex) -> bool:
    """Whether nothing is listed twice but folders, and nothing else has something below it, or hard links that lead to it."""
    leaves = list(compress(index.paths, index.kinds.translate(_LEAVES)))
    if len(set(leaves)) < len(leaves):
        return False
    targets = {target for row, target in index.links.items() if index.kinds[row] == HARDLINK}
    known = {b""}
    left = ROOM
    for folder in {*compress(index.paths, index.kinds.translate(ONLY_FOLDERS)), *index.folders, *map(parent_of, targets)}:
        while folder not in known:
            known.add(folder)
            left -= len(folder) + EACH
            if left < 0:
                return False
            folder = parent_of(folder)
    return known.isdisjoint(leaves) and known.isdisjoint(targets)
