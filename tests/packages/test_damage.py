"""Databases that are damaged or lie, each in an image: a note that names the file, all else in the report, in bounded memory."""

import json
import sqlite3

import build
import pytest
from hostile.tools import MIB, measure

from packages.test_programs import elf, jar
from packages.test_rpm import BASH, CURL, berkeley, database, header, ndb

RPM = "usr/lib/sysimage/rpm/Packages.db"
LIMIT = 220 * MIB


def circle():
    """Write a SQLite database with a value of many pages, the first of which leads to itself."""
    blob = header(
        "big", basenames=[f"{number:010}" for number in range(9000)], dirnames=["/x/"], dirindexes=[0] * 9000, arch="a"
    )
    content = bytearray(database(BASH, blob))
    size = int.from_bytes(content[16:18], "big")
    start = next(
        at for at in range(size, len(content), size) if content[at] == 0 and content[at + 8 : at + 2000].count(b"\0") > 100
    )
    content[start : start + 4] = (start // size + 1).to_bytes(4, "big")
    return bytes(content)


def claim(content, at, size=4, order="little"):
    """Return content that claims a gigabyte somewhere."""
    return content[:at] + (1 << 30).to_bytes(size, order) + content[at + size :]


def huge_value():
    """Write a SQLite database whose only row says that its blob has a gigabyte."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
    connection.execute("INSERT INTO Packages (blob) VALUES (?)", (b"y" * 100,))
    connection.commit()
    content = connection.serialize()
    # A cell is: bytes of the row, its number, bytes of its head, the types: nothing (the number), a blob.
    at = content.index(bytes([104, 1, 4, 0, 0x81, 0x54]))
    return content[:at] + bytes([0x84, 0x80, 0x80, 0x80, 0x04]) + content[at + 1 :]


def bomb():
    return jar(("META-INF/MANIFEST.MF", bytes(30 * MIB)), ("BOOT-INF/lib/a.jar", jar(("x", bytes(200 * MIB)))))


DAMAGED = {
    "a SQLite database that is cut short": (RPM, lambda: database(BASH, CURL)[:4000]),
    "a value of a gigabyte": (RPM, huge_value),
    "a Berkeley database whose pages run in a circle": ("var/lib/rpm/Packages", lambda: berkeley(bytes(5000), loop=True)),
    "a Berkeley database that claims a gigabyte": ("var/lib/rpm/Packages", lambda: berkeley(bytes(5000), length=1 << 30)),
    "an ndb that claims a gigabyte": (RPM, lambda: claim(ndb(BASH, CURL), 4096 + 12)),
    "a header that claims a gigabyte of entries": (RPM, lambda: database(claim(CURL, 0, order="big"), BASH)),
    "text that is no UTF-8": ("app/node_modules/a/package.json", lambda: b'{"name": "a\xff", "version": "1"}'),
    "a paragraph of noise": ("var/lib/dpkg/status", lambda: b"\xff\xfe\0" * 100 + b"\n\nPackage: a\nStatus: install ok installed\nVersion: 1\n"),
    "a record of noise": ("lib/apk/db/installed", lambda: b"\xff\xfe:\0\nP\xff:a\nV:1\n\nP:b\nV:1\n"),
    "a lock file that is no object": ("app/node_modules/.package-lock.json", lambda: b"[" * 100_000),
    "a zip bomb": ("app/bomb.jar", bomb),
    "a zip archive that is cut short": ("app/cut.jar", lambda: jar(("META-INF/MANIFEST.MF", b"x: y\n" * 90))[:-30]),
    "a manifest that unpacks to more than it may": ("var/lib/chisel/manifest.wall", lambda: build.zst(bytes(100 * MIB))),
}  # fmt: skip


def report_on(path, content, tmp_path):
    """Return the report on an image with a database and a package that is well."""
    intact = {"srv/node_modules/good/package.json": json.dumps({"name": "good", "version": "1.0.0"}), "srv/x": elf({})}
    tree = {path: build.File(content, mode=0o755), **{place: build.File(text) for place, text in intact.items()}}
    place = tmp_path / "image.tar"
    place.write_bytes(build.docker_save(build.Image([build.layer(tree, parents=True)])))
    code, out, said, peak = measure("report", place, "--format", "json", "--no-cache")
    assert (code, "Traceback" in said) == (0, False)
    assert peak < LIMIT
    report = json.loads(out)
    assert "good" in {package["name"] for package in report["packages"]}
    assert sum(owner["bytes"] for owner in report["owners"]) == report["totals"]["content_bytes"]
    return report


@pytest.mark.parametrize("name", DAMAGED)
def test_a_note_names_the_file_and_the_rest_is_there(name, tmp_path):
    path, make = DAMAGED[name]
    report = report_on(path, make(), tmp_path)
    notes = [note for note in report["notes"] if note["id"] == "P01"]
    assert {note["path"] for note in notes} == {f"/{path}"}


def test_overflow_pages_in_a_circle_end(tmp_path):
    """SQLite follows them as far as the value says that it reaches: what comes of it is a package whose files are wrong, or a note."""
    report = report_on(RPM, circle(), tmp_path)
    names = {package["name"] for package in report["packages"]}
    assert "bash" in names or [note for note in report["notes"] if note["id"] == "P01"]
