"""Does a container see what the program says? Asked of umoci, and of the kernel's overlayfs.

Rules, by which they may differ from the program (each is a choice in `cases/c.toml`):

- umoci unpacks onto one tree: where a folder meets a symlink of a lower layer it follows the link (C12), so such stacks are not
  compared with it. Nor are those with 0:0 devices, which it makes as devices (C23). It refuses a folder over a file (C11), and
  makes no folders for marks alone.
- overlayfs: a folder that a layer deletes and makes again hides what was below only with the opaque attribute, which the
  converter sets as the specification wants (C02); Docker's own unpacking does not.
- Neither can unpack hard links whose target is not there (C28, C29, C31), children of a file of the same layer, or a name
  over what the same layer linked; such stacks are not made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import build
import pytest
from layerscope.model import Kind
from oracle import Folder, Oracle, parts_of

from stacking.compare import stacked
from stacking.layers import Op, write

NAMES = "abcd"
STACKS = 100
NODES = {Kind.FIFO: "fifo", Kind.CHARACTER: "character", Kind.SYMLINK: "symlink"}


class Maker:
    """A random stack that runtimes can unpack."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.layers: list[bytes] = []
        for _ in range(random.randrange(2, 5)):
            self.folders: set[str] = set()
            self.others: dict[str, Op] = {}
            ops = [op for _ in range(random.randrange(1, 12)) if (op := self.op()) is not None]
            self.layers.append(build.tar(*map(write, ops)))

    def op(self) -> Op | None:
        random = self.random
        path = "/".join(random.choices(NAMES, k=random.choice((1, 1, 2, 2, 3))))
        above = {path.rsplit("/", up)[0] for up in range(1, path.count("/") + 1)}
        kind = random.choice(
            ("file", "file", "file", "folder", "folder", "symlink", "hardlink", "whiteout", "whiteout", "opaque", "fifo")
        )
        if any(folder in self.others and self.others[folder].kind != "symlink" for folder in above):
            return None
        mode = random.choice((0o644, 0o755, 0o600, 0o4755))
        if kind in {"whiteout", "opaque"}:
            return None if above & set(self.others) or path in self.others else Op(kind, path)
        through_link = any(folder in self.others for folder in above)
        if path in self.folders or path in self.others or (through_link and kind != "file"):
            return None
        target, header = "", {"mode": mode}
        if kind == "symlink":
            target = random.choice((*NAMES, "../a", "/b", "a/b", "nowhere"))
        if kind == "hardlink":
            files = [op for op in self.others.values() if op.kind == "file"]
            if not files:
                return None
            file = random.choice(files)
            target, header = file.path, dict(file.header)
        op = Op(kind, path, target, random.randrange(1, 9), header)
        if kind == "folder":
            self.folders.add(path)
        elif not any(folder in self.others for folder in above):  # what went through a symlink is somewhere else
            self.others[path] = op
        self.folders |= above
        return op


def said(layers: list[bytes]) -> tuple[dict[bytes, Any], set[str]]:
    """Return what the program says is there: path -> kind, mode, link or content; and the ids of its notes."""
    indexes, result = stacked(layers)
    tree: dict[bytes, Any] = {}
    for path, row in result.visible.items():
        inode = result.inodes.get(row, row)
        position = result.position_of(inode)
        here, index = inode - result.starts[position], indexes[position]
        kind = Kind(index.kinds[here])
        if kind is Kind.FILE:
            where = index.offsets[here]
            data = layers[position][where : where + index.sizes[here]]
            tree[path] = ("file", index.modes[here], len(data), hashlib.sha256(data).hexdigest())
        elif kind is Kind.SYMLINK:
            tree[path] = ("symlink", index.links[here])
        else:
            tree[path] = (kind.name.lower(), index.modes[here])
    implied: list[tuple[bytes, Folder]] = [(b"", Oracle(layers).root)]
    while implied:
        path, folder = implied.pop()
        tree.setdefault(path, ("directory", None))
        implied += [
            ((path + b"/" if path else b"") + part, inner) for part, inner in folder.inside.items() if isinstance(inner, Folder)
        ]
    notes = {note.id for index in indexes for note in index.notes} | {note.id for note in result.notes}
    return tree, notes


