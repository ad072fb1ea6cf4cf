"""What holds of every image, however it is packed?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import build
import layerscope
import pytest
from build import Image, entry, tar
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis import twins
from layerscope.analysis.causes import Cause
from layerscope.analysis.dive import count_as_dive
from layerscope.analysis.scene import Scene
from layerscope.analysis.waste import find_waste
from layerscope.examination import stack_image
from layerscope.model import Fate, Kind
from layerscope.render import FORMATS, Options
from layerscope.report import Report
from layerscope.rootfs.stack import merge_repeats

from stacking.layers import layer, random_op, random_stack, stacks

# What says how an image is packed, and not what is in it.
PACKING = {
    "file_bytes",
    "archive_bytes",
    "blob_bytes",
    "metadata_bytes",
    "orphan_bytes",
    "container_bytes",
    "compression_bytes",
    "pull_bytes",
    "pull_estimated",
    "pull_low_bytes",
    "pull_high_bytes",
    "pull_method",
    "compression",
    "digest",
    "manifest_digest",
    "media_type",
    "layout",
    "layout_word",
    "source",
    "names",
    "verified",
    "descriptor_bytes",
}


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def report_of(folder: Path, data: bytes, name: str = "image.tar") -> Report:
    return layerscope.analyze(layerscope.load(str(write(folder / name, data))))


def content(report: Report) -> Any:
    """Return the report's document without what says how the image is packed."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(inner) for key, inner in value.items() if key not in PACKING}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    return strip(json.loads(FORMATS["json"](report, Options())))


def forms(image: Image) -> dict[str, bytes]:
    """Return an image in every form."""
    coded = {codec: Image(image.layers, image.tags, image.history, codec) for codec in ("none", "gzip", "zstd")}
    found = {f"oci {codec}": build.oci_archive(one) for codec, one in coded.items()}
    found |= {f"containerd {codec}": build.docker_save(one, style="containerd") for codec, one in coded.items()}
    found |= {style: build.docker_save(coded["none"], style=style) for style in ("docker25", "legacy", "podman", "nix")}
    return found | {"packed": build.gz(found["docker25"])}


@pytest.mark.parametrize("seed", range(8))
def test_all_forms_of_an_image_give_one_report(tmp_path: Path, seed: int):
    layers = random_stack(Random(seed))
    reports = {name: content(report_of(tmp_path, data)) for name, data in forms(Image(layers)).items()}
    first = reports.pop("docker25")
    for name, report in reports.items():
        assert report == first, name


@pytest.mark.case("A19")
@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_archive_does_not_matter(tmp_path: Path, seed: int):
    random = Random(seed)
    image = Image(random_stack(random))
    for write in (build.docker_save, build.oci_archive):
        plain = report_of(tmp_path, write(image))

        def shuffled(names: list[str], seed: int = seed) -> list[str]:
            return Random(seed).sample(names, len(names))

        for order in (sorted, lambda names: names[::-1], shuffled):
            knobs = {"order": order}
            data = write(image, knobs=knobs) if write is build.oci_archive else write(image, **knobs)
            other = report_of(tmp_path, data)
            assert content(other) == content(plain)
            assert other.image.storage == plain.image.storage


def claims(causes: tuple[Cause, ...]) -> tuple[int, int]:
    """Return the bytes that the causes of groups 1 to 4, and the others, claim."""
    hidden = sum(cause.bytes for cause in causes if cause.hidden_in is not None)
    return hidden, sum(cause.bytes for cause in causes) - hidden


@pytest.mark.case("C34")
@settings(max_examples=60, derandomize=True, database=None)
@given(stacks(5, 8))
def test_causes_claim_hidden_bytes_exactly_and_no_byte_twice(tmp_path_factory: pytest.TempPathFactory, layers: list[bytes]):
    report = report_of(tmp_path_factory.getbasetemp(), build.docker_save(Image(layers)))
    books = report.books
    hidden, live = claims(report.causes)
    assert hidden == books.replaced_bytes + books.deleted_bytes
    assert live <= books.live_bytes
    assert books.content_bytes == books.live_bytes + books.replaced_bytes + books.deleted_bytes
    keys = Counter((cause.id, cause.layer, cause.hidden_in, cause.title) for cause in report.causes)
    assert not keys or max(keys.values()) == 1
    for row in books.layers:
        there = sum(cause.bytes for cause in report.causes if cause.layer == row.position and cause.hidden_in is not None)
        assert there == row.hidden_bytes


