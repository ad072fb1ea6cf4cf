"""Does the compiled way of putting plain rows stack as the loop in Python does, whatever the layers?"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections import Counter
from dataclasses import fields, replace
from itertools import compress
from pathlib import Path
from random import Random

import build
import pytest
from build import Dir, File, Hardlink, Symlink
from layerscope.analysis import dive
from layerscope.rootfs import paths as naming
from layerscope.rootfs import stacker
from layerscope.rootfs.stack import DELETED, Stack
from layerscope.rootfs.stacker import stack

from stacking.compare import index
from stacking.layers import KINDS, layer, random_op, random_stack
from stacking.test_cases import TABLE

compiled = pytest.mark.skipif(stacker.quickly is None, reason="layerscope was installed without its compiled part")
MIXTURES = (KINDS, ("file", "folder", "symlink"), ("file", "folder", "folder", "fifo", "whiteout", "opaque"))


def everything(stacked: Stack) -> dict:
    told = {field.name: getattr(stacked, field.name) for field in fields(Stack)}
    return told | {"visible": dict(stacked.visible.items())}


def same_both_ways(layers: list[bytes], at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    indexes = [index(data) for data in layers]
    with monkeypatch.context() as patch:
        patch.setattr(stacker, "AT_ONCE", at_once)
        quickly = everything(stack(indexes))
        patch.setattr(stacker, "quickly", None)
        patch.setattr(naming, "seek", None)
        assert everything(stack(indexes)) == quickly


@compiled
def test_it_is_made_of_the_source_that_is_here():
    from layerscope import stacking

    source = Path(stacker.__file__).parents[1] / "stacking.c"
    assert hashlib.sha256(source.read_bytes()).hexdigest() == stacking.SOURCE, "install again: pip install -e ."


@compiled
@pytest.mark.parametrize("name", TABLE)
def test_cases(name: str, monkeypatch: pytest.MonkeyPatch):
    same_both_ways(TABLE[name][0], 1, monkeypatch)


@compiled
@pytest.mark.parametrize("seed", range(40))
def test_any_stack(seed: int, monkeypatch: pytest.MonkeyPatch):
    random = Random(seed)
    for _ in range(10):
        same_both_ways(random_stack(random), random.choice((1, 2, 5)), monkeypatch)
        kinds = random.choice(MIXTURES)
        layers = [layer([random_op(random, kinds) for _ in range(random.randrange(60))]) for _ in range(4)]
        same_both_ways(layers, random.choice((1, 2, 5)), monkeypatch)


@compiled
def test_plain_rows_need_no_loop(monkeypatch: pytest.MonkeyPatch):
    passed: Counter[str] = Counter()
    loop = stacker.Stacker._put_rows

    def watch(self, index, at, stop):
        passed["rows"] += stop - at
        loop(self, index, at, stop)

    monkeypatch.setattr(stacker.Stacker, "_put_rows", watch)
    names = [f"{folder}{name}" for folder in ("d/", "d/e/") for name in range(100)]
    files = {"d": Dir(), "d/e": Dir(), "link": Symlink("d")} | {name: File(b"1") for name in names}
    lower, upper = build.layer(files), build.layer(files | {"d/f": File(b"2")})
    stack([index(lower), index(upper)])
    assert not passed["rows"]
    stack([index(lower), index(build.layer({"d/1": File(b""), "h": Hardlink("d/1"), "d/2": File(b"")}))])
    assert passed["rows"] == 2


@compiled
def test_what_it_is_given_is_checked():
    def arguments(**other):
        numbers = [array("i", [0, 1]), array("i", [-1, -1]), array("i", [-1, -1]), array("i", [-1, -1]), array("i", [-1, -1])]
        right = {
            "paths": [b"a", b"b"], "folders": [b"", b""], "at": 0, "start": 0, "position": 0, "implied": 0,
            "children": {b"": []}, "kinds": bytearray(2), "fates": bytearray(2),
            **dict(zip(("numbers", "ended", "successors", "ousted", "tops"), numbers, strict=True)),
        }  # fmt: skip
        assert not other.keys() - right.keys()
        return (right | other).values()

    put = stacker.quickly
    assert put is not None
    assert put(*arguments()) == 2
    assert put(*arguments(children={})) == 0
    assert put(*arguments(children={b"": ()})) == 0
    assert put(*arguments(at=3)) == 3
    assert put(*arguments(paths=[1, 2])) == 0
    for wrong in (array("i", [2, 2]), array("i", [-1, -1]), array("i", [1 << 30, 0])):
        assert put(*arguments(numbers=wrong)) == 0
    assert put(*arguments(tops=array("i"))) == 0
    assert put(*arguments(tops=array("i", [1 << 30, -1]))) == 0
    short, wide = array("i", [-1]), array("q", [-1, -1])
    for name in ("numbers", "ended", "successors", "ousted"):
        for column in (short, wide):
            with pytest.raises(ValueError, match="belong together"):
                put(*arguments(**{name: column}))
    for other in (
        {"at": -1}, {"start": 1}, {"start": -1}, {"start": sys.maxsize}, {"folders": [b""]}, {"fates": bytearray(1)},
        {"kinds": bytearray(1)}, {"tops": wide}, {"paths": [b"a"] * 3, "folders": [b""] * 3},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="belong together"):
            put(*arguments(**other))
    for name in ("paths", "folders", "children", "kinds", "fates", "tops"):
        with pytest.raises(TypeError):
            put(*arguments(**{name: None}))
    with pytest.raises(TypeError):
        put(*arguments(paths=[b"a"], folders=[[]], kinds=bytearray(1), fates=bytearray(1), **{
            name: array("i", [0]) for name in ("numbers", "ended", "successors", "ousted", "tops")
        }))  # fmt: skip


@compiled
@pytest.mark.parametrize("seed", range(20))
def test_numbers_of_any_paths(seed: int, monkeypatch: pytest.MonkeyPatch):
    random = Random(seed)
    paths = [b"a" * random.randrange(3) + b"%d" % random.randrange(60) for _ in range(random.choice((0, 1, 2, 3, 80)))]
    layer = build.layer({})
    again = [paths, paths[::2], paths[3:] + paths[:2] + [b"new"] + paths[2:], [*paths, *paths][: random.randrange(99)]]
    indexes = [replace(index(layer), paths=list(paths)), None, *(replace(index(layer), paths=list(one)) for one in again)]
    quick = naming.Numbers(indexes)
    monkeypatch.setattr(naming, "seek", None)
    plain = naming.Numbers(indexes)
    monkeypatch.undo()
    assert quick.of_rows == plain.of_rows
    tops = array("i", [random.randrange(-1, 3) if number == row else -1 for row, number in enumerate(quick.of_rows)])
    assert dict(naming.View(quick, tops)) == dict(naming.View(quick, tops).items()) == dict(naming.View(plain, tops))
    assert len(naming.View(quick, tops)) == len(dict(naming.View(quick, tops)))
    more = [random.choice((b"", b"b", b"a", *paths)) for _ in range(20)]
    assert [quick.get(path) for path in more] == [plain.get(path) for path in more]
    assert [quick.add(path) for path in more] == [plain.add(path) for path in more]
    assert [quick.get(path) for path in more] == [plain.get(path) for path in more]
    assert quick.paths == plain.paths


@compiled
def test_a_folder_is_buried_without_a_look_at_each_path(monkeypatch: pytest.MonkeyPatch):
    asked: list[bytes] = []
    get = naming.Numbers.get
    monkeypatch.setattr(naming.Numbers, "get", lambda self, path: asked.append(path) or get(self, path))
    files = {"d": Dir(), "d/e": Dir()} | {f"d/e/{name}": File(b"1") for name in range(9)}
    found = stack([index(build.layer(files)), index(build.layer({".wh.d": File(b"")}))])
    assert list(found.fates).count(DELETED) == 11
    assert set(asked) == {b"d"}


@compiled
def test_what_is_buried_is_checked():
    from layerscope.stacking import bury, number

    def arguments(**other):
        paths, slots = [b"a", b"a/b"], array("i", [-1]) * 4
        number(paths, slots, array("i", [0, 0]))
        right = {
            "paths": paths, "slots": slots, "tops": array("i", [5, 6]), "children": {b"a": [b"a/b", b"a/c"]}, "waiting": [b"a"],
            "gone": [],
        }  # fmt: skip
        assert not other.keys() - right.keys()
        return right | other

    def run(**other):
        given = arguments(**other)
        bury(*given.values())
        return [list(given["tops"]), given["children"], given["waiting"], given["gone"]]

    assert run() == [[-1, -1], {}, [], [5, 6]]
    assert run(waiting=[]) == [[5, 6], {b"a": [b"a/b", b"a/c"]}, [], []]
    assert run(tops=array("i", [5])) == [[-1], {}, [], [5]]
    assert run(tops=array("i")) == [[], {}, [], []]
    for wrong in (
        {"slots": array("i", [-1] * 3)},
        {"slots": array("q", [-1] * 4)},
        {"tops": array("q", [5, 6])},
        {"paths": []},
    ):
        with pytest.raises(ValueError, match="belong"):
            run(**wrong)
    for name in ("paths", "slots", "tops", "children", "waiting", "gone"):
        with pytest.raises(TypeError):
            run(**{name: None})
    for wrong in ({"waiting": [1]}, {"children": {b"a": 1}}, {"children": {b"a": [None]}}):
        with pytest.raises(TypeError):
            run(**wrong)


@compiled
def test_tables_of_paths_are_checked():
    from layerscope.stacking import number, seek

    paths, slots = [b"a", b"b"], array("i", [-1]) * 4
    number(paths, slots, array("i", [0, 0]))
    assert [seek(paths, slots, path) for path in (b"a", b"b", b"c")] == [0, 1, -1]
    for wrong in (array("i", [-1] * 3), array("i"), array("q", [-1] * 4)):
        with pytest.raises(ValueError, match="belong together"):
            number(paths, wrong, array("i", [0, 0]))
        with pytest.raises(ValueError, match="belong together"):
            seek(paths, wrong, b"a")
    for wrong in (array("i", [0]), array("i", [0] * 3), array("q", [0, 0])):
        with pytest.raises(ValueError, match="belong together"):
            number(paths, array("i", [-1]) * 4, wrong)
    for wrong in ([], [1, 2], [b"c", b"d"]):
        with pytest.raises(ValueError, match="belong to its paths, or is full"):
            seek(wrong, array("i", [0, 1]), b"a")
    with pytest.raises(ValueError, match="is full"):
        number([b"a", b"b", b"c"], array("i", [-1]) * 2, array("i", [0] * 3))
    for wrong in (1, "a", None, bytearray(b"a")):
        with pytest.raises(TypeError):
            seek(paths, slots, wrong)
        with pytest.raises(TypeError):
            number([wrong], array("i", [-1]) * 2, array("i", [0]))


def columns(random: Random, most: int) -> tuple[array, array, bytearray]:
    """Return numbers of paths, weights and a mask of leaves; what is no leaf weighs nothing."""
    count, first = random.randrange(30), {}
    numbers = array("i", [first.setdefault(random.randrange(12), row) for row in range(count)])
    leaves = bytearray(random.choice((0, 1, 1)) for _ in range(count))
    return numbers, array("q", [random.randrange(most) * leaf for leaf in leaves]), leaves


@compiled
@pytest.mark.parametrize("seed", range(40))
def test_weights_of_any_rows(seed: int):
    random = Random(seed)
    for most in (2, 5, 1 << 40, 1 << 57):
        numbers, weights, leaves = columns(random, most)
        paths: dict[int, list[int]] = {}
        for number, weight in compress(zip(numbers, weights, strict=True), leaves):
            paths.setdefault(number, []).append(weight)
        wanted = (sum(weights), sum(map(min, paths.values())), sum(sum(one) for one in paths.values() if len(one) > 1))
        assert dive.quickly(numbers, weights[:], leaves) == wanted
        assert dive._gather(numbers, weights[:], leaves) == wanted


@compiled
def test_weights_that_are_too_large_are_left_alone():
    for weight in (-1, 1 << 62):
        weights = array("q", [3, weight, 2])
        assert dive.quickly(array("i", [0, 1, 0]), weights, bytearray(b"\1\1\1")) is None
        assert list(weights) == [3, weight, 2]


@compiled
def test_columns_of_weights_are_checked():
    numbers, weights, leaves = array("i", [0, 0]), array("q", [1, 2]), bytearray(2)
    assert dive.quickly(numbers, weights, leaves) == (0, 0, 0)
    for wrong in (
        (array("i", [1, 1]), weights, leaves), (array("i", [0, -1]), weights, leaves), (array("i", [0, 1 << 30]), weights, leaves),
        (array("i", [0]), weights, leaves), (array("q", [0, 0]), weights, leaves), (numbers, array("q"), leaves),
        (numbers, array("i", [1, 2]), leaves), (numbers, weights, bytearray(3)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="belong together"):
            dive.quickly(*wrong)
    with pytest.raises(TypeError):
        dive.quickly(numbers, weights, None)
