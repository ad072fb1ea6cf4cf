"""The second look at an unchanged file is short, tells the same, and is never taken for another file's."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from layerscope import api
from layerscope.archive import identity, scan
from layerscope.archive.cache import Cache
from layerscope.cli import packing
from layerscope.cli.memory import Layers, Memory
from layerscope.cli.session import run
from layerscope.model import Image

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return where the cache is; files are taken for settled at once."""
    monkeypatch.setenv("LAYERSCOPE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(identity, "SETTLED", -60.0)
    return tmp_path / "cache"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "image.tar"
    shutil.copyfile(FIXTURES / "node-app.docker.tar", path)
    return path


@pytest.fixture
def reads(monkeypatch):
    """Return the list of what was read for real."""
    done: list[str] = []
    real = api.load

    def load(source, **asked):
        done.append(source)
        return real(source, **asked)

    monkeypatch.setattr(api, "load", load)
    return done


def secret(folder):
    """Return the entry of the secret with which prints are taken."""
    cache = Cache(folder)
    return cache._path(Layers(cache)._name(b"secret"))


def said(capsys, *arguments):
    code = run([*arguments])
    out, err = capsys.readouterr()
    assert code == 0, err
    return out


@pytest.mark.parametrize("format_", ["text", "json", "markdown", "csv"])
def test_a_second_report_reads_nothing_and_says_the_same(capsys, folder, image, reads, format_):
    first = said(capsys, "report", str(image), "--format", format_)
    second = said(capsys, "report", str(image), "--format", format_)
    assert second == first
    assert len(reads) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["files", "--format", "csv"], ["packages", "--format", "json"], ["why", "/etc/passwd", "--format", "json"],
        ["report", "--table", "files"], ["audit", "--no-secrets", "--format", "sarif"],
    ],
)  # fmt: skip
def test_other_commands_after_a_report_say_what_they_say_without(capsys, folder, image, reads, command):
    verb, *rest = command
    without = (run([verb, str(image), *rest, "--no-cache"]), capsys.readouterr().out)
    run(["report", str(image), "--pull", "off"])
    run([verb, str(image), *rest])
    capsys.readouterr()
    count = len(reads)
    assert (run([verb, str(image), *rest]), capsys.readouterr().out) == without
    assert len(reads) == count


@pytest.mark.parametrize("first", ["estimate", "exact"])
def test_an_image_is_remembered_with_its_pull_sizes_and_without(capsys, folder, reads, tmp_path, first):
    path = tmp_path / "image.tar"
    shutil.copyfile(FIXTURES / "debian.docker25.tar", path)
    commands = (["files", "--format", "csv"], ["files", "--pull", first, "--format", "csv"], ["packages", "--format", "json"])
    without = [said(capsys, verb, str(path), *rest, "--no-cache") for verb, *rest in commands]
    reads.clear()
    said(capsys, "report", str(path), "--pull", first)
    assert [said(capsys, verb, str(path), *rest) for verb, *rest in commands] == without
    assert len(reads) == 1
    said(capsys, "files", str(path), "--pull", "estimate" if first == "exact" else "exact")
    assert len(reads) == 2


def test_no_cache_neither_reads_nor_writes(capsys, folder, image, reads):
    said(capsys, "report", str(image), "--no-cache")
    assert not folder.exists()
    said(capsys, "report", str(image), "--no-cache")
    assert len(reads) == 2


def test_a_changed_file_is_read_again_though_size_and_time_are_the_same(capsys, folder, image, reads):
    before = json.loads(said(capsys, "report", str(image), "--format", "json"))
    status = image.stat()
    data = image.read_bytes()
    image.write_bytes(data.replace(b"node", b"edon"))
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert image.stat().st_size == status.st_size
    run(["report", str(image), "--format", "json"])
    assert json.loads(capsys.readouterr().out) != before
    assert len(reads) == 2


def test_another_file_with_the_same_names_and_digests_is_another_file(capsys, folder, image, reads, tmp_path):
    """Whatever an archive claims of itself is no part of the key: a hostile one names what a known one has."""
    said(capsys, "report", str(image))
    twin = tmp_path / "twin.tar"
    shutil.copyfile(image, twin)
    said(capsys, "report", str(twin))
    assert reads == [str(image), str(twin)]


def test_what_was_changed_just_now_is_not_remembered(capsys, folder, image, reads, monkeypatch):
    monkeypatch.setattr(identity, "SETTLED", 2.0)
    monkeypatch.setattr(scan, "LEAST", 1 << 40)  # layers are known by their bytes, however new they are
    os.utime(image)
    said(capsys, "report", str(image))
    said(capsys, "report", str(image))
    assert len(reads) == 2
    assert list(folder.iterdir()) == [secret(folder)]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(folder, image):
    memory = Memory(Cache(folder), str(image), "image")
    made = api.load(str(image))
    os.utime(image)
    memory.remember(made)
    assert Memory(Cache(folder), str(image), "image").recall(Image) is None


