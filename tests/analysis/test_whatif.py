"""What would be, is what comes out when the image is really built so."""

from __future__ import annotations

import io
import json
import tarfile
from random import Random

import build
import jsonschema
import pytest
from build import Dir, File, Hardlink, Symlink, files, layer, opaque, tar, whiteout
from layerscope import api
from layerscope.analysis.whatif import COVER
from layerscope.cli.session import run
from layerscope.errors import SelectionError
from layerscope.questions import Plan
from layerscope.render.options import Options
from layerscope.render.schemas import schema_text
from layerscope.render.whatif import CAVEAT, WHATIF_FORMATS
from stacking.layers import layer as layers_of
from stacking.layers import random_op

from analysis.make import dpkg, image

LONG = "usr/share/doc/" + "x" * 120


def sizes(made):
    """Return what a real image weighs: tar, content, live."""
    books = api.analyze(made).books
    return books.tar_bytes, books.content_bytes, books.live_bytes


def told(made, **plan):
    found = api.whatif(made, Plan(**plan))
    return found, (found.after.tar_bytes, found.after.content_bytes, found.after.live_bytes)


def test_a_path_goes_with_its_versions_and_whiteouts():
    base = {"usr/": Dir(), "usr/bin/a": b"a" * 700, "usr/share/doc/a": b"d" * 600, LONG: b"e" * 5}
    middle = {"usr/share/doc/a": b"D" * 900, "usr/bin/b": b"b"}
    top = tar(whiteout("usr/share/doc/a"), files({"usr/bin/a": File(b"a" * 700, mode=0o755)}))
    made = image(base, middle, top)
    real = image({"usr/": Dir(), "usr/bin/a": b"a" * 700}, {"usr/bin/b": b"b"}, layer({"usr/bin/a": File(b"a" * 700)}))
    found, sizes_told = told(made, globs=("/usr/share/doc",))
    assert sizes_told == sizes(real)
    assert found.losses[0].entries == 4
    assert told(made, globs=("*/doc/*",))[1] == sizes(real)
    assert [change.after.tar_bytes for change in found.layers] == [row.tar_bytes for row in api.analyze(real).books.layers]


@pytest.mark.parametrize("glob", ["/a", "/b", "/c", "/[ab]", "/[bc]", "/*"])
def test_data_stay_while_a_name_does(glob):
    names = {"a": b"x" * 1000, "b": Hardlink("a"), "c": Hardlink("a"), "d/s": Symlink("t"), "e": Hardlink("d/s")}
    left = {name: node for name, node in names.items() if not tarred(name, glob)}
    first = next((name for name in ("a", "b", "c") if name in left), None)
    if first:
        left[first] = names["a"]
        left |= {name: Hardlink(first) for name in ("b", "c") if name in left and name != first}
    if "e" in left and "d/s" not in left:
        left["e"] = names["d/s"]
    assert told(image(names), globs=(glob,))[1] == sizes(image(left))


def tarred(name, glob):
    return glob == "/*" or name in glob


def test_a_whiteout_stays_while_it_hides_something():
    made = image({"app/a": b"a" * 10, "app/b": b"b"}, tar(whiteout("app"), files({"new": b"n"})))
    assert told(made, globs=("/app/a",))[1] == sizes(image({"app/b": b"b"}, tar(whiteout("app"), files({"new": b"n"}))))
    assert told(made, globs=("/app/[ab]",))[1] == sizes(image({}, {"new": b"n"}))


