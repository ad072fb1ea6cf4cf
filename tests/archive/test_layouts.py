"""Is it the same image, whoever wrote the archive?"""

from __future__ import annotations

import io
import json
import os

import pytest
from build import (
    OCI,
    STYLES,
    Device,
    Dir,
    Hardlink,
    Image,
    Symlink,
    archive,
    blob,
    config,
    descriptor,
    digest,
    dir_layout,
    dir_members,
    docker,
    docker_save,
    dumps,
    entry,
    files,
    gz,
    layer,
    oci,
    oci_archive,
    oci_layout,
    opaque,
    sha,
    spill,
    tar,
    v1_ids,
    v1_json,
    whiteout,
    xz,
    zst,
)
from layerscope import api
from layerscope.errors import ArchiveError, SelectionError, UnsupportedError

from archive.reading import WAYS, document, essence, ids, live, load, message, read

BASE = layer(
    {
        "etc": Dir(),
        "etc/hosts": b"127.0.0.1 localhost\n",
        "etc/old": b"old" * 100,
        "bin/sh": b"\x7fELF" * 1000,
        "bin/ash": Hardlink("bin/sh"),
        "usr/lib/a": b"same content" * 50,
        "usr/lib/b": b"same content" * 50,
        "var/run": Symlink("/run"),
        "dev/null": Device(1, 3),
        "opt/app/x": b"x" * 5000,
    }
)
MIDDLE = tar(whiteout("etc/old"), files({"etc/hosts": b"10.0.0.1 other\n", "bin/ash": b"new"}), opaque("opt/app"))
TOP = layer({"opt/app/y": b"y" * 700, "home/caf\u00e9": b"z", "n" * 120: b"long"})
APP = Image(
    [BASE, MIDDLE, TOP],
    tags=["app:1"],
    history=["ADD rootfs", "#ENV A=b", "RUN change", "COPY y /opt/app"],
    more={"Env": ["A=b"]},
)
TINY = Image([layer({"etc/tiny": b"t"})], tags=["tiny:1"])


def registry(image):
    """Write an image as a registry stores it."""
    layout = oci(image)
    members = {}
    for name, data in layout.items():
        if name.startswith("blobs/sha256/") and isinstance(data, bytes):
            hexed = name.rpartition("/")[2]
            members[f"docker/registry/v2/blobs/sha256/{hexed[:2]}/{hexed}/data"] = data
    top = json.loads(layout["index.json"])["manifests"][0]["digest"]
    repository = "docker/registry/v2/repositories/team/app"
    members[f"{repository}/_manifests/tags/1/current/link"] = top.encode()
    members[f"{repository}/_manifests/revisions/sha256/{top[7:]}/link"] = top.encode()
    return members


def without(members, *names):
    return {name: data for name, data in members.items() if name not in names}


def rewrite(members, name, change):
    """Return members with one JSON document changed."""
    value = json.loads(members[name])
    changed = change(value)
    return members | {name: dumps(value if changed is None else changed)}


def replace_manifest(members, change):
    """Return the members of an OCI layout with the manifest of its first image changed and named anew."""
    index = json.loads(members["index.json"])
    old = index["manifests"][0]
    name = f"blobs/sha256/{old['digest'][7:]}"
    value = json.loads(members[name])
    changed = change(value)
    data = dumps(value if changed is None else changed)
    index["manifests"][0] = old | {"digest": digest(data), "size": len(data)}
    return without(members, name) | {blob(data): data, "index.json": dumps(index)}


@pytest.fixture(scope="module")
def reference_text():
    return dumps(essence(read(docker_save(APP, "legacy"))))


@pytest.fixture
def reference(reference_text):
    return json.loads(reference_text)


LAYOUTS = {
    **{style: docker(APP, style) for style in STYLES},
    "legacy prefix ./": {f"./{name}": data for name, data in docker(APP, "legacy").items()},
    "oci": oci(APP),
    "oci raw": oci(APP, usual="none"),
    "oci zstd": oci(APP, usual="zstd"),
    "oci xz": oci(APP, usual="xz"),
    "oci bzip2": oci(APP, usual="bzip2"),
    "oci mixed codecs": oci(Image([BASE, MIDDLE, TOP], history=APP.history, more=APP.more, codec=["none", "gzip", "zstd"])),
    "oci nested, other platforms absent, attested": oci(APP, nested=True, attest=True, absent=["linux/arm64", "linux/s390x"]),
    "oci flat, attested": oci(APP, attest=True),
    "oci full names": oci(APP, names="full"),
    "dir": dir_members(APP),
    "registry": registry(APP),
    "no oci-layout": without(oci(APP), "oci-layout"),
}


@pytest.mark.case("A01", "A03", "A05", "A08", "A10", "A18", "A24", "A26", "A27", "A28", "A53", "D09")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_report(layout, way, reference):
    report = read(archive(LAYOUTS[layout]), way)
    assert report.complete
    assert essence(report) == reference


@pytest.mark.case("A18", "A23", "A24", "A25")
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if "./" not in name])
def test_a_folder_gives_the_same_report(layout, tmp_path, reference):
    report = read(spill(tmp_path, LAYOUTS[layout]))
    assert report.complete
    assert report.image.storage.container_bytes == 0
    assert essence(report) == reference


@pytest.mark.case("A36")
def test_a_folder_that_is_no_image_is_not_listed_whole(tmp_path, monkeypatch):
    listed = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda place: listed.append(place) or real(place))
    spill(tmp_path, {f"{name}/{name}/file": b"x" for name in range(1500)} | {"manifest.json/x": b"", "site/index.json": b"{}"})
    listed.clear()
    with pytest.raises(ArchiveError, match=r"is a folder without index\.json or manifest\.json: not an OCI"):
        api.load(str(tmp_path), limits={"entries": 3})  # more files would be another error
    assert len(listed) == 1000


