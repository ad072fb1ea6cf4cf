"""Is everything decompressed that there is, and no more than anybody can bear?"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
import zstandard
from build import OCI, Image, archive, docker_save, files, gz, layer, oci_archive, tar, xz, zst
from layerscope import api
from layerscope.archive.compression.members import decompress, detect
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, LimitError

from archive.reading import WAYS, document, ids, live, load, message, read

FIRST = layer({"etc/first": b"first" * 300})
TREE = {f"usr/{number:03}": f"file {number}".encode() * 200 for number in range(40)}
LAYER = layer(TREE)


def stored(data, blob_bytes=None, **descriptor):
    """Return an OCI archive whose second layer is stored as these bytes."""
    image = Image([FIRST, LAYER], codec=["gzip", lambda _: data], descriptors={1: descriptor})
    return oci_archive(image)


def inflate(data, codec=None, limits=None, size=65536):
    notes = Notebook()
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    out = b"".join(decompress(chunks, codec or detect(data), limits or Limits(), notes))
    return out, {note.id for note in notes.freeze()}


def skippable(content, number=0):
    return struct.pack("<II", 0x184D2A50 + number, len(content)) + content


def stream_zstd(data, **options):
    """Compress without telling the content's size."""
    compressor = zstandard.ZstdCompressor(**options).compressobj()
    return compressor.compress(data) + compressor.flush()


EMPTY_MEMBER = gzip.compress(b"", mtime=0)
WHOLE = {
    "gzip of members": (b"".join(gz(LAYER[at : at + 512]) for at in range(0, len(LAYER), 512)), "D01"),
    "gzip between empty members": (EMPTY_MEMBER * 3 + gz(LAYER) + EMPTY_MEMBER, "D01"),
    "gzip with name, comment, extra": (
        b"\x1f\x8b\x08\x1e\0\0\0\0\0\3"
        + struct.pack("<H", 5)
        + b"extra"
        + b"name\0comment\0"
        + struct.pack(
            "<H", zlib.crc32(b"\x1f\x8b\x08\x1e\0\0\0\0\0\3" + struct.pack("<H", 5) + b"extra" + b"name\0comment\0") & 0xFFFF
        )
        + gz(LAYER)[10:],
        "D01",
    ),
    "gzip of many members and zeros": (gz(LAYER[:999]) + EMPTY_MEMBER * 900 + gz(LAYER[999:]) + bytes(700_000), "D02"),
    "gzip, zeros": (gz(LAYER) + bytes(5000), "D02"),
    "zstd of frames": (zst(LAYER, frames=9), "D07"),
    "zstd after a skippable frame": (zst(LAYER, skippable=b"toc" * 99), "D07"),
    "zstd between skippable frames": (
        skippable(b"", 15) + zst(LAYER[:999]) + skippable(b"x" * 70_000, 7) + zst(LAYER[999:]) + skippable(b"end"),
        "D07",
    ),
    "zstd without size": (stream_zstd(LAYER), "D07"),
    "zstd with checksum": (
        stream_zstd(LAYER, write_checksum=True) + zstandard.ZstdCompressor(write_checksum=True).compress(b""),
        "D07",
    ),
    "zstd, largest level": (zst(LAYER, level=22), "D07"),
    "bzip2": (bz2.compress(LAYER), "D09"),
    "bzip2 of streams": (bz2.compress(LAYER[:3000]) + bz2.compress(LAYER[3000:]), "D09"),
    "xz": (xz(LAYER), "D09"),
    "xz of streams": (xz(LAYER[:3000]) + xz(LAYER[3000:]), "D09"),
    "xz of padded streams": (
        xz(LAYER[:3000]) + bytes(8) + xz(LAYER[3000:5000]) + bytes(70_000) + xz(LAYER[5000:]) + bytes(4),
        "D09",
    ),
}


@pytest.mark.case("D01", "D02", "D07", "D09")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WHOLE)
def test_whole_streams(name, way):
    data, case = WHOLE[name]
    report = read(stored(data), way, verify=True)
    assert report.complete, report.notes
    assert live(report) == {"etc/first": 1500} | {path: len(content) for path, content in TREE.items()}
    assert report.image.layers[1].verified is True
    row = report.books.layers[1]
    assert (row.blob_bytes, row.tar_bytes) == (len(data), len(LAYER))
    assert ("D09" in ids(report, "info")) is (case == "D09")
    for size in (1, 7, 512):
        assert inflate(data, size=size)[0] == LAYER


