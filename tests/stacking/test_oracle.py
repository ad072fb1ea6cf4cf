"""Does the program stack as the oracle does?"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
from pathlib import Path
from random import Random

import layerscope
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.errors import LayerscopeError
from layerscope.model import Fate, Level
from oracle import Oracle

from stacking.compare import assert_equals_oracle
from stacking.layers import random_stack, stacks


@settings(max_examples=150, derandomize=True, database=None)
@given(stacks())
def test_any_stack(layers: list[bytes]):
    assert_equals_oracle(layers)


@settings(max_examples=40, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_any_stack_many_at_a_time(seed: int):
    random = Random(seed)
    for _ in range(10):
        assert_equals_oracle(random_stack(random))


def unpacked(data: bytes) -> bytes:
    """Return data without whatever compressed them."""
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if data[:6] == b"\xfd7zXZ\0":
        return lzma.decompress(data)
    return bz2.decompress(data) if data[:3] == b"BZh" else data


def tars_of(archive: bytes) -> dict[str, bytes]:
    """Return what an archive holds, uncompressed, by its SHA-256."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(unpacked(archive))) as outer:
        for member in outer:
            if member.isreg():
                file = outer.extractfile(member)
                assert file is not None
                data = file.read()
                try:
                    data = unpacked(data)
                except (OSError, EOFError, zstandard.ZstdError):
                    continue
                found["sha256:" + hashlib.sha256(data).hexdigest()] = data
    return found


def images_of(path: Path) -> list[layerscope.Image]:
    """Return every image of an archive that can be chosen."""
    images = []
    for line in layerscope.list_images(str(path)):
        wish = (line.names or (line.config_digest,))[0]
        try:
            images.append(layerscope.load(str(path), image=wish, platform=line.platform, verify=True))
        except LayerscopeError:
            continue
    return images


def check(path: Path) -> int:
    """Compare all images of an archive; return how many there were."""
    tars = tars_of(path.read_bytes())
    count = 0
    for image in images_of(path):
        indexes = [image.index_of(layer.position) for layer in image.layers]
        layers = [tars.get(index.diff_id or "") for index in indexes if index is not None]
        damaged = any(note.level is Level.ERROR for index in indexes if index is not None for note in index.notes)
        if damaged or len(layers) < len(indexes) or not all(layers):
            continue
        assert_equals_oracle([layer for layer in layers if layer is not None])
        oracle = Oracle([layer for layer in layers if layer is not None])
        sums = dict.fromkeys(Fate, 0)
        distinct: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for (position, row), fate in oracle.fates().items():
            first = image.layers[position].same_as
            distinct.setdefault((position if first is None else first, row), []).append(fate)
        for (position, row), fates in distinct.items():
            last = Fate.LIVE if any(fate == Fate.LIVE for fate, _ in fates) else Fate(fates[-1][0])
            sums[last] += oracle.inodes[position, row].size
        books = layerscope.analyze(image).books
        assert (books.live_bytes, books.replaced_bytes, books.deleted_bytes) == tuple(sums.values())
        count += 1
    return count


def test_images_of_the_corpus(corpus: Path):
    counts = {}
    for path in sorted((corpus / "images").iterdir()):
        try:
            counts[path.name] = check(path)
        except LayerscopeError:
            counts[path.name] = 0
    assert sum(counts.values()) > 50


def test_fixtures(fixtures_dir: Path):
    assert all(check(path) for path in fixtures_dir.glob("*.tar"))


@pytest.mark.case("A34")
@settings(max_examples=60, derandomize=True, database=None)
@given(stacks(4, 8))
def test_every_byte_has_one_fate(layers: list[bytes]):
    oracle = Oracle(layers)
    sizes = {place: inode.size for place, inode in oracle.inodes.items()}
    fates = oracle.fates()
    assert set(fates) == set(sizes)
    assert sum(sizes.values()) == sum(sizes[place] for kind in Fate for place, (fate, _) in fates.items() if fate == kind)
