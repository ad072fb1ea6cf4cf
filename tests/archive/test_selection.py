"""Which image is meant, and what is said where none is?"""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest
from build import (
    STYLES,
    Hardlink,
    Image,
    Symlink,
    archive,
    blob,
    docker,
    docker_save,
    dumps,
    entry,
    files,
    gz,
    layer,
    oci,
    oci_archive,
    sha,
    sparse_gnu,
    sparse_pax,
    tar,
    xz,
    zst,
)
from layerscope import api
from layerscope.errors import ArchiveError, SelectionError

from archive.reading import WAYS, document, ids, live, load, message, read

ONE = Image([layer({"etc/one": b"1" * 111})], tags=["one:1", "one:latest", "other/one:2"])
TWO = Image([layer({"etc/two": b"2" * 222}), layer({"x": b"x"})], tags=["two:latest"])
ARM = Image([layer({"etc/arm": b"a"})], tags=["two:latest"], more={"platform": "linux/arm64/v8"})


def images_of(data):
    return api.list_images("-", stdin=io.BytesIO(data))


@pytest.mark.case("A14")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", [[ONE, TWO], [TWO, ONE]])
@pytest.mark.parametrize("style", [name for name in STYLES if name != "jib"])
def test_several_images(style, order, way):
    data = docker_save(order, style)
    with pytest.raises(SelectionError) as caught:
        load(data, way)
    assert [line.split("  ")[0] for line in caught.value.choices] == ["one:1, one:latest, other/one:2", "two:latest"]
    one, two = read(data, way, image="one:1"), read(data, way, image="two")
    assert list(live(one)) == ["etc/one"]
    assert sorted(live(two)) == ["etc/two", "x"]
    stored = one.image.storage
    assert stored.orphan_bytes >= two.image.storage.blob_bytes
    with pytest.raises(SelectionError, match="three"):
        load(data, way, image="three")


@pytest.mark.case("A15")
@pytest.mark.parametrize("style", [name for name in STYLES if name != "podman"])
def test_one_image_with_many_tags(style):
    image = load(docker_save(ONE, style))
    assert image.names == ("one:1", "one:latest", "other/one:2")
    assert len(images_of(docker_save(ONE, style))) == 1
    assert read(docker_save(ONE, style)).image.storage.orphan_bytes == 0


@pytest.mark.case("A15")
@pytest.mark.parametrize("style", ["legacy", "docker25", "kaniko"])
def test_an_image_that_is_listed_twice_is_one(style):
    members = docker(ONE, style)
    rows = json.loads(members["manifest.json"])
    again = rows[0] | {"RepoTags": ["one:latest", "again:1"]}
    data = archive(members | {"manifest.json": dumps([*rows, again])})
    assert load(data).names == ("one:1", "one:latest", "other/one:2", "again:1")
    assert read(data).image.storage.orphan_bytes == 0


@pytest.mark.case("A15")
def test_descriptors_of_one_digest_are_one_image():
    (line,) = images_of(oci_archive(ONE, names="docker25"))
    assert (
        line.names == ("docker.io/library/one:1", "docker.io/library/one:latest", "docker.io/other/one:2")
        or len(line.names) == 3
    )


@pytest.mark.case("A16")
@pytest.mark.parametrize("tags", [None, [], "absent", "one:1", 7, {}])
@pytest.mark.parametrize("style", ["legacy", "containerd", "kaniko"])
def test_no_tags(style, tags):
    members = docker(Image(TWO.layers, tags=["app:1"]), style)
    told = json.loads(members["manifest.json"])
    told[0]["RepoTags"] = tags
    if tags == "absent":
        del told[0]["RepoTags"]
    image = load(archive(members | {"manifest.json": dumps(told)}))
    expected = ("one:1",) if tags == "one:1" else ("app:1",) if style == "containerd" else ()
    assert image.names == expected
    wish = image.config_digest.removeprefix("sha256:")[:12]
    assert load(archive(members), image=wish).config_digest == image.config_digest


