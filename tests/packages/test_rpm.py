import shutil
import sqlite3
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layerscope.model import Release
from layerscope.packages import sqlite
from layerscope.packages.database import View
from layerscope.packages.databases import RPM
from layerscope.packages.rich import names_of
from layerscope.packages.rpmdb import read_headers
from layerscope.packages.rpmheader import read_header

from packages.images import corpus

DB = b"var/lib/rpm/rpmdb.sqlite"


def header(name, version="1", release="1", **lists):
    """Write a header as rpm stores it: big endian, one entry after the other."""
    tags = {
        "provides": (1047, 8), "requires": (1049, 8), "recommends": (5046, 8), "basenames": (1117, 8), "dirnames": (1118, 8),
        "dirindexes": (1116, 4), "states": (1029, 1), "flags": (1037, 4), "epoch": (1003, 4), "arch": (1022, 6),
        "license": (1014, 6), "source": (1044, 6), "modes": (1030, 3), "digests": (1035, 8), "algorithm": (5011, 4),
        "verify": (1045, 4),
    }  # fmt: skip
    entries = [(1000, 6, [name]), (1001, 6, [version]), (1002, 6, [release])]
    entries += [(*tags[key], value if isinstance(value, list) else [value]) for key, value in lists.items()]
    index, data = b"", b""
    for tag, kind, values in entries:
        index += struct.pack(">iIII", tag, kind, len(data), len(values))
        if kind in {6, 8}:
            data += b"".join(value.encode() + b"\0" for value in values)
        else:
            data += struct.pack(f">{len(values)}{'bHI'[(1, 3, 4).index(kind)]}", *values)
    return struct.pack(">II", len(entries), len(data)) + index + data


