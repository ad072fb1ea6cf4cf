"""Do other readers agree with what `build` writes?"""

from __future__ import annotations

import gzip
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import build
import pytest
import zstandard
from build import Device, Dir, File, Hardlink, Image, Symlink

LONG = "/".join(["node_modules"] * 12) + "/index.js"
TREE = {
    "etc": Dir(mode=0o750),
    "etc/hosts": b"127.0.0.1\n",
    "etc/link": Symlink("/run/link"),
    "etc/hard": Hardlink("etc/hosts"),
    "dev/null": Device(1, 3),
    "dev/fifo": Device(0, 0, b"6"),
    LONG: File(b"x" * 600, mode=0o600, uid=3_000_000, mtime=-5),
    "caf\xe9": File("", pax={"SCHILY.xattr.user.a": b"b"}),
}
FRAGMENTS = [(4096 * number, b"%04d" % number * 128) for number in range(30)]
SPARSE = {
    "old": build.sparse_gnu("disk", FRAGMENTS, 1 << 20),
    "old, no extension": build.sparse_gnu("disk", FRAGMENTS[:3], 1 << 20),
    "0.0": build.sparse_pax("disk", FRAGMENTS, 1 << 20, "0.0"),
    "0.1": build.sparse_pax("disk", FRAGMENTS, 1 << 20, "0.1"),
    "1.0": build.sparse_pax("disk", FRAGMENTS, 1 << 20, "1.0"),
}
IMAGE = Image(
    [build.layer(TREE), build.tar(build.whiteout("etc/hosts"), build.opaque("dev"))],
    tags=["app:1", "app:2"],
    more={"Env": ["A=b"]},
)


def tool(*command: str, **options) -> bytes:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, check=False, capture_output=True, **options)
    if done.returncode and b"operation not permitted" in done.stderr and os.geteuid():
        pytest.skip(f"{command[0]} wants to be root")
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def opened(data: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(data))


def test_the_standard_library_reads_a_layer():
    with opened(build.layer(TREE)) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == list(TREE)
        assert archive.extractfile("etc/hard").read() == b"127.0.0.1\n"
    by_name = {member.name: member for member in members}
    long = by_name[LONG]
    assert (long.size, long.mode, long.uid, long.mtime) == (600, 0o600, 3_000_000, -5)
    assert by_name["etc"].isdir()
    assert by_name["etc/link"].linkname == "/run/link"
    assert (by_name["dev/null"].devmajor, by_name["dev/null"].devminor) == (1, 3)
    assert by_name["caf\xe9"].pax_headers["SCHILY.xattr.user.a"] == "b"


def test_gnu_tar_reads_a_layer():
    listing = tool("tar", "tvf", "-", input=build.layer(TREE)).decode().splitlines()
    assert len(listing) == len(TREE)
    assert listing[3].endswith("etc/hard link to etc/hosts")


@pytest.mark.parametrize("magic", ["ustar", "gnu", "v7"])
def test_every_magic_is_understood(magic):
    with opened(build.tar(build.entry("a", b"data", magic=magic), build.entry("b", magic=magic))) as archive:
        assert archive.getnames() == ["a", "b"]


def test_gnu_long_names():
    long = build.gnu_long(LONG) + build.gnu_long(LONG + "2", b"K")
    with opened(build.tar(long + build.entry(LONG[:100], type=b"2", link=LONG[:100], magic="gnu"))) as archive:
        (member,) = archive.getmembers()
    assert (member.name, member.linkname) == (LONG, LONG + "2")


@pytest.mark.parametrize("kind", SPARSE)
def test_sparse_files(kind, tmp_path):
    fragments = FRAGMENTS[:3] if "no" in kind else FRAGMENTS
    wanted = bytearray(1 << 20)
    for at, data in fragments:
        wanted[at : at + len(data)] = data
    layer = build.tar(SPARSE[kind], build.entry("after"))
    with opened(layer) as archive:
        assert archive.getnames() == ["disk", "after"]
        assert archive.extractfile("disk").read() == wanted
    tool("tar", "xf", "-", "-C", str(tmp_path), input=layer)
    assert (tmp_path / "disk").read_bytes() == wanted


def test_headers_can_be_wrong():
    assert build.entry("a", b"1234", size=9)[124:136] == b"00000000011\0"
    assert build.entry("a", size=-512)[124:128] == b"\xff" * 4
    assert build.entry("a", size=1 << 40)[124:126] == b"\x80\0"
    assert build.entry("a", size=b"x")[124:136] == b"x".ljust(12, b"\0")
    assert build.entry("a", checksum=0)[148:156] == b"000000\0 "
    with pytest.raises(ValueError, match="does not fit"):
        build.entry("a" * 101)


def test_pax_records_count_their_own_length():
    assert build.record("path", "a") == b"9 path=a\n"
    assert build.record("path", "b" * 91) == b"101 path=" + b"b" * 91 + b"\n"