@pytest.mark.case("A08", "A50")
@pytest.mark.parametrize("way", WAYS)
def test_platforms(way):
    data = oci_archive([Image(TWO.layers, tags=["two:latest"]), ARM], nested=True, attest=True, absent=["windows/amd64"])
    with pytest.raises(SelectionError) as caught:
        load(data, way)
    assert len(caught.value.choices) == 2
    for wish in ("linux/arm64", "linux/arm64/v8"):
        assert list(live(read(data, way, platform=wish))) == ["etc/arm"]
    assert sorted(live(read(data, way, platform="linux/amd64"))) == ["etc/two", "x"]
    with pytest.raises(SelectionError):
        load(data, way, platform="windows/amd64")
    untold = docker_save([TWO, ARM], "docker25")
    assert list(live(read(untold, way, platform="linux/arm64"))) == ["etc/arm"]


@pytest.mark.case("A08")
def test_one_platform_present_needs_no_choice():
    assert (
        load(oci_archive(ARM, nested=True, attest=True, absent=["linux/amd64", "linux/s390x"])).config.platform
        == "linux/arm64/v8"
    )


@pytest.mark.case("A33", "A08")
def test_no_manifest_is_there():
    with pytest.raises(ArchiveError, match="not in the archive"):
        load(oci_archive([], absent=["linux/amd64"]))
    with pytest.raises(ArchiveError, match="no image"):
        load(oci_archive([]))


@pytest.mark.case("A33")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("style", [*STYLES, "oci"])
def test_the_config_is_not_there(style, way):
    members = oci(ONE) if style == "oci" else docker(ONE, style)
    report = read(archive(members, omit=[ONE.config]), way)
    assert not report.complete
    assert "A33" in ids(report, "error")
    assert list(live(report)) == ["etc/one"]


@pytest.mark.case("A33")
@pytest.mark.parametrize("value", [b"[]", b"null", b"{}", b"", b"7", b"[7]", b'[{"Layers":[]', b"\xff", b'{"a":1}'])
@pytest.mark.parametrize("style", ["legacy", "docker25"])
def test_a_broken_manifest(style, value):
    members = docker(ONE, style) | {"manifest.json": value}
    if style == "docker25":
        assert list(live(read(archive(members)))) == ["etc/one"]
    else:
        try:
            report = read(archive(members))
        except ArchiveError:
            return
        assert "A04" in ids(report)


def zipped():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("a", "b")
    return made.getvalue()


CHART = tar(files({"chart/Chart.yaml": b"name: chart", "chart/templates/x.yaml": b"x"}))
NO_IMAGES = {
    "zip": (zipped(), "a zip file"),
    "qcow2": (b"QFI\xfb" + bytes(2000), "qcow2"),
    "sif": (b"#!/usr/bin/env run-singularity\n".ljust(32, b"\0") + b"SIF_MAGIC\0" + bytes(2000), "SIF"),
    "chart": (CHART, "Helm chart"),
    "chart.tgz": (gz(CHART), "Helm chart"),
    "json": (b'{"schemaVersion": 2}', "JSON document"),
    "html": (b"<!DOCTYPE html><html>not found</html>", "HTML"),
    "one byte": (b"x", "text file"),
    "one NUL": (b"\0", "empty tar"),
    "text": (b"hello\n" * 200, "text file"),
    "elf": (b"\x7fELF" + bytes(600), "ELF"),
    "gzip of text": (gz(b"hello\n" * 200), "compressed"),
    "zstd of json": (zst(b"{}" * 400), "compressed"),
    "xz of nothing": (xz(b""), "compressed|empty"),
    "zeros": (bytes(10240), "empty tar"),
    "tar of a program": (tar(entry("README", b"x"), entry("src/main.c", b"y")), "README"),
    "erofs": (bytes(1024) + b"\xe2\xe1\xf5\xe0" + b"\1" * 4000, "EROFS"),
    "ext4": (bytes(1080) + b"\x53\xef" + b"\1" * 4000, "ext"),
    "cut gzip": (gz(b"hello" * 4000)[:30], "compressed"),
    "random": (bytes(range(255, 0, -1)) * 8, "no tar"),
}


