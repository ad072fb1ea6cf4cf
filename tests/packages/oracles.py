"""Packages and what each weighs in an unpacked image, told by other programs and by plain walks: none of layerscope's code is used.

Each function takes the folder into which the image was unpacked and returns packages -> bytes: the sizes of the regular files that
are theirs, each inode once. Compiled Python beside a listed module is its owner's, whoever compiled it.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import stat
import struct
import subprocess
import tempfile
from contextlib import closing
from email.parser import HeaderParser
from pathlib import Path

Weights = dict[tuple[str, ...], int]
PACKERS = {b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"(\xb5/\xfd": "zstd"}


class Tree:
    """A folder seen as the container sees it: links on the way to a file stay inside."""

    def __init__(self, root: str | Path) -> None:
        self.root = os.fsencode(root).rstrip(b"/")
        self.folders: dict[bytes, bytes] = {}

    def place(self, path: bytes) -> bytes:
        """Return where a path lies; its last component is not followed."""
        folder, _, name = path.rpartition(b"/")
        if folder not in self.folders:
            self.folders[folder] = self._walk(folder)
        return self.folders[folder] + b"/" + name

    def _walk(self, folder: bytes) -> bytes:
        done, todo, links = b"", folder.split(b"/")[::-1], 0
        while todo:
            part = todo.pop()
            if part == b"..":
                done = done.rpartition(b"/")[0]
            elif part not in {b"", b"."}:
                try:
                    target = os.readlink(self.root + done + b"/" + part)
                except OSError:
                    done += b"/" + part
                    continue
                links += 1
                if links > 40:
                    return done
                done = b"" if target.startswith(b"/") else done
                todo += target.split(b"/")[::-1]
        return done

    def file(self, path: bytes) -> tuple[int, int] | None:
        """Return (inode, size) of a regular file."""
        try:
            found = os.lstat(self.root + self.place(path))
        except OSError:
            return None
        return (found.st_ino, found.st_size) if stat.S_ISREG(found.st_mode) else None

    def weigh(self, paths) -> int:
        """Return the bytes of files, with the compiled modules beside them."""
        inodes: dict[int, int] = {}
        for path in paths:
            found = self.file(path)
            if found:
                inodes.update([found])
            if path.endswith(b".py"):
                inodes.update(filter(None, map(self.file, self.compiled(path))))
        return sum(inodes.values())

    def compiled(self, path: bytes) -> list[bytes]:
        """Return what the compiler wrote for a module."""
        folder, _, name = self.place(path).rpartition(b"/")
        try:
            names = os.listdir(self.root + folder + b"/__pycache__")
        except OSError:
            return []
        return [
            folder + b"/__pycache__/" + one for one in names if one.startswith(name[:-2]) and one.endswith(b".pyc")
        ]  # fmt: skip


def run(*words: object) -> bytes:
    return subprocess.run([*map(str, words)], capture_output=True, check=True).stdout


def plain(image: Path, folder: Path) -> Path:
    """Return an archive that is not compressed: itself, or what comes of it in a folder."""
    with image.open("rb") as stream:
        head = stream.read(6)
    for mark, packer in PACKERS.items():
        if head.startswith(mark):
            with (folder / "image.tar").open("wb") as out:
                subprocess.run([packer, "-dc", image], stdout=out, check=True)
            return folder / "image.tar"
    return image


def debs(root: Path) -> Weights:
    """Ask dpkg-query: `-L` knows the lists and the diversions."""
    tree, folder = Tree(root), f"--admindir={root}/var/lib/dpkg"
    if not (root / "var/lib/dpkg/status").is_file():
        return {}
    form = "${db:Status-Status}\t${binary:Package}\t${Package}\t${Architecture}\t${Version}\n"
    found = {}
    for line in run("dpkg-query", folder, "-W", "-f", form).decode().splitlines():
        state, full, name, arch, version = line.split("\t")
        if state in {"not-installed", "config-files"}:
            continue
        paths: list[bytes] = []
        for listed in run("dpkg-query", folder, "-L", full).splitlines():
            if listed.startswith((b"diverted by ", b"locally diverted to")):
                paths[-1] = listed.rpartition(b" to: ")[2]
            elif listed.startswith(b"/"):
                paths.append(listed)
        found[name, arch, version] = tree.weigh(paths)
    return found


def rpms(root: Path) -> Weights:
    """Ask rpm, which reads three kinds of databases; ghosts and files that were not installed are left out."""
    for place in ("var/lib/rpm", "usr/lib/sysimage/rpm"):
        for name, backend in (("rpmdb.sqlite", "sqlite"), ("Packages.db", "ndb"), ("Packages", "bdb_ro")):
            if (root / place / name).is_file():
                ask = ("rpm", "-qa", "--dbpath", root / place, "-D", f"_db_backend {backend}", "--qf")
                break
        else:
            continue
        break
    else:
        return {}
    if backend == "ndb":
        with tempfile.TemporaryDirectory() as folder:
            convert((root / place / name).read_bytes(), Path(folder))
            return _rpms(root, ("rpm", "-qa", "--dbpath", folder, "-D", "_db_backend sqlite", "--qf"))
    return _rpms(root, ask)


def convert(content: bytes, folder: Path) -> None:
    """Copy the headers of an ndb, which few rpm read, to a database that they do read."""
    run("rpm", "--initdb", "--dbpath", folder, "-D", "_db_backend sqlite")
    with closing(sqlite3.connect(folder / "rpmdb.sqlite", isolation_level=None)) as new:
        for at in range(32, 4096 * int.from_bytes(content[12:16], "little"), 16):
            slot, number, block, _ = struct.unpack_from("<4sIII", content, at)
            if slot == b"Slot" and number:
                size = struct.unpack_from("<12xI", content, 16 * block)[0]
                new.execute("INSERT INTO Packages VALUES (?, ?)", (number, content[16 * block + 16 :][:size]))


def _rpms(root: Path, ask: tuple[object, ...]) -> Weights:
    tree, files = Tree(root), {}
    for line in run(*ask, r"[%{=NAME}\t%{FILESTATES}\t%{FILEFLAGS}\t%{FILENAMES}\n]").splitlines():
        package, state, flags, path = line.split(b"\t", 3)
        if state == b"0" and not int(flags) & 64:
            files.setdefault(package.decode(), []).append(path)
    found = {}
    for line in run(*ask, r"%{NAME}\t%{ARCH}\t%{EPOCH}\t%{VERSION}-%{RELEASE}\n").decode().splitlines():
        name, arch, epoch, version = line.split("\t")
        found[name, arch, version if epoch == "(none)" else f"{epoch}:{version}"] = tree.weigh(files.get(name, ()))
    return found


def apks(root: Path) -> Weights:
    """Read apk's database as `apk info` does; apk itself runs on few systems."""
    tree, found = Tree(root), {}
    for place in ("lib/apk/db/installed", "usr/lib/apk/db/installed"):
        if (root / place).is_file():
            for name, arch, version, paths in read_apks((root / place).read_bytes()):
                found[name, arch, version] = tree.weigh(paths)
            break
    return found