def test_the_ends_of_a_tar():
    one = build.entry("a")
    assert len(build.tar(one)) == 512 * 3
    assert len(build.tar(one, end=0)) == 512
    assert len(build.tar(one, pad=10240)) == 10240


def test_parents_are_made_once():
    with opened(build.layer({"a/b/c": b"", "a/d": b""}, parents=True)) as archive:
        assert archive.getnames() == ["a", "a/b", "a/b/c", "a/d"]


@pytest.mark.parametrize("codec", ["gzip", "zstd", "bzip2", "xz"])
def test_compressors(codec):
    data = IMAGE.layers[0]
    packed = build.compress(data, codec)
    assert packed == build.compress(data, codec)
    program = {"gzip": "gzip", "zstd": "zstd", "bzip2": "bzip2", "xz": "xz"}[codec]
    assert tool(program, "-dc", input=packed) == data


def test_many_members_and_frames():
    data = IMAGE.layers[0]
    assert gzip.decompress(build.gz(data, 3)) == data
    assert build.gz(data, 3).count(b"\x1f\x8b\x08") == 3
    packed = build.zst(data, 3, skippable=b"skip me")
    assert packed.startswith(b"\x50\x2a\x4d\x18\x07\0\0\0skip me")
    assert zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True).read() == data


@pytest.mark.parametrize("style", build.STYLES)
def test_manifest_json_names_what_is_there(style):
    twice = Image([*IMAGE.layers, IMAGE.layers[0]])
    members = build.docker([twice, Image([IMAGE.layers[0]], tags=["b:1"])], style)
    with opened(build.docker_save([twice, Image([IMAGE.layers[0]], tags=["b:1"])], style)) as archive:
        assert archive.getnames() == [name.rstrip("/") for name in members]
        for row in json.load(archive.extractfile("manifest.json")):
            config = json.load(archive.extractfile(row["Config"]))
            for name, wanted in zip(row["Layers"], config["rootfs"]["diff_ids"], strict=style != "jib"):
                data = archive.extractfile(name).read()
                data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
                assert build.digest(data) == wanted


def test_repeated_legacy_layers_are_links():
    members = build.docker(Image([IMAGE.layers[0]] * 2), "legacy")
    assert [node.type for name, node in members.items() if name.endswith("layer.tar") and not isinstance(node, bytes)] == [b"2"]


@pytest.mark.parametrize("style", ["legacy", "docker25", "podman"])
def test_skopeo_reads_docker_archives(style, tmp_path):
    (tmp_path / "a.tar").write_bytes(build.docker_save(IMAGE, style))
    found = json.loads(tool("skopeo", "inspect", f"docker-archive:{tmp_path}/a.tar"))
    assert len(found["Layers"]) == 2
    assert found["Env"] == ["A=b"]


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
def test_skopeo_reads_oci(codec, tmp_path):
    image = Image(IMAGE.layers, codec=codec)
    (tmp_path / "a.tar").write_bytes(build.oci_archive(image))
    build.oci_layout(tmp_path / "layout", image)
    build.dir_layout(tmp_path / "dir", image)
    for place in ("oci-archive:{}/a.tar", "oci:{}/layout:latest", "dir:{}/dir"):
        found = json.loads(tool("skopeo", "inspect", place.format(tmp_path)))
        assert len(found["Layers"]) == 2
    skopeo = ("skopeo", "--insecure-policy", "copy")
    tool(*skopeo, f"oci:{tmp_path}/layout:latest", f"oci:{tmp_path}/copy:latest")


