"""Does layerscope read each tar as Go does, and say where other readers would see something else?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import build
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.api import load
from layerscope.archive.feed import Feed
from layerscope.archive.openfile import READ_ONLY, OpenFile
from layerscope.archive.tar.reader import read_tar

from tar.mutations import mutated
from tar.readers import (
    LIMITS,
    GoReader,
    OtherReaders,
    assert_agrees,
    assert_same,
    assert_stream_agrees,
    in_place,
    normal,
    raw,
    streamed,
)
from tar.traps import TRAPS

SMALL = [data for data in TRAPS.values() if 0 < len(data) < 20_000]
ODD_SIZES = (511, 512, 513, 10_000, 1 << 20)


def corpus_traps(corpus: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((corpus / "tar-traps").glob("*.tar"))}


@pytest.mark.case("C59", "C60", "C61", "C62", "C63", "E34")
@pytest.mark.parametrize("name", TRAPS)
def test_traps_read_as_go_reads_them(go: GoReader, name: str):
    assert_agrees(go, TRAPS[name])


@pytest.mark.parametrize("name", TRAPS)
def test_traps_that_pass_read_as_traps_that_lie_still(name: str):
    assert_stream_agrees(TRAPS[name], (1, *ODD_SIZES) if len(TRAPS[name]) < 5000 else ODD_SIZES[2:])


def test_traps_that_lie_in_a_file_read_as_in_memory(tmp_path: Path):
    path = tmp_path / "traps"
    path.write_bytes(b"".join(TRAPS.values()))
    at = 0
    file = OpenFile(lambda: os.open(path, READ_ONLY))
    for data in TRAPS.values():
        index = read_tar(Feed.over(file, at, len(data)), limits=LIMITS, whiteouts=False, keep=lambda _: True)
        at += len(data)
        assert_same(in_place(data), index, contents=False)
    file.close()


@pytest.mark.case("C54", "C55", "C56", "C57", "C58", "E11", "E12")
def test_traps_of_others_read_as_go_reads_them(go: GoReader, corpus: Path):
    for data in corpus_traps(corpus).values():
        assert_agrees(go, data)
        assert_stream_agrees(data, (7, *ODD_SIZES))


@pytest.mark.case("E34")
def test_where_other_readers_differ_a_note_tells_the_offset(go: GoReader, other_readers: OtherReaders):
    silent = {}
    for name, data in TRAPS.items():
        rows, _ = go.read(data)
        names = [normal(raw(row["name"])) for row in rows if row["type"] != "g"]
        differing = {reader: paths for reader, paths in other_readers.read(data).items() if paths != names}
        if differing and not any(note.offset is not None for note in in_place(data, whiteouts=True).notes):
            silent[name] = (names, differing)
    assert not silent


@pytest.mark.case("E34")
def test_where_other_readers_differ_on_traps_of_others_a_note_tells_the_offset(
    go: GoReader, other_readers: OtherReaders, corpus: Path
):
    silent = []
    for name, data in corpus_traps(corpus).items():
        rows, _ = go.read(data)
        names = [normal(raw(row["name"])) for row in rows if row["type"] != "g"]
        differs = any(paths != names for paths in other_readers.read(data).values())
        if differs and not any(note.offset is not None for note in in_place(data, whiteouts=True).notes):
            silent.append(name)
    assert not silent


@settings(max_examples=250, derandomize=True, database=None)
@given(st.integers(0, 1 << 32), st.sampled_from(SMALL), st.sampled_from(SMALL))
def test_damaged_tars_read_as_go_reads_them(go: GoReader, seed: int, data: bytes, other: bytes):
    random = Random(seed)
    for _ in range(12):
        damaged = mutated(random, data, other)
        assert_agrees(go, damaged)
    assert_same(in_place(damaged), streamed(damaged, random.randrange(1, 3000)))


@settings(max_examples=60, derandomize=True, database=None)
@given(st.data())
def test_octets_of_any_kind_never_crash_the_reader(go: GoReader, data: st.DataObject):
    base = data.draw(st.sampled_from(SMALL))
    start = data.draw(st.integers(0, len(base)))
    stop = data.draw(st.integers(start, len(base)))
    assert_agrees(go, base[:start] + data.draw(st.binary(max_size=600)) + base[stop:])


def test_layers_of_the_fixtures_read_as_go_reads_them(go: GoReader, fixtures_dir: Path):
    for path in sorted(fixtures_dir.glob("*.tar")):
        data = path.read_bytes()
        assert_agrees(go, data)  # the outer archive is a tar like others
        for layer in layers_of(data):
            assert_agrees(go, layer)
            assert_stream_agrees(layer, (10_007, 1 << 20))


def layers_of(archive: bytes) -> list[bytes]:
    """Return the layers that an archive holds, uncompressed: every member that is a tar."""
    index = in_place(archive, keep=True)
    layers = []
    for data in index.kept.values():
        if data[:2] == b"\x1f\x8b":
            data = build.gzip.decompress(data)
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            data = build.zstandard.ZstdDecompressor().decompressobj().decompress(data)
        if data[257:262] == b"ustar":
            layers.append(data)
    return layers


def test_the_script_tells_who_sees_what(go: GoReader, tmp_path: Path):
    names = ("C52 zero block in the middle", "C56 two PAX headers")
    for name in names:
        (tmp_path / f"{name}.tar").write_bytes(TRAPS[name])
    command = [
        sys.executable,
        str(Path(__file__).parents[2] / "scripts" / "agreement"),
        *map(str, sorted(tmp_path.glob("*.tar"))),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(names)} tars: layerscope as Go in {len(names)}" in done.stdout
    assert "C56 at byte" in done.stdout


def test_the_fixtures_have_layers(fixtures_dir: Path):
    for path in sorted(fixtures_dir.glob("*.tar")):
        if not path.name.startswith("multi"):
            assert len(layers_of(path.read_bytes())) >= len({layer.digest for layer in load(str(path)).layers if layer.digest})