@pytest.mark.case("A24", "A36")
@pytest.mark.parametrize("place", ["docker", "volume/_data/docker", "a/b/mydocker"])
def test_a_registry_is_found_in_a_folder_of_many(place, tmp_path, reference):
    members = {name.replace("docker", place, 1): data for name, data in registry(APP).items()}
    many = {f"{name}/{name}/file": b"x" for name in range(200)} | {f"docker.{name}/file": b"x" for name in range(200)}
    assert essence(read(spill(tmp_path, members | many))) == reference


@pytest.mark.parametrize("top", ["", "v2/"])
def test_the_folders_of_a_registry(top, tmp_path, reference):
    folder = spill(tmp_path, registry(APP)) / "docker" / "registry" / top
    if top:
        with pytest.raises(ArchiveError, match="is a folder without"):
            read(folder)
    else:
        assert essence(read(folder)) == reference


@pytest.mark.case("E03")
@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
def test_the_document_of_a_folder_may_be_a_link(name, tmp_path, reference):
    layout = spill(tmp_path, dir_members(APP) if name == "manifest.json" else oci(APP))
    (layout / name).rename(layout / "document")
    (layout / name).symlink_to("document")
    assert essence(api.analyze(api.load(str(layout)))) == reference


@pytest.mark.case("A04")
def test_old_layers_in_a_folder_without_a_document(tmp_path):
    image = Image([BASE, MIDDLE, TOP], tags=["app:1"])
    old = {name: data for name, data in docker(image, "legacy").items() if name.partition("/")[2] in ("json", "layer.tar")}
    assert len(old) == 6
    report = api.analyze(api.load(str(spill(tmp_path, old))))
    assert ids(report, "info") >= {"A04"}
    assert live(report) == live(read(docker_save(APP, "legacy")))


@pytest.mark.parametrize("way", [*WAYS, "folder"])
def test_registries_that_call_two_images_the_same(way, tmp_path):
    images = [registry(Image([layer({"etc/x": b"x" * size})])) for size in (1, 2)]
    members = {f"{side}/{name}": data for side, held in zip("ab", images, strict=True) for name, data in held.items()}
    source = spill(tmp_path, members) if way == "folder" else archive(members)
    with pytest.raises(SelectionError, match="holds 2 images"):
        read(source, *([] if way == "folder" else [way]))


@pytest.mark.case("A18", "A49")
def test_documents_need_no_media_type(reference):
    members = rewrite(oci(APP), "index.json", lambda value: value.pop("mediaType") and None)
    members = replace_manifest(members, lambda value: value.pop("mediaType") and None)
    index = json.loads(members["index.json"])
    del index["manifests"][0]["mediaType"]
    assert essence(read(archive(members | {"index.json": dumps(index)}))) == reference


@pytest.mark.case("A19")
@pytest.mark.parametrize("style", [*STYLES, "oci"])
def test_the_order_of_members_changes_no_byte_of_the_report(style):
    members = oci(APP, attest=True) if style == "oci" else docker(APP, style)
    orders = [list, sorted, lambda names: names[::-1], lambda names: sorted(names, key=lambda name: sha(name.encode()))]
    documents = []
    for order in orders:
        made = document(read(archive(members, order=order)))
        made["image"].pop("source")
        documents.append(json.dumps(made))
    assert len(set(documents)) == 1


@pytest.mark.case("A20")
@pytest.mark.parametrize("prefix", ["./", "/", "//", "././", ".//"])
@pytest.mark.parametrize("style", ["legacy", "podman", "containerd"])
def test_prefixes_of_member_names(style, prefix, reference):
    assert essence(read(docker_save(APP, style, prefix=prefix))) == reference


@pytest.mark.case("A20")
@pytest.mark.parametrize("folder", ["layout", "home/me/layout", "./a b/layout", "var/lib/x", "x" * 40])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", ["legacy", "docker25", "containerd", "oci", "dir"])
def test_a_tar_of_the_folder_instead_of_what_is_in_it(layout, way, folder, reference):
    data = archive(LAYOUTS[layout], prefix=f"{folder}/")
    report = read(data, way)
    assert report.complete
    (note,) = (note for note in report.notes if note.id == "A20")
    assert (note.level, note.path) == ("warning", folder.removeprefix("./").encode())
    made = essence(report)
    made["notes"] = [row for row in made["notes"] if row["id"] != "A20"]
    assert made == reference
    plain, wrapped = read(archive(LAYOUTS[layout]), way).image.storage, report.image.storage
    for part in ("blob_bytes", "metadata_bytes", "orphan_bytes"):
        assert getattr(wrapped, part) == getattr(plain, part)
    assert wrapped.container_bytes - plain.container_bytes == len(data) - len(archive(LAYOUTS[layout]))


@pytest.mark.case("A02", "A20")
@pytest.mark.parametrize("way", WAYS)
def test_links_in_a_folder_that_was_packed(way):
    """Those that lead out of the folder lead nowhere, whatever they are called."""
    members = {f"layout/{name}": data for name, data in oci(TINY).items()}
    blobs = [name for name in members if "/blobs/" in name]
    links = {blob: Symlink(f"../../store/{number}") for number, blob in enumerate(blobs)}
    stored = {f"layout/store/{number}": members[blob] for number, blob in enumerate(blobs)}
    assert live(read(archive(members | links | stored), way)) == {"etc/tiny": 1}
    first = {f"layout/{number}": Hardlink(f"layout/store/{number}") for number in range(len(blobs))}
    hops = {blob: Symlink(f"../../{number}") for number, blob in enumerate(blobs)}
    assert live(read(archive(members | stored | first | hops), way)) == {"etc/tiny": 1}
    (base,) = (blob for blob in blobs if members[blob] == gz(TINY.layers[0]))
    out = read(archive(members | stored | {base: Symlink(f"../../../store/{blobs.index(base)}")}), way)
    assert not out.image.layers[0].present


