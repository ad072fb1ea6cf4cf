"""Does the compiled way through plain entries tell what the loop in Python tells, of any bytes?"""

from __future__ import annotations

import hashlib
import operator
import struct
import sys
from array import array
from dataclasses import fields
from pathlib import Path
from random import Random

import build
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.analysis.symbols import PROGRAMS
from layerscope.archive import feed, quick
from layerscope.archive.feed import Feed
from layerscope.archive.glance import ANY, Files, Glance, glance_of, table, union
from layerscope.archive.inspection import Inspector, Inspectors, inspect_place
from layerscope.archive.limits import Limits
from layerscope.archive.tar import reader as tar
from layerscope.archive.tar.reader import read_tar
from layerscope.model import LayerIndex
from layerscope.packages.databases import INSPECTORS, PATTERNS
from layerscope.packages.patterns import Patterns

from tar.mutations import mutated
from tar.test_agreement import corpus_traps, layers_of
from tar.traps import TRAPS, patched, restamped, star

LIMITS = Limits().raised({"entries": 500})
TIGHT = LIMITS.raised({"kept_file_bytes": 511, "kept_bytes": 2000})
KEEPS = (Patterns(PATTERNS), Patterns(("**/ab", "x*")), lambda _: True, lambda _: False)
NAMES = tuple(column.name for column in fields(LayerIndex))
SMALL = [data for data in TRAPS.values() if 0 < len(data) < 20_000]

compiled = pytest.mark.skipif(quick.Runs is None, reason="layerscope was installed without its compiled part")


def tell(path, content):
    return b"%s %d %d" % (path, len(content), sum(content[0 : len(content)]))


WATCHERS = (
    Inspectors(),
    Inspectors(INSPECTORS),
    Inspectors(
        [Inspector("a", "1", PROGRAMS, lambda _: True, tell), Inspector("b", "1", Files((b".x",)), lambda _: True, tell)]
    ),
    Inspectors([Inspector("c", "1", lambda path, mode, size: size > 3, lambda head: head[:1] != b"a", tell)]),
)


def read(data, size, limits, keep, watchers, whiteouts):
    """Return all that is read of a tar; it passes in chunks of `size`, or lies still if there are none."""
    if size:
        passing, told = Feed.of(data[start : start + size] for start in range(0, len(data), size)), []
        index = read_tar(passing, limits=limits, keep=keep, whiteouts=whiteouts, inspectors=watchers, shown=told)
    else:
        rows, lying = [], Feed.over(data, 0, len(data))
        index = read_tar(lying, limits=limits, keep=keep, whiteouts=whiteouts, inspectors=watchers, shown=rows)
        told = rows, inspect_place(data, 0, index, rows, watchers, limits).freeze()
    return {name: getattr(index, name) for name in NAMES} | {"told": told}


def same_both_ways(data, random, monkeypatch):
    """Fail unless a tar reads the same with and without the compiled part."""
    limits = random.choice((LIMITS, TIGHT))
    keep, watchers, whiteouts = random.choice(KEEPS), random.choice(WATCHERS), random.random() < 0.7
    monkeypatch.setattr(feed, "NEXT", random.choice((feed.NEXT, 512, 1024, 1500)))
    monkeypatch.setattr(feed, "AWAY", random.choice((feed.AWAY, 512)))
    for size in (0, random.choice((1, 511, 512, 513, 4096, 10_007, 1 << 20))):
        quickly = read(data, size, limits, keep, watchers, whiteouts)
        with monkeypatch.context() as pure:
            pure.setattr(tar, "Runs", None)
            assert read(data, size, limits, keep, watchers, whiteouts) == quickly


@compiled
def test_it_is_made_of_the_source_that_is_here():
    from layerscope.archive import runs

    source = Path(quick.__file__).with_name("runs.c")
    assert hashlib.sha256(source.read_bytes()).hexdigest() == runs.SOURCE, "install again: pip install -e ."


def columns_of_runs():
    """Return empty columns, in the order in which it takes them."""
    numbers = array("q"), array("H"), array("q"), array("q"), [], array("q"), array("q"), array("q")
    return [[], [], bytearray(), *numbers, bytearray()]


