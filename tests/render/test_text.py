"""The screen that everybody meets first."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from layerscope.render import FILE_FORMATS, FORMATS, Options
from layerscope.render.words import width_of

from render.specimens import HOSTILE, SPECIMENS, broken_report, empty_report, fat_report, some_files, tall_report

SNAPSHOTS = Path(__file__).parent / "screens"


def show(report, **options):
    return FORMATS["text"](report, Options(**options))


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_screen(name, pytestconfig):
    """The expected screens are files; look at a change before you copy it there."""
    assert show(SPECIMENS[name]()) == (SNAPSHOTS / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [0, 60, 66, 80, 100, 120, 300])
@pytest.mark.parametrize("name", SPECIMENS)
def test_no_line_is_too_long(name, width):
    for line in show(SPECIMENS[name](), width=width).splitlines():
        assert width_of(line) <= min(120, max(60, width)), line
        assert line == line.rstrip()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_files_fit_too(width):
    for line in FILE_FORMATS["text"](fat_report().image, some_files(), Options(width=width)).splitlines():
        assert width_of(line) <= width


def test_color_changes_nothing_but_the_color():
    for name, make in SPECIMENS.items():
        painted = show(make(), color=True)
        assert "\x1b[" in painted, name
        assert "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]+m", "", painted).split("\n")) == show(make())


def test_hostile_text_cannot_act():
    text = show(SPECIMENS["hostile"]())
    for line in text.splitlines():
        assert all(letter == " " or unicodedata.category(letter)[0] not in "CZ" for letter in line)
        assert not re.match(r"\s*::", line)
    assert HOSTILE not in text


def test_one_row_where_nothing_is_many():
    assert show(tall_report(), top=3).count("RUN step") == 3
    assert "... and 124 more" in show(tall_report(), top=3)
    assert "... and 12 more" in show(fat_report(), top=3)


def test_the_same_report_gives_the_same_text():
    assert show(fat_report()) == show(fat_report())


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("fact",), "424 MB (34 %) need not be there."),
        (("likely",), "Nothing is wasted for certain; 60 MB (5 %) probably need not be there."),
        (("likely", "possible"), "60 MB (5 %) probably, 9 MB (<1 %) perhaps need not be there."),
        ((), "Nothing to take away: no known cause was found."),
    ],
)
def test_verdicts(kinds, said):
    report = fat_report()
    causes = tuple(cause for cause in report.causes if cause.certainty in kinds)
    if kinds == ("fact",):
        causes = tuple(cause for cause in causes if cause.bytes == 212_000_000) * 2
    assert said in " ".join(show(replace(report, causes=causes)).split())


def test_estimates_are_marked():
    report = fat_report()
    rows = tuple(replace(row, pull_estimated=True) for row in report.books.layers)
    for width in (60, 80):
        text = show(replace(report, books=replace(report.books, layers=rows)), width=width)
        assert "about 412 MB to pull" in text
        assert "~412 MB  all" in text
        assert max(map(len, text.splitlines())) <= width
    assert "to pull" not in show(replace(report, books=replace(report.books, pull_bytes=None)))


def test_an_incomplete_image_says_so_first():
    assert show(broken_report()).startswith("INCOMPLETE: 2 parts of the image could not be read;")
    assert "not in archive" in show(broken_report())
    assert "same as layer 0" in show(broken_report())


def test_an_empty_image_has_a_screen():
    assert "the image holds no file" in show(empty_report())