@pytest.mark.case("A20", "A35")
@pytest.mark.parametrize("way", WAYS)
def test_a_folder_called_like_one_of_a_root_file_system(way):
    """What is wrong with the image in it is told, and makes nothing else of it."""
    damaged = archive(
        {f"var/lib/x/{name}": data for name, data in oci(TINY).items() if name != "index.json"}
        | {"var/lib/x/index.json": b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:0", "size": 1}]}'}
    )
    with pytest.raises(ArchiveError, match="an invalid digest"):
        read(damaged, way)


@pytest.mark.case("A20", "A54")
@pytest.mark.parametrize("way", WAYS)
def test_a_tar_of_a_folder_that_is_cut(way):
    data = archive(oci(TINY, usual="none"), prefix="layout/", order=lambda names: sorted(names, reverse=True))
    report = read(data[: data.index(b"etc/tiny") + 100], way)
    assert ids(report) >= {"A20", "C55"}
    assert not report.complete
    with pytest.raises(ArchiveError, match="could be read only in part"):
        read(data[:1024], way)


OTHERS = {
    "another program's": {"site/manifest.json": b'{"name": "x", "icons": []}', "site/index.json": b'{"layers": []}'},
    "no JSON": {"site/manifest.json": b"[[[", "site/index.json": b"\0\xff"},
    "another list": {"site/manifest.json": b'[{"Layers": 1}, {"Config": 2}, 3]', "site/index.json": b"7"},
    "too deep": {f"{'d/' * 17}{name}": data for name, data in oci(TINY).items()},
}


@pytest.mark.case("A20", "A36")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", OTHERS)
def test_a_folder_that_is_no_image_is_not_taken_for_one(kind, way):
    with pytest.raises(ArchiveError, match="and no root file system either"):
        read(archive(OTHERS[kind]), way)
    inside = archive({f"usr/share/{name}": data for name, data in OTHERS[kind].items()})
    assert read(inside, way).image.layout == "rootfs"


@pytest.mark.case("A20", "A35", "A36")
@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_something_lies_beside(way):
    inside = {f"var/lib/layout/{name}": data for name, data in oci(TINY).items()}
    above = {"./": Dir(), "var": Dir(), "var/lib": Dir(), "var/lib/layout": Dir()}
    assert read(archive(above | inside), way).image.layout == "oci"
    for beside in ({"etc": Dir()}, {"var/lib/layout2": b""}, {"var/run": Symlink("/run")}):
        assert read(archive(inside | beside), way).image.layout == "rootfs"
    for name, quoted in (("one", "one"), ("a b;$(c)", r"'a b;\$\(c\)'")):
        two = archive({f"{name}/{path}": data for path, data in oci(TINY).items()} | {"._one": b""})
        with pytest.raises(ArchiveError, match=rf"\); an image lies in {quoted}: .* tar -C {quoted} -cf image\.tar \.$"):
            read(two, way)


@pytest.mark.case("A21")
@pytest.mark.parametrize("suffix", ["tar", "gz", "tar.zst", "txt", "xz"])
@pytest.mark.parametrize("codec", ["gz", "zst", "xz", "bz2"])
def test_a_compressed_archive_under_any_suffix(codec, suffix, tmp_path, reference):
    import bz2

    data = docker_save(APP, "podman")
    packed = {"gz": gz, "zst": zst, "xz": xz, "bz2": bz2.compress}[codec](data)
    path = tmp_path / f"image.{suffix}"
    path.write_bytes(packed)
    report = api.analyze(api.load(str(path)))
    assert essence(report) == reference
    assert report.image.storage.file_bytes == len(packed)
    assert report.image.storage.archive_bytes == len(data)


@pytest.mark.case("A22")
@pytest.mark.parametrize("wrap", [bytes, gz, zst])
def test_a_fifo(wrap, tmp_path, reference):
    import os
    import threading

    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(wrap(docker_save(APP, "docker25")),))
    writer.start()
    report = api.analyze(api.load(str(path)))
    writer.join()
    assert essence(report) == reference


@pytest.mark.case("A22")
def test_standard_input_in_single_bytes(reference):
    class Slow(io.RawIOBase):
        def __init__(self, data):
            self.rest = io.BytesIO(data)

        def readable(self):
            return True

        def read(self, _size=-1):
            return self.rest.read(7)

    report = api.analyze(api.load("-", stdin=Slow(docker_save(APP, "containerd"))))
    assert essence(report) == reference


@pytest.mark.case("A02")
@pytest.mark.parametrize("way", WAYS)
def test_links_between_layers(way):
    twice = Image([BASE, MIDDLE, BASE], tags=["app:1"])
    report = read(docker_save(twice, "legacy"), way)
    assert [row.same_as for row in report.image.layers] == [None, None, 0]
    members = docker(APP, "legacy")
    ids_ = v1_ids(APP)
    hop = members | {
        "far/layer.tar": members[f"{ids_[0]}/layer.tar"],
        "hop": Symlink("far/layer.tar"),
        f"{ids_[0]}/layer.tar": Symlink("../hop"),
    }
    assert essence(read(archive(hop), way)) == essence(read(docker_save(APP, "legacy")))
    hard = dict(sorted(members.items())) | {"z": Hardlink(f"{ids_[0]}/layer.tar")}
    hard = rewrite(hard, "manifest.json", lambda value: value[0]["Layers"].__setitem__(0, "z"))
    assert essence(read(archive(hard), way)) == essence(read(docker_save(APP, "legacy")))


@pytest.mark.case("A02", "A33")
@pytest.mark.parametrize("target", ["layer.tar", "../nowhere", "../../../etc/passwd", "", "/"])
@pytest.mark.parametrize("way", WAYS)
def test_links_that_lead_nowhere(target, way):
    members = docker(APP, "legacy")
    report = read(archive(members | {f"{v1_ids(APP)[0]}/layer.tar": Symlink(target)}), way)
    assert not report.complete
    assert not report.image.layers[0].present
    assert report.image.layers[1].present