def read_apks(content: bytes):
    """Yield name, architecture, version and files of each record: fields by their letter, as apk's own reader has it."""
    fields: dict[bytes, str] = {}
    folder, paths = b"", []
    for line in [*content.split(b"\n"), b""]:
        if len(line) < 2:
            if b"P" in fields and b"V" in fields:
                yield fields[b"P"], fields.get(b"A", ""), fields[b"V"], paths
            fields, folder, paths = {}, b"", []
        elif line[:2] == b"F:":
            folder = b"/" + line[2:]
        elif line[:2] == b"R:":
            paths.append(folder + b"/" + line[2:])
        elif line[1:2] == b":":
            fields[line[:1]] = line[2:].decode("utf-8", "replace")


def distributions(root: Path, *, known: frozenset[bytes] = frozenset()) -> Weights:
    """Read RECORD of what pip installed; `known` are files that a system package lists."""
    tree, found = Tree(root), {}
    for record in root.rglob("*.dist-info/RECORD"):
        site = record.parent.parent
        inside = b"/" + os.fsencode(site.relative_to(root))
        head = HeaderParser().parsestr((record.parent / "METADATA").read_text(encoding="utf-8", errors="replace"))
        if os.fsencode(record.parent.relative_to(root) / "METADATA") in known:
            continue
        with record.open(newline="", encoding="utf-8") as stream:
            paths = [os.path.normpath(os.path.join(inside, os.fsencode(row[0]))) for row in csv.reader(stream)]
        more = [b"/" + os.fsencode(path.relative_to(root)) for path in record.parent.rglob("*")]
        found[head["Name"], head["Version"], str(site.relative_to(root))] = tree.weigh([*paths, *more])
    return found


