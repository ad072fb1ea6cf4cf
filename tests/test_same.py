"""The same image, the same answer: read by one thread or two, compiled or not, for the first time or again, in place or passing."""

from __future__ import annotations

import io
import json
import shutil

import pytest
from build import Image, docker_save, layer
from layerscope import api
from layerscope.archive import scan
from layerscope.archive.container import passing
from layerscope.archive.tar import reader as tar
from layerscope.cli.session import run
from layerscope.errors import LayerscopeError


def answer(capfdbinary, path, *words, image=None):
    """Return exit code and document of a report."""
    chosen = ("--image", image) if image else ()
    code = run(["report", str(path), "--format", "json", "--quiet", *chosen, *words])
    out = capfdbinary.readouterr().out
    return code, json.loads(out) if out else None


def choice(path):
    """Return what to say to `--image`, None if there is no choice."""
    try:
        listed = api.list_images(str(path))
    except LayerscopeError:
        return None
    return (listed[0].config_digest or listed[0].id) if len(listed) > 1 else None


def same_everywhere(path, capfdbinary, monkeypatch, folder):
    """Check that every way of reading an image tells the same."""
    monkeypatch.setenv("LAYERSCOPE_CACHE_DIR", str(folder))
    image = choice(path)

    def threads(on):
        for module in (scan, passing):
            monkeypatch.setattr(module, "pays", lambda _, hashed: on)

    threads(False)
    serial = answer(capfdbinary, path, "--no-cache", image=image)
    threads(True)
    parallel = answer(capfdbinary, path, "--no-cache", image=image)
    assert parallel == serial
    with monkeypatch.context() as pure:
        pure.setattr(tar, "Runs", None)
        assert answer(capfdbinary, path, "--no-cache", image=image) == serial
    first = answer(capfdbinary, path, image=image)
    again = answer(capfdbinary, path, image=image)
    assert first == again == serial
    if path.is_file():  # another file of the same bytes: only its layers are known
        (folder / "copy").mkdir(parents=True)
        other = shutil.copy(path, folder / "copy" / path.name)
        code, copied = answer(capfdbinary, other, image=image)
        if copied is not None:
            copied["image"]["source"] = serial[1]["image"]["source"]
        assert (code, copied) == serial
    with path.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stream.read())))
    code, piped = answer(capfdbinary, "-", image=image)
    if piped is not None:
        piped["image"]["source"] = serial[1]["image"]["source"]
    assert (code, piped) == serial


def test_every_way_tells_the_same_of_fixtures(fixtures_dir, capfdbinary, monkeypatch, tmp_path):
    for number, path in enumerate(sorted(fixtures_dir.glob("*.tar"))):
        same_everywhere(path, capfdbinary, monkeypatch, tmp_path / str(number))


@pytest.mark.case("A20")
def test_every_way_tells_the_same_of_a_folder_that_was_packed(capfdbinary, monkeypatch, tmp_path):
    path = tmp_path / "wrapped.tar"
    path.write_bytes(docker_save(Image([layer({"etc/a": b"a" * 90_000, "etc/b": b"b"})]), "containerd", prefix="saved/here/"))
    same_everywhere(path, capfdbinary, monkeypatch, tmp_path / "same")


@pytest.mark.parametrize("kind", ["images", "rootfs"])
def test_every_way_tells_the_same_of_images_of_others(corpus, kind, capfdbinary, monkeypatch, tmp_path):
    for number, path in enumerate(sorted((corpus / kind).iterdir())):
        same_everywhere(path, capfdbinary, monkeypatch, tmp_path / str(number))