@pytest.mark.case("A03")
def test_names_in_full_and_as_people_write_them():
    data = docker_save([APP, TINY], "podman")
    for wish in ("app:1", "docker.io/library/app:1", "library/app:1"):
        assert load(data, image=wish).names == ("app:1",)


@pytest.mark.case("A04")
@pytest.mark.parametrize("way", WAYS)
def test_docker_before_1_10(way):
    image = Image([BASE, MIDDLE, TOP], tags=["app:1"])
    members = without(docker(image, "legacy"), "manifest.json", f"{sha(image.config)}.json")
    report = read(archive(members), way)
    assert ids(report, "info") >= {"A04"}
    assert report.image.names == ("app:1",)
    assert live(report) == live(read(docker_save(APP, "legacy")))
    assert [row.names for row in api_images(archive(without(members, "repositories")))] == [()]


def api_images(data):
    return api.list_images("-", stdin=io.BytesIO(data))


@pytest.mark.case("A04")
def test_parents_in_a_circle():
    one, two = "1" * 64, "2" * 64
    members = {f"{one}/json": dumps({"id": one, "parent": two}), f"{two}/json": dumps({"id": two, "parent": one})}
    members |= {f"{one}/layer.tar": BASE, f"{two}/layer.tar": TOP, "repositories": dumps({"a": {"1": one}})}
    assert len(load(archive(members)).layers) == 2
    with pytest.raises(ArchiveError):
        load(archive(without(members, "repositories")))


@pytest.mark.case("A05")
def test_version_1_json_that_nothing_names_is_metadata():
    report = read(docker_save(APP, "docker25"))
    assert report.image.storage.orphan_bytes == 0
    assert not any(row.foreign for row in report.image.layers)
    v1 = sum(len(v1_json(v1_ids(APP), number)) for number in range(3))
    without_v1 = read(docker_save(APP, "docker25", omit=[v1_json(v1_ids(APP), number) for number in range(3)]))
    assert report.image.storage.metadata_bytes - without_v1.image.storage.metadata_bytes == v1


@pytest.mark.case("A06")
@pytest.mark.parametrize("way", WAYS)
def test_an_oci_view_without_layers(way, reference):
    members = replace_manifest(docker(APP, "docker25"), lambda value: value | {"layers": []})
    report = read(archive(members), way)
    assert "A06" in ids(report, "warning")
    made = essence(report)
    made["notes"] = []
    assert made == reference


@pytest.mark.case("A06")
def test_a_docker_view_without_layers(reference):
    members = rewrite(docker(APP, "docker25"), "manifest.json", lambda value: value[0].update(Layers=None))
    assert essence(read(archive(members))) == reference


@pytest.mark.case("A07")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("manifests", [None, [], "one", "absent"])
def test_images_are_the_union_of_both_views(manifests, way, reference):
    def change(value):
        if manifests == "absent":
            del value["manifests"]
        else:
            value["manifests"] = value["manifests"][:1] if manifests == "one" else manifests

    members = rewrite(docker([TINY, APP], "docker25"), "index.json", change)
    assert len(api_images(archive(members))) == 2
    made = essence(read(archive(members), way, image="app:1"))
    assert made == reference
    members = rewrite(docker([TINY, APP], "docker25"), "manifest.json", lambda value: value[:1])
    assert len(api_images(archive(members))) == 2
    assert essence(read(archive(members), way, image="app:1")) == reference


@pytest.mark.case("A09", "A33")
@pytest.mark.parametrize("way", WAYS)
def test_all_layers_are_missing(way):
    data = oci_archive(APP, knobs={"omit": APP.blobs("gzip")})
    report = read(data, way)
    made = document(report)
    assert not report.complete
    assert [row["present"] for row in made["layers"]] == [False] * 3
    assert [row["pull_bytes"] for row in made["layers"]] == [len(data) for data in APP.blobs("gzip")]
    assert [note["message"].split()[0] for note in made["notes"] if note["id"] == "A09"] == [
        digest(data) for data in APP.blobs("gzip")
    ]
    assert len(made["history"]) == 4


@pytest.mark.case("A10")
def test_attestations_are_metadata_of_their_image():
    plain, attested = read(oci_archive(APP)), read(oci_archive(APP, attest=True))
    assert attested.image.storage.orphan_bytes == 0
    assert attested.image.storage.metadata_bytes > plain.image.storage.metadata_bytes
    assert len(api_images(oci_archive([APP, TINY], attest=True))) == 2


def with_descriptor(members, made, blobs=(), first=False, **about):
    """Return members with one more manifest in index.json."""
    data = dumps(made)
    members = members | {blob(data): data} | {blob(one): one for one in blobs}

    def change(value):
        value["manifests"].insert(0 if first else len(value["manifests"]), descriptor("manifest.v1+json", data) | about)

    return rewrite(members, "index.json", change)


COSIGN = b'{"critical":{}}'
PLATFORM = {"platform": {"os": "linux", "architecture": "amd64"}}
ARTIFACTS = {
    "referrer": (
        {"config": descriptor("application/vnd.oci.empty.v1+json", b"{}"), "layers": [descriptor("application/json", COSIGN)]},
        {"annotations": {"io.containerd.manifest.subject": digest(b"x")}},
    ),
    "cosign": (
        {
            "config": descriptor("config.v1+json", config([], None)),
            "layers": [descriptor("application/vnd.dev.cosign.simplesigning.v1+json", COSIGN)],
        },
        {"annotations": {"org.opencontainers.image.ref.name": "sha256-ab.sig"}},
    ),
    "helm": (
        {
            "config": descriptor("application/vnd.cncf.helm.config.v1+json", b'{"name":"x"}'),
            "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", gz(BASE))],
        },
        {},
    ),
    "wasm": (
        {
            "config": descriptor("application/vnd.wasm.config.v0+json", b"{}"),
            "layers": [descriptor("application/wasm", b"\0asm")],
        },
        {},
    ),
    "oras": (
        {
            "artifactType": "application/vnd.example.thing",
            "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [descriptor("text/plain", b"hello")],
        },
        {},
    ),
    "artifact without layers": (
        {
            "artifactType": "application/vnd.example.thing",
            "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [descriptor("application/vnd.oci.empty.v1+json", b"{}")],
        },
        {},
    ),
    "soci": (
        {
            "artifactType": "application/vnd.amazon.soci.index.v2+json",
            "config": descriptor("application/vnd.amazon.soci.index.v2+json", b"{}"),
            "layers": [descriptor("application/octet-stream", b"ztoc")],
            "subject": {"digest": digest(b"x"), "size": 1},
        },
        {"artifactType": "application/vnd.amazon.soci.index.v2+json", **PLATFORM},
    ),
}


