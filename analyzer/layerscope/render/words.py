"""How are numbers and long texts said to people?"""

from __future__ import annotations

import textwrap
import unicodedata

import humanize


def say_size(size: int | None) -> str:
    """Return bytes in decimal units, three significant digits: `1.24 GB`, `117 MB`, `9 kB`, `0`; `?` if unknown."""
    if size is None:
        return "?"
    if size < 0:
        return f"-{say_size(-size)}"
    if size < 1000:
        return f"{size} B" if size else "0"
    step = 10 ** max(0, len(str(size)) - 3)
    return humanize.naturalsize((size + step // 2) // step * step, format="%.3g")


def say_share(part: float, whole: float) -> str:
    """Return a percentage that never rounds something to nothing, nor a part to all: `44 %`, `<1 %`, `>99 %`."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 1:
        return "<1 %"
    return ">99 %" if 99 < share < 100 else f"{share:.0f} %"


def say_ratio(ratio: float) -> str:
    """Return a ratio as a percentage with one digit that never rounds up to all, nor down to nothing: `95.0 %`, `>99.9 %`."""
    if 0.9995 <= ratio < 1:
        return ">99.9 %"
    return "<0.1 %" if 0 < ratio < 0.0005 else f"{100 * ratio:.1f} %"


def say_count(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: `1 file`, `48,213 files`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def say_duration(seconds: float) -> str:
    """Return a rough time: `less than 1 s`, `about 33 s`, `about 4 min`, `about 2.5 h`."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def say_bandwidth(bits: int) -> str:
    """Return bits per second as lines are sold: `100 Mbit/s`."""
    for unit, name in ((10**9, "Gbit/s"), (10**6, "Mbit/s"), (10**3, "kbit/s")):
        if bits >= unit:
            return f"{bits / unit:g} {name}"
    return f"{bits} bit/s"


def width_of(text: str) -> int:
    """Return how many columns a terminal takes for escaped text."""
    if text.isascii():
        return len(text)
    return sum(map(_letter_width, text))


def fit(text: str, width: int) -> str:
    """Return text cut to a width, `...` at its end where something is missing."""
    if width_of(text) <= width:
        return text
    return f"{_head(text, max(0, width - 3))}{'...'[:width]}"


def fit_path(path: str, width: int) -> str:
    """Return a path cut in its middle to a width: its end says most."""
    if width_of(path) <= width:
        return path
    head = _head(path, max(0, (width - 3) // 3))
    tail = _head(path[::-1], max(0, width - 3 - width_of(head)))[::-1]
    return f"{head}{'...'[:width]}{tail}"


def left(text: str, width: int) -> str:
    """Return text cut and filled to exactly a width."""
    text = fit(text, width)
    return text + " " * (width - width_of(text))


def right(text: str, width: int) -> str:
    """Return text filled from the left to a width; a number is never cut."""
    return " " * (width - width_of(text)) + text


def wrap(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Return text broken into lines of a width; `first` begins the first line, `indent` the others."""
    if text.isascii():
        return textwrap.wrap(
            text, width, initial_indent=indent if first is None else first, subsequent_indent=indent,
            break_on_hyphens=False,
        ) or [(indent if first is None else first).rstrip()]  # fmt: skip
    lines, line, empty = [], indent if first is None else first, True
    for word in text.split(" "):
        gap = "" if empty else " "
        if not empty and width_of(line + gap + word) > width:
            lines.append(line)
            line, gap, empty = indent, "", True
        while width_of(line + gap + word) > width:
            piece = _head(word, width - width_of(line)) or word[:1]
            lines.append(line + piece)
            line, word = indent, word[len(piece) :]
        line, empty = line + gap + word, False
    return [*lines, line]


def _head(text: str, width: int) -> str:
    """Return the longest beginning that fits into a width."""
    for at, letter in enumerate(text):
        width -= _letter_width(letter)
        if width < 0:
            return text[:at]
    return text


def _letter_width(letter: str) -> int:
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
