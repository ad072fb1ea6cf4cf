"""Do the compiled loops over columns tell what the plain ones do, and is what they are given checked?"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from random import Random

import pytest
from layerscope import columns

compiled = pytest.mark.skipif(columns._compiled is None, reason="layerscope was installed without its compiled part")
FOLDERS = [b"", b"a", b"a/b", b"usr/lib", b"usr/lib"]
TAILS = (b".js", b"json", b"/.env", b"on", b".tar.gz", b"gz", b"og", b".log")


def random_folders(random: Random) -> list[bytes]:
    """Return folders as rows have them: mostly the row's before, and also another object of the same name."""
    found: list[bytes] = []
    for _ in range(random.randrange(40)):
        folder = random.choice(FOLDERS)
        found.append(found[-1] if found and random.random() < 0.6 else bytes(bytearray(folder)))
    return found


def random_path(random: Random) -> bytes:
    return b"".join(random.choice((b"a", b"n", b"o", b".", b"/", *TAILS)) for _ in range(random.randrange(5)))


def numbers(random: Random, count: int, most: int = 9, typecode: str = "i") -> array:
    return array(typecode, [random.randrange(-3, most) for _ in range(count)])


def cases(random: Random) -> dict[str, tuple]:
    """Return arguments for each function."""
    folders, paths = random_folders(random), [random_path(random) for _ in range(random.randrange(40))]
    count = random.randrange(40)
    mask = bytes(random.choice((0, 0, 1)) for _ in range(count))
    rows = [random.randrange(count) for _ in range(random.randrange(30) if count else 0)]
    twins = [random.randrange(5) for _ in rows]
    typecode = random.choice("Hqi")
    column, other = (array(typecode, [random.randrange(3) for _ in range(size)]) for size in (count, 5))
    sizes = array("q", [random.choice((0, 1, 5, 1 << 40)) for _ in range(count)])
    ids = array("q", random.sample(range(1000), count))
    lists = random.random() < 0.3
    start = random.randrange(9)
    linked = bytearray(random.choice((0, 0, 0, 1)) for _ in range(start + count + 9))
    there = random.choice(((start, start + count), (start + count, len(linked)), (0, start)))
    return {
        "where": (mask,),
        "turns": (folders,),
        "among": (folders, random.choice((set(FOLDERS[:2]), {}, dict.fromkeys(FOLDERS[1:]).keys()))),
        "spread": ({folder: random.randrange(-9, 9) for folder in FOLDERS}, folders),
        "ending": (paths, random.choice((TAILS, TAILS[:2], ())), bytes(random.choice((0, 1, 1)) for _ in paths)),
        "translate": (numbers(random, count), bytes(random.randrange(256) for _ in range(random.randrange(9)))),
        "differ": (list(column) if lists else column, rows, list(other) if lists else other, twins),
        "add_up": (random.choice((numbers(random, count, random.choice((3, 9, 1 << 30))), bytearray(mask))), sizes, mask),
        "largest": (ids, sizes, random.randrange(8)),
        "sort_out": (rows, random.randrange(99), sizes),
        "pair_off": (rows, sizes, start, numbers(random, len(linked), len(linked) + 2), linked, there),
    }


@compiled
@pytest.mark.parametrize("seed", range(60))
def test_both_ways_tell_the_same(seed: int, monkeypatch: pytest.MonkeyPatch):
    random = Random(seed)
    for _ in range(5):
        given = cases(random)
        quickly = {name: getattr(columns, name)(*arguments) for name, arguments in given.items()}
        with monkeypatch.context() as patch:
            patch.setattr(columns, "_compiled", None)
            assert {name: getattr(columns, name)(*arguments) for name, arguments in given.items()} == quickly