@pytest.mark.case("A11", "A12", "A13", "A52")
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", ARTIFACTS)
@pytest.mark.parametrize("way", WAYS)
def test_an_artifact_beside_the_image_is_none(kind, first, way, reference):
    made, about = ARTIFACTS[kind]
    members = with_descriptor(oci(APP), made | {"schemaVersion": 2}, [COSIGN, b"{}", b"hello", b"ztoc"], first, **about)
    assert essence(read(archive(members), way)) == reference
    assert len(api_images(archive(members))) == 1


@pytest.mark.case("A12", "A13", "A52")
@pytest.mark.parametrize("kind", ["cosign", "helm", "wasm", "oras", "soci"])
def test_an_artifact_alone_is_named(kind):
    made, about = ARTIFACTS[kind]
    empty = without(oci(APP), *[name for name in oci(APP) if name.startswith("blobs/sha256/")])
    empty = rewrite(empty, "index.json", lambda value: value.update(manifests=[]))
    data = archive(with_descriptor(empty, made | {"schemaVersion": 2}, [COSIGN, b"{}", b"hello", b"ztoc"], **about))
    with pytest.raises(UnsupportedError, match=r"artifact of type \S+"):
        load(data)


@pytest.mark.case("A17")
@pytest.mark.parametrize("name", ["latest", "docker.io/library/app:1", "../../x", "free text, \u00e9", "\x1b[31mred"])
def test_ref_names_are_shown_as_they_are(name):
    index = {"annotations": {"org.opencontainers.image.ref.name": name}}
    members = rewrite(oci(APP, names=""), "index.json", lambda value: value["manifests"][0].update(index))
    assert load(archive(members)).names == (name.removeprefix("docker.io/library/"),)


@pytest.mark.case("A23")
def test_the_version_of_a_layout(tmp_path, reference):
    report = read(archive(oci(APP) | {"oci-layout": dumps({"imageLayoutVersion": "2.0.0"})}))
    assert "A23" in ids(report, "warning")
    assert "A23" in ids(read(archive(without(oci(APP), "oci-layout"))), "info")
    assert "A23" in ids(read(archive(oci(APP) | {"oci-layout": b"no json"})))


@pytest.mark.case("A29")
@pytest.mark.parametrize("way", WAYS)
def test_a_config_path_that_is_not_there(way):
    members = rewrite(docker(APP, "bazel"), "manifest.json", lambda value: value[0].update(Config="blobs/json"))
    report = read(archive(members), way)
    assert not report.complete
    assert "blobs/json" in message(report, "A33")
    assert sum(report.books.layers[n].content_bytes for n in range(3)) == report.books.content_bytes > 0


DOCKER2 = "application/vnd.docker."
MEDIA = {
    "manifest": (OCI + "manifest.v1+json", DOCKER2 + "distribution.manifest.v2+json"),
    "config": (OCI + "config.v1+json", DOCKER2 + "container.image.v1+json"),
    "layer": (OCI + "layer.v1.tar+gzip", DOCKER2 + "image.rootfs.diff.tar.gzip"),
}


@pytest.mark.case("A29", "A48")
@pytest.mark.parametrize("layer_type", MEDIA["layer"])
@pytest.mark.parametrize("config_type", MEDIA["config"])
@pytest.mark.parametrize("manifest_type", MEDIA["manifest"])
@pytest.mark.parametrize("index_type", [OCI + "index.v1+json", DOCKER2 + "distribution.manifest.list.v2+json"])
def test_media_types_of_docker_and_oci_mix(index_type, manifest_type, config_type, layer_type, reference):
    def change(value):
        value["mediaType"] = manifest_type
        value["config"]["mediaType"] = config_type
        for row in value["layers"][1:]:
            row["mediaType"] = layer_type

    members = replace_manifest(oci(APP, nested=False), change)

    def retype(value):
        value["mediaType"] = index_type
        value["manifests"][0]["mediaType"] = manifest_type

    assert essence(read(archive(rewrite(members, "index.json", retype)))) == reference


@pytest.mark.case("A30", "B05")
def test_nix_with_120_layers():
    layers = [
        tar(entry("/nix", type=b"5", mode=0o755), entry("/nix/store", type=b"5"), entry(f"/nix/store/{n:03}-p", b"p" * n))
        for n in range(120)
    ]
    history = [{"created": "1970-01-01T00:00:01Z", "comment": f"store path {n}"} for n in range(120)]
    report = read(docker_save(Image(layers, tags=["n:1"], history=history), "nix"))
    assert report.complete
    assert len(live(report)) == 120
    assert report.image.layers[7].instruction == "store path 7"
    assert report.books.replaced_bytes == report.books.deleted_bytes == 0


