"""Is a file worth keeping while a layer is scanned?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.archive.glance import ANY, Glance

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = re.compile(r"\*\*/|\*|[^*]+")
_REGEX = {"**/": "(?:.*/)?", "*": "[^/]*"}


class Patterns:
    """A test of paths against globs: `**/` is any depth, also none; `*` stays within one component.

    Nearly every path of an image matches nothing, and the scan asks for each one: so the last few bytes of a path are
    looked up in a set before the regular expression is tried. A pattern that ends in `*` has no last bytes; its
    beginning is compared. An expression is compiled when the first path comes that needs it: most never are.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        groups: dict[bytes, list[str]] = {}
        starts: list[bytes] = []
        open_ended: list[str] = []
        patterns = tuple(dict.fromkeys(patterns))
        ends = [pattern.rpartition("*")[2].rpartition("/")[2].encode() for pattern in patterns]
        length = min((len(end) for end in ends if end), default=1)
        self._tail = tail = slice(-length, None)
        for pattern, end in zip(patterns, ends, strict=True):
            if end:
                groups.setdefault(end[tail], []).append(pattern)
            else:
                starts.append(pattern.partition("*")[0].encode())
                open_ended.append(pattern)
        self._groups = groups
        self._starts = tuple(starts)
        self._open_ended = open_ended
        self._ready: dict[bytes, re.Pattern[bytes]] = {}
        self.glance = ANY if length < 2 else Glance(frozenset(end[-2:] for end in ends if end), starts=self._starts)

    def __call__(self, path: bytes) -> bool:
        """Whether one of the patterns matches a path."""
        last = path[self._tail]
        group = self._groups.get(last)
        if group is not None and self._matches(path, last, group):
            return True
        return path.startswith(self._starts) and self._matches(path, b"", self._open_ended)

    def _matches(self, path: bytes, last: bytes, group: list[str]) -> bool:
        pattern = self._ready.get(last)
        if pattern is None:
            pattern = self._ready[last] = re.compile("|".join(map(_regex, group)).encode(), re.DOTALL)
        return pattern.fullmatch(path) is not None


def _regex(pattern: str) -> str:
    return "".join(_REGEX.get(token) or re.escape(token) for token in _TOKEN.findall(pattern))
