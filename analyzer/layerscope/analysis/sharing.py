"""What do several images share, and what do they cost together?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import combinations, compress

from layerscope.frozen import frozen
from layerscope.model import Image, Layer
from layerscope.rootfs.stack import LIVE

Fates = tuple[Sequence[int], bytearray]
"""Where the rows of each layer of a stack begin, and what became of each row."""


@frozen
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


@frozen
class Repeats:
    """Files that several images show and hold in layers of their own: what a common base would store once.

    bytes   what all copies but one take; of an image that holds a content more than once one copy counts
    by_all  of these, what every image has
    pairs   for each two images what the second one's copies take
    """

    bytes: int = 0
    by_all: int = 0
    pairs: Mapping[tuple[int, int], int] = field(default_factory=dict)


@frozen
class Sharing:
    """Images side by side; `disk` and `pull` of each, then of all together, every layer once.

    A layer that two images have compressed differently costs each what its own blob does, and both the first one's.
    """

    names: tuple[str, ...]
    blobs: tuple[SharedBlob, ...]
    disk: tuple[int, ...]
    pull: tuple[int | None, ...]
    own: tuple[int, ...]
    counts: tuple[tuple[int, int, int], ...]
    repeats: Repeats = Repeats()

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


def find_sharing(images: Sequence[Image], counts: Sequence[tuple[int, int, int]] = (), fates: Sequence[Fates] = ()) -> Sharing:
    """Line up the layers of images by diff ID, else digest; shared ones first, in the order of the first image that has them.

    `counts` are packages, files and bytes that need not be there, of each image; `fates` what became of the rows of its
    layers, if contents were compared across the images.
    """
    places: dict[str, dict[int, int]] = {}
    layers: dict[str, Layer] = {}
    order: list[str] = []
    for number, image in enumerate(images):
        for layer in image.layers:
            if layer.same_as is not None:
                continue
            key = _name_of(number, layer)
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
    pulls = [[_pull(layer) for layer in image.layers if layer.same_as is None] for image in images]
    return Sharing(
        names=tuple(_name(image) for image in images),
        blobs=blobs,
        disk=tuple(sum(blob.disk for blob in blobs if number in blob.images) for number in numbers),
        pull=tuple(None if None in row else sum(size or 0 for size in row) for row in pulls),
        own=tuple(counted[number] for number in numbers),
        counts=tuple(counts),
        repeats=_find_repeats(images, fates) if fates else Repeats(),
    )


def _find_repeats(images: Sequence[Image], fates: Sequence[Fates]) -> Repeats:
    """Find the contents that several images show, each in another layer."""
    numbers: dict[str, int] = {}
    holders: dict[int, list[tuple[int, int]]] = {}
    sizes: dict[int, int] = {}
    for image_number, (image, (starts, column)) in enumerate(zip(images, fates, strict=True)):
        for layer in image.layers:
            if layer.index is None:
                continue
            blob = numbers.setdefault(_name_of(image_number, layer), len(numbers))
            start = starts[layer.position]
            for row, content in compress(enumerate(layer.index.contents), layer.index.contents):
                if column[start + row] == LIVE and layer.index.sizes[row]:
                    there = holders.setdefault(content, [])
                    if not there or there[-1][0] != image_number:  # the first copy of each image
                        there.append((image_number, blob))
                        sizes[content] = layer.index.sizes[row]
    alike: Counter[tuple[tuple[int, int], ...]] = Counter()
    for content, there in holders.items():
        if len({blob for _, blob in there}) > 1:
            alike[tuple(there)] += sizes[content]
    pairs: Counter[tuple[int, int]] = Counter()
    total = by_all = 0
    for group, size in alike.items():
        saved = size * (len({blob for _, blob in group}) - 1)
        total += saved
        by_all += saved if len(group) == len(images) else 0
        for (one, here), (other, where) in combinations(group, 2):
            pairs[one, other] += size if here != where else 0
    return Repeats(total, by_all, pairs)


def _name_of(image: int, layer: Layer) -> str:
    """Return what a layer is known by in all images; one that nothing is known of is its image's own."""
    return _key(layer) or f"{image}/{layer.position}"


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