@pytest.mark.case("A36")
@pytest.mark.parametrize("way", ["place", "pipe"])
@pytest.mark.parametrize("kind", NO_IMAGES)
def test_what_is_no_image_is_named(kind, way):
    data, name = NO_IMAGES[kind]
    with pytest.raises(ArchiveError, match=name):
        load(data, way)


@pytest.mark.case("A36")
def test_nothing(tmp_path):
    with pytest.raises(ArchiveError, match="empty"):
        load(b"")
    with pytest.raises(ArchiveError):
        load(b"", "pipe")
    with pytest.raises(ArchiveError, match="folder"):
        api.load(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        api.load(str(tmp_path / "gone"))


ROOT = tar(
    files(
        {
            ".dockerenv": b"",
            "etc/passwd": b"root",
            "bin/sh": b"sh" * 300,
            "bin/ash": Hardlink("bin/sh"),
            "lib": Symlink("usr/lib"),
        }
    ),
    files({"usr/lib/apk/db/installed": b"P:a\nV:1\nA:x\nF:bin\nR:sh\n\n", "etc/.wh.real": b"a file like others"}),
)


@pytest.mark.case("A35")
@pytest.mark.parametrize("way", WAYS)
def test_a_root_file_system(way):
    report = read(ROOT, way)
    assert report.complete, report.notes
    assert "A35" in ids(report, "info")
    made = document(report)
    assert made["totals"]["blob_bytes"] == made["totals"]["archive_bytes"] == len(ROOT)
    assert made["totals"]["container_bytes"] == made["totals"]["orphan_bytes"] == 0
    assert live(report) == {".dockerenv": 0, "etc/passwd": 4, "bin/sh": 600, "usr/lib/apk/db/installed": 24, "etc/.wh.real": 18}
    assert [(row["name"], row["bytes"]) for row in made["packages"]] == [("a", 600)]
    assert images_of(ROOT)[0].layout == "rootfs"


NAMED_LIKE = {
    "manifest.json": b'{"name": "an app for the web"}',
    "manifest.json of a build": b'[{"url": "/main.js", "revision": null}]',
    "index.json": b"[]",
    "index.json that is none": b"<html>",
    "repositories": b"http://dl-cdn.alpinelinux.org/alpine/v3.20/main",
    "var/lib/registry/docker/registry/v2/blobs/sha256/ab/abcd/data": b"x",
    "var/lib/old/layer.tar": b"x",
}


@pytest.mark.case("A35")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMED_LIKE)
def test_a_root_file_system_may_hold_files_that_are_named_like_an_images(name, way):
    path = name.partition(" ")[0]
    data = files({path: NAMED_LIKE[name], "var/lib/old/json": b"{}"}) + ROOT
    report = read(data, way)
    assert report.complete, report.notes
    assert live(report)[path] == len(NAMED_LIKE[name])
    assert "is none" in " ".join(note.message for note in report.notes if note.id == "A35")
    assert images_of(data)[0].layout == "rootfs"


@pytest.mark.case("A35")
@pytest.mark.parametrize("way", WAYS)
def test_archives_in_a_root_file_system_are_files_like_others(way):
    inner = layer({"a": b"a"})
    twins = {"app/a.tar": inner, "opt/b.tar": inner, "opt/c.tar.gz": gz(inner), "srv/" + "ab" * 32: gz(inner)}
    made = document(read(files(twins) + ROOT, way))
    assert made["totals"]["duplicate_bytes"] == len(inner) + len(gz(inner))
    assert len(made["duplicates"]) == 2


def test_such_a_file_can_be_taken_out(tmp_path):
    (tmp_path / "root.tar").write_bytes(files({"manifest.json": b"{}"}) + ROOT)
    with api.open_file(str(tmp_path / "root.tar"), "/manifest.json") as content:
        assert b"".join(content.pieces) == b"{}"