@settings(max_examples=200, derandomize=True, database=None)
@given(stacks(4, 8))
def test_dives_numbers_are_those_of_its_definitions(tmp_path_factory: pytest.TempPathFactory, layers: list[bytes]):
    image = layerscope.load(str(write(tmp_path_factory.getbasetemp() / "dive.tar", build.docker_save(Image(layers)))))
    stacked = stack_image(image)
    indexes = [image.index_of(layer.position) for layer in image.layers]
    seen: dict[bytes, list[int]] = {}
    for position, index in enumerate(indexes):
        assert index is not None
        leaves: dict[bytes, int] = {}
        for row in index.entries():
            if row.kind is Kind.WHITEOUT and row.path in stacked.buried[position]:
                leaves[row.path] = stacked.buried[position][row.path]
            elif row.kind not in (Kind.WHITEOUT, Kind.OPAQUE, Kind.OTHER) and not row.path.startswith(b".wh..wh."):
                leaves[row.path] = row.size
        for path, size in leaves.items():
            if path and not any(other.startswith(path + b"/") for other in index.paths):
                seen.setdefault(path, []).append(size)
    several = [sizes for sizes in seen.values() if len(sizes) > 1]
    discovered = sum(map(sum, seen.values()))
    wasted = sum(map(sum, several))
    needed = discovered - wasted + sum(map(min, several))
    dive = count_as_dive(indexes, stacked)
    assert dive.wasted_bytes == wasted
    assert dive.efficiency == (needed / discovered if discovered else 1.0)


@settings(max_examples=40, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_each_hidden_file_is_claimed_by_one_cause(tmp_path_factory: pytest.TempPathFactory, seed: int):
    random = Random(seed)
    kinds = ("file", "file", "file", "hardlink", "whiteout", "folder")
    layers = [layer([random_op(random, kinds) for _ in range(9)]) for _ in range(4)]
    path = tmp_path_factory.getbasetemp() / "claims.tar"
    path.write_bytes(build.docker_save(Image(layers)))
    image = layerscope.load(str(path))
    stack = stack_image(image)
    fates, ended = merge_repeats(stack, [one.same_as for one in image.layers])
    causes = find_waste(Scene(image, stack, fates, ended))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twins, "AT_ONCE", random.choice((1, 2, 3)))
        assert find_waste(Scene(image, stack, fates, ended)) == causes
    counted = sum(cause.path_count for cause in causes)
    hidden = [
        row
        for one in image.layers
        if one.index is not None
        for row in range(len(one.index))
        if one.index.sizes[row] and fates[stack.starts[one.position] + row] != Fate.LIVE
    ]
    assert counted == len(hidden)


@pytest.mark.case("C33", "C34")
def test_metadata_only_and_identical_copies(tmp_path: Path):
    big = b"x" * 1000
    layers = [
        tar(entry("a", big, mode=0o644), entry("b", big + b"b"), entry("c", big + b"c", uid=1), entry("d", big + b"d")),
        tar(
            entry("a", big, mode=0o600), entry("b", big + b"b"), entry("c", big + b"c", uid=2, mtime=5), entry("d", big + b"D")
        ),
    ]
    causes = {cause.id: cause for cause in report_of(tmp_path, build.docker_save(Image(layers))).causes}
    assert {name: cause.bytes for name, cause in causes.items()} == {
        "metadata-only-copy": 2001,
        "identical-rewrite": 1001,
        "replaced-later": 1001,
    }
    # `ln a h` in a later RUN stores `a` again: the old one is an identical rewrite, the link takes nothing.
    layers = [tar(entry("a", big)), tar(entry("a", big), entry("h", type=b"1", link="a"))]
    (cause,) = report_of(tmp_path, build.docker_save(Image(layers))).causes
    assert (cause.id, cause.bytes) == ("identical-rewrite", 1000)