@compiled
def test_it_takes_what_builders_write():
    """Else it would be of no use, and all other tests here would prove nothing."""
    data = build.layer({"usr/": build.Dir(), "usr/bin/": build.Dir(), "usr/bin/a": b"1" * 600, "usr/bin/b": build.Symlink("a")})
    index = read_tar(Feed.over(data, 0, len(data)), limits=LIMITS)
    columns = [*columns_of_runs(), {}, {}, {b"": b"", b"usr": b"usr"}, []]
    asked = (
        lambda path: path == b"usr/bin/a",
        lambda *_: True,
        hash,
        bytes,
        None,
        table(Glance(frozenset()), Glance(frozenset())),
        (b"usr/bin/a",),
        b"",
        0,
        len(data),
        1 << 16,
        9,
    )
    taken = quick.Runs(*columns, *asked)
    assert taken.take(data, 0, len(data), 0) == (len(data) - 1024, 0)  # up to the zero blocks
    for column, name in enumerate(
        ("paths", "folders", "kinds", "sizes", "modes", "uids", "gids", "mtimes", "offsets", "spans")
    ):
        assert list(columns[column]) == list(getattr(index, name)), name
    assert columns[11] == index.labels == b""  # it lies in place
    assert columns[12] == index.links
    assert columns[13] == {2: b"1" * 600}
    assert list(columns[10]) == [0, 0, hash(b"1" * 600), 0]
    assert taken.take(data[:2048], 1024, 1536, 0) == (1024, 1112)  # of the file, only the header is there


@compiled
@pytest.mark.parametrize("name", TRAPS)
def test_traps(name, monkeypatch):
    random = Random(name)
    for _ in range(4 if len(TRAPS[name]) < 1 << 20 else 1):
        same_both_ways(TRAPS[name], random, monkeypatch)


@compiled
def test_traps_of_others(corpus, monkeypatch):
    for name, data in corpus_traps(corpus).items():
        same_both_ways(data, Random(name), monkeypatch)


@compiled
def test_layers_of_fixtures(fixtures_dir, monkeypatch):
    for path in sorted(fixtures_dir.glob("*.tar")):
        data = path.read_bytes()
        for number, layer in enumerate((data, *layers_of(data))):
            same_both_ways(layer, Random(f"{path.name} {number}"), monkeypatch)


PLACES = (100, 107, 108, 115, 116, 124, 135, 136, 147, 156, 257, 262, 263, 329, 337, 345, 400, 500, 511)
NAMES_OF_ENTRIES = (
    *(b"a", b"b", b"xa", b"xb.so", b"c.txt", b"./a", b"s.so.1", b"n" * 100),
    *(b"d/", b"d/a", b"d/b", b"d/c.o", b"d/g/", b"d/g/a", b"d/e/f/", b"d/e/f/g.so", b"d/e/f/h.x", b"d/" + b"m" * 98),
    *(b"d/./b", b"d//c", b"d/.h", b"d/.wh.a", b"d/.wh..wh..opq", b"x.wh.y/", b"x.wh.y/f", b"../e", b"/d/a", b"", b"/", b"./"),
)
CHECKSUMS = (b"%06o\0 ", b"%06o \0", b"%06o x", b"%06o\0x", b"%07o\0", b" %05o\0 ", b"%08o", b"%06o  ")


def entries(random):
    """Return entries of the kind that builders write, each perhaps with something that is a little off."""
    yield build.entry("r")
    for _ in range(random.randrange(1, 16)):
        kind = random.choice((b"0", b"0", b"0", b"5", b"2", b"1", b"\0", b"3", b"7"))
        content = random.randbytes(random.choice((0, 1, 5, 511, 512, 513, 2000))) if kind in {b"0", b"\0", b"7"} else b""
        link = random.choice(NAMES_OF_ENTRIES) if kind in {b"1", b"2"} else b""
        mode = random.choice((0o644, 0o755, 0o4755, 0o100644, 0))
        uid = random.choice((0, 7, 1 << 22))
        header = build.entry(random.choice(NAMES_OF_ENTRIES), content, type=kind, mode=mode, uid=uid, link=link)
        off = random.randrange(12)
        if off == 0:
            header = patched(header, random.choice(PLACES), bytes((random.choice(b"\0 0178/.\x80\xffux"),)))
        elif off == 1:
            header = patched(header, 345, random.choice((b"p", b"d", b"q" * 155, b"d\0z")))
        elif off == 2:
            times = random.choice((b"00000000001\0", b"x" * 12)) * 2
            header = star(header, random.choice((b"", b"d", b"q" * 131)), times)
        elif off == 3:
            header = restamped(header, signed=True)
        elif off == 4:
            total = int(header[148:154], 8)
            header = header[:148] + (random.choice(CHECKSUMS) % total)[:8] + header[156:]
        yield header


