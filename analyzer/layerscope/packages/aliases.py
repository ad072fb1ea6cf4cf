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
    from collections.abc import Iterable, Mapping

MAX_LINKS = 40
"""Links followed on the way to one folder, as Linux does it; also what breaks a cycle."""


MAX_STEPS = 512
"""Components passed on the way to one folder."""

MAX_TARGET = 4095
"""Bytes of a link's target that Linux can store; longer ones lead nowhere."""


_ROUGH = frozenset((b"", b".", b".."))
_Places = tuple[tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]
"""A list of paths, the real places of those that lie elsewhere, and all folders of both."""


class Aliases:
    """The symbolic links of all layers; of two at one path the topmost counts."""

    __slots__ = ("_folders", "_links", "_lists")

    def __init__(self, indexes: Iterable[LayerIndex | None]) -> None:
        self._links: dict[bytes, bytes] = {}
        self._folders: dict[bytes, bytes] = {}
        self._lists: dict[int, _Places] = {}
        for index in filter(None, indexes):
            for row, to in index.links.items():
                if index.kinds[row] == Kind.SYMLINK and len(to) <= MAX_TARGET:
                    self._links[index.paths[row]] = to

    def folder(self, folder: bytes) -> bytes:
        """Return where a folder really is; itself if that cannot be told."""
        known = self._folders
        found = known.get(folder)
        if found is None:
            above, _, name = folder.rpartition(b"/")
            if above not in known:
                known[above] = self._resolve(above)
            # Nearly all folders are plain ones in plain ones.
            plain = folder not in self._links and name not in _ROUGH and known[above] == above
            found = known[folder] = folder if plain else self._resolve(folder)
        return found

    def elsewhere(self, paths: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return the real places of those paths that do not lie where they are listed; remembered for each list."""
        return self._look(paths)[1]

    def around(self, paths: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return the folders that paths are in, as they are listed and as they really lie."""
        return self._look(paths)[2]

    def _look(self, paths: tuple[bytes, ...]) -> _Places:
        known = self._lists.get(id(paths))
        if known is None:
            around = dict.fromkeys([path.rpartition(b"/")[0] for path in paths])
            moved = {folder: real for folder in around if (real := self.folder(folder)) != folder}
            elsewhere = self._move(paths, moved) if moved else ()
            # The list is held beside the answer, so that no other list can get its identity.
            known = self._lists[id(paths)] = (paths, elsewhere, (*around, *moved.values()))
        return known

    @staticmethod
    def _move(paths: tuple[bytes, ...], moved: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
        """Return the real places of the paths whose folder is not where it says, as far as they do not get absurdly long."""
        places = []
        room = MAX_GROWTH * sum(map(len, paths))
        for path in paths:
            folder, slash, name = path.rpartition(b"/")
            real = moved.get(folder)
            if real is not None:
                room -= len(real)
                if room >= 0:
                    places.append(real + slash + name if real else name)
        return tuple(places)

    def _is_straight(self, folder: bytes) -> bool:
        """Tell whether a folder is seen at a glance to be where it says: no link on the way from one that is known to be."""
        if (b"/" + folder).find(b"/.") >= 0 or (b"/" + folder + b"/").find(b"//") >= 0:
            return False
        while folder:
            if folder in self._links:
                return False
            folder = parent(folder)
            if self._folders.get(folder) == folder:
                return True
        return True

    def _resolve(self, folder: bytes) -> bytes:
        """Walk down to a folder, following links."""
        links = self._links
        if shallow(folder) != folder or self._is_straight(folder):
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
