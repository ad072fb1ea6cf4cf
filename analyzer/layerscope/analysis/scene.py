"""What does a search for causes look at? The stacked image, its packages, and what was claimed already."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, compress

from layerscope.analysis.causes import Cause, Certainty, PathShare
from layerscope.analysis.demand import Demand
from layerscope.columns import largest, sort_out
from layerscope.model import Image, LayerIndex, Package, pick
from layerscope.regex import regex
from layerscope.rootfs.stack import FILE, SYMLINK, Stack

SHOWN = 5
_LAYER = regex(r"layer (\d{1,6})\b")
_MOUNT = regex(r"RUN --mount=type=cache,target=\S+ in layer (\d+), or end it with: ")
BARE = (FILE, SYMLINK)
"""Kinds of entries that a cause claims also where they have no content."""


@dataclass(frozen=True)
class Scene:
    """An image, stacked and owned, as the causes see it.

    fates, ended  the stack's, repeated layers merged into the first
    packages      number -> package that is there at the end; `column` has the number of each row's owner
    demand        which of them the running image needs, and what the others are for
    base          how many layers, from the bottom, belong to the base image
    """

    image: Image
    stack: Stack
    fates: bytearray
    ended: array[int]
    packages: Mapping[int, Package] = field(default_factory=dict)
    column: array[int] = field(default_factory=lambda: array("i"))
    demand: Demand = field(default_factory=Demand)
    base: int = 0

    def place(self, row: int) -> tuple[int, LayerIndex, int]:
        """Return layer position, index and row within it of a row id."""
        position = self.stack.position_of(row)
        index = self.image.index_of(position)
        assert index is not None
        return position, index, row - self.stack.starts[position]

    def path(self, row: int) -> bytes:
        """Return the path of a row id."""
        _, index, inside = self.place(row)
        return index.paths[inside]

    def size(self, row: int) -> int:
        """Return the content bytes of a row id."""
        _, index, inside = self.place(row)
        return index.sizes[inside]

    @cached_property
    def names(self) -> dict[int, list[int]]:
        """The hard-link rows of each file row that has some."""
        names: dict[int, list[int]] = {}
        for link, inode in self.stack.inodes.items():
            if inode >= 0:
                names.setdefault(inode, []).append(link)
        return names

    @cached_property
    def linked(self) -> bytearray:
        """A mask of the rows that share a file with others: its own row, and hard links."""
        linked = bytearray(len(self.fates))
        for row in chain(self.names, self.stack.inodes):
            linked[row] = 1
        return linked

    @cached_property
    def links(self) -> dict[int, int]:
        """For each file row with hard links the bytes of the tar that the links' entries take."""
        result: dict[int, int] = {}
        for inode, links in self.names.items():
            for link in links:
                _, index, inside = self.place(link)
                result[inode] = result.get(inode, 0) + index.spans[inside]
        return result

    def origin(self, row: int) -> int:
        """Return the layer position that first put this content where later layers stored it again."""
        while (before := self.stack.ousted[row]) >= 0 and self.same_content(before, row):
            row = before
        return self.stack.position_of(row)

    def same_content(self, one: int, other: int) -> bool:
        """Whether two rows are known to hold the same bytes."""
        _, here, row = self.place(one)
        _, there, twin = self.place(other)
        return here.contents[row] != 0 and here.contents[row] == there.contents[twin]

    @cached_property
    def languages(self) -> frozenset[bytes]:
        """Languages that the image's environment is set to: `de` for `LANG=de_DE.UTF-8`."""
        told: set[str] = set()
        for value in self.image.config.env:
            name, _, languages = value.partition("=")
            if name in {"LANG", "LANGUAGE"} or name.startswith("LC_"):
                told.update(language.partition("_")[0].partition(".")[0] for language in languages.split(":"))
        return frozenset(language.encode("utf-8", "surrogateescape") for language in told)

    @cached_property
    def folders(self) -> frozenset[bytes]:
        """The folders in which a container sees anything."""
        return frozenset(path.rpartition(b"/")[0] for path in self.stack.visible)

    def instruction(self, position: int) -> str:
        """Return what made a layer."""
        return self.image.layers[position].instruction

    def in_base(self, position: int) -> bool:
        """Whether a layer belongs to the base image."""
        return position < self.base


