"""Names, digests, sizes and JSON that were written to break their readers (E01 to E07, E33)."""

from __future__ import annotations

import builtins
import json
import os

import build
import pytest
from build import Image, Symlink
from layerscope.archive.documents import parse
from layerscope.archive.limits import Limits
from layerscope.archive.notebook import Notebook
from layerscope.errors import ArchiveError, LayerscopeError

from hostile.tools import MIB, WAYS, errors, live, load, measure, notes, read, run

LAYER = build.layer({"etc/motd": b"hello", "secret": b"x" * 10})
IMAGE = Image([LAYER])
CONFIG = IMAGE.config


def docker(config="config.json", layers=("layer.tar",), extra=None, manifest=None, **members):
    """Return a docker archive whose manifest.json says whatever it is told."""
    row = {"Config": config, "RepoTags": ["a:1"], "Layers": list(layers)} if manifest is None else manifest
    data = manifest if isinstance(manifest, bytes) else json.dumps([row]).encode("utf-8", "surrogatepass")
    return build.archive({"config.json": CONFIG, "layer.tar": LAYER, **members, "manifest.json": data}, extra=extra)


@pytest.fixture
def watched(monkeypatch):
    """Return the list of every path that is opened."""
    seen = []
    for module, name in ((builtins, "open"), (os, "open")):
        real = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda path, *a, real=real, **k: (seen.append(os.fsdecode(path)), real(path, *a, **k))[1]
        )
    return seen


OUTSIDE = (
    "/etc/passwd",
    "../../../../etc/passwd",
    "./../etc/passwd",
    "..",
    ".",
    "/",
    "a\0b",
    "\udce9",
    "x" * 100_000,
    "/proc/self/fd/0",
)


@pytest.mark.case("E01")
@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("way", WAYS)
def test_names_are_looked_up_in_the_archive_alone(name, way, watched):
    report = read(docker(layers=[name]), way)
    assert errors(report) == ["A09"]
    report = read(docker(config=name), way)
    assert errors(report) == ["A33"]
    assert live(report) == {b"etc/motd", b"secret"}
    assert not [path for path in watched if "passwd" in path or "/proc/" in path]


@pytest.mark.case("E01")
def test_a_climbing_name_means_the_archives_own_member():
    report = read(docker(layers=["/../../layer.tar"]))
    assert live(report) == {b"etc/motd", b"secret"}


LINKS = {
    "absolute": ({"l": Symlink("/etc/passwd")}, "l"),
    "climbing": ({"l": Symlink("../../../etc/passwd")}, "l"),
    "itself": ({"l": Symlink("l")}, "l"),
    "two": ({"l": Symlink("m"), "m": Symlink("l")}, "l"),
    "long chain": ({f"l{n}": Symlink(f"l{n + 1}") for n in range(100)} | {"l100": build.File(LAYER)}, "l0"),
    "hard, to nothing": ({"l": build.Hardlink("/etc/passwd")}, "l"),
    "hard, to itself": ({"l": build.Hardlink("l")}, "l"),
    "a folder": ({"l": build.Dir()}, "l"),
    "a device": ({"l": build.Device(1, 5)}, "l"),
}


@pytest.mark.case("E02")
@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("way", WAYS)
def test_outer_links_lead_nowhere_else(name, way, watched):
    extra, layer = LINKS[name]
    report = read(docker(layers=[layer, "layer.tar"], extra=extra), way)
    assert errors(report) == ["A09"]
    assert live(report) == {b"etc/motd", b"secret"}
    assert not [path for path in watched if "passwd" in path]


def layout(tmp_path, **options):
    folder = build.oci_layout(tmp_path / "layout", IMAGE, **options)
    blob = next(path for path in (folder / "blobs/sha256").iterdir() if path.read_bytes()[:2] == b"\x1f\x8b")
    return folder, blob