def test_a_package_goes_with_what_only_it_needs_and_their_folders():
    tools = {"usr/": Dir(), "usr/lib/": Dir(), "usr/lib/gcc/": Dir(), "usr/lib/gcc/cc1": b"c" * 3000}
    shared = {"usr/bin/": Dir(), "usr/bin/make": b"m" * 10}
    full = dpkg(
        ("build", "make, gcc", "", {}),
        ("gcc", "", "", {}),
        ("make", "", "", {}),
        ("app", "make", "", {}),
        automatic=["make", "gcc"],
    )
    full["var/lib/dpkg/info/gcc.list"] = b"/usr/lib/gcc/cc1\n"
    full["var/lib/dpkg/info/make.list"] = b"/usr/bin/make\n"
    made = image(full | tools | shared, {"usr/lib/gcc/": Dir(), "usr/lib/gcc/cc1": File(b"c" * 3000, mode=0o755)})
    without = {name: node for name, node in tools.items() if "gcc" not in name and name != "usr/lib/"}
    assert told(made, packages=("build",))[1] == sizes(image(full | without | shared, {}))
    assert told(made, packages=("app",))[0].losses[0].bytes == 0
    with pytest.raises(SelectionError) as error:
        told(made, packages=("gc",))
    assert error.value.choices == ("gcc",)


def test_a_cause_goes_with_its_tar_bytes():
    lists = {"var/lib/apt/lists/a": b"x" * 5000, "var/lib/apt/lists/b": Hardlink("var/lib/apt/lists/a")}
    made = image({"bin/x": b"b" * 100, **lists}, {"bin/x": File(b"b" * 100, mode=0o755)})
    causes = api.analyze(made).causes
    for cause in causes:
        found, _ = told(made, causes=(cause.id,))
        assert found.before.tar_bytes - found.after.tar_bytes == cause.tar_bytes == found.losses[0].tar_bytes
    assert {cause.id for cause in causes} == {"package-manager-cache", "metadata-only-copy"}
    with pytest.raises(SelectionError) as error:
        told(made, causes=("logs",))
    assert set(error.value.choices) == {"package-manager-cache", "metadata-only-copy"}


def test_what_is_left_out_shows_nothing_from_below():
    old, new = {"tmp/a": b"o" * 700}, {"tmp/a": b"n" * 900}
    made = image(old | {"d/x": b"x"}, new | {"d": b"file"}, {"d": Dir(), "d/y": b"y"})
    found, sizes_told = told(made, causes=("temporary-files", "replaced-later"))
    real = [old | {"d/x": b"x"}, tar(whiteout("tmp/a")), {"d/": Dir(), "d/y": b"y"}]
    assert [loss.name for loss in found.losses] == ["cause:temporary-files", "cause:replaced-later"]
    assert sizes_told[2] == found.before.live_bytes - 900
    found, sizes_told = told(made, causes=("temporary-files",))
    assert [(loss.name, loss.entries, loss.bytes, loss.tar_bytes) for loss in found.losses] == [
        ("cause:temporary-files", 1, 900, 1536),
        (COVER, -1, 0, -512),
    ]
    real[1] = tar(whiteout("tmp/a"), files({"d": b"file"}))
    assert sizes_told == sizes(image(*real))
    text = WHATIF_FORMATS["text"](found, Options())
    assert f" {COVER}" in text
    assert "-512 B" in text
    jsonschema.validate(json.loads(WHATIF_FORMATS["json"](found, Options())), json.loads(schema_text("whatif")))


def test_layers_as_one():
    base = {"etc/a": b"a" * 100, "etc/b": b"b", "srv/": Dir(), "srv/x": b"x" * 50, "srv/y": b"y"}
    one = tar(whiteout("etc/a"), files({"tmp/build": b"t" * 4000, "opt/": Dir(), "opt/p": b"p" * 600}))
    two = tar(whiteout("tmp/build"), whiteout("srv"), files({"srv/": Dir(), "srv/z": b"z", "opt/p": File(b"p" * 600, uid=5)}))
    three = layer({"etc/a": b"new"})
    top = {"last": b"l"}
    real = [tar(whiteout("srv"), files({"opt/": Dir(), "srv/": Dir(), "srv/z": b"z", "opt/p": b"p" * 600, "etc/a": b"new"}))]
    found, sizes_told = told(image(base, one, two, three, top), squash=(1, 3))
    assert sizes_told == sizes(image(base, *real, top))
    assert found.losses[-1].name == "layers 1 to 3 as one"
    assert [change.positions for change in found.layers] == [(0,), (1, 2, 3), (4,)]
    whole = {"etc/b": b"b", "opt/": Dir(), "srv/": Dir(), "srv/z": b"z", "opt/p": b"p" * 600, "etc/a": b"new", "last": b"l"}
    assert told(image(base, one, two, three, top), squash=(0, 4))[1] == sizes(image(whole))


