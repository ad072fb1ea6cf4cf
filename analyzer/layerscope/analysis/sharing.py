"""What do several images share, and what do they cost together?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from layerscope.model import Image, Layer


@dataclass(frozen=True, slots=True)
class SharedBlob:
    """A layer as several images may have it.

    key       diff ID, else digest; None if it has neither, and then it is one image's own
    disk      what its files take once unpacked
    pull      what a registry sends; None if unknown
    images    numbers of the images that have it
    places    position in each image, None where it is not
    """

    key: str | None
    instruction: str
    disk: int
    pull: int | None
    images: tuple[int, ...]
    places: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Sharing:
    """Images side by side; `disk` and `pull` of each, then of all together, every layer once."""

    names: tuple[str, ...]
    blobs: tuple[SharedBlob, ...]
    disk: tuple[int, ...]
    pull: tuple[int | None, ...]
    own: tuple[int, ...]
    counts: tuple[tuple[int, int, int], ...]

    @property
    def shared_bytes(self) -> int:
        """Files of the layers that more than one image has, once."""
        return sum(blob.disk for blob in self.blobs if len(blob.images) > 1)

    @property
    def together_disk(self) -> int:
        """Files of all layers, each once."""
        return sum(blob.disk for blob in self.blobs)

    @property
    def together_pull(self) -> int | None:
        """What a registry sends for all, each layer once."""
        pulls = [blob.pull for blob in self.blobs]
        return None if None in pulls else sum(pull for pull in pulls if pull is not None)

    def pair(self, one: int, other: int) -> int:
        """Return the files of the layers that two images have in common."""
        return sum(blob.disk for blob in self.blobs if one in blob.images and other in blob.images)


def find_sharing(images: Sequence[Image], counts: Sequence[tuple[int, int, int]] = ()) -> Sharing:
    """Line up the layers of images by diff ID, else digest; shared ones first, in the order of the first image that has them.

    `counts` are packages, files and bytes that need not be there, of each image.
    """
    places: dict[str, dict[int, int]] = {}
    layers: dict[str, Layer] = {}
    order: list[str] = []
    for number, image in enumerate(images):
        for layer in image.layers:
            if layer.same_as is not None:
                continue
            key = _key(layer) or f"{number}/{layer.position}"
            if key not in places:
                order.append(key)
                places[key] = {}
            places[key].setdefault(number, layer.position)
            if key not in layers or (layers[key].index is None and layer.index is not None):
                layers[key] = layer
    blobs = tuple(
        SharedBlob(
            None if "/" in key and not key.startswith("sha") else key,
            layers[key].instruction,
            _disk(layers[key]),
            _pull(layers[key]),
            tuple(sorted(places[key])),
            tuple(places[key].get(number) for number in range(len(images))),
        )
        for key in sorted(order, key=lambda key: (-len(places[key]), min(places[key]), places[key][min(places[key])]))
    )
    counted: Counter[int] = Counter()
    for blob in blobs:
        if len(blob.images) == 1:
            counted[blob.images[0]] += blob.disk
    numbers = range(len(images))
    pulls = [[blob.pull for blob in blobs if number in blob.images] for number in numbers]
    return Sharing(
        names=tuple(_name(image) for image in images),
        blobs=blobs,
        disk=tuple(sum(blob.disk for blob in blobs if number in blob.images) for number in numbers),
        pull=tuple(None if None in row else sum(size or 0 for size in row) for row in pulls),
        own=tuple(counted[number] for number in numbers),
        counts=tuple(counts),
    )


def _name(image: Image) -> str:
    return image.names[0] if image.names else image.source


def _key(layer: Layer) -> str | None:
    if layer.index is not None and layer.index.diff_id:
        return layer.index.diff_id
    return layer.diff_id or layer.digest


def _disk(layer: Layer) -> int:
    return 0 if layer.index is None else layer.index.content_bytes


def _pull(layer: Layer) -> int | None:
    if layer.pull is not None:
        return layer.pull.mid
    if not layer.present:
        return layer.descriptor_bytes
    return None if layer.compression == "none" else layer.blob_bytes