@pytest.mark.case("E03")
@pytest.mark.parametrize("what", ["absolute", "climbing", "circle", "FIFO", "socket", "through a folder", "dangling"])
def test_a_layouts_blob_that_is_no_file_is_named_and_not_opened(tmp_path, what, watched):
    folder, blob = layout(tmp_path)
    data = blob.read_bytes()
    blob.unlink()
    outside = tmp_path / "outside"
    outside.write_bytes(data)
    if what == "absolute":
        blob.symlink_to(outside)
    elif what == "climbing":
        blob.symlink_to("../../../outside")
    elif what == "circle":
        blob.symlink_to(blob.name)
    elif what == "FIFO":
        os.mkfifo(blob)
    elif what == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as one:
            here = os.getcwd()
            os.chdir(blob.parent)
            one.bind("s")
            os.chdir(here)
        (blob.parent / "s").rename(blob)
    elif what == "through a folder":
        (folder / "inner").symlink_to(tmp_path)
        blob.symlink_to("../../inner/outside")
    else:
        blob.symlink_to("nothing")
    report = read(folder)
    assert errors(report) == ["A09"]
    assert str(outside) not in watched
    if what in ("absolute", "climbing", "FIFO", "socket"):
        assert notes(report, "E03", "warning")


@pytest.mark.case("E03")
def test_links_inside_the_layout_are_followed_and_counted_once(tmp_path):
    folder, blob = layout(tmp_path)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    (folder / "real").mkdir()
    blob.rename(folder / "real/blob")
    (folder / "hop").symlink_to("real/blob")
    blob.symlink_to("../../hop")
    report = read(folder)
    assert report.complete
    assert report.image.storage.archive_bytes == size
    assert live(report) == {b"etc/motd", b"secret"}


@pytest.mark.case("E03")
@pytest.mark.parametrize("what", ["blobs", "blobs/sha256"])
def test_a_folder_that_is_a_link_is_followed_within_the_layout(tmp_path, what, watched):
    folder, _ = layout(tmp_path)
    whole = live(read(folder))
    (folder / what).rename(folder / "store")
    (folder / what).symlink_to("../store" if "/" in what else "store")
    report = read(folder)
    assert report.complete
    assert live(report) == whole
    (folder / "store").rename(tmp_path / "shared")
    (folder / what).unlink()
    (folder / what).symlink_to(tmp_path / "shared")
    watched.clear()
    with pytest.raises(ArchiveError, match=f"not in the archive; {what}: a link that leads out of the folder is not followed"):
        read(folder)
    assert not [path for path in watched if "shared" in path]


@pytest.mark.case("E02")
@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_is_a_link_is_followed_within_the_archive(way):
    row = {"Config": "config.json", "Layers": ["a/layer.tar", "loop/b/layer.tar"]}
    links = {"a": build.Symlink("real/folder"), "real/folder/layer.tar": LAYER, "loop": build.Symlink("loop/c")}
    report = read(build.archive({"config.json": CONFIG, **links, "manifest.json": build.dumps([row])}), way)
    assert live(report) == {b"etc/motd", b"secret"}
    assert notes(report, "A02", "warning")
    assert errors(report) == ["A09"]


def oci(change):
    """Return an OCI archive whose manifest and its descriptor were changed; the manifest is named by its new digest."""
    parts = build.oci(IMAGE)
    index = json.loads(parts["index.json"])
    told = index["manifests"][0]
    manifest = json.loads(parts.pop("blobs/sha256/" + told["digest"][7:]))
    change(manifest, {})
    data = build.dumps(manifest)
    told |= {"digest": build.digest(data), "size": len(data)}
    change({"layers": [{"size": 0}], "config": {}}, told)
    return build.archive(parts | {build.blob(data): data, "index.json": build.dumps(index)})


DIGESTS = (
    "sha256:../../../etc/passwd", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "sha256:" + "a" * 65, "sha256:", "sha256",
    ":" + "a" * 64, "sha512:" + "a" * 64, "x" * MIB, "sha256:" + "a" * MIB, "sha256:" + "a" * 64 + "\n",
    "sha256:" + "\u0661" * 64, None, 7, ["sha256:" + "a" * 64], {"a": "b"}, "", "\ud800",
)  # fmt: skip


@pytest.mark.case("E04")
@pytest.mark.parametrize("digest", DIGESTS, ids=lambda digest: repr(digest)[:20])
def test_invalid_digests_build_no_path(digest):
    def layer(manifest, _):
        manifest["layers"][0]["digest"] = digest

    report = read(oci(layer))
    assert errors(report) == ["A09", "E04"]

    def config(manifest, _):
        manifest["config"]["digest"] = digest

    report = read(oci(config))
    assert errors(report) == ["A33"]
    assert live(report) == {b"etc/motd", b"secret"}

    def descriptor(_, told):
        told["digest"] = digest

    with pytest.raises(LayerscopeError):
        load(oci(descriptor))