@pytest.mark.case("A31", "F14")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layers", [[], None, "absent"])
def test_no_layer_at_all(layers, way):
    empty = Image(
        [],
        tags=["scratch:1"],
        document=dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": None}}),
    )
    for style in STYLES:
        members = docker(empty, style)

        def change(value):
            value[0]["Layers"] = layers
            if layers == "absent":
                del value[0]["Layers"]

        members = rewrite(members, "manifest.json", change)
        report = read(archive(members), way)
        assert report.complete, (style, report.notes)
        assert report.books.efficiency == 1.0
        assert report.books.content_bytes == 0
    assert read(oci_archive(empty), way).complete


@pytest.mark.case("A32")
@pytest.mark.parametrize("way", WAYS)
def test_canonical_empty_layers(way):
    tiny = gz(bytes(1024))
    image = Image([bytes(1024), BASE, b"", bytes(10240)], tags=["e:1"], history=None)
    for style in ("legacy", "docker25", "containerd", "kaniko"):
        report = read(docker_save(image, style), way)
        assert report.complete, report.notes
        assert report.books.layers[0].content_bytes == 0
        assert report.books.layers[0].overhead_bytes == 1024
    blobs = read(oci_archive(Image([bytes(1024)], codec=lambda _: tiny)), way)
    assert blobs.books.layers[0].blob_bytes == len(tiny)


@pytest.mark.case("A34")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("layout", [*STYLES, "oci"])
def test_a_layer_listed_twice(layout, way):
    image = Image([BASE, MIDDLE, BASE, BASE], tags=["twice:1"])
    data = oci_archive(image) if layout == "oci" else docker_save(image, layout)
    report = read(data, way)
    made = document(report)
    assert report.complete
    assert [row["same_as"] for row in made["layers"]] == [None, None, 0, 0]
    for name in ("blob", "tar", "content", "overhead", "live", "replaced", "deleted"):
        assert made["layers"][2][f"{name}_bytes"] == 0
    assert made["layers"][2]["docker_bytes"] == made["layers"][0]["docker_bytes"] > 0
    assert "etc/old" in live(report)
    assert len(made["history"]) == 4


@pytest.mark.case("A39", "A43", "A57")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("media_type", "data", "case"),
    [
        (OCI + "layer.v1.tar+gzip+encrypted", bytes(range(256)) * 9, "A39"),
        (OCI + "layer.v1.tar+encrypted", BASE, "A39"),
        ("application/vnd.erofs.layer.v1", bytes(1024) + b"\xe2\xe1\xf5\xe0" + bytes(3000), "A57"),
        ("application/vnd.erofs", bytes(1024) + b"\xe2\xe1\xf5\xe0" + bytes(3000), "A57"),
        (OCI + "layer.v1.tar", bytes(1024) + b"\xe2\xe1\xf5\xe0" + b"x" * 3068, "A57"),
        (OCI + "layer.v1.tar+gzip", gz(bytes(1024) + b"\xe2\xe1\xf5\xe0" + b"x" * 3068), "A57"),
        ("application/vnd.example.squashfs", b"hsqs" + bytes(5000), "A43"),
        (OCI + "layer.v1.tar", b"hsqs" + bytes(5000), "C65"),
        (OCI + "layer.v1.tar", bytes(range(256)) * 500, "C65"),
        (OCI + "layer.v1.tar", b"{" + b" " * 70_000, "C65"),
        (OCI + "layer.v1.tar", b"short", "C65"),
    ],
)
def test_layers_that_are_no_tar(media_type, data, case, way):
    image = Image([TOP, data], codec="none", descriptors={1: {"mediaType": media_type}})
    report = read(oci_archive(image), way)
    assert not report.complete
    assert case in ids(report, "error"), report.notes
    row = report.books.layers[1]
    assert row.blob_bytes == len(data)
    assert row.content_bytes == 0
    assert row.overhead_bytes == row.tar_bytes
    assert "opt/app/y" in live(report)


@pytest.mark.case("A39")
@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_looked_into_is_pulled_as_it_is(way):
    image = Image([TOP, bytes(9000)], codec=["gzip", "none"], descriptors={1: {"mediaType": OCI + "layer.v1.tar+encrypted"}})
    made = document(read(oci_archive(image), way))
    row = made["layers"][1]
    assert (row["pull_bytes"], row["pull_estimated"], row["compression"]) == (9000, False, None)
    assert made["totals"]["pull_bytes"] == len(gz(TOP)) + 9000


@pytest.mark.case("A43")
@pytest.mark.parametrize("media_type", ["application/octet-stream", "application/vnd.example.layer", None, 7])
def test_a_tar_of_an_unknown_type_is_read(media_type):
    for layers in ((1,), (0, 1)):
        told = {number: {"mediaType": media_type} for number in layers}
        report = read(oci_archive(Image([BASE, TOP], codec="gzip", descriptors=told)))
        assert report.complete
        assert "opt/app/y" in live(report)


@pytest.mark.case("A37")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("variant", ["absent", "stub", "absent by urls"])
def test_foreign_layers(variant, way):
    foreign = {"mediaType": DOCKER2 + "image.rootfs.foreign.diff.tar.gzip", "urls": ["https://example.com/x"]}
    if variant == "absent by urls":
        del foreign["mediaType"]
    members = oci(Image([BASE, TOP], codec="gzip", descriptors={0: foreign}))
    members[blob(gz(BASE))] = b""
    if variant != "stub":
        del members[blob(gz(BASE))]
    report = read(archive(members), way)
    assert report.complete
    assert "A37" in ids(report, "info")
    made = document(report)
    assert made["layers"][0]["present"] is False
    assert made["layers"][0]["pull_bytes"] == len(gz(BASE))
    assert made["layers"][0]["blob_bytes"] is None