def database(*blobs, mode="DELETE"):
    """Write a SQLite database of headers."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
    connection.commit()
    content = bytearray(connection.serialize())
    if mode == "WAL":
        content[18:20] = b"\2\2"
    return bytes(content)


def ndb(*blobs):
    """Write an ndb file with one page of slots."""
    slots, body = b"", b""
    for number, blob in enumerate(blobs, 1):
        start = 4096 + len(body)
        piece = struct.pack("<4sIII", b"BlbS", number, 0, len(blob)) + blob
        body += piece + bytes(-len(piece) % 16)
        slots += struct.pack("<4sIII", b"Slot", number, start // 16, 0)
    return (struct.pack("<4sIII16x", b"RpmP", 0, 1, 1) + slots).ljust(4096, b"\0") + body


def berkeley(blob, order="<", loop=False, length=None):
    """Write a Berkeley DB hash with one value in a chain of 512-byte pages."""
    size, room = 512, 512 - 26
    pieces = [blob[at : at + room] for at in range(0, len(blob), room)]
    meta = bytearray(size)
    meta[12:24] = struct.pack(order + "III", 0x61561, 9, size)
    meta[25] = 8
    page = bytearray(size)
    page[20:22], page[25] = struct.pack(order + "H", 2), 13
    page[26:30] = struct.pack(order + "HH", 500, 480)
    page[480:492] = struct.pack(order + "B3xII", 3, 2, len(blob) if length is None else length)
    pages = []
    for number, piece in enumerate(pieces, 2):
        last = number == len(pieces) + 1
        following = 2 if loop else 0 if last else number + 1
        chunk = bytearray(size)
        chunk[16:20], chunk[25] = struct.pack(order + "I", following), 7
        chunk[22:24] = struct.pack(order + "H", len(piece))
        chunk[26 : 26 + len(piece)] = piece
        pages.append(bytes(chunk))
    return bytes(meta) + bytes(page) + b"".join(pages)


def view(files):
    return View(files, Release("fedora", "40", None))


def by_name(files):
    return {package.name: package for package in RPM.read(view(files))}


BASH = header(
    "bash", "5.2", "1.fc40", epoch=0, arch="x86_64", license="GPL", source="bash-5.2-1.fc40.src.rpm",
    provides=["bash", "/bin/sh"], basenames=["bash", "sh", "doc", "ghost"], dirnames=["/usr/bin/", "/usr/share/doc/"],
    dirindexes=[0, 0, 1, 1], states=[0, 0, 2, 0], flags=[0, 0, 2, 64],
)  # fmt: skip
CURL = header(
    "curl", requires=["/bin/sh", "rpmlib(X)", "(tz if glibc)", "(bash or zsh)", "/usr/bin/tz", "config(curl)", "absent"]
)
TZ = header("tz", basenames=["tz"], dirnames=["/usr/bin/"], dirindexes=[0])


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("(a if b)", "a"), ("(a if absent)", ""), ("(absent if b)", ""), ("(a if absent else b)", "b"), ("(a if b else c)", "a"),
        ("(a unless b)", ""), ("(a unless absent)", "a"), ("(a unless b else c)", "c"), ("(absent or b or c)", "b"),
        ("(a or b)", "a"), ("(a and b and absent)", "a b"), ("(a >= 1.2 and (b < 3 or c))", "a b"), ("(a with b)", "a b"),
        ("(a >= 1 without a >= 2)", "a"), ("(perl(Carp) >= 1 if (a and b))", "perl(Carp)"), ("(lib.so.1(G_2)(64bit) or a)", "lib.so.1(G_2)(64bit)"),
        ("((a if b) and (c unless absent))", "a c"), ("a", "a"), ("(a", ""), ("a)", ""), ("()", ""), ("(if)", ""), ("(a if)", "a"), ("", ""),
        ("(" * 50_000 + "a" + ")" * 50_000, "a"), ("(" * 50_000, ""), ("a" * 50_000, ""), ("x(" * 50_000, ""),
    ],
)  # fmt: skip
def test_rich_dependencies(expression, names):
    assert names_of(expression, {"a", "b", "c", "perl(Carp)", "lib.so.1(G_2)(64bit)"}) == tuple(names.split())


@given(st.text(alphabet="ab()<= ifornd", max_size=60))
def test_rich_dependencies_never_raise(expression):
    assert set(names_of(expression, {"a", "b"})) <= {"a", "b"}


def test_recommendations_of_rpm():
    found = by_name({DB: database(header("dnf", recommends=["(tz if glibc)", "(absent or tz)", "curl-minimal"]), TZ)})
    assert found["dnf"].recommends == ("tz", "curl-minimal")


@pytest.mark.parametrize(
    "content",
    [database(BASH, CURL, TZ), database(BASH, CURL, TZ, mode="WAL"), ndb(BASH, CURL, TZ)],
    ids=["sqlite", "wal", "ndb"],
)
def test_packages_files_and_requirements(content):
    found = by_name({b"usr/lib/sysimage/rpm/Packages.db": content})
    bash = found["bash"]
    assert bash.paths == (b"usr/bin/bash", b"usr/bin/sh")
    assert (bash.version, bash.arch, bash.license, bash.source) == ("0:5.2-1.fc40", "x86_64", "GPL", "bash-5.2-1.fc40.src.rpm")
    assert bash.purl == "pkg:rpm/fedora/bash@5.2-1.fc40?arch=x86_64&distro=fedora-40&epoch=0"
    assert found["curl"].requires == ("bash", "tz", "absent")
    assert {package.reason for package in found.values()} == {None}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("length", [40, 486, 487, 5000])
def test_berkeley_chains(order, length):
    blob = bytes(range(256)) * 20
    assert read_headers(berkeley(blob[:length], order), b"", []) == [blob[:length]]


def test_chains_that_loop_or_claim_too_much_are_told():
    for content in (berkeley(bytes(2000), loop=True), berkeley(bytes(2000), length=1 << 30), berkeley(bytes(2000))[:-512]):
        problems = []
        assert read_headers(content, b"", problems) == []
        assert len(problems) == 1
    problems = []
    blobs = bytearray(ndb(BASH, CURL))
    blobs[4096 + 12 : 4096 + 16] = struct.pack("<I", 1 << 30)
    assert read_headers(bytes(blobs), b"", problems) == [CURL]
    assert problems == ["package 1: claims 1,073,741,824 bytes"]


def test_a_cut_database_is_a_note():
    seen = view({DB: database(BASH, CURL)[:4000], b"var/lib/rpm/Packages": b"nonsense"})
    assert list(RPM.read(seen)) == []
    assert [note.path for note in seen.notes] == [DB, b"var/lib/rpm/Packages"]


def test_a_view_in_the_place_of_the_table_gets_nowhere():
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIEW Packages AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT zeroblob(x) AS blob FROM n"
    )
    with pytest.raises(ValueError, match="SQLite"):
        sqlite.query(connection.serialize(), "SELECT blob FROM Packages")
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(500)])
    connection.execute("DROP VIEW Packages")
    connection.execute("CREATE VIEW Packages AS SELECT a.x AS blob FROM t a, t b, t c, t d WHERE a.x + b.x + c.x + d.x < 0")
    connection.commit()
    with pytest.raises(ValueError, match="interrupted"):
        sqlite.query(connection.serialize(), "SELECT blob FROM Packages")


def test_a_write_ahead_log_is_read_up_to_its_last_commit(tmp_path):
    place = tmp_path / "rpmdb.sqlite"
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("INSERT INTO Packages (blob) VALUES (?)", (BASH,))
    connection.commit()
    content, log = place.read_bytes(), Path(f"{place}-wal").read_bytes()
    connection.close()
    assert by_name({DB: content}) == {}
    assert list(by_name({DB: content, DB + b"-wal": log})) == ["bash"]
    assert by_name({DB: content, DB + b"-wal": log[:-1]}) == {}


def test_reasons_of_dnf5():
    toml = b'[packages]\n"bash.x86_64" = {reason = "Dependency"}\n"curl" = {reason = "User"}\n"tz" = 7\n'
    found = by_name({DB: database(BASH, CURL, TZ), b"usr/lib/sysimage/libdnf5/packages.toml": toml})
    assert {name: package.reason for name, package in found.items()} == {"bash": "dependency", "curl": "asked", "tz": None}
    assert found["curl"].evidence == "dnf: User"


def test_reasons_of_dnf4():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
        CREATE TABLE rpm (item_id, name, epoch, version, release, arch);
        CREATE TABLE trans (id, cmdline);
        CREATE TABLE trans_item (id, trans_id, item_id, action, reason);
        INSERT INTO trans VALUES (1, 'install -y curl');
        INSERT INTO rpm VALUES (1, 'bash', 0, '5', '1', 'x86_64'), (2, 'curl', 0, '1', '1', 'x');
        INSERT INTO trans_item VALUES (1, 1, 1, 1, 2), (2, 1, 1, 1, 1), (3, 1, 2, 1, 2);
    """)
    connection.commit()
    curl = header("curl", arch="x")
    found = by_name({DB: database(BASH, curl), b"var/lib/dnf/history.sqlite": connection.serialize()})
    assert {name: package.reason for name, package in found.items()} == {"bash": "dependency", "curl": "asked"}
    assert found["curl"].evidence == "dnf install -y curl"


