"""Where does a listed path lie, when folders on its way are links?

On a merged-usr system a package lists `/bin/bash` and the layer holds `usr/bin/bash`. Only the folders are resolved,
never the last component: a package owns its links, not what they point to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layerscope.model import Kind, LayerIndex
from layerscope.packages.database import MAX_GROWTH
from layerscope.packages.paths import parent, shallow

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LINKS = 40
"""Links followed on the way to one folder, as Linux does it; also what breaks a cycle."""


MAX_STEPS = 512
"""Components passed on the way to one folder."""

MAX_TARGET = 4095
"""Bytes of a link's target that Linux can store; longer ones lead nowhere."""


class Aliases:
    """The symbolic links of all layers; of two at one path the topmost counts."""

    __slots__ = ("_folders", "_links", "_lists")

    def __init__(self, indexes: Iterable[LayerIndex | None]) -> None:
        self._links: dict[bytes, bytes] = {}
        self._folders: dict[bytes, bytes] = {}
        self._lists: dict[int, tuple[tuple[bytes, ...], tuple[bytes, ...]]] = {}
        for index in filter(None, indexes):
            for row, to in index.links.items():
                if index.kinds[row] == Kind.SYMLINK and len(to) <= MAX_TARGET:
                    self._links[index.paths[row]] = to

    def folder(self, folder: bytes) -> bytes:
        """Return where a folder really is; itself if that cannot be told."""
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = self._resolve(folder)
        return found

    def elsewhere(self, paths: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return the real places of those paths that do not lie where they are listed; remembered for each list."""
        known = self._lists.get(id(paths))
        if known is None:
            folders = self._folders
            moved: list[bytes] = []
            room = MAX_GROWTH * sum(map(len, paths))
            for path in paths:
                folder, slash, name = path.rpartition(b"/")
                real = folders.get(folder)
                if real is None:
                    real = self.folder(folder)
                if real != folder:
                    room -= len(real)
                    if room < 0:
                        break
                    moved.append(real + slash + name if real else name)
            # The list is held beside the answer, so that no other list can get its identity.
            known = self._lists[id(paths)] = (paths, tuple(moved))
        return known[1]

    def _resolve(self, folder: bytes) -> bytes:
        """Walk down to a folder, following links."""
        links = self._links
        if shallow(folder) != folder:
            return folder
        done, todo, followed, steps = b"", folder.split(b"/")[::-1], 0, 0
        while todo:
            steps += 1
            part = todo.pop()
            if part == b"..":
                done = parent(done)
                continue
            if part in {b"", b"."}:
                continue
            place = done + b"/" + part if done else part
            target = links.get(place)
            if target is None:
                done = place
                continue
            followed += 1
            if followed > MAX_LINKS or steps > MAX_STEPS:
                return folder
            if target.startswith(b"/"):
                done = b""
            todo.extend(target.split(b"/")[::-1])
        return done
