"""What grew or shrank from one image to another, and how much would a push upload?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from layerscope.analysis.push import Push
from layerscope.analysis.snapshot import CauseShot, LayerShot, PackageShot, Snapshot
from layerscope.frozen import frozen
from layerscope.regex import regex

_HASH = regex(r"\b((?:file|dir|multi):)[0-9a-f]{12,64}\b")


@frozen
class LayerChange:
    """A pair of layers: `same` (the same bytes), `changed` (by the same instruction), `added` or `removed`."""

    change: str
    old: LayerShot | None
    new: LayerShot | None

    @property
    def bytes(self) -> int:
        """How much content more there is."""
        return (self.new.content_bytes if self.new else 0) - (self.old.content_bytes if self.old else 0)


@frozen
class PackageChange:
    """A package that was added, removed, upgraded (another version), grown or shrunk (the same one)."""

    change: str
    type: str
    name: str
    old_version: str | None
    new_version: str | None
    old_bytes: int
    new_bytes: int

    @property
    def bytes(self) -> int:
        """How much more it takes."""
        return self.new_bytes - self.old_bytes


@frozen
class CauseChange:
    """A kind of cause that frees more or less than before."""

    id: str
    old_bytes: int
    new_bytes: int
    title: str
    fix: str

    @property
    def bytes(self) -> int:
        """How much more there is to free."""
        return self.new_bytes - self.old_bytes


@frozen
class FileChange:
    """A path that a container sees otherwise: `added`, `removed`, `changed` (content), `metadata` (only that)."""

    change: str
    path: bytes
    old_bytes: int
    new_bytes: int

    @property
    def bytes(self) -> int:
        """How much more it takes."""
        return self.new_bytes - self.old_bytes


@frozen
class Diff:
    """All that differs; `files` and `push` are None where one side is a saved report."""

    old: Snapshot
    new: Snapshot
    layers: tuple[LayerChange, ...]
    packages: tuple[PackageChange, ...]
    causes: tuple[CauseChange, ...]
    files: tuple[FileChange, ...] | None = None
    push: Push | None = None

    @property
    def differs(self) -> bool:
        """Whether the images are not made of the same layers, or not of the same numbers."""
        return any(layer.change != "same" for layer in self.layers) or bool(self.packages or self.causes or self.files)


def compare_snapshots(
    old: Snapshot, new: Snapshot, files: tuple[FileChange, ...] | None = None, push: Push | None = None
) -> Diff:
    """Return what differs, the largest change first."""
    return Diff(
        old,
        new,
        tuple(align_layers(old.layers, new.layers)),
        tuple(sorted(_packages(old.packages, new.packages), key=lambda one: (-abs(one.bytes), one.name, one.type))),
        tuple(sorted(_causes(old.causes, new.causes), key=lambda one: (-abs(one.bytes), one.id))),
        files,
        push,
    )


def align_layers(old: Sequence[LayerShot], new: Sequence[LayerShot]) -> list[LayerChange]:
    """Pair layers in order: those with the same key, then between them those of the same instruction, then by place."""
    rows: list[LayerChange] = []
    at = 0
    keys: defaultdict[str | None, list[int]] = defaultdict(list)
    for place, layer in enumerate(old):
        keys[layer.key].append(place)
    waiting: list[LayerShot] = []
    for layer in new:
        found = next((place for place in keys[layer.key] if place >= at), None) if layer.key is not None else None
        if found is None:
            waiting.append(layer)
            continue
        rows += _pair(old[at:found], waiting)
        rows.append(LayerChange("same", old[found], layer))
        at, waiting = found + 1, []
    return [*rows, *_pair(old[at:], waiting)]


def _pair(old: Sequence[LayerShot], new: Sequence[LayerShot]) -> list[LayerChange]:
    rows: list[LayerChange] = []
    at = 0
    for layer in new:
        told = _without_hash(layer.instruction)
        found = next((place for place in range(at, len(old)) if _without_hash(old[place].instruction) == told), None)
        if found is None:
            rows.append(LayerChange("added", None, layer))
            continue
        rows += (LayerChange("removed", gone, None) for gone in old[at:found])
        rows.append(LayerChange("changed", old[found], layer))
        at = found + 1
    return [*rows, *(LayerChange("removed", gone, None) for gone in old[at:])]


def _without_hash(instruction: str) -> str:
    """Return an instruction without what some builders write for the files that it copied: `COPY dir:8f3a... in /app`."""
    return _HASH.sub(r"\1", instruction)


def _packages(old: Sequence[PackageShot], new: Sequence[PackageShot]) -> list[PackageChange]:
    """Pair installations by type, name and place; then what is left of one name, in order of version."""
    before = {(one.type, one.name, one.path): one for one in old}
    after = {(one.type, one.name, one.path): one for one in new}
    pairs: list[tuple[PackageShot | None, PackageShot | None]] = [
        (before[key], after[key]) for key in before.keys() & after.keys()
    ]
    gone: defaultdict[tuple[str, str], list[PackageShot]] = defaultdict(list)
    for key in sorted(before.keys() - after.keys()):
        gone[key[:2]].append(before[key])
    for key in sorted(after.keys() - before.keys()):
        waiting = gone[key[:2]]
        pairs.append((waiting.pop(0) if waiting else None, after[key]))
    pairs += ((one, None) for rest in gone.values() for one in rest)
    rows = []
    for one, other in pairs:
        known = other or one
        assert known is not None
        sizes = (one.bytes if one else 0, other.bytes if other else 0)
        change = _change(one, other)
        if change is not None:
            versions = (one.version if one else None, other.version if other else None)
            rows.append(PackageChange(change, known.type, known.name, *versions, *sizes))
    return rows


def _change(old: PackageShot | None, new: PackageShot | None) -> str | None:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if old.version != new.version:
        return "upgraded"
    if old.bytes == new.bytes:
        return None
    return "grown" if new.bytes > old.bytes else "shrunk"


def _causes(old: Sequence[CauseShot], new: Sequence[CauseShot]) -> list[CauseChange]:
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    rows = []
    for id_ in before.keys() | after.keys():
        one, other = before.get(id_, CauseShot(id_, 0, {})), after.get(id_, CauseShot(id_, 0, {}))
        if one.bytes != other.bytes:
            fix, title = _most_changed(one, other)
            rows.append(CauseChange(id_, one.bytes, other.bytes, title, fix))
    return rows


def _most_changed(old: CauseShot, new: CauseShot) -> tuple[str, str]:
    """Return fix and title of the cause that the sums differ by most."""

    def change(fix: str) -> int:
        return abs(new.each.get(fix, (0, ""))[0] - old.each.get(fix, (0, ""))[0])

    fix = max((*new.each, *old.each), key=change)
    return fix, (new.each.get(fix) or old.each[fix])[1]