def test_marks_and_links_of_layers_as_one():
    base = {"d/": Dir(), "d/a": b"a" * 10, "d/b": b"b"}
    one = tar(opaque("d"), files({"d/": Dir(), "d/n": b"n" * 900, "d/m": Hardlink("d/n")}))
    two = tar(whiteout("d/n"), files({"e": b"e"}))
    real = tar(opaque("d"), files({"d/": Dir(), "d/m": b"n" * 900, "e": b"e"}))
    assert told(image(base, one, two), squash=(1, 2))[1] == sizes(image(base, real))


def test_other_links_stay_where_a_file_is_known_by_another_name():
    names = {"d/": Dir(), "d/n": b"n" * 900, "d/m": Hardlink("d/n"), "d/o": Hardlink("d/n")}
    made = image(names, tar(whiteout("d/n")), tar(whiteout("d/m")))
    left = {"d/": Dir(), "d/m": b"n" * 900, "d/o": Hardlink("d/m")}
    assert told(made, squash=(0, 1))[1] == sizes(image(left, tar(whiteout("d/m"))))
    assert told(made, globs=("/d/n",))[1] == sizes(image(left, {}, tar(whiteout("d/m"))))
    linked = image(names, {"e": Hardlink("d/n")}, tar(whiteout("d")))
    real = image({"d/": Dir(), "d/m": b"n" * 900, "d/o": Hardlink("d/m")}, {"e": Hardlink("d/m")}, tar(whiteout("d")))
    assert told(linked, globs=("/d/n",))[1] == sizes(real)


def test_a_mark_makes_its_folder_also_in_layers_as_one():
    base = {"b": b"b" * 9}
    for mark in (whiteout("b/c"), opaque("b"), opaque("b/c/d")):
        assert told(image(base, tar(mark), {"x": b"x"}), squash=(1, 2))[1] == sizes(image(base, tar(mark, files({"x": b"x"}))))


def test_a_folder_that_was_a_file_between_shows_nothing_from_below():
    base = {"d/": Dir(), "d/x": b"x" * 100, "d/e/y": b"y" * 10}
    for between in (b"file", Symlink("elsewhere")):
        found, sizes_told = told(image(base, {"d": between}, {"d/": Dir(), "d/z": b"z"}), squash=(1, 2))
        assert sizes_told == sizes(image(base, tar(opaque("d"), files({"d/": Dir(), "d/z": b"z"}))))
        assert found.after.live_bytes == found.before.live_bytes == 1
    found, sizes_told = told(image(base, {"d": b"file"}, {"d/": Dir(), "d/z": b"z"}), squash=(0, 2))
    assert sizes_told == sizes(image({"d/": Dir(), "d/z": b"z"}))


def test_a_layer_that_is_not_there_cannot_be_merged(tmp_path):
    tars = [layer({"a": b"1"}), layer({"b": b"2"})]
    data = build.docker_save(build.Image(tars), omit=[tars[1]])
    (tmp_path / "a.tar").write_bytes(data)
    made = api.load(str(tmp_path / "a.tar"))
    with pytest.raises(SelectionError, match="layer 1 is not in the archive"):
        told(made, squash=(0, 1))
    with pytest.raises(SelectionError, match="there is no layer 5"):
        told(made, squash=(0, 5))
    assert told(made, globs=("/a",))[1] == (1024, 0, 0)


def test_records_of_gnu_tar_stay_whole():
    trees = ({"a": b"x" * 9000, "b": b"y" * 3000}, {"b": b"y" * 3000})
    padded, real = (image(tar(files(tree), pad=10_240)) for tree in trees)
    assert told(padded, globs=("/a",))[1] == sizes(real)