@pytest.mark.case("D03")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("garbage", [b"garbage" * 99, bytes(10) + b"x", bytes(8) + b"x", b"\x1f", b"\x1f\x8c" * 9, b"BZh"])
@pytest.mark.parametrize("pack", [gz, zst, bz2.compress, xz])
def test_garbage_after_the_end(pack, garbage, way):
    data = pack(LAYER) + garbage
    report = read(stored(data), way)
    assert len(live(report)) == 41
    assert report.books.layers[1].blob_bytes == len(data)
    assert ids(report) & {"D03", "D04"}, report.notes
    if garbage.startswith(b"garbage"):
        assert "693 bytes" in message(report, "D03")


def flip(data, at):
    made = bytearray(data)
    made[at] ^= 0xFF
    return bytes(made)


DAMAGED = {
    "gzip cut": gz(LAYER)[: len(gz(LAYER)) // 2],
    "gzip without trailer": gz(LAYER)[:-8],
    "gzip, trailer cut": gz(LAYER)[:-3],
    "gzip, wrong CRC": flip(gz(LAYER), len(gz(LAYER)) - 8),
    "gzip, wrong size": flip(gz(LAYER), len(gz(LAYER)) - 4),
    "second member damaged": gz(LAYER[:9000]) + flip(gz(LAYER[9000:]), 30),
    "second member cut": gz(LAYER[:9000]) + gz(LAYER[9000:])[:40],
    "second header cut": gz(LAYER[:9000]) + gz(LAYER[9000:])[:5],
    "zstd cut": zst(LAYER)[: len(zst(LAYER)) // 2],
    "zstd header cut": zst(LAYER[:9000]) + zst(LAYER)[:5],
    "zstd damaged": zst(LAYER[:9000]) + flip(zst(LAYER[9000:]), 40),
    "zstd, wrong checksum": flip(stream_zstd(LAYER, write_checksum=True), len(stream_zstd(LAYER, write_checksum=True)) - 1),
    "zstd, skippable cut": zst(LAYER) + skippable(b"x" * 999)[:-1],
    "bzip2 cut": bz2.compress(LAYER)[:-20],
    "bzip2 damaged": flip(bz2.compress(LAYER), 60),
    "xz cut": xz(LAYER)[:-20],
    "xz damaged": flip(xz(LAYER), 60),
    "gzip magic only": b"\x1f\x8b",
    "zstd, less than its size": bytes.fromhex("28b52ffd60f400") + bytes(18) + b"\1\0\0",
    "zstd magic only": b"\x28\xb5\x2f\xfd",
    "gzip header, then JSON": b'\x1f\x8b\x08{"a": 1}' + b" " * 900,
    "gzip of an unknown method": b"\x1f\x8b\x09" + bytes(900),
    "zstd magic, then text": b"\x28\xb5\x2f\xfd" + b"hello world " * 90,
    "bzip2 magic, then text": b"BZh9" + b"hello world " * 90,
    "xz magic, then text": b"\xfd7zXZ\0" + b"hello world " * 90,
}


@pytest.mark.case("D04", "D12")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_streams(name, way):
    data = DAMAGED[name]
    report = read(stored(data), way, verify=True)
    assert not report.complete
    assert ids(report, "error") & {"D04", "D08", "E10"}, report.notes
    note = next(note for note in report.notes if note.level == "error")
    assert note.layer == 1
    assert note.offset is not None
    assert "etc/first" in live(report)
    assert report.books.layers[1].blob_bytes == len(data)
    if name.startswith("second") and "header" not in name:
        assert len(live(report)) > 4


NOISE = random.Random(4).randbytes(3 << 20)  # more than is held to be given to a decompressor again
CHECKED = {
    "gzip, wrong CRC": lambda data: flip(gz(data), -8),
    "gzip, wrong size": lambda data: flip(gz(data), -1),
    "zstd, wrong checksum": lambda data: flip(stream_zstd(data, write_checksum=True), -1),
    "xz, wrong checksum": lambda data: flip(xz(data), -36),
    "bzip2, wrong checksum": lambda data: flip(bz2.compress(data), -2),
}


@pytest.mark.case("D04")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CHECKED)
def test_what_only_a_checksum_finds_wrong_keeps_all_entries(name, way):
    data = CHECKED[name](LAYER)
    report = read(stored(data), way)
    assert not report.complete
    assert live(report) == {"etc/first": 1500} | {path: len(content) for path, content in TREE.items()}
    (note,) = (note for note in report.notes if note.level == "error")
    assert note.id == "D04"
    assert len(data) - 50 < note.offset <= len(data)
    assert "; 40 entries read before it" in note.message


def before_damage(data, size):
    """Return what comes before the error, and where that is."""
    made = []
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    with pytest.raises(ArchiveError) as caught:
        made.extend(decompress(chunks, detect(data), Limits(), Notebook()))
    return b"".join(made), caught.value.offset


@pytest.mark.case("D04")
@pytest.mark.parametrize("size", [999, 1 << 18])
def test_of_a_member_too_large_to_hold_the_last_piece_is_lost(size):
    made, _ = before_damage(CHECKED["gzip, wrong CRC"](NOISE), size)
    assert made == NOISE[: len(made)]
    assert len(NOISE) - len(made) <= 1 << 18


@pytest.mark.case("D04")
@pytest.mark.parametrize("size", [1, 700, 1 << 18])
def test_what_stands_before_a_damage_is_read_whatever_the_pieces(size):
    content = b"".join(b"%d " % number for number in range(60_000))
    packed = gz(content)
    data = packed[: len(packed) // 2] + b"\xff" * 999 + packed[len(packed) // 2 + 999 :]
    reader, expected, at = zlib.decompressobj(31), b"", 0
    with pytest.raises(zlib.error):  # noqa: PT012 - at is wanted
        while True:
            expected += reader.decompress(data[at : at + 1])
            at += 1
    made, offset = before_damage(data, size)
    assert made[: len(expected)] == expected
    assert len(made) - len(expected) < 300  # decompressors differ in when they see it
    assert abs(offset - at) < 300


@pytest.mark.case("D04")
@pytest.mark.parametrize("way", WAYS)
def test_a_damage_that_breaks_the_tar_is_told_as_such(way):
    report = read(stored(flip(xz(LAYER), 60)), way)
    assert {"C65", "D04"} <= ids(report, "error")


@pytest.mark.case("D05")
@pytest.mark.parametrize("count", [300_000])
def test_empty_members_take_linear_time(count):
    data = EMPTY_MEMBER * count + gz(b"end")
    start = time.process_time()
    assert inflate(data, size=1 << 18)[0] == b"end"
    assert time.process_time() - start < 20


@pytest.mark.case("D05")
def test_empty_frames_take_linear_time():
    data = (zst(b"") + skippable(b"")) * 100_000 + zst(b"end")
    start = time.process_time()
    assert inflate(data, size=1 << 18)[0] == b"end"
    assert time.process_time() - start < 20


@pytest.mark.case("D06")
@pytest.mark.parametrize("flag", [b"\x08", b"\x10", b"\x18"])
def test_an_endless_name(flag):
    data = b"\x1f\x8b\x08" + flag + bytes(6) + b"n" * (50 << 20)
    start = time.process_time()
    with pytest.raises(ArchiveError, match="hold nothing") as caught:
        inflate(data, size=1 << 20)
    assert caught.value.id == "D06"
    assert time.process_time() - start < 4


def zstd_header(log, mantissa=0):
    """Return a frame of one raw block that asks for a window of 2**log bytes."""
    return b"\x28\xb5\x2f\xfd" + b"\0" + bytes([(log - 10) << 3 | mantissa]) + (3 << 3 | 1).to_bytes(3, "little") + b"abc"


@pytest.mark.case("D08")
def test_windows_of_zstd():
    assert inflate(zstd_header(27))[0] == b"abc"
    for log in (28, 31, 41):
        with pytest.raises(LimitError, match="window_bytes") as caught:
            inflate(zstd_header(log))
        assert caught.value.limit == "window_bytes"
    assert inflate(zstd_header(31), limits=Limits(window_bytes=1 << 31))[0] == b"abc"
    single = b"\x28\xb5\x2f\xfd" + b"\xe0" + struct.pack("<Q", 1 << 40) + b"\1\0\0"
    with pytest.raises(LimitError, match="window_bytes"):
        inflate(single)


@pytest.mark.case("D08")
@pytest.mark.parametrize("way", WAYS)
def test_a_window_that_is_too_large_names_the_limit(way):
    long = zstandard.ZstdCompressionParameters.from_level(3, window_log=28, enable_ldm=True)
    data = stream_zstd(LAYER, compression_params=long)
    report = read(stored(data), way)
    assert not report.complete
    assert "--limit window_bytes=" in " ".join(note.message for note in report.notes)
    assert "etc/first" in live(report)
    assert len(live(read(stored(data), way, limits={"window_bytes": 1 << 28}))) == 41


CODECS = {"none": bytes, "gzip": gz, "zstd": zst, "bzip2": bz2.compress}
TYPES = {
    "none": [OCI + "layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"],
    "gzip": [OCI + "layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
    "zstd": [OCI + "layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd"],
    "bzip2": [OCI + "layer.v1.tar+bzip2"],
}


@pytest.mark.case("D10", "A48")
@pytest.mark.parametrize("is_", CODECS)
@pytest.mark.parametrize("said", CODECS)
def test_media_types_lie(said, is_):
    for media_type in TYPES[said]:
        report = read(stored(CODECS[is_](LAYER), mediaType=media_type))
        assert report.complete
        assert len(live(report)) == 41
        assert report.image.layers[1].compression == is_
        assert ("D10" in ids(report, "warning")) is (said not in (is_, "bzip2")), (media_type, is_)


@pytest.mark.case("D11")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outer", [gz, zst, xz])
@pytest.mark.parametrize(("inner", "name"), [(gz, "gzip"), (zst, "zstd"), (xz, "xz"), (bz2.compress, "bzip2")])
def test_compressed_twice(inner, name, outer, way):
    data = outer(inner(LAYER))
    report = read(stored(data), way)
    assert not report.complete
    assert name in " ".join(note.message for note in report.notes if note.level == "error")
    row = report.books.layers[1]
    assert row.content_bytes == 0
    assert row.tar_bytes == len(inner(LAYER))


def zeros_xz(size):
    made = lzma.LZMACompressor()
    return b"".join([*(made.compress(bytes(1 << 20)) for _ in range(size >> 20)), made.flush()])


def zeros(codec, size=300 << 20):
    if codec == "gzip":
        made = zlib.compressobj(9, zlib.DEFLATED, 31)
    elif codec == "zstd":
        made = zstandard.ZstdCompressor().compressobj()
    else:
        made = bz2.BZ2Compressor() if codec == "bzip2" else lzma.LZMACompressor()
    return b"".join([*(made.compress(bytes(1 << 20)) for _ in range(size >> 20)), made.flush()])


BOMBS = {codec: zeros(codec) for codec in ("gzip", "zstd", "xz", "bzip2")}


@pytest.mark.case("D13")
@pytest.mark.parametrize("way", ["place", "pipe"])
@pytest.mark.parametrize("codec", BOMBS)
def test_a_bomb_is_stopped_in_constant_memory(codec, way):
    data = stored(BOMBS[codec])
    for limits, name in (({"layer_bytes": 20 << 20}, "layer_bytes"), ({"ratio": 100}, "ratio")):
        tracemalloc.start()
        report = read(data, way, limits=limits)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not report.complete
        assert f"--limit {name}=" in " ".join(note.message for note in report.notes)
        assert peak < 40 << 20, peak
        assert "etc/first" in live(report)
        assert report.books.layers[1].blob_bytes == len(BOMBS[codec])


@pytest.mark.case("D13")
@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_an_archive_that_is_a_bomb(codec):
    whole = archive({"manifest.json": b"[]"}, end=0)
    packed = {"gzip": gz, "zstd": zst}[codec](whole) + BOMBS[codec]
    with pytest.raises(ArchiveError):
        load(packed, "pipe", limits={"ratio": 100})
    image = docker_save(Image([FIRST], tags=["a:1"]), "legacy", end=0)
    packed = {"gzip": gz, "zstd": zst}[codec](image) + BOMBS[codec]
    report = api.analyze(load(packed, "pipe", limits={"ratio": 100}))
    assert not report.complete
    assert "ratio" in " ".join(note.message for note in report.notes)
    assert list(live(report)) == ["etc/first"]


@pytest.mark.case("D13")
@pytest.mark.parametrize("codec", BOMBS)
def test_the_command_ends_with_3_under_a_small_memory(codec, tmp_path):
    path = tmp_path / "bomb.tar"
    path.write_bytes(stored(BOMBS[codec]))
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20)); "
        "from layerscope.cli import main; sys.argv = ['layerscope', *sys.argv[1:]]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "report", str(path), "--limit", "layer_bytes=50MB"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    assert "layer_bytes" in done.stdout + done.stderr


@pytest.mark.case("D13")
@pytest.mark.parametrize("way", WAYS)
def test_zeros_that_are_no_bomb(way):
    data = gz(tar(files({"swap": bytes(10 << 20)})))
    report = read(stored(data), way)
    assert report.complete
    assert live(report)["swap"] == 10 << 20
    assert document(report)["layers"][1]["compression_bytes"] > 9 << 20
    assert io.BytesIO(data).read(2) == b"\x1f\x8b"


@pytest.mark.case("D04")
@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("piece", [1, 7, 1 << 18])
def test_a_zstd_block_too_short_to_be_compressed_is_damage_however_it_comes(size, piece):
    """libzstd sees it or not, by whether the whole frame is at hand: there its content is nothing, as it says."""
    empty, block = bytes(3), (size << 3 | 2 << 1).to_bytes(3, "little") + bytes(size)
    data = b"\x28\xb5\x2f\xfd\x20\x00" + empty + block + empty + b"\1\0\0"
    with pytest.raises(ArchiveError, match="damaged zstd data"):
        list(decompress((data[at : at + piece] for at in range(0, len(data), piece)), "zstd", Limits(), Notebook()))