SIZES = (-1, 1.5, True, None, "7", 10**30, 1 << 63, [], {}, 1e300)


@pytest.mark.case("E05")
@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_sizes_that_are_none_are_ignored(size):
    def change(manifest, told):
        manifest["layers"][0]["size"] = manifest["config"]["size"] = told["size"] = size

    report = read(oci(change))
    assert report.complete
    assert live(report) == {b"etc/motd", b"secret"}


@pytest.mark.case("E05")
@pytest.mark.parametrize(("by", "level"), [(-1, "warning"), (1, "error"), (2**62, "error")])
def test_sizes_that_lie_are_told(by, level):
    def change(manifest, _):
        manifest["layers"][0]["size"] += by

    report = read(oci(change))
    assert "the blob is said to have" in notes(report, "E05", level)[0]
    assert live(report) == {b"etc/motd", b"secret"}


BROKEN = {
    "200,000 arrays": b"[" * 200_000 + b"]" * 200_000,
    "200,000 objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "101 arrays": b'[{"a":' + b"[" * 101 + b"]" * 101 + b"}]",
    "5,000 digits": b'[{"a":' + b"9" * 5000 + b"}]",
    "NaN": b'[{"a":NaN}]',
    "Infinity": b'[{"a":-Infinity}]',
    "trailing": b"[{}] x",
    "two documents": b"[{}][{}]",
    "cut": b'[{"Config":"config.json"',
    "not UTF-8": b'[{"Config":"\xe9"}]',
    "UTF-16": '[{"Config":"config.json"}]'.encode("utf-16"),
    "empty": b"",
    "zeros": bytes(100),
    "comment": b"[/* */]",
    "single quotes": b"[{'a':1}]",
}


@pytest.mark.case("E06")
@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("way", WAYS)
def test_broken_json_is_refused_by_name(name, way, tmp_path):
    with pytest.raises(ArchiveError, match=r"manifest\.json"):
        load(docker(manifest=BROKEN[name]), way)
    report = read(docker(config="bad.json", **{"bad.json": BROKEN[name]}), way)
    assert errors(report) == ["E06"]
    assert live(report) == {b"etc/motd", b"secret"}
    report = read(build.docker_save(IMAGE) if way == "pipe" else docker(extra={"index.json": BROKEN[name]}), way)
    assert live(report) == {b"etc/motd", b"secret"}


@pytest.mark.case("E06", "A22")
@pytest.mark.parametrize("way", WAYS)
def test_a_document_may_begin_with_much_white_space(way):
    members = build.docker(IMAGE, "legacy")
    report = read(build.archive(members | {"manifest.json": b"\n" * 700_000 + members["manifest.json"]}), way)
    assert report.complete
    assert live(report) == {b"etc/motd", b"secret"}