def test_a_layer_that_is_there_twice_counts_once():
    twice = layer({"a": b"1" * 600, "b": b"2"})
    made, real = image(twice, {"c": b"3"}, twice), layer({"b": b"2"})
    assert told(made, globs=("/a",))[1] == sizes(image(real, {"c": b"3"}, real))


def tree(random):
    """Return a layer of files, folders and marks; `f` may be a file here and a folder there."""
    entries = []
    for _ in range(random.randrange(1, 9)):
        kind = random.randrange(5)
        folder = "/".join(random.choices("def" if kind > 1 else "de", k=random.randrange(3)))
        name = f"{folder}/{random.choice('abcf')}".lstrip("/")
        if kind == 0 and folder:
            entries.append(random.choice((whiteout, opaque))(folder))
        elif kind == 1:
            entries.append(whiteout(name))
        elif kind == 2 and folder:
            entries.append(build.entry(f"{folder}/", type=b"5"))
        else:
            entries.append(build.entry(name, bytes(random.randrange(2000))))
    return tar(*entries)


@pytest.mark.parametrize("seed", range(200))
def test_a_container_sees_the_same_in_layers_as_one(seed):
    random = Random(seed)
    made = image(*(tree(random) for _ in range(5)))
    first = random.randrange(4)
    last = random.randrange(first + 1, 5)
    found = api.whatif(made, Plan(squash=(first, last)))
    assert found.after.live_bytes == found.before.live_bytes
    assert found.after.content_bytes <= found.before.content_bytes
    if (first, last) == (0, 4):
        assert found.after.content_bytes == found.before.live_bytes


@pytest.mark.parametrize("seed", [*range(150), 156, 476, 527, 1954])
def test_hard_links_lead_where_they_led_in_layers_as_one(seed):
    random = Random(seed)
    kinds = ("file", "file", "file", "hardlink", "hardlink", "whiteout", "opaque", "folder")
    layers = [layers_of([random_op(random, kinds) for _ in range(random.randrange(1, 9))]) for _ in range(5)]
    made, first = image(*layers), random.randrange(4)
    found = api.whatif(made, Plan(squash=(first, random.randrange(first + 1, 5))))
    assert found.after.live_bytes == found.before.live_bytes


def test_formats(tmp_path, capsys):
    path = str(tmp_path / "a.tar")
    layers = [layer({"usr/share/doc/a": b"d" * 5000}), layer({"usr/share/doc/a": b"d", "b\x1b[2J": b"x"})]
    (tmp_path / "a.tar").write_bytes(build.docker_save(build.Image(layers, history=["ADD \x1b[31mx", "RUN y"])))
    found = api.whatif(api.load(path), Plan(globs=("/usr/share/doc",)))
    jsonschema.validate(json.loads(WHATIF_FORMATS["json"](found, Options())), json.loads(schema_text("whatif")))
    for name in ("text", "markdown"):
        text = WHATIF_FORMATS[name](found, Options())
        assert "\x1b" not in text
        assert CAVEAT.split(":")[0] in text
    assert run(["whatif", path, "--drop", "doc/*", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["losses"][0] == {"name": "*/doc/*", "entries": 2, "bytes": 5001, "tar_bytes": 512 * 13}
    assert run(["whatif", path]) == 2
    assert run(["whatif", path, "--squash", "1-1"]) == 2
    assert run(["whatif", path, "--drop", "/usr/doc/a"]) == 2
    assert "/usr/share/doc/a" in capsys.readouterr().err
    assert run(["whatif", path, "--without", "cause:replaced-later", "--squash", "0-1"]) == 0


def test_what_tarfile_makes_of_it():
    """The same with somebody else's writer: GNU format, records of 10,240 bytes."""

    def write(tree):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, size in tree.items():
                member = tarfile.TarInfo(name)
                member.size = size
                archive.addfile(member, io.BytesIO(bytes(size)))
        return stream.getvalue()

    names = {"n" * 130 + str(number): number * 777 for number in range(20)}
    some = {name: size for name, size in names.items() if not name.endswith("7")}
    assert told(image(write(names)), globs=("/*7",))[1] == sizes(image(write(some)))