def test_other_options_are_another_question(capsys, folder, image, reads):
    for options in ([], ["--pull", "off"], ["--verify"], ["--base-layers", "1"], ["--limit", "entries=9999"], ["--secrets"]):
        said(capsys, "report", str(image), *options)
    assert len(reads) == 4  # a base asks nothing new of the file, nor does who wants no pull sizes


def test_an_incomplete_image_is_not_remembered(capsys, folder, image, reads):
    image.write_bytes(image.read_bytes()[:-200_000])
    assert run(["report", str(image)]) == run(["report", str(image)]) == 3
    assert len(reads) == 2


def test_a_folder_is_known_again_until_a_file_in_it_changes(capsys, folder, reads, tmp_path):
    place = tmp_path / "layout"
    with tarfile.open(FIXTURES / "alpine.oci.tar") as archive:
        archive.extractall(place, filter="data")
    for _ in range(2):
        said(capsys, "report", str(place))
    assert len(reads) == 1
    (place / "oci-layout").write_bytes((place / "oci-layout").read_bytes() + b"\n")
    said(capsys, "report", str(place))
    assert len(reads) == 2


def test_a_folder_too_large_has_no_identity(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "FILES", 3)
    monkeypatch.setattr(identity, "SETTLED", -60.0)
    for name in "abcde":
        (tmp_path / name).touch()
    assert identity.identify(str(tmp_path)) is None


def test_what_is_no_file_has_no_identity(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert identity.identify(str(tmp_path / "pipe")) is None
    assert identity.identify(os.devnull) is None
    assert identity.identify(str(tmp_path / "missing")) is None


DONE: list[str] = []


class Trap:
    def __reduce__(self):
        return spring, ()


def spring():
    DONE.append("code of an entry was run")


@pytest.mark.parametrize("value", [Trap(), [Trap()], run, time.sleep, Path(), b"plain", 7], ids=repr)
def test_an_entry_runs_no_code(folder, image, value):
    """Whoever writes to the folder of the cache gets nothing run: only values of the project are made."""
    memory = Memory(Cache(folder), str(image), "image")
    memory.remember(value)
    assert any(folder.iterdir())
    assert memory.recall(Image) is None
    assert not DONE


def test_damaged_entries_are_read_again(capsys, folder, image, reads):
    first = said(capsys, "report", str(image))
    for path in folder.iterdir():
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 0xFF
        path.write_bytes(raw)
    assert said(capsys, "report", str(image)) == first
    assert len(reads) == 2


def test_an_image_leans_on_its_layers(folder, image):
    """What was found in compressed layers is kept once; without it, or with that of another blob, an image is not known."""
    layers = Layers(Cache(folder))
    made = api.load(str(image), shelf=layers)
    shelved = layers.lean_on(made, "estimate")
    assert len(shelved.lying) == 2
    assert [layer.index is None for layer in shelved.image.layers].count(True) >= 2
    assert Layers(Cache(folder)).complete(shelved, "estimate") == made
    key = shelved.lying[1].key
    kept = layers.recall(key)
    assert kept is not None
    layers.remember(key, replace(kept, print=kept.print + 1))
    assert Layers(Cache(folder)).complete(shelved, "estimate") is None
    Cache(folder).clear()
    assert Layers(Cache(folder)).complete(shelved, "estimate") is None


def test_whatever_is_lost_is_read_again(capsys, folder, image, reads):
    first = said(capsys, "packages", str(image))
    lost = sorted({*folder.iterdir()} - {secret(folder)})
    assert len(lost) == 3  # the image, two compressed layers
    for count, path in enumerate(lost, 2):
        path.unlink()
        assert said(capsys, "packages", str(image)) == first
        assert len(reads) == count
    assert said(capsys, "packages", str(image)) == first
    assert len(reads) == 1 + len(lost)


def test_other_code_does_not_believe_it(capsys, folder, image, reads, monkeypatch):
    said(capsys, "report", str(image))
    monkeypatch.setattr("layerscope.cli.memory.code_stamp", lambda: "another")
    said(capsys, "report", str(image))
    assert len(reads) == 2


def test_info_and_clear(capsys, folder, image):
    said(capsys, "report", str(image))
    told = json.loads(said(capsys, "cache", "info", "--json"))
    assert told["entries"] == 5  # the image, the report, two compressed layers, the secret of prints
    assert told["bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    assert str(folder) in said(capsys, "cache", "info")
    assert said(capsys, "cache", "clear").startswith("forgot 5 entries")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("most", [10_000, 1_000_000])
def test_what_is_too_large_is_not_remembered(folder, image, monkeypatch, most):
    value = frozenset([bytes(90_000)])  # packed it is small
    monkeypatch.setattr(packing, "LARGEST", most)
    Memory(Cache(folder), str(image), "large").remember(value)
    assert folder.exists() == (most > 90_000)
    monkeypatch.setattr(packing, "LARGEST", 1_000_000)
    Memory(Cache(folder), str(image), "large").remember(value)
    monkeypatch.setattr(packing, "LARGEST", most)
    found = Memory(Cache(folder), str(image), "large").recall(frozenset)
    assert found == (value if most > 90_000 else None)