@pytest.mark.case("A35", "A54")
@pytest.mark.parametrize("size", [len(ROOT) - 1024 - 500, len(ROOT) - 1024 - 1020, len(ROOT) - 1024 - 1100])
def test_a_cut_root_file_system_is_the_same_in_every_way(size):
    reports = [read(ROOT[:size], way) for way in WAYS]
    assert all(ids(report) & {"A54", "C55"} for report in reports)
    first, *others = [document(report) for report in reports]
    for other in others:
        for made in (first, other):
            made["image"].pop("source", None)
            made["totals"].pop("file_bytes", None)
        assert other == first


@pytest.mark.case("A54")
@pytest.mark.parametrize("style", ["legacy", "podman", "containerd", "oci"])
def test_a_cut_archive_never_crashes_and_never_passes_for_whole(style):
    image = Image([layer({"etc/a": b"a" * 700}), layer({"etc/b": b"b" * 300})], tags=["app:1"])
    data = oci_archive(image) if style == "oci" else docker_save(image, style)
    whole = len(data) - 1024
    for size in [*range(1, whole, 97 if style == "podman" else 485), *range(512, whole, 512)]:
        outcome = set()
        for way in WAYS:
            try:
                report = read(data[:size], way)
            except ArchiveError as error:
                outcome.add(type(error).__name__)
            else:
                outcome.add((report.complete, tuple(sorted(live(report)))))
                if report.complete:
                    assert len(live(report)) == 2, size  # nothing of this image is missing
        assert len(outcome) == 1, (size, outcome)
    report = read(data[:whole])
    assert "A54" in {note.id for note in report.notes}  # whether more would have followed cannot be known
    for end in (512, 1024):
        assert read(data[: whole + end]).complete


@pytest.mark.case("A50")
def test_version_8_of_arm64_is_what_arm64_alone_means():
    alone = Image([layer({"alone": b"a"})], tags=["alone:1"], more={"platform": "linux/arm64"})
    other = Image([layer({"other": b"o"})], tags=["other:1"], more={"platform": "linux/arm/v7"})
    for wish in ("linux/arm64", "linux/arm64/v8"):
        assert read(docker_save([alone, other]), platform=wish).image.names == ("alone:1",)
    assert read(docker_save([alone, ARM]), platform="linux/arm64/v8").image.names == ("two:latest",)
    for wish in ("linux/arm64/v9", "linux/arm/v8", "linux/amd64/v8"):
        with pytest.raises(SelectionError):
            read(docker_save([alone, other]), platform=wish)


@pytest.mark.case("A54", "C54", "E10")
@pytest.mark.parametrize("way", WAYS)
def test_an_archive_that_ends_before_its_manifest_is_not_called_another_thing(way):
    data = docker_save(ONE, "containerd")
    where = data.index(b"index.json\0")
    broken = data[: where + 148] + b"9" + data[where + 149 :]
    for cut, limits, told in (
        (data[:1600], {}, "is cut: "),
        (data[:where], {}, "the archive ends without end blocks"),
        (data[: where + 100], {}, "the tar ends in the middle of a header (100 bytes of 512) at byte "),
        (broken, {}, "a tar header's checksum is wrong at byte "),
        (data, {"entries": 2}, "--limit entries=VALUE"),
        (data[: where + 600], {}, "index.json is cut; "),
    ):
        with pytest.raises(ArchiveError) as caught:
            read(cut, way, limits=limits)
        assert told in str(caught.value)
        assert "could be read only in part" in str(caught.value)
        assert "is a tar without" not in str(caught.value)
        assert "index.json lists" not in str(caught.value)


@pytest.mark.case("A04", "A54")
@pytest.mark.parametrize("way", WAYS)
def test_old_layers_without_a_manifest_are_not_complete_where_the_archive_is_cut(way):
    members = {name: data for name, data in docker(ONE, "legacy").items() if name not in ("manifest.json", "repositories")}
    assert read(archive(members), way).complete
    report = read(archive(members, end=0), way)
    assert ids(report, "error") == {"A54"}