def test_reasons_of_yum_and_zypper():
    files = {DB: database(BASH, CURL), b"var/lib/yum/yumdb/b/abc123-bash-5.2-1.fc40-x86_64/reason": b"user"}
    assert by_name(files)["bash"].reason == "asked"
    found = by_name({DB: database(BASH, CURL), b"var/lib/zypp/AutoInstalled": b"# comment\nbash\n"})
    assert {name: package.reason for name, package in found.items()} == {"bash": "dependency", "curl": "asked"}


def test_a_manifest_without_a_database():
    line = b"bash\t5.1-1.cm2\t1\t2\tVendor\t(none)\t100\tx86_64\t0\tbash-5.1-1.cm2.src.rpm\n"
    found = by_name({b"var/lib/rpmmanifest/container-manifest-2": line + b"cut\t1\n"})
    assert [(package.version, package.arch) for package in found.values()] == [("5.1-1.cm2", "x86_64")]


# The same as rpm itself says, on real databases.

REAL = {
    "scancode-toolkit__rpmdb.sqlite": ("rpmdb.sqlite", "sqlite"),
    "fossa-cli__sles12sp4_rpm_bdb_Packages": ("Packages", "bdb_ro"),
    "syft__redhat_Packages": ("Packages", "bdb_ro"),
    "scancode-toolkit__bdb-fedora-rootfs.tar.xz": ("Packages", "bdb_ro"),
    "scancode-toolkit__var-lib-rpm.tar.xz": ("Packages", "bdb_ro"),
}


