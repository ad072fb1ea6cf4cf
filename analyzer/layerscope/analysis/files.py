"""Which files are there, how much do they weigh, and what became of them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from layerscope.analysis.carriage import price_rows
from layerscope.frozen import frozen
from layerscope.model import Fate, Image, Kind
from layerscope.rootfs.stack import Stack, merge_repeats


@frozen
class FileRow:
    """One entry of one layer.

    link      of a hard link the path that it names; of a symlink the target as written
    layer     position of the layer that stores it
    ended_by  position of the layer that replaced or deleted it, None while it lives
    owner     who owns its bytes: a package or a class, None for what has no bytes to own
    pull      bytes that a registry sends for it, an estimate; None if nobody asked, or nothing tells
    """

    path: bytes
    kind: Kind
    link: bytes | None
    bytes: int
    mode: int
    uid: int
    gid: int
    layer: int
    fate: Fate
    ended_by: int | None
    owner: str | None
    pull: int | None = None


@frozen
class Sieve:
    """Which files are asked for; None lets all pass. In `glob` and `owner`, `*` stands for anything, slashes too.

    `glob` is matched against the absolute path; `least` is the smallest size that passes.
    """

    layer: int | None = None
    fate: Fate | None = None
    owner: str | None = None
    glob: str | None = None
    least: int = 0

    def passes(self, file: FileRow) -> bool:
        """Whether a file is asked for."""
        return (
            file.bytes >= self.least
            and self.layer in (None, file.layer)
            and self.fate in (None, file.fate)
            and (self.owner is None or fnmatchcase(file.owner or "", self.owner))
            and (self.glob is None or fnmatchcase("/" + file.path.decode("utf-8", "surrogateescape"), self.glob))
        )


def sift(files: Iterable[FileRow], sieve: Sieve) -> tuple[FileRow, ...]:
    """Return the files that are asked for."""
    return tuple(filter(sieve.passes, files))


def list_files(
    image: Image, stack: Stack, owner_name: Callable[[int], str | None], *, priced: bool = False, again: bool = False
) -> tuple[FileRow, ...]:
    """Return every entry of every layer, in the order of layers and of their tars; a repeated layer once, or each time.

    `owner_name` is asked for row ids of the stack; `priced` adds what a registry sends for each. With `again` a layer that is
    listed several times has its rows each time, and each says what became of its own name then: a file's content may live on
    under another.
    """
    fates, ends = (stack.fates, stack.ended) if again else merge_repeats(stack, [layer.same_as for layer in image.layers])
    names = stack.names if again else {}
    rows: list[FileRow] = []
    for layer in image.layers:
        index = image.index_of(layer.position) if again else layer.index
        if index is None or (layer.same_as is not None and not again):
            continue
        start = stack.starts[layer.position]
        owned = start if layer.same_as is None else stack.starts[layer.same_as]
        prices = price_rows(layer, index) if priced else None
        for row, path in enumerate(index.paths):
            fate, ended = names.get(start + row) or (fates[start + row], ends[start + row])
            rows.append(
                FileRow(
                    path=path,
                    kind=Kind(index.kinds[row]),
                    link=index.links.get(row),
                    bytes=index.sizes[row],
                    mode=index.modes[row],
                    uid=index.uids[row],
                    gid=index.gids[row],
                    layer=layer.position,
                    fate=Fate(fate),
                    ended_by=None if ended < 0 else ended,
                    owner=owner_name(owned + row),
                    pull=None if prices is None else round(prices[row]),
                )
            )
    return tuple(rows)
