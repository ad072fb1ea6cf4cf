"""Is a compressed layer known again by its bytes, by nothing else, and are the answers the same?"""

from __future__ import annotations

import gzip
from dataclasses import replace
from random import Random

import build
import pytest
from layerscope.archive import scan, shelf
from layerscope.archive.cache import Cache
from layerscope.archive.inspection import Inspector, Inspectors
from layerscope.archive.limits import Limits
from layerscope.archive.scan import Settings, scan_place
from layerscope.cli.memory import Layers
from layerscope.cli.session import run
from layerscope.packages.databases import PATTERNS
from layerscope.packages.patterns import Patterns

NOISE = Random(1).randbytes(400_000)


def blob(content=b"1", level=6, tail=b""):
    """Return a gzip layer that is large enough for an entry."""
    data = build.layer({"etc/passwd": b"root:x:0:0\n", "noise": NOISE, "a": content, "b": build.Symlink("a")})
    return gzip.compress(data, level, mtime=0) + tail


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Return a function that scans a blob with a shelf, and a list of the blobs that were really read."""
    read, whole = [], scan.scan_stream

    def scan_stream(chunks, **more):
        read.append(1)
        return whole(chunks, **more)

    monkeypatch.setattr(scan, "scan_stream", scan_stream)

    def look(data, **asked):
        count = len(read)
        settings = Settings(Limits(), Patterns(PATTERNS), shelf=Layers(Cache(tmp_path / "cache")))
        for name, value in asked.items():
            setattr(settings, name, value)
        answer = scan_place(data, 0, len(data), settings)
        assert answer.recalled is (len(read) == count and answer.compression != "none")
        return replace(answer, recalled=False)

    return look, read


def test_the_same_bytes_are_read_once(found):
    look, read = found
    first, again = look(blob()), look(blob())
    assert again == first
    assert again.index.kept  # with all that it held
    assert len(read) == 1


@pytest.mark.case("A41")
def test_other_bytes_with_the_same_ends_are_read(found, monkeypatch):
    """Whoever knows how an entry is found can make one be looked at, but not be believed."""
    monkeypatch.setattr(shelf, "END", 4)
    monkeypatch.setattr(scan, "END", 4)
    look, read = found
    first, other = blob(b"1", level=0), blob(b"2", level=0)
    assert (len(first), first[:4], first[-4:]) == (len(other), other[:4], other[-4:])
    look(first)
    assert look(other).index.prints != look(first).index.prints
    assert len(read) == 3  # what was read last is kept
    assert look(first) == look(first)
    assert len(read) == 3


@pytest.mark.parametrize("cut", [1, 9, 5_000])
def test_what_is_damaged_is_not_kept(found, cut):
    look, read = found
    for _ in range(2):
        assert any(note.level == "error" for note in look(blob()[:-cut]).index.notes)
    assert len(read) == 2


def test_what_is_odd_is_told_again(found):
    look, read = found
    first, again = look(blob(tail=b"rest")), look(blob(tail=b"rest"))
    assert [note.id for note in again.index.notes] == [note.id for note in first.index.notes] == ["D03"]
    assert len(read) == 1


def test_another_question_is_another_entry(found):
    look, read = found
    watcher = Inspectors([Inspector("a", "1", lambda *_: True, lambda _: True, lambda _, content: content[0:1])])
    asked = ({}, {"verify": True}, {"inspectors": watcher}, {"limits": Limits(special_bytes=5)})
    answers = [look(blob(), **one) for one in asked]
    assert len(read) == len(asked)
    assert [look(blob(), **one) for one in asked] == answers
    assert len(read) == len(asked)
    assert answers[1].digest
    assert answers[2].index.inspected


def test_what_other_layers_used_up_counts(found):
    look, read = found
    look(blob())
    assert len(look(blob(), limits=Limits(entries=4)).index) == 4
    assert len(read) == 1
    few = look(blob(), limits=Limits(entries=2))
    assert len(read) == 2
    assert any(note.level == "error" for note in few.index.notes)


def test_small_and_plain_layers_have_no_entry(found, tmp_path):
    look, _ = found
    look(gzip.compress(build.layer({"a": b"1"})))
    look(build.layer({"noise": NOISE}))
    assert not (tmp_path / "cache").exists()


def test_one_changed_layer_of_an_image_is_read(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.setenv("LAYERSCOPE_CACHE_DIR", str(tmp_path / "cache"))
    layers = [blob(b"%d" % number) for number in range(5)]
    new = [*layers[:2], blob(b"changed"), *layers[3:]]
    for name, of in (("old.tar", layers), ("new.tar", new)):
        (tmp_path / name).write_bytes(build.docker_save(build.Image(of)))
    read, whole = [], scan.scan_stream
    monkeypatch.setattr(scan, "scan_stream", lambda chunks, **more: read.append(1) or whole(chunks, **more))

    def report(name, *words):
        assert run(["report", str(tmp_path / name), "--format", "json", "--quiet", *words]) == 0
        return capfdbinary.readouterr().out

    report("old.tar")
    assert len(read) == 5
    assert run(["report", str(tmp_path / "new.tar"), "--timings"]) == 0
    stages = [line.partition("  ")[0] for line in capfdbinary.readouterr().err.decode().splitlines()]
    assert [stage for stage in stages if stage.startswith("layer")] == [
        "layer 0, recalled", "layer 1, recalled", "layer 2", "layer 3, recalled", "layer 4, recalled",
    ]  # fmt: skip
    quickly = report("new.tar")
    assert len(read) == 6
    assert quickly == report("new.tar", "--no-cache")
    assert len(read) == 11