@pytest.mark.case("A35", "A54", "D04")
def test_of_a_root_file_system_in_cut_compressed_data_only_whole_files_count():
    noise = random.Random(1).randbytes(200_000)
    packed = gz(tar(files({"etc/whole": b"w" * 100, "etc/cut": noise, "etc/never": b"n"})))
    for way in ("place", "pipe"):
        report = api.analyze(load(packed[:100_000], way))
        assert live(report) == {"etc/whole": 100}
        assert ids(report, "error") == {"D04"}


@pytest.mark.case("C43")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", ["gnu", "0.0", "0.1", "1.0"])
def test_what_the_archive_stores_as_a_sparse_file_is_counted_and_not_read(form, way):
    base, top = layer({"etc/a": b"a" * 700, "zeros": bytes(100_000), "b": b"b" * 900}), layer({"c": b"c" * 9})
    members = docker(Image([base, top]), "docker25") | {"stray": b"s" * 600 + bytes(50_000)}

    def stored(name):
        data = members[name]
        if data not in (base, members["stray"]):
            return files({name: data})
        pieces = [(0, data[:1024]), (len(data) - 512, data[-512:])]
        return sparse_gnu(name, pieces, len(data)) if form == "gnu" else sparse_pax(name, pieces, len(data), form)

    data = tar(*map(stored, members))
    report = read(data, way)  # which looks at the books
    assert live(report) == {"c": 9}
    assert "stored as a sparse file" in " ".join(note.message for note in report.notes if note.level == "error")
    assert (report.image.layers[0].blob_bytes, report.image.storage.orphan_bytes) == (1536, 1536)
    last = sorted(members, key=lambda name: members[name] == base)
    assert not read(tar(*map(stored, last), end=0)[:-700], way).complete


@pytest.mark.case("A54", "C65")
def test_what_a_layer_that_is_no_tar_costs_to_pull_is_the_same_in_every_way():
    noise = random.Random(1).randbytes(9_000)
    members = docker(Image([layer({"a": b"a"}), noise * 40]), "legacy")
    order = dict(sorted(members.items(), key=lambda item: item[1] == noise * 40))
    for data in (archive(members), archive(order)[: -1024 - len(noise * 40) + 380]):
        first, *others = [document(read(data, way, pull="estimate"))["layers"][1]["pull_bytes"] for way in WAYS]
        assert first > 380
        assert others == [first, first]


@pytest.mark.case("A54")
@pytest.mark.parametrize("way", WAYS)
def test_the_offset_is_told(way):
    members = docker(TWO, "legacy")
    cut = archive(dict(sorted(members.items(), key=lambda item: "layer.tar" in item[0])))[: -1024 - 700]
    report = read(cut, way)
    assert not report.complete
    assert "missing at byte" in message(report, "C55")
    note = next(note for note in report.notes if note.id == "C55" and note.layer is None)
    assert 0 < note.offset < len(cut)


@pytest.mark.case("A45", "A33")
@pytest.mark.parametrize("way", WAYS)
def test_folders_named_like_old_layers_hide_nothing(way):
    members = docker(ONE, "docker25") | {"secrets/json": b"{}" * 500, "secrets/VERSION": b"s" * 900}
    assert read(archive(members), way).image.storage.orphan_bytes == 1900


@pytest.mark.case("A14")
def test_bytes_of_shared_layers():
    base = layer({"etc/base": b"b" * 3000})
    a, b = Image([base, ONE.layers[0]], tags=["a:1"]), Image([base, TWO.layers[0]], tags=["b:1"])
    report = read(docker_save([a, b], "docker25"), image="a:1")
    assert report.image.storage.blob_bytes == len(base) + len(ONE.layers[0])
    assert report.image.storage.orphan_bytes >= len(TWO.layers[0])
    assert sha(base) in (report.image.layers[0].digest or "")
    assert blob(base)