@pytest.mark.case("E08")
@pytest.mark.parametrize("value", [b"[]", b"{}", b"0"])
@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
def test_a_document_of_millions_of_tiny_values_is_not_built(tmp_path, name, value):
    path = tmp_path / "values.tar"
    row = build.dumps([{"Config": "config.json", "Layers": ["layer.tar"]}])
    many = b"[" + (value + b",") * (30 * MIB // (len(value) + 1)) + value + b"]"
    path.write_bytes(build.archive({"config.json": CONFIG, "layer.tar": LAYER, "manifest.json": row} | {name: many}))
    code, _, said, peak = measure("report", path, "--no-cache", "--quiet", timeout=60)
    assert code == 3
    assert name == "config.json" or "manifest.json has millions of values (--limit json_bytes=VALUE raises the limit)" in said
    assert peak < 250 * MIB


@pytest.mark.case("E08")
@pytest.mark.parametrize(
    "name", ["app/node_modules/.package-lock.json", "app/vendor/composer/installed.json", "app/a.deps.json"]
)
def test_a_package_database_of_millions_of_tiny_values_is_not_built(tmp_path, name):
    path = tmp_path / "values.tar"
    path.write_bytes(build.docker_save(Image([build.layer({name: b'{"packages":[' + b"{}," * (19 * MIB) + b"{}]}"})])))
    code, text, said, peak = measure("report", path, "--no-cache", "--format", "json", timeout=60)
    assert code == 0, said
    assert "not readable: TooManyValuesError" in text
    assert peak < 400 * MIB


@pytest.mark.case("E06", "A22")
def test_an_empty_document_is_told_the_same_whichever_way_it_comes():
    def told(members):
        report = [read(build.archive(members), way) for way in WAYS]
        return [(one.image.config_digest, one.notes) for one in report]

    members = build.docker(IMAGE, "legacy")
    name = next(name for name in members if name.endswith(".json") and name != "manifest.json")
    (place, pipe) = told(members | {name: b""})
    assert place == pipe
    assert "Expecting value" in place[1][0].message
    (place, pipe) = told(build.oci(IMAGE) | {"oci-layout": b""})
    assert place == pipe


GOOD = {
    "byte order mark": (b"\xef\xbb\xbf", b"", None),
    "white space": (b" \r\n\t", b"\n\n", None),
    "1e400": (b"", b"", b'"x":1e400'),
    "surrogate": (b"", b"", b'"RepoTags":["a:\\ud800"]'),
    "doubled key": (b"", b"", b'"Layers":["nothing.tar"],"Layers":["layer.tar"]'),
    "other case": (b"", b"", b'"layers":["layer.tar"]'),
    "NUL": (b"", b"", b'"RepoTags":["a\\u0000b"]'),
}


@pytest.mark.case("E06", "E07")
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("way", WAYS)
def test_odd_json_is_read(name, way):
    before, after, more = GOOD[name]
    middle = (
        b'"Config":"config.json"'
        + (b"," + more if more else b"")
        + (b"" if more and b"ayers" in more else b',"Layers":["layer.tar"]')
    )
    report = read(docker(manifest=before + b"[{" + middle + b"}]" + after), way)
    assert report.complete
    assert live(report) == {b"etc/motd", b"secret"}
    wanted = {"doubled key": "E06", "other case": "E07"}.get(name)
    assert wanted is None or notes(report, wanted)


@pytest.mark.case("E07")
def test_the_exact_key_wins_over_other_cases():
    report = read(
        docker(manifest=b'[{"LAYERS":["nothing"],"Config":"config.json","Layers":["layer.tar"],"layers":["nothing"]}]')
    )
    assert report.complete
    assert notes(report, "E07", "warning") == [
        "manifest.json has 'Layers' and 'LAYERS', which some readers take for the same; 'Layers' holds"
    ]


@pytest.mark.case("E07")
def test_other_cases_in_the_documents_of_oci_are_read_as_go_reads_them():
    def changed(change):
        members = build.oci(IMAGE)
        index = json.loads(members["index.json"])
        name = "blobs/sha256/" + index["manifests"][0]["digest"].removeprefix("sha256:")
        data = build.dumps(change(json.loads(members.pop(name))))
        index["manifests"] = [{"Digest": build.digest(data), "size": len(data)}]
        return build.archive(members | {build.blob(data): data, "index.json": build.dumps(index)})

    upper = read(changed(lambda told: {key.upper(): value for key, value in told.items()}))
    assert live(upper) == {b"etc/motd", b"secret"}
    assert [message for message in notes(upper, "E07", "info") if "'LAYERS'" in message]
    both = read(changed(lambda told: told | {"Layers": []}))
    assert live(both) == {b"etc/motd", b"secret"}
    (warning,) = notes(both, "E07", "warning")
    assert "has 'layers' and 'Layers'" in warning
    config = json.loads(IMAGE.config)
    again = read(docker(config="c.json", **{"c.json": build.dumps({key.title(): value for key, value in config.items()})}))
    assert again.image.config.platform == "linux/amd64"


@pytest.mark.case("A44", "E09")
def test_a_manifest_that_is_listed_many_times_is_read_once(monkeypatch):
    from layerscope.archive.layouts import oci

    members = build.oci(IMAGE)
    index = json.loads(members["index.json"])
    (row,) = index["manifests"]
    told = {"org.opencontainers.image.ref.name": "many:%d"}
    rows = [row | {"annotations": {key: value % number for key, value in told.items()}} for number in range(5000)]
    inner = build.dumps(index | {"manifests": rows})
    members |= {build.blob(inner): inner, "index.json": build.dumps(index | {"manifests": [build.descriptor("x/y", inner)]})}
    read_once = []
    real = oci.parse
    monkeypatch.setattr(oci, "parse", lambda data, what, *rest: (read_once.append(what), real(data, what, *rest))[1])
    image = load(build.archive(members))
    assert len(image.names) == 5000
    assert image.names[-1] == "many:4999"
    assert len(read_once) == 4


@pytest.mark.case("E09", "A10")
def test_attestations_of_no_image_cost_no_memory_for_each_image(tmp_path):
    ref = "org.opencontainers.image.ref.name"
    blob, unknown = build.gz(LAYER), {"os": "unknown", "architecture": "unknown"}
    members, rows = {build.blob(blob): blob}, []
    about = {"schemaVersion": 2, "layers": [build.descriptor("layer.v1.tar+gzip", blob)]}

    def add(document, **more):
        data = build.dumps(document)
        members[build.blob(data)] = data
        rows.append(build.descriptor("manifest.v1+json", data, **more))

    for number in range(4000):
        config = build.config([LAYER], [f"RUN {number}"])
        members[build.blob(config)] = config
        add(about | {"config": build.descriptor("config.v1+json", config)}, annotations={ref: f"n{number}"})
        add({"schemaVersion": 2, "layers": [], "number": number}, platform=unknown)
    path = tmp_path / "many.tar"
    path.write_bytes(build.archive(members | {"index.json": build.dumps({"manifests": rows})}))
    code, text, said, peak = measure("report", path, "--image", "n3", "--format", "json", "--no-cache")
    assert code == 0, said
    assert peak < 300 * MIB
    assert json.loads(text)["totals"]["content_bytes"] == 15


@pytest.mark.case("E06")
def test_keys_and_values_of_any_kind_are_survived():
    kinds = (None, True, -1, 1.5, 10**400, "x", "\ud800", [], [[]], {}, {"a": 1}, [None, 7, "x", {}])
    for key in ("architecture", "os", "config", "rootfs", "history", "created", "variant"):
        for value in kinds:
            config = json.dumps({**json.loads(CONFIG), key: value})[:4000].encode()
            if value != 10**400:
                read(docker(config="c.json", **{"c.json": config}))
    for key in (
        "Env",
        "Cmd",
        "Entrypoint",
        "Labels",
        "ExposedPorts",
        "Volumes",
        "User",
        "WorkingDir",
        "Healthcheck",
        "OnBuild",
    ):
        for value in kinds[:4] + kinds[5:]:
            document = {**json.loads(CONFIG), "config": {key: value}}
            read(docker(config="c.json", **{"c.json": json.dumps(document).encode()}))


@pytest.mark.case("E06")
@pytest.mark.parametrize("manifest", [b"null", b"[]", b"{}", b"[[]]", b"[null]", b"[1]", b'["x"]', b"true", b'"x"', b"[{}]"])
@pytest.mark.parametrize("way", WAYS)
def test_documents_of_another_shape(manifest, way):
    for data in (docker(manifest=manifest), build.archive({"index.json": manifest, "layer.tar": LAYER})):
        try:
            report = read(data, way)
        except LayerscopeError:
            continue
        assert errors(report) == ["A33"]


@pytest.mark.case("E06")
@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"9" * 5000, "x is not valid JSON: a number of 5,000 digits"),
        (b"-" + b"9" * 4300, "x is not valid JSON: a number of 4,301 digits"),
        (b'["\xe9"]', "x is not valid JSON: not UTF-8, at byte 2"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_the_document(data, told):
    with pytest.raises(ArchiveError) as caught:
        parse(data, "x", Limits(), Notebook())
    assert str(caught.value) == told
    assert parse(b"9" * 4300, "x", Limits(), Notebook()) == int("9" * 4300)


@pytest.mark.case("E06")
def test_the_parser_says_what_is_wrong():
    with pytest.raises(ArchiveError, match="x is not valid JSON: nested too deep"):
        parse(b"[" * 200_000, "x", Limits(), Notebook())
    with pytest.raises(ArchiveError, match="--limit json_depth=VALUE"):
        parse(b"[" * 200 + b"]" * 200, "x", Limits(), Notebook())


@pytest.mark.case("E33")
def test_urls_are_never_fetched(monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    def change(manifest, _):
        manifest["layers"][0] |= {"urls": ["http://127.0.0.1:9/layer", "file:///etc/passwd"], "digest": "sha256:" + "a" * 64}

    report = read(oci(change))
    assert report.complete
    assert report.image.layers[0].blob_bytes is None


@pytest.mark.case("E01", "E06")
def test_the_command_line_says_it_in_one_line(tmp_path):
    place = tmp_path / "x.tar"
    place.write_bytes(docker(manifest=BROKEN["200,000 arrays"]))
    done = run("report", place)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.count(b"\n") == 1
