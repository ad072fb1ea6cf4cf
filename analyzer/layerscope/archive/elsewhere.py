"""What do links name that lies elsewhere: in a lower layer (C29), or behind a symlink, where nobody wanted it?"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from layerscope.archive.again import Look, held, look_again, stray_links
from layerscope.archive.container.base import Container, Member
from layerscope.archive.notebook import Notebook
from layerscope.archive.retrieve import fetch_files
from layerscope.columns import among, where
from layerscope.model import Kind, Layer, LayerIndex, both, only

FILE, HARDLINK, LINKS_FOLLOWED = int(Kind.FILE), int(Kind.HARDLINK), 40
_THINGS = only(*(kind for kind in Kind if kind not in (Kind.WHITEOUT, Kind.OPAQUE, Kind.OTHER)))


def look_elsewhere(container: Container, members: Sequence[Member | None], layers: Sequence[Layer], notes: Notebook) -> None:
    """Keep what is wanted by another name than that under which it stands in one of the layers.

    Whether a container sees it by that name, the stack tells later.
    """
    settings = container.settings
    indexes = {layer.position: layer.index for layer in layers if layer.index is not None}
    looks: dict[int, dict[int, Look]] = {}
    strays = [
        (position, link)
        for position, index in (indexes.items() if len(indexes) > 1 else ())
        for link in stray_links(index, settings.keep)
    ]
    for position, link, home, row in _resolve(indexes, strays):
        if home != position:
            looks.setdefault(home, {})[row] = Look(indexes[position].paths[link], keep=True, wanting=[])
    moves = settings.moves(indexes.values())
    if moves is not None:
        for position, index in indexes.items():
            for row, path in enumerate(index.paths):
                if index.kinds[row] == FILE and row not in index.kept and (usual := moves.usual(path)) is not None:
                    looks.setdefault(position, {})[row] = Look(usual, keep=True, wanting=[])
    for position, wanted in looks.items():
        index = indexes[position]
        before, fetch = held(index), fetch_files(container, members[position], index)
        told = look_again(index, wanted, fetch, settings.inspectors, settings.limits, container.room)
        container.take_room(held(index) - before)
        for note in told.freeze():
            notes.add(note.id, note.level, note.message, path=note.path, layer=position)


def _resolve(indexes: Mapping[int, LayerIndex], links: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Yield layer and row of each hard link, and of the topmost file that it leads to, there or below."""
    if not links:
        return
    names = {indexes[position].links[row] for position, row in links}
    for _ in range(LINKS_FOLLOWED):  # also what is on the way there
        known = len(names)
        for index in indexes.values():
            kinds, paths = index.kinds, index.paths
            names |= {to for row, to in index.links.items() if paths[row] in names and kinds[row] == HARDLINK}
        if len(names) == known:
            break
    places: defaultdict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for position, index in indexes.items():
        for row in where(both(among(index.paths, names), index.kinds.translate(_THINGS))):
            places[index.paths[row]].append((position, row))
    for position, link in links:
        home, row = position, link
        for _ in range(LINKS_FOLLOWED):
            found = places[indexes[home].links[row]]
            at = bisect_left(found, (home + 1, 0))
            if not at:
                break
            home, row = found[at - 1]
            if indexes[home].kinds[row] == FILE:
                yield position, link, home, row
            if indexes[home].kinds[row] != HARDLINK:
                break