@pytest.fixture(params=[pytest.param(True, marks=compiled), False], ids=["compiled", "plain"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(columns, "_compiled", None)


@pytest.mark.usefixtures("way")
def test_what_they_tell():
    one, other = b"usr/lib", bytes(bytearray(b"usr/lib"))
    assert columns.where(b"\0\1\0\1") == [1, 3]
    assert columns.turns([one, one, other, other, one]) == b"\1\0\1\0\1"
    assert columns.among([b"", one, other, b"a"], {one}) == b"\0\1\1\0"
    assert columns.spread({one: 7, b"": -1}, [b"", one, other]) == array("i", [-1, 7, 7])
    assert (
        columns.ending([b"a.js", b"js", b"x.json", b"n", b"", b"a.js"], (b".js", b"json"), b"\1\1\1\1\1\0") == b"\1\0\1\0\0\0"
    )
    assert columns.translate(array("i", [-1, 0, 1, 2]), b"\4\5") == b"\0\4\5\0"
    assert columns.differ(array("H", [1, 2, 3]), [0, 1, 2], array("H", [3, 2, 1]), [2, 1, 1]) == b"\0\0\1"
    assert columns.differ([1 << 70, 2], [0, 1, 0], [1 << 70], [0, 0, 0]) == b"\0\1\0"
    assert columns.add_up(array("i", [-2, 5, -2, 5]), array("q", [1, 2, 3, 9]), b"\1\1\1\0") == {-2: (2, 4), 5: (1, 2)}
    assert columns.add_up(bytearray(b"\2\0\2\xff"), array("q", [1, 2, 3, 4]), b"\1" * 4) == {2: (2, 4), 0: (1, 2), 255: (1, 4)}
    assert columns.largest(array("q", [9, 4, 7, 1]), array("q", [5, 5, 6, 1]), 3) == [(7, 6), (4, 5), (9, 5)]
    successors, linked = array("i", [4, 5, 3, 5, -1, -1]), bytearray(b"\0\0\0\1\0\0")
    assert columns.pair_off([0, 1, 2, 3], array("q", [1, 0, 1, 1]), 0, successors, linked, (4, 6)) == ([0], [0], [1, 2, 3])
    assert columns.pair_off([1, 0], array("q", [1, 1, 1]), 0, successors, linked, (4, 6)) == ([1, 0], [1, 0], [])
    assert columns.pair_off([0], array("q", [1]), 0, successors, bytearray(b"\0\0\0\0\1\0"), (4, 6)) == ([], [], [0])
    assert columns.sort_out([0, 2, 1], 10, array("q", [5, 0, 6])) == (
        array("q", [10, 12]),
        array("q", [5, 6]),
        array("q", [11]),
    )


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("weight", [1 << 62, -1])
def test_sums_that_no_column_holds_are_right(weight: int):
    found = columns.add_up(array("i", [0] * 9), array("q", [weight] * 9), b"\1" * 9)
    assert found == {0: (9, 9 * weight)}


def ints(*values: int) -> array:
    return array("i", values)


def longs(*values: int) -> array:
    return array("q", values)


WRONG: tuple[tuple[type[Exception], str, tuple], ...] = (
    (TypeError, "where", (None,)),
    (TypeError, "turns", ((b"a",),)),
    (TypeError, "among", ((b"a",), set())),
    (TypeError, "among", ([[]], set())),
    (TypeError, "among", ([b"a"], None)),
    (TypeError, "spread", ([], [b"a"])),
    (KeyError, "spread", ({}, [b"a"])),
    (TypeError, "spread", ({b"a": "1"}, [b"a"])),
    (TypeError, "spread", ({b"a": 1}, [[]])),
    (OverflowError, "spread", ({b"a": 1 << 40}, [b"a"])),
    (TypeError, "ending", ([1], (b"js",), b"\1")),
    (ValueError, "ending", ([b"a"], (b"js",), b"")),
    (ValueError, "ending", ([b"a"], (b"s",), b"\1")),
    (ValueError, "ending", ([b"a"], (b"js", "js"), b"\1")),
    (ValueError, "translate", (longs(1), b"")),
    (TypeError, "translate", ([1], b"")),
    (IndexError, "differ", (ints(1), [1], ints(1), [0])),
    (IndexError, "differ", (ints(1), [0], ints(1), [-1])),
    (IndexError, "differ", ([1], [1], [1], [0])),
    (IndexError, "differ", ([1], [0], [1], [-1])),
    (ValueError, "differ", (ints(1), [0], longs(1), [0])),
    (ValueError, "differ", (ints(1), [0], ints(1), [])),
    (TypeError, "differ", (ints(1), ["0"], ints(1), [0])),
    (TypeError, "differ", ([1], [0], [1], ["0"])),
    (TypeError, "differ", ([1], [0], ints(1), [0])),
    (TypeError, "differ", (ints(1), [0], [1], [0])),
    (ValueError, "add_up", (longs(1), longs(1), b"\1")),
    (ValueError, "add_up", (ints(1), ints(1), b"\1")),
    (ValueError, "add_up", (ints(1, 2), longs(1), b"\1")),
    (ValueError, "add_up", (ints(1), longs(1), b"\1\1")),
    (ValueError, "largest", (longs(1), longs(1, 2), 1)),
    (ValueError, "largest", (ints(1, 2), longs(1), 1)),
    (IndexError, "pair_off", ([1], longs(1), 0, ints(1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], longs(1), 2, ints(1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], longs(1), sys.maxsize, ints(1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], longs(1), -1, ints(1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], longs(1), 0, ints(1, 1), b"\0\0", 0, 3)),
    (ValueError, "pair_off", ([0], longs(1), 0, ints(1, 1), b"\0\0", -1, 2)),
    (ValueError, "pair_off", ([0], longs(1), 0, ints(1, 1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], longs(1), 0, longs(1, 1), b"\0\0", 0, 2)),
    (ValueError, "pair_off", ([0], ints(1, 1), 0, ints(1, 1), b"\0\0", 0, 2)),
    (TypeError, "pair_off", (["0"], longs(1), 0, ints(1, 1), b"\0\0", 0, 2)),
    (IndexError, "sort_out", ([1], 0, longs(1))),
    (IndexError, "sort_out", ([-1], 0, longs(1))),
    (ValueError, "sort_out", ([0], -1, longs(1))),
    (ValueError, "sort_out", ([0], 0, ints(1, 2))),
    (TypeError, "sort_out", (["0"], 0, longs(1))),
)


@compiled
@pytest.mark.parametrize(("error", "name", "arguments"), WRONG)
def test_what_they_are_given_is_checked(error: type[Exception], name: str, arguments: tuple):
    function: Callable = getattr(columns._compiled, name)
    with pytest.raises(error):
        function(*arguments)


@compiled
def test_few_of_many_and_none():
    assert columns.largest(longs(), longs(), 5) == []
    assert columns.largest(longs(1, 2), longs(3, 3), 0) == []
    assert columns.largest(longs(1, 2), longs(3, 3), -1) == []
    assert columns.add_up(ints(), longs(), b"") == {}
