"""Is a file worth keeping while a layer is scanned?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.archive.glance import ANY, Glance
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TOKEN = regex(r"\*\*/|\*|[^*]+")
_STARS = regex(r"\*\*/|\*")
_REGEX = {"**/": "(?:.*/)?", "*": "[^/]*"}


class Patterns:
    """A test of paths against globs: `**/` is any depth, also none; `*` stays within one component.

    Nearly every path of an image matches nothing, and the scan asks for each one: so its name, or the last few bytes of it
    if a pattern has a `*` there, is looked up before a regular expression is tried. A pattern that ends in `*` has no last
    bytes; its beginning is compared.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        names: dict[bytes, list[str]] = {}
        tails: dict[bytes, list[str]] = {}
        open_ended: list[str] = []
        patterns = tuple(dict.fromkeys(patterns))
        ends = [pattern.rpartition("*")[2].rpartition("/")[2].encode() for pattern in patterns]
        named = [not pattern.rpartition("/")[2].count("*") for pattern in patterns]
        length = min((len(end) for end, whole in zip(ends, named, strict=True) if end and not whole), default=1)
        self._tail = tail = slice(-length, None)
        for pattern, end, whole in zip(patterns, ends, named, strict=True):
            if whole:
                names.setdefault(end, []).append(pattern)
            elif end:
                tails.setdefault(end[tail], []).append(pattern)
            else:
                open_ended.append(pattern)
        self._names: dict[bytes, Callable[[bytes], bool]] = {
            name: _anywhere if f"**/{name.decode()}" in group else _Group(group) for name, group in names.items()
        }
        self._tails = {last: _Group(group) for last, group in tails.items()}
        self._starts = tuple(pattern.partition("*")[0].encode() for pattern in open_ended)
        self._open_ended = _Group(open_ended)
        ends = [end for end in ends if end]
        short = any(len(end) < 2 for end in ends)
        self.glance = ANY if short or not ends else Glance(frozenset(end[-2:] for end in ends), starts=self._starts)

    def __call__(self, path: bytes) -> bool:
        """Whether one of the patterns matches a path."""
        group = self._names.get(path.rpartition(b"/")[2])
        if group is not None and group(path):
            return True
        group = self._tails.get(path[self._tail])
        if group is not None and group(path):
            return True
        return path.startswith(self._starts) and self._open_ended(path)


def _anywhere(_path: bytes) -> bool:
    """Match every path with a name."""
    return True


class _Group:
    """Patterns that end alike; an expression is compiled when the first path comes that has what one asks for, mostly never."""

    __slots__ = ("_globs", "_marks", "_regex", "_whole")

    def __init__(self, patterns: list[str]) -> None:
        self._whole = frozenset(pattern.encode() for pattern in patterns if "*" not in pattern)
        self._globs = [pattern for pattern in patterns if "*" in pattern]
        self._marks = [max(_STARS.split(glob), key=len).encode() for glob in self._globs]
        self._regex: re.Pattern[bytes] | None = None

    def __call__(self, path: bytes) -> bool:
        if path in self._whole:
            return True
        for mark in self._marks:
            if path.find(mark) >= 0:
                break
        else:
            return False
        if self._regex is None:
            self._regex = re.compile("|".join(map(_regex, self._globs)).encode(), re.DOTALL)
        return self._regex.fullmatch(path) is not None


def _regex(pattern: str) -> str:
    return "".join(_REGEX.get(token) or re.escape(token) for token in _TOKEN.findall(pattern))