class Pile:
    """Rows of one cause, summed.

    rows   those with content, and `sizes` how much of it is claimed
    bare   entries that go with them and have no content of their own
    """

    def __init__(self) -> None:
        self.bytes = 0
        self.tar_bytes = 0
        self.rows, self.sizes, self.bare = array("q"), array("q"), array("q")
        self.aspects: set[str] = set()
        self._found: list[tuple[int, int]] | None = None  # the largest, once they are asked for

    def add(self, row: int, size: int, span: int) -> None:
        """Add a row, what is claimed of its content and of the tar."""
        self.tar_bytes += span
        if not size:
            self.bare.append(row)
            return
        self.bytes += size
        self.rows.append(row)
        self.sizes.append(size)

    def add_rows(self, scene: Scene, index: LayerIndex, start: int, rows: list[int]) -> None:
        """Add rows of a layer, whole, and what hard links to them take of the tars; `start` is the row id of its first."""
        linked = scene.linked[start : start + len(index)]
        full, sizes, bare = sort_out(rows, start, index.sizes)
        self.bytes += sum(sizes)
        self.tar_bytes += sum(pick(index.spans, rows))
        if 1 in linked:
            self.tar_bytes += sum(scene.links.get(start + row, 0) for row in compress(rows, pick(linked, rows)))
        self.rows += full
        self.sizes += sizes
        self.bare += bare

    def claimed(self) -> array[int]:
        """Return all rows."""
        return self.rows + self.bare

    def top(self, count: int = SHOWN) -> list[int]:
        """Return the rows of most content, then in the order of the stack."""
        return [row for row, _ in self._largest(count)]

    def largest(self, scene: Scene) -> tuple[PathShare, ...]:
        """Return the largest few paths."""
        shares = []
        for row, size in self._largest(SHOWN):
            position, index, inside = scene.place(row)
            shares.append(PathShare(index.paths[inside], size, position))
        return tuple(shares)

    def _largest(self, count: int) -> list[tuple[int, int]]:
        if self._found is None or len(self._found) < min(count, len(self.rows)):
            self._found = largest(self.rows, self.sizes, max(count, SHOWN))
        return self._found[:count]

    def cause(
        self,
        scene: Scene,
        id: str,  # noqa: A002
        certainty: Certainty,
        layer: int,
        title: str,
        fix: str,
        *,
        hidden_in: int | None = None,
        parts: Mapping[int, int] | None = None,
    ) -> Cause:
        """Return the cause that the rows are: all of them and all of their content, or the `parts` of it (row -> bytes)."""
        return Cause(
            id=id,
            title=title,
            certainty=certainty,
            bytes=self.bytes,
            tar_bytes=self.tar_bytes,
            layer=layer,
            instruction=scene.instruction(layer),
            hidden_in=hidden_in,
            hidden_by_instruction=None if hidden_in is None else scene.instruction(hidden_in),
            fix=_said_of_steps(scene, fix),
            path_count=len(self.rows),
            paths=self.largest(scene),
            rows=array("q") if parts is not None else self.claimed(),
            parts=parts or {},
        )


def _said_of_steps(scene: Scene, fix: str) -> str:
    """Return a fix that speaks of a step where what made its layer is no instruction of a Dockerfile: an import, Bazel, Jib."""
    layer = _LAYER.search(fix) if "RUN" in fix else None
    position = len(scene.image.layers) if layer is None else int(layer[1])
    if position >= len(scene.image.layers) or scene.instruction(position).startswith(("RUN", "COPY", "ADD", "(")):
        return fix
    fix = _MOUNT.sub(r"end the step of layer \1 with: ", fix)
    for words, instead in (("the RUN ", "the step "), ("end its RUN", "end that step"), ("with: && ", "with: ")):
        fix = fix.replace(words, instead)
    return fix