@pytest.mark.case("A37")
@pytest.mark.parametrize("way", WAYS)
def test_a_foreign_layer_stored_under_its_diff_id(way):
    members = docker(Image([BASE, TOP], tags=["w:1"]), "docker25")
    told = {"mediaType": DOCKER2 + "image.rootfs.foreign.diff.tar.gzip", "urls": ["https://example.com/x"]}
    told |= {"digest": digest(gz(BASE)), "size": len(gz(BASE))}
    members = replace_manifest(members, lambda value: value["layers"][0].update(told))
    members = rewrite(members, "manifest.json", lambda value: value[0]["LayerSources"].update({digest(BASE): told}))
    report = read(archive(members), way)
    assert report.complete, report.notes
    assert "etc/hosts" in live(report)
    assert report.image.layers[0].present


@pytest.mark.case("A38")
@pytest.mark.parametrize("way", WAYS)
def test_windows_layers(way):
    about = {"MSWINDOWS.fileattr": "32", "MSWINDOWS.rawsd": "AQAEgBQAAAA=", "LIBARCHIVE.creationtime": "1600000000.5"}
    base = layer(
        {
            "Files": Dir(pax=about),
            "Files/Windows/System32/a.dll": b"MZ" * 500,
            "Files/Windows/System32/a.dll:Zone.Identifier": b"[ZoneTransfer]",
            "Files/Link": Symlink("C:\\Windows\\System32"),
            "Hives/Software_Base": b"regf" * 100,
            "UtilityVM/Files/b": b"b",
        },
        mode=0o100644,
    )
    top = tar(
        whiteout("Files/Windows/System32/a.dll"),
        entry("Files/Windows/a.DLL", b"n"),
        opaque("Files/Windows"),
        entry("Hives/Software_Delta", b"regf"),
    )
    report = read(
        docker_save(Image([base, top], tags=["w:1"], more={"platform": "windows/amd64", "os.version": "10.0.1"})), way
    )
    assert report.complete, report.notes
    assert "A38" in ids(report, "warning")
    assert set(live(report)) == {
        "Files/Windows/System32/a.dll:Zone.Identifier",
        "Files/Windows/a.DLL",
        "Hives/Software_Base",
        "UtilityVM/Files/b",
        "Hives/Software_Delta",
    }
    assert report.image.config.platform == "windows/amd64"
    rows = {row.path for row in api.list_files(report.image)}
    assert b"Files/Windows/System32/a.dll:Zone.Identifier" in rows


@pytest.mark.case("A40")
def test_schema_1():
    data = dumps(
        {"schemaVersion": 1, "name": "old", "fsLayers": [{"blobSum": digest(BASE)}], "history": [{"v1Compatibility": "{}"}]}
    )
    members = {"oci-layout": dumps({"imageLayoutVersion": "1.0.0"}), blob(data): data, blob(BASE): BASE}
    members["index.json"] = dumps({"manifests": [descriptor("manifest.v1+json", data)]})
    with pytest.raises(UnsupportedError, match="schema 1"):
        load(archive(members))
    with pytest.raises(UnsupportedError, match="schema 1"):
        load(archive({"version": b"1.1", "manifest.json": data, sha(BASE): BASE}))


@pytest.mark.case("A41")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("algorithm", "verified"), [("sha512", True), ("sha384", True), ("blake3", None)])
def test_other_digest_algorithms(algorithm, verified, way, reference):
    import hashlib

    def name(data):
        return hashlib.new("sha256" if algorithm == "blake3" else algorithm, data).hexdigest()

    blobs = [gz(data) for data in APP.layers]
    told = json.loads(APP.config)
    told["rootfs"]["diff_ids"] = [f"{algorithm}:{name(data)}" for data in APP.layers]
    made = {
        "config": {"digest": f"{algorithm}:{name(dumps(told))}"},
        "layers": [{"digest": f"{algorithm}:{name(data)}", "size": len(data)} for data in blobs],
    }
    data = dumps(made)
    members = {f"blobs/{algorithm}/{name(one)}": one for one in (*blobs, dumps(told), data)}
    members["index.json"] = dumps({"manifests": [{"digest": f"{algorithm}:{name(data)}", "size": len(data)}]})
    report = read(archive(members), way, verify=True)
    made = essence(report)
    for row in (*made["layers"], *reference["layers"]):
        row.pop("diff_id", None)
    assert made == reference
    assert [row.verified for row in report.image.layers] == [verified] * 3
    bad = dict(members)
    bad[f"blobs/{algorithm}/{name(blobs[2])}"] = gz(TOP + bytes(512))
    again = read(archive(bad), way, verify=True)
    assert again.image.layers[2].verified is (False if verified else None)


@pytest.mark.case("A42")
@pytest.mark.parametrize("way", WAYS)
def test_a_config_inside_its_descriptor(way, reference):
    import base64

    def change(value):
        value["config"]["data"] = base64.b64encode(APP.config).decode()

    members = without(replace_manifest(oci(APP), change), blob(APP.config))
    assert essence(read(archive(members), way)) == reference
    (line,) = api_images(archive(members))
    assert line.complete

    def lie(value):
        value["config"]["data"] = base64.b64encode(APP.config + b" ").decode()

    report = read(archive(without(replace_manifest(oci(APP), lie), blob(APP.config))), way)
    assert not report.complete


@pytest.mark.case("A44")
@pytest.mark.parametrize("depth", [1, 3, 7, 9])
def test_nested_indexes(depth, reference):
    members = oci(APP)
    for _ in range(depth):
        inner = members["index.json"]
        members |= {blob(inner): inner, "index.json": dumps({"manifests": [descriptor("index.v1+json", inner)]})}
    if depth < 8:
        assert essence(read(archive(members))) == reference
    else:
        with pytest.raises(ArchiveError, match="nested"):
            load(archive(members))


@pytest.mark.case("A44")
def test_an_index_that_names_itself(tmp_path, reference):
    name = "c" * 64
    circle = dumps({"manifests": [{"digest": f"sha256:{name}"}, *json.loads(oci(APP)["index.json"])["manifests"]]})
    members = oci(APP) | {f"blobs/sha256/{name}": circle, "index.json": circle}
    report = read(spill(tmp_path, members))
    made = essence(report)
    assert "A44" in ids(report, "warning")
    made["notes"] = []
    assert made == reference


