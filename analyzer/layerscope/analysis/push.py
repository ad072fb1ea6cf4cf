"""What does a push of a new image upload to a registry that has the old one, and how much of that really changed?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import compress

from layerscope.frozen import frozen
from layerscope.model import Image, Kind, Layer, LayerIndex

SHOWN = 3


@frozen
class Upload:
    """A layer that the registry does not have.

    sent     the compressed blob, or what is guessed for it, or the tar where nobody asked
    content  its files; `changed` of them are of files that the old image does not have at that path
    folder   where most of what changed lies
    because  position of the earlier layer that made the builder make this one again, None if it is the first
    """

    layer: int
    instruction: str
    sent: int
    content: int
    changed: int
    folder: bytes | None
    because: int | None


@frozen
class Push:
    """Everything that a push uploads."""

    uploads: tuple[Upload, ...]

    @property
    def uploaded_bytes(self) -> int:
        """What is sent."""
        return sum(upload.sent for upload in self.uploads)

    @property
    def content_bytes(self) -> int:
        """The files in what is sent."""
        return sum(upload.content for upload in self.uploads)

    @property
    def changed_bytes(self) -> int:
        """The files in what is sent that are not the same as before."""
        return sum(upload.changed for upload in self.uploads)


def find_push(old: Image, new: Image) -> Push:
    """Compare two images whose contents were marked together."""
    there = {key for layer in old.layers for key in keys_of(layer)}
    known = _contents(old)
    uploads: list[Upload] = []
    for layer in new.layers:
        if layer.index is None or any(key in there for key in keys_of(layer)):
            continue
        there.update(keys_of(layer))
        changed, folder = _changed(layer.index, known)
        cost = layer.pull.mid if layer.pull else layer.blob_bytes or 0
        because = uploads[0].layer if uploads else None
        uploads.append(Upload(layer.position, layer.instruction, cost, layer.index.content_bytes, changed, folder, because))
    return Push(tuple(uploads))


def keys_of(layer: Layer) -> Iterator[str]:
    """Yield what tells a layer apart: its diff ID, computed or claimed, and its digest."""
    if layer.index is not None and layer.index.diff_id is not None:
        yield layer.index.diff_id
    if layer.diff_id:
        yield layer.diff_id
    elif layer.digest:
        yield layer.digest


def _contents(image: Image) -> dict[bytes, list[int]]:
    """Return path -> numbers of what any layer has there."""
    known: defaultdict[bytes, list[int]] = defaultdict(list)
    for layer in image.layers:
        if layer.index is not None:
            contents = layer.index.contents
            for path, content in compress(zip(layer.index.paths, contents, strict=True), contents):
                known[path].append(content)
    return known


def _changed(index: LayerIndex, known: dict[bytes, list[int]]) -> tuple[int, bytes | None]:
    """Return how much of a layer's content is new, and where most of that lies."""
    changed = 0
    folders: Counter[bytes] = Counter()
    for row, size in enumerate(index.sizes):
        if not size or index.kinds[row] != Kind.FILE:
            continue
        path = index.paths[row]
        content = index.contents[row]
        if not content or content not in known.get(path, ()):
            changed += size
            folders[b"/".join(path.split(b"/", SHOWN)[:-1][:SHOWN])] += size
    top = folders.most_common(1)
    return changed, top[0][0] if top else None
