"""One file of one layer comes out as it is in there, and goes nowhere else."""

from __future__ import annotations

import gzip
import os
import pty
import subprocess
import sys

import pytest
from build import (
    Hardlink,
    Image,
    Symlink,
    docker_save,
    entry,
    files,
    layer,
    oci_archive,
    oci_layout,
    sparse_gnu,
    sparse_pax,
    tar,
    whiteout,
    zst,
)
from layerscope.cli.answer import export_file
from layerscope.cli.session import run
from layerscope.errors import ArchiveError

BIG = bytes(range(256)) * 9000
HOSTILE = b"a\x1b[2Jb\x07\xc2\x85\xe2\x80\xaec\td\n\xff"
LAYERS = [
    layer(
        {
            "etc/name": b"old\n", "etc/gone": b"was here\n", "bin/big": BIG, "bin/link": Hardlink("bin/big"), "empty": b"",
            "hostile": HOSTILE, "bin/sh": Symlink("big"), "out": Symlink("../../../etc/passwd"),
        },
        parents=True,
    ),
    tar(
        whiteout("etc/gone"), whiteout("bin/big"), files({"etc/name": b"new\n"}), sparse_gnu("hole", [(3, b"abc")], 3_000_000),
        sparse_pax("holes", [(0, b"x"), (1000, b"y" * 600)], 5000), entry("twice", b"1"), entry("twice", b"2"),
        entry("fifo", type=b"6"), entry("c/d", type=b"1", link="nowhere"),
    ),
]  # fmt: skip
IMAGE = Image(LAYERS)


def write(folder, kind):
    """Write the image in one of the ways in which its bytes may lie."""
    path = folder / f"{kind}.img"
    match kind:
        case "raw":
            path.write_bytes(docker_save(IMAGE))
        case "gzip":
            path.write_bytes(oci_archive(IMAGE, usual="gzip"))
        case "zstd":
            path.write_bytes(oci_archive(IMAGE, usual="zstd"))
        case "whole":
            path.write_bytes(gzip.compress(docker_save(IMAGE), 1))
        case "both":
            path.write_bytes(zst(oci_archive(IMAGE, usual="gzip")))
        case "folder":
            return str(oci_layout(path, IMAGE))
        case "rootfs":
            path.write_bytes(LAYERS[0])
    return str(path)


def cat(capfdbinary, *words):
    code = run(["cat", *words])
    out, err = capfdbinary.readouterr()
    return code, out, err.decode()


@pytest.mark.parametrize("kind", ["raw", "gzip", "zstd", "whole", "both", "folder"])
def test_files_come_out(kind, tmp_path, capfdbinary):
    path = write(tmp_path, kind)
    assert cat(capfdbinary, path, "/etc/name") == (0, b"new\n", "")
    assert cat(capfdbinary, path, "etc//./name") == (0, b"new\n", "")
    assert cat(capfdbinary, path, "/etc/name", "--layer", "0") == (0, b"old\n", "")
    assert cat(capfdbinary, path, "/bin/link") == (0, BIG, "")
    assert cat(capfdbinary, path, "/bin/big", "--layer", "0", "-q") == (0, BIG, "")
    assert cat(capfdbinary, path, "/empty") == (0, b"", "")
    assert cat(capfdbinary, path, "/hostile") == (0, HOSTILE, "")
    assert cat(capfdbinary, path, "/hole") == (0, b"\0\0\0abc" + bytes(3_000_000 - 6), "")
    assert cat(capfdbinary, path, "/holes") == (0, b"x" + bytes(999) + b"y" * 600 + bytes(3400), "")
    assert cat(capfdbinary, path, "/twice") == (0, b"2", "")
    hidden = "no container sees this: it is in layer 0, and layer 1 hides it\n"
    assert cat(capfdbinary, path, "/etc/gone") == (0, b"was here\n", hidden)
    target = tmp_path / "out"
    assert run(["export-file", path, "/bin/link", "--to", str(target)]) == 0
    assert target.read_bytes() == BIG


def test_a_root_file_system(tmp_path, capfdbinary):
    path = write(tmp_path, "rootfs")
    assert cat(capfdbinary, path, "/etc/name") == (0, b"old\n", "")
    packed = tmp_path / "rootfs.tar.gz"
    packed.write_bytes(gzip.compress(LAYERS[0]))
    assert cat(capfdbinary, str(packed), "/bin/big") == (0, BIG, "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["/etc/nam"], "no layer holds '/etc/nam'\n  /etc/name\n"),
        (["/etc/gone", "--layer", "1"], "layer 1 deletes /etc/gone\n"),
        (["/bin/link", "--layer", "1"], "layer 1 does not hold '/bin/link'; these layers do: 0\n"),
        (["/etc/name", "--layer", "7"], "there is no layer 7: the last one is 1\n"),
        (["/etc"], "/etc is a folder\n"),
        (["/fifo"], "/fifo is a FIFO\n"),
        (["/c/d"], "/c/d is a hard link to what is not there\n"),
        (["/bin/sh"], "/bin/sh is a symlink to big; links are not followed\n"),
        (["/out"], "/out is a symlink to ../../../etc/passwd; links are not followed\n"),
    ],
)
def test_what_is_no_file(words, told, tmp_path, capfdbinary):
    assert cat(capfdbinary, write(tmp_path, "raw"), *words) == (2, b"", told)


