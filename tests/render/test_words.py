"""Numbers and texts as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layerscope.render.words import (
    fit,
    fit_path,
    left,
    right,
    say_bandwidth,
    say_count,
    say_duration,
    say_ratio,
    say_share,
    say_size,
    width_of,
    wrap,
)

texts = st.text(st.characters(categories=["L", "N", "P", "S", "M"], include_characters=" "))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (None, "?"), (0, "0"), (1, "1 B"), (999, "999 B"), (1000, "1 kB"), (9000, "9 kB"), (999_499, "999 kB"),
        (999_500, "1 MB"), (51_234_567, "51.2 MB"), (117_000_000, "117 MB"), (1_240_000_000, "1.24 GB"), (-1500, "-1.5 kB"),
    ],
)  # fmt: skip
def test_sizes(size, said):
    assert say_size(size) == said


@settings(deadline=None)
@given(st.integers(0, 10**16))
def test_a_size_is_short(size):
    assert len(say_size(size)) <= 7
    assert "e" not in say_size(size)


def test_other_numbers():
    assert [say_share(part, 100) for part in (0, 0.4, 44, 99.6, 100)] == ["0 %", "<1 %", "44 %", ">99 %", "100 %"]
    assert say_share(1, 0) == "0 %"
    assert [say_ratio(part) for part in (0, 0.0004, 0.95, 0.9994, 0.9996, 1)] == [
        "0.0 %",
        "<0.1 %",
        "95.0 %",
        "99.9 %",
        ">99.9 %",
        "100.0 %",
    ]
    assert [say_duration(time) for time in (0.2, 33, 200, 9000)] == [
        "less than 1 s", "about 33 s", "about 3 min", "about 2.5 h",
    ]  # fmt: skip
    assert [say_count(1, "entry", "entries"), say_count(4321, "entry", "entries")] == ["1 entry", "4,321 entries"]
    assert [say_bandwidth(bits) for bits in (10**8, 2 * 10**9, 56_000, 9)] == [
        "100 Mbit/s", "2 Gbit/s", "56 kbit/s", "9 bit/s",
    ]  # fmt: skip


@settings(deadline=None)
@given(texts, st.integers(3, 40))
def test_texts_fit(text, width):
    assert width_of(fit(text, width)) <= width
    assert width_of(fit_path(text, width)) <= width
    assert width_of(left(text, width)) == width
    assert width_of(right("12 MB", width)) == max(5, width)


@settings(deadline=None)
@given(texts, st.integers(10, 40))
def test_wrapped_lines_fit_and_lose_nothing(text, width):
    lines = wrap(text, width, indent="   ", first=" 1 ")
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(line[3:] for line in lines).split()) == "".join(text.split())


def test_wide_letters_count_twice():
    assert width_of("日本") == 4
    assert fit("日本語", 5) == "日..."
    assert width_of("e\u0301") == 1