@compiled
@settings(max_examples=1500, derandomize=True, database=None)
@given(st.integers(0, 1 << 32))
def test_entries_that_are_nearly_plain(seed):
    random = Random(seed)
    data = b"".join(entries(random)) + bytes(random.choice((0, 512, 1024)))
    with pytest.MonkeyPatch.context() as monkeypatch:
        same_both_ways(data[: random.choice((len(data), random.randrange(len(data) + 1)))], random, monkeypatch)


@compiled
@settings(max_examples=400, derandomize=True, database=None)
@given(st.integers(0, 1 << 32), st.sampled_from(SMALL), st.sampled_from(SMALL))
def test_damaged_tars(seed, data, other):
    random = Random(seed)
    with pytest.MonkeyPatch.context() as monkeypatch:
        same_both_ways(mutated(random, data, other), random, monkeypatch)


@compiled
def test_more_entries_than_may_be_read(monkeypatch):
    data = build.layer({f"f{number}": b"" for number in range(600)})
    same_both_ways(data, Random(1), monkeypatch)
    index = read_tar(Feed.over(data, 0, len(data)), limits=LIMITS)
    assert len(index) == 500
    assert any("limit" in note.message or note.id == "E09" or "more entries" in note.message for note in index.notes)


@compiled
def test_runs_that_are_longer_than_what_is_handed_over_at_once(monkeypatch):
    monkeypatch.setattr(feed, "NEXT", 1 << 20)
    data = build.layer({f"f{number}": bytes(number) for number in range(499)})
    for watchers in WATCHERS:
        for size in (0, 1 << 20):
            quickly = read(data, size, LIMITS, KEEPS[1], watchers, whiteouts=True)
            assert list(quickly["sizes"]) == list(range(499))
            with monkeypatch.context() as pure:
                pure.setattr(tar, "Runs", None)
                assert read(data, size, LIMITS, KEEPS[1], watchers, whiteouts=True) == quickly


@compiled
def test_an_interrupt_comes_through():
    def interrupted(path):
        raise KeyboardInterrupt(path)

    data = build.layer({"a": b"1", "b": b"2"})
    with pytest.raises(KeyboardInterrupt):
        read_tar(Feed.over(data, 0, len(data)), limits=LIMITS, keep=interrupted)


prints = pytest.mark.skipif(quick.fingerprint is None, reason="the compiled part is absent, or its compiler had no 128 bits")


@prints
@given(st.binary(max_size=90), st.binary(min_size=160, max_size=160))
def test_a_fingerprint_is_what_its_definition_says(content, key):
    def words(octets):
        return [int.from_bytes(octets[at : at + 8], sys.byteorder) for at in range(0, len(octets), 8)]

    padded = content + bytes(-len(content) % 16)
    sums = [(word + secret) % (1 << 64) for word, secret in zip(words(padded), words(key[64:]), strict=False)]
    total = sum(map(operator.mul, sums[::2], sums[1::2]))
    final = [int.from_bytes(key[at : at + 16], sys.byteorder) for at in range(0, 64, 16)]
    given = [1, len(content), total % (1 << 64), (total >> 64) % (1 << 64)]
    upper = (sum(map(operator.mul, final, given)) >> 64) % (1 << 64)
    assert quick.fingerprint(key, content) == upper - (upper >> 63 << 64)