def modules(root: Path, *, known: frozenset[bytes] = frozenset()) -> Weights:
    """Walk: a file is the deepest package's above it; as `du` of a folder without those of others in it."""
    found: dict[tuple[str, ...], dict[int, int]] = {}
    owners: dict[str, tuple[str, ...] | None] = {}
    for here, folders, files in os.walk(root):
        folders.sort()
        place = os.path.relpath(here, root)
        owners[here] = owners.get(os.path.dirname(here))
        name = re.search(r"(?:^|/)node_modules/((?:@[^/]+/)?[^/@.][^/]*)$", place)
        if name and "package.json" in files:
            owners[here] = _module(here, place) or owners[here]
        for file in files:
            owner, status = owners[here], os.lstat(os.path.join(here, file))
            if owner and stat.S_ISREG(status.st_mode) and os.fsencode(os.path.join(place, file)) not in known:
                found.setdefault(owner, {})[status.st_ino] = status.st_size
    return {owner: sum(sizes.values()) for owner, sizes in found.items()}


def _module(here: str, place: str) -> tuple[str, ...] | None:
    try:
        told = json.loads(Path(here, "package.json").read_bytes())
        return (told["name"], told["version"], place)
    except (ValueError, KeyError, TypeError):
        return None


def development(root: Path, application: str) -> set[str]:
    """Return the folders that nothing but `devDependencies` of an application leads to: node's own way of looking up names."""
    base = root / application
    told = {base: json.loads((base / "package.json").read_bytes())}
    for manifest in base.rglob("node_modules/**/package.json"):
        if re.search(r"/node_modules/(@[^/]+/)?[^/@.][^/]*$", str(manifest.parent)):
            told[manifest.parent] = json.loads(manifest.read_bytes())
    reached, todo = {base}, [base]
    while todo:
        here = todo.pop()
        names = {**told[here].get("dependencies", {}), **told[here].get("optionalDependencies", {})}
        optional = told[here].get("peerDependenciesMeta", {})
        names.update((name, 1) for name in told[here].get("peerDependencies", {}) if not optional.get(name, {}).get("optional"))
        for name in names:
            place = here
            while place != base and (place / "node_modules" / name) not in told:
                place = place.parent
            other = place / "node_modules" / name
            if other in told and other not in reached:
                reached.add(other)
                todo.append(other)
    return {str(place.relative_to(root)) for place, one in told.items() if place not in reached and "version" in one}


def removable(root: Path, *words: str, recommends: bool = True) -> set[str]:
    """Ask apt-get, which only simulates, what it would remove; suggestions keep nothing."""
    folder = f"{root}/var/lib"
    options = {
        "Dir::State": f"{folder}/apt", "Dir::State::status": f"{folder}/dpkg/status", "Dir::Etc": "/nonexistent",
        "Dir::Cache": "/nonexistent", "pkgCacheFile::Generate": "true", "Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": "",
        "Debug::NoLocking": "1", "APT::AutoRemove::RecommendsImportant": str(recommends).lower(),
        "APT::AutoRemove::SuggestsImportant": "false",
    }  # fmt: skip
    told = run("apt-get", "-s", "-qq", *(word for pair in options.items() for word in ("-o", "=".join(pair))), *words)
    return {line.split()[1].decode() for line in told.splitlines() if line.startswith(b"Remv ")}