@pytest.mark.case("A45", "A47")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("style", ["docker25", "oci", "legacy"])
def test_blobs_and_files_that_nothing_names(style, way, reference):
    stray = {
        blob(TINY.layers[0]): TINY.layers[0],
        "README": b"hello",
        "blobs/sha256/zz": b"{]",
        "x/json": b"[]",
        ".wh.x": b"wh",
        "a.sqlite": bytes(2000),
    }
    members = oci(APP) if style == "oci" else docker(APP, style)
    report = read(archive(members, extra=stray), way)
    assert essence(report) == reference
    assert report.image.storage.orphan_bytes == sum(map(len, stray.values()))
    assert "README" in message(report, "A45")


@pytest.mark.case("A46")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["", "gone/layer.tar", None, 7])
def test_layers_that_the_archive_leaves_out(name, way):
    members = rewrite(docker(APP, "legacy"), "manifest.json", lambda value: value[0]["Layers"].__setitem__(0, name))
    report = read(archive(members), way)
    assert not report.complete
    assert [row.present for row in report.image.layers] == [False, True, True]
    assert report.image.layers[2].instruction == "COPY y /opt/app"


@pytest.mark.case("A49")
@pytest.mark.parametrize("where", ["index", "manifest", "dir"])
def test_index_and_manifest_in_one_is_refused(where, tmp_path):
    manifests = {"manifests": json.loads(oci(TINY)["index.json"])["manifests"]}
    if where == "index":
        members = rewrite(oci(APP), "index.json", lambda value: value.update(layers=[], config={}))
    elif where == "manifest":
        members = replace_manifest(oci(APP), lambda value: value.update(manifests)) | oci(TINY) | {}
        members = replace_manifest(oci(APP), lambda value: value.update(manifests))
    else:
        members = rewrite(dir_members(APP), "manifest.json", lambda value: value.update(manifests))
    with pytest.raises(ArchiveError, match="ambiguous"):
        load(archive(members))


@pytest.mark.case("A49")
def test_an_ambiguous_document_does_not_hide_another_image():
    members = with_descriptor(oci(APP), {"manifests": [], "layers": [], "config": {}})
    report = read(archive(members))
    assert not report.complete
    assert "A49" in ids(report, "error")
    assert "etc/hosts" in live(report)


@pytest.mark.case("A49")
def test_docker_view_survives_an_ambiguous_index(reference):
    members = rewrite(docker(APP, "docker25"), "index.json", lambda value: value.update(layers=[]))
    report = read(archive(members))
    assert not report.complete
    assert "A49" in ids(report, "error")
    assert "etc/hosts" in live(report)


@pytest.mark.case("A51")
@pytest.mark.parametrize("way", WAYS)
def test_members_that_stand_twice(way, reference):
    members = docker(APP, "legacy")
    data = archive(members, again=["manifest.json", "*/layer.tar"])
    report = read(data, way)
    made = essence(report)
    assert "A51" in ids(report, "warning")
    made["notes"] = []
    assert made == reference
    assert report.image.storage.orphan_bytes == len(members["manifest.json"]) + sum(map(len, APP.layers))
    other = dumps([{"Config": f"{sha(TINY.config)}.json", "RepoTags": ["tiny:1"], "Layers": ["t.tar"]}])
    late = archive(members, extra={f"{sha(TINY.config)}.json": TINY.config, "t.tar": TINY.layers[0], "manifest.json": other})
    assert load(late, way).names == ("tiny:1",)


@pytest.mark.case("A51")
@pytest.mark.parametrize("way", WAYS)
def test_a_link_then_a_file_of_one_name(way):
    members = docker(APP, "legacy")
    first = f"{v1_ids(APP)[0]}/layer.tar"
    data = tar(files({first: Symlink("../x")}), archive(members, end=0))
    assert "etc/hosts" in live(read(data, way))
    data = tar(archive(members, end=0), files({first: Symlink("../x"), "x": TOP}))
    report = read(data, way)
    assert "A51" in ids(report, "warning")


@pytest.mark.case("A55")
@pytest.mark.parametrize("key", ["Image", "ImageIndex"])
def test_imgpkg(key):
    members = {"manifest.json": dumps([{key: {"Refs": ["x"], "Layers": []}}]), f"sha256-{sha(BASE)}.tar.gz": gz(BASE)}
    with pytest.raises(ArchiveError, match="imgpkg"):
        load(archive(members))


@pytest.mark.case("A56")
def test_apko_layers():
    folders = {"usr": Dir(), "usr/lib": Dir(), "usr/bin": Dir()}
    one, two = layer(folders | {"usr/bin/a": b"a" * 900}), layer(folders | {"usr/bin/b": b"b" * 800})
    installed = "P:a\nV:1\nA:x86_64\nF:usr/bin\nR:a\n\nP:b\nV:2\nA:x86_64\nF:usr/bin\nR:b\n\n"
    top = layer(folders | {"usr/lib/apk/db/installed": installed, "lib": Symlink("usr/lib")})
    history = [{"created_by": "apko"}] * 3
    report = read(oci_archive(Image([one, two, top], history=history)))
    assert report.books.replaced_bytes == report.books.deleted_bytes == 0
    owners = {row["owner"]: row["bytes"] for row in document(report)["owners"]}
    packages = {row["name"]: row["bytes"] for row in document(report)["packages"]}
    assert packages == {"a": 900, "b": 800}
    assert owners["apk"] == 1700


@pytest.mark.case("A24", "A25", "A23")
def test_builders_of_folders(tmp_path, reference):
    for number, folder in enumerate((oci_layout(tmp_path / "o", APP), dir_layout(tmp_path / "d", APP))):
        assert essence(read(folder)) == reference, number
    assert essence(read(spill(tmp_path / "b", without(docker(APP, "containerd"), "manifest.json")))) == reference