def real(name):
    path = corpus(f"pkgdb/{name}")
    if not name.endswith(".tar.xz"):
        return path.read_bytes()
    with tarfile.open(path) as tar:
        return tar.extractfile("rootfs/var/lib/rpm/Packages").read()


def ask_rpm(folder, backend, form):
    words = ["rpm", "-qa", "--dbpath", str(folder), "--define", f"_db_backend {backend}", "--qf", form]
    return subprocess.run(words, capture_output=True, check=False).stdout.split(b"\n")[:-1]


@pytest.mark.skipif(not shutil.which("rpm"), reason="rpm is not installed")
@pytest.mark.parametrize("name", REAL)
def test_rpm_says_the_same(name, tmp_path):
    content = real(name)
    place, backend = REAL[name]
    (tmp_path / place).write_bytes(content)
    rows = ask_rpm(tmp_path, backend, r"%{NAME} %{EPOCH} %{VERSION}-%{RELEASE} %{ARCH}\n")
    if not rows:
        pytest.skip(f"this rpm does not read {backend}")
    problems = []
    headers = [read_header(blob) for blob in read_headers(content, b"", problems)]
    assert not problems
    none = "(none)"
    told = [f"{h.name} {none if h.epoch is None else h.epoch} {h.evr} {h.arch or none}".encode() for h in headers]
    assert sorted(told) == sorted(rows)
    listed = ask_rpm(tmp_path, backend, r"[%{=NAME} %{FILESTATES} %{FILEFLAGS} %{FILENAMES}\n]")
    there = [line.split(b" ", 3) for line in listed]
    expected = [(owner, path) for owner, state, flags, path in there if state == b"0" and not int(flags) & 64]
    assert sorted((h.name.encode(), b"/" + path) for h in headers for path in h.paths) == sorted(expected)


@pytest.mark.parametrize(("name", "packages", "files"), [("snyk__rpm_Packages.db", 3, 850)])
def test_the_ndb_of_the_corpus(name, packages, files):
    found = list(RPM.read(view({b"var/lib/rpm/Packages.db": real(name)})))
    assert (len(found), sum(len(package.paths) for package in found)) == (packages, files)


@pytest.mark.parametrize("name", ["scancode-toolkit__rpmdb.sqlite", "snyk__rpm_Packages.db", "syft__redhat_Packages"])
def test_damaged_real_databases_never_raise(name):
    content = real(name)

    @given(st.integers(0, len(content)), st.binary(max_size=8), st.integers(0, 4096), st.booleans())
    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    def check(at, news, near, cut):
        at = near if at % 2 else at
        files = {b"var/lib/rpm/Packages": content[:at] + news + (b"" if cut else content[at + len(news) :])}
        for package in RPM.read(view(files)):
            f"{package!r}".encode()

    check()


@given(st.binary(max_size=200), st.integers(0, 250), st.binary(max_size=6))
def test_damaged_headers_never_raise(noise, at, news):
    read_header(noise)
    read_header(BASH[:at] + news + BASH[at + len(news) :])