def test_umoci_unpacks_a_layout(tmp_path):
    base = build.layer({"etc/hosts": b"1", "etc/gone": b"2", LONG: b"3"}, parents=True)
    top = build.tar(build.whiteout("etc/gone"), build.files({"new": b"4"}))
    build.oci_layout(tmp_path / "layout", Image([base, top]))
    tool("umoci", "raw", "unpack", "--rootless", "--image", f"{tmp_path}/layout:latest", f"{tmp_path}/out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"etc/hosts", LONG, "new"}


def test_a_nested_index_with_attestation_and_absent_platform():
    members = build.oci(IMAGE, nested=True, attest=True, absent=["linux/arm64/v8"])
    (top,) = json.loads(members["index.json"])["manifests"][:1]
    inner = json.loads(members["blobs/sha256/" + top["digest"][7:]])["manifests"]
    assert [row["platform"]["architecture"] for row in inner] == ["amd64", "unknown", "arm64"]
    there = ["blobs/sha256/" + row["digest"][7:] in members for row in inner]
    assert there == [True, True, False]
    assert inner[1]["annotations"]["vnd.docker.reference.digest"] == inner[0]["digest"]


def test_knobs_of_the_outer_tar():
    members = build.docker(IMAGE, "legacy")
    data = build.archive(
        members,
        omit=["*/VERSION", IMAGE.layers[0]],
        order=reversed,
        again=["manifest.json"],
        extra={"stray": b""},
        prefix="./",
    )
    with opened(data) as archive:
        names = archive.getnames()
    assert names[-2:] == ["./manifest.json", "./stray"]
    assert names.count("./manifest.json") == 2
    assert not any(name.endswith("VERSION") for name in names)
    assert sum(name.endswith("layer.tar") for name in names) == 1
    assert names[0] == "./repositories"


def test_everything_is_written_the_same_twice(tmp_path):
    for style in build.STYLES:
        assert build.docker_save(IMAGE, style) == build.docker_save(IMAGE, style)
    build.spill(tmp_path, build.docker(IMAGE, "podman"))
    (link, _) = sorted(Path(tmp_path).glob("*/layer.tar"))
    assert link.is_symlink()
    assert link.read_bytes() in IMAGE.layers


def test_the_committed_fixtures_are_what_their_script_makes(fixtures_dir):
    done = subprocess.run(
        [sys.executable, fixtures_dir.parent / "scripts" / "fixtures", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_media_types_follow_the_bytes():
    members = build.oci(Image([IMAGE.layers[0]] * 4, codec=["none", build.gz, lambda data: build.zst(data, 2, b"x"), "xz"]))
    documents = [
        json.loads(data) for name, data in members.items() if isinstance(data, bytes) and data[:2] == b'{"' and "sha256" in name
    ]
    (manifest,) = [document for document in documents if "layers" in document]
    assert [row["mediaType"].rpartition("tar")[2] for row in manifest["layers"]] == ["", "+gzip", "+zstd", "+xz"]


@pytest.mark.parametrize(
    "name",
    ["alpine.oci.tar", "node-app.docker.tar", "debian.docker25.tar", "busybox.docker.tar", "every-waste.docker.tar"],
)
def test_skopeo_reads_the_fixtures(name, fixtures_dir, tmp_path):
    kind = "oci-archive" if ".oci" in name else "docker-archive"
    tool("skopeo", "--insecure-policy", "copy", "--quiet", f"{kind}:{fixtures_dir / name}", f"oci:{tmp_path}:x")


def rootfs(fixture: Path, folder: Path) -> Path:
    """Lay the layers of a fixture on top of each other; what they delete stays."""
    with tarfile.open(fixture) as archive:
        documents = {member.name: member for member in archive}
        if "manifest.json" in documents:
            names = json.load(archive.extractfile("manifest.json"))[0]["Layers"]
        else:
            (top,) = json.load(archive.extractfile("index.json"))["manifests"]
            manifest = json.load(archive.extractfile("blobs/" + top["digest"].replace(":", "/")))
            names = ["blobs/" + row["digest"].replace(":", "/") for row in manifest["layers"]]
        for name in names:
            data = archive.extractfile(name).read()
            if data.startswith(b"\x28\xb5\x2f\xfd"):
                data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            with tarfile.open(fileobj=io.BytesIO(data)) as layer:
                layer.extractall(folder, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))
    return folder


def test_dpkg_reads_the_debian_fixture(fixtures_dir, tmp_path):
    root = rootfs(fixtures_dir / "debian.docker25.tar", tmp_path)
    database = str(root / "var/lib/dpkg")
    assert (
        "curl 7.88.1-10 install ok installed"
        in tool("dpkg-query", f"--admindir={database}", "-W", "-f=${Package} ${Version} ${Status}\n").decode().splitlines()
    )
    assert b"/lib/x86_64-linux-gnu/libz.so.1\n" in tool("dpkg-query", f"--admindir={database}", "-L", "zlib1g:amd64")
    assert b"diversion by dash from: /bin/sh" in tool("dpkg-query", f"--admindir={database}", "-S", "/bin/sh")
    assert tool("dpkg", f"--root={root}", f"--admindir={database}", "--verify") == b""


def test_the_standard_library_reads_the_python_fixture(fixtures_dir, tmp_path):
    root = rootfs(fixtures_dir / "python-app.oci-zstd.tar", tmp_path)
    site = root / "usr/local/lib/python3.12/site-packages"
    found = {distribution.name: distribution for distribution in importlib.metadata.distributions(path=[str(site)])}
    assert sorted(found) == ["flask", "jinja2", "markupsafe", "pip", "pluggy", "pytest", "werkzeug"]
    assert found["flask"].requires == ["Werkzeug>=3.0.0", "Jinja2>=3.1.2"]
    for distribution in found.values():
        for path in distribution.files:
            data = path.locate().read_bytes()
            assert path.hash is None or path.size == len(data)


def test_every_file_of_the_apk_database_is_there(fixtures_dir, tmp_path):
    root = rootfs(fixtures_dir / "alpine.oci.tar", tmp_path)
    folder, packages, paths = "", 0, 0
    for line in (root / "lib/apk/db/installed").read_text().splitlines():
        packages += line.startswith("P:")
        folder = line[2:] if line.startswith("F:") else folder
        if line.startswith("R:"):
            paths += 1
            assert (root / folder / line[2:]).is_symlink() or (root / folder / line[2:]).is_file()
    assert (packages, paths) == (14, 23)