def test_a_large_file_is_refused_before_its_first_byte(tmp_path, capfdbinary):
    path = write(tmp_path, "raw")
    code, out, err = cat(capfdbinary, path, "/hole", "--limit", "file_bytes=1MB")
    assert (code, out) == (3, b"")
    assert "--limit file_bytes=VALUE" in err
    target = tmp_path / "out"
    assert run(["export-file", path, "/hole", "--to", str(target), "--limit", "file_bytes=1MB"]) == 3
    assert not target.exists()


def test_what_passes_once_is_refused(tmp_path, capfdbinary):
    assert cat(capfdbinary, "-", "/etc/name")[:2] == (2, b"")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["sh", "-c", f"cat '{write(tmp_path, 'raw')}' > '{fifo}'"]):
        code, out, err = cat(capfdbinary, str(fifo), "/bin/link")
    assert (code, out) == (3, b"")
    assert "passes only once" in err


@pytest.mark.parametrize("force", [False, True])
def test_damage_leaves_no_file(force, tmp_path):
    def pieces():
        yield b"half"
        raise ArchiveError("the data end")

    target = tmp_path / "out"
    if force:
        target.write_text("mine")
    with pytest.raises(ArchiveError):
        export_file(str(target), pieces(), force=force)
    assert [name.read_text() for name in tmp_path.iterdir()] == ["mine"] * force


def test_a_file_whose_end_is_missing_is_none(tmp_path, capfdbinary):
    def cut(tar):
        return gzip.compress(tar, 1, mtime=0)[:1_000_000]

    path = tmp_path / "a.tar"
    path.write_bytes(oci_archive(Image([layer({"b": b"whole", "a": os.urandom(3_000_000)})], codec=cut)))
    assert cat(capfdbinary, str(path), "/b")[:2] == (0, b"whole")
    assert cat(capfdbinary, str(path), "/a")[:2] == (2, b"")


def test_only_the_file_that_is_named_is_written(tmp_path, capfd):
    path = write(tmp_path, "raw")
    target, link, folder = tmp_path / "target", tmp_path / "link", tmp_path / "folder"
    target.write_text("mine")
    link.symlink_to(target)
    folder.mkdir()
    os.mkfifo(tmp_path / "fifo")
    for place in (target, link):
        assert run(["export-file", path, "/etc/name", "--to", str(place)]) == 2
        assert "--force replaces it" in capfd.readouterr().err
    for place in (folder, tmp_path / "fifo"):
        assert run(["export-file", path, "/etc/name", "--to", str(place), "--force"]) == 2
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert run(["export-file", path, "/etc/name", "--to", str(tmp_path / "dangling")]) == 2
    assert not (tmp_path / "nothing").exists()
    assert run(["export-file", path, "/etc/name", "--to", str(link), "--force"]) == 0
    assert not link.is_symlink()
    assert (link.read_text(), target.read_text()) == ("new\n", "mine")
    assert run(["export-file", path, "/etc/name", "--to", path, "--force"]) == 2
    assert run(["export-file", path, "/etc/name", "--to", str(tmp_path / "no" / "where")]) == 2
    assert sorted(os.listdir(folder)) == []
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".layerscope")]


def on_a_terminal(*words):
    """Return what a terminal gets."""
    ours, theirs = pty.openpty()
    code = f"from layerscope.cli.session import main; main({list(words)!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        data = b""
        try:
            while piece := os.read(ours, 4096):
                data += piece
        except OSError:  # the other side is closed
            pass
        os.close(ours)
        assert process.wait() == 0
    return data.replace(b"\r\n", b"\n")


def test_a_terminal_only_shows(tmp_path):
    path = write(tmp_path, "raw")
    assert on_a_terminal("cat", path, "/hostile") == rb"a\x1b[2Jb\x07\u{85}\u{202e}c" b"\td\n" rb"\xff"
    assert on_a_terminal("cat", path, "/hostile", "--raw") == HOSTILE


def test_a_file_that_is_replaced_meanwhile_is_told(tmp_path, capfdbinary, monkeypatch):
    from layerscope.archive.container.inplace import TarFile

    path = write(tmp_path, "raw")
    monkeypatch.setattr(TarFile, "changed", lambda self: hasattr(self, "asked") or setattr(self, "asked", True))
    code, _, err = cat(capfdbinary, path, "/etc/name")
    assert code == 3
    assert "was changed while it was read" in err


def test_a_reader_that_goes_away_is_no_policy_that_is_not_met(tmp_path):
    words = ["cat", write(tmp_path, "raw"), "/bin/big", "--layer", "0"]
    code = f"from layerscope.cli.session import main; main({words!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.read(1) == BIG[:1]
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