@prints
def test_a_fingerprint_needs_a_key_that_is_long_enough():
    assert isinstance(quick.fingerprint(bytes(80), bytes(16)), int)
    for key, content in ((bytes(80), bytes(17)), (bytes(79), bytes(16)), (bytes(79), b"x"), (b"", b"x"), (bytes(63), b"")):
        with pytest.raises(ValueError, match="too short"):
            quick.fingerprint(key, content)


@compiled
@pytest.mark.parametrize("label", ["text", b"short", None])
def test_a_label_has_sixteen_octets(label):
    columns = columns_of_runs()
    asked = (bool, bool, hash, lambda _: label, None, bytes(1 << 16), (), b"", 0, -1, 9, 9)
    taken = quick.Runs(*columns, {}, {}, {b"": b""}, [], *asked)
    with pytest.raises(TypeError, match="label"):
        taken.take(build.layer({"a": b"1"}), 0, 1024, 0)
    assert columns[0] == []


@compiled
def test_an_error_loses_nothing_that_was_read():
    columns = columns_of_runs()
    taken = quick.Runs(
        *columns, {}, {}, {b"": b""}, [], fail_at_c, bool, hash, bytes, None, ALL_KEPT, (), b"", 0, 1 << 20, 9, 9
    )
    data = build.layer({"a": b"1", "b": b"22", "c": b"333"})
    with pytest.raises(RuntimeError, match="c"):
        taken.take(data, 0, len(data), 0)
    assert columns[0] == [b"a", b"b"]
    assert [list(columns[place]) for place in (2, 3, 8, 9)] == [[0, 0], [1, 2], [512, 1536], [1024, 1024]]


def fail_at_c(path):
    if path == b"c":
        raise RuntimeError(path)
    return False


ALL_KEPT = bytes([1]) * (1 << 16)


@compiled
def test_what_it_is_made_of_is_checked():
    right = [
        *columns_of_runs(),
        {},
        {},
        {},
        [],
        bool,
        bool,
        hash,
        bytes,
        None,
        bytes(1 << 16),
        (),
        b"",
        0,
        0,
        0,
        0,
    ]
    quick.Runs(*right)
    for place in (0, 2, 11, 15, 21, 22, 23):
        with pytest.raises(TypeError):
            quick.Runs(*right[:place], 1.5, *right[place + 1 :])
    key = [(18, bytes(31))] if quick.fingerprint is not None else []
    for place, value in ((21, b"short"), (22, ("text",)), *key):
        with pytest.raises(ValueError, match="table"):
            quick.Runs(*right[:place], value, *right[place + 1 :])
    taker = quick.Runs(*right)
    for part in ((-1, 512, 0), (0, 1025, 0), (0, 512, -1)):
        with pytest.raises(ValueError, match="no such part"):
            taker.take(bytes(1024), *part)
    with pytest.raises((TypeError, struct.error, OverflowError)):
        taker.take(bytes(1024), 1 << 70, 512, 0)


PATHS = (b"a.so", b"a.so.1", b"a.x", b"x", b"", b"usr/x.jar", b"o", b"d/b.o", b"abc/d")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_glance_passes_over_nothing_that_is_wanted(path, mode):
    files = Files((b".o", b".so", b".x"), inside=b".so.", modes=0o111)
    wanted = bool(mode & 0o111) or path.endswith((b".o", b".so", b".x")) or b".so." in path
    assert files(path, mode, 1) is wanted
    assert files.glance.may_want(path, mode) >= wanted
    assert ANY.may_want(path, mode)


def test_glances_of_several():
    one, other = Glance(frozenset((b"so",)), inside=b".so.", modes=0o100), Glance(frozenset((b"ar",)), modes=0o110)
    both = union((one, other))
    assert (both.ends, both.inside, both.modes, both.any) == (frozenset((b"so", b"ar")), b".so.", 0o110, False)
    assert union((one, Glance(frozenset(), inside=b"x"))).any
    assert union((one, ANY)).any
    assert glance_of(lambda _: True).any
    flags = table(one, other)
    assert [flags[int.from_bytes(end)] for end in (b"so", b"ar", b"zz")] == [1, 2, 0]
    assert set(table(ANY, other)) == {1, 3}
    assert set(table(one, Glance(frozenset(), starts=(b"usr",)))) == {2, 3}  # how a path begins is not asked