def seen(root: Path) -> dict[bytes, Any]:
    """Return what is in a folder."""
    tree: dict[bytes, Any] = {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        tree[os.path.relpath(folder, top) if folder != top else b""] = ("directory", stat.S_IMODE(os.lstat(folder).st_mode))
        for name in (*files, *(one for one in folders if os.path.islink(os.path.join(folder, one)))):
            path = os.path.join(folder, name)
            try:
                about = os.lstat(path)
            except FileNotFoundError:  # overlayfs lists a whiteout that hides nothing
                continue
            mode = stat.S_IMODE(about.st_mode)
            if stat.S_ISREG(about.st_mode):
                data = Path(os.fsdecode(path)).read_bytes()
                what: Any = ("file", mode, len(data), hashlib.sha256(data).hexdigest())
            elif stat.S_ISLNK(about.st_mode):
                what = ("symlink", os.readlink(path))
            else:
                what = ("fifo" if stat.S_ISFIFO(about.st_mode) else "character", mode)
            tree[os.path.relpath(path, top)] = what
    return tree


def assert_seen(tree: dict[bytes, Any], real: dict[bytes, Any], *, marks_make_folders: bool = True) -> None:
    for path, what in list(tree.items()):
        if what == ("directory", None) and path:  # implied: a runtime chooses its mode
            if path not in real and not marks_make_folders:
                del tree[path]
                continue
            assert real.get(path, ("", ""))[0] == "directory", path
            real[path] = what
        elif what[0] == "directory" and real.get(path) == ("directory", 0o755):
            real[path] = what  # overlayfs shows what the topmost layer implied (C17)
    real[b""] = tree[b""]
    assert real == tree


# --- umoci ----------------------------------------------------------------------------------------------------------


def test_umoci_unpacks_what_the_program_says(tmp_path: Path):
    if not shutil.which("umoci"):
        pytest.skip("umoci is not installed")
    if os.geteuid():
        pytest.skip("umoci unpacks modes and owners for root only")
    random = Random(1)
    compared = 0
    while compared < STACKS:
        layers = Maker(random).layers
        tree, notes = said(layers)
        if "C12" in notes or "C18" in notes:
            continue
        layout = build.oci_layout(tmp_path / "image", build.Image(layers, tags=["x:latest"], codec="none"))
        root = tmp_path / "root"
        shutil.rmtree(root, ignore_errors=True)
        done = subprocess.run(
            ["umoci", "raw", "unpack", "--image", f"{layout}:latest", str(root)], check=False, capture_output=True, text=True
        )
        shutil.rmtree(layout)
        if done.returncode:  # it cannot put a folder where a lower layer has a file (C11)
            assert "not a directory" in done.stderr
            continue
        real = seen(root)
        if any(what == ("directory", None) and real.get(path, what)[0] != "directory" for path, what in tree.items()):
            continue  # a mark below a file of a lower layer: overlayfs hides the file, umoci does not (C11)
        assert_seen(tree, real, marks_make_folders=False)
        compared += 1


# --- overlayfs --------------------------------------------------------------------------------------------------------


def convert(layer: bytes, folder: Path) -> bool:
    """Unpack a layer into a folder of its own as overlayfs wants it, locked up in there; say whether that could be done."""
    file = folder.with_suffix(".tar")
    file.write_bytes(layer)
    with tarfile.open(file, errors="surrogateescape") as archive:
        members = [(member, archive.extractfile(member).read() if member.isreg() else b"") for member in archive]  # type: ignore[union-attr]
    pid = os.fork()
    if not pid:
        try:
            os.chroot(folder)
            os.chdir("/")
            os.umask(0o022)
            unpack(members)
        except OSError:
            os._exit(1)
        except BaseException:  # noqa: BLE001
            os._exit(2)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status < 2
    return status == 0


def unpack(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Unpack into the root: marks last, so that what the layer holds itself stays (C02)."""
    marks = []
    for member, data in members:
        path = b"/" + b"/".join(parts_of(os.fsencode(member.name)))
        folder, base = os.path.split(path)
        if not os.path.lexists(folder):
            os.makedirs(folder, 0o755)
        elif not os.path.isdir(folder):
            os.makedirs(os.path.realpath(folder), 0o755)  # where a symlink leads; a file fails
        if base.startswith(b".wh."):
            marks.append((folder, base))
            continue
        if os.path.lexists(path) and not (member.isdir() and os.path.isdir(path) and not os.path.islink(path)):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        if member.isdir():
            if not os.path.isdir(path):
                os.mkdir(path)
            os.chmod(path, member.mode)
        elif member.issym():
            os.symlink(os.fsencode(member.linkname), path)
        elif member.islnk():
            os.link(b"/" + b"/".join(parts_of(os.fsencode(member.linkname))), path, follow_symlinks=False)
        elif member.isfifo():
            os.mkfifo(path)
            os.chmod(path, member.mode)
        else:
            with open(path, "wb") as file:
                file.write(data)
            os.chmod(path, member.mode)
    for folder, base in marks:
        path = os.path.join(folder, base[4:])
        if base == b".wh..wh..opq":
            os.setxattr(folder, b"trusted.overlay.opaque", b"y")
        elif not os.path.lexists(path):
            os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(0, 0))
        elif os.path.isdir(path) and not os.path.islink(path):
            os.setxattr(path, b"trusted.overlay.opaque", b"y")


@contextmanager
def mounted(kind: str, where: Path, options: str) -> Iterator[Path]:
    where.mkdir()
    done = subprocess.run(["mount", "-t", kind, "-o", options, kind, str(where)], check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def test_overlayfs_shows_what_the_program_says(tmp_path: Path):
    if os.name != "posix" or not hasattr(os, "setxattr") or not shutil.which("mount"):
        pytest.skip("this system has no overlayfs")
    if os.geteuid():
        pytest.skip("only root may mount overlayfs")
    random = Random(2)
    compared = 0
    through_links = 0
    with mounted("tmpfs", tmp_path / "work", "size=64m") as work:
        while compared < STACKS:
            layers = Maker(random).layers
            tree, notes = said(layers)
            here = work / str(compared)
            here.mkdir()
            folders = [here / "none", *(here / f"l{number}" for number in range(len(layers)))]
            for folder in folders:
                folder.mkdir()
            if all(convert(layer, folder) for layer, folder in zip(layers, folders[1:], strict=True)):
                lower = ":".join(str(folder) for folder in folders[::-1])
                with mounted("overlay", here / "merged", f"lowerdir={lower}") as merged:
                    assert_seen(tree, seen(merged))
                compared += 1
                through_links += "C12" in notes
            shutil.rmtree(here)
    assert through_links > 5
