"""Is a file worth keeping while a layer is scanned?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TOKEN = re.compile(r"\*\*/|\*|[^*]+")
_REGEX = {"**/": "(?:.*/)?", "*": "[^/]*"}


def compile_patterns(patterns: Iterable[str]) -> Callable[[bytes], bool]:
    """Return a test of paths against globs: `**/` is any depth, also none; `*` stays within one component.

    Nearly every path of an image matches nothing, and the scan asks for each one: so the last few bytes of a path are
    looked up in a set before the regular expression is tried. A pattern that ends in `*` has no last bytes; its
    beginning is compared. An expression is compiled when the first path comes that needs it: most never are.
    """
    groups: dict[bytes, list[str]] = {}
    starts: list[bytes] = []
    open_ended: list[str] = []
    patterns = tuple(dict.fromkeys(patterns))
    ends = [pattern.rpartition("*")[2].rpartition("/")[2].encode() for pattern in patterns]
    length = min((len(end) for end in ends if end), default=1)
    tail = slice(-length, None)
    for pattern, end in zip(patterns, ends, strict=True):
        if end:
            groups.setdefault(end[tail], []).append(pattern)
        else:
            starts.append(pattern.partition("*")[0].encode())
            open_ended.append(pattern)
    first = tuple(starts)
    ready: dict[bytes, re.Pattern[bytes]] = {}

    def matches(path: bytes, last: bytes, group: list[str]) -> bool:
        pattern = ready.get(last)
        if pattern is None:
            pattern = ready[last] = re.compile("|".join(map(_regex, group)).encode(), re.DOTALL)
        return pattern.fullmatch(path) is not None

    def keep(path: bytes) -> bool:
        group = groups.get(path[tail])
        if group is not None and matches(path, path[tail], group):
            return True
        return path.startswith(first) and matches(path, b"", open_ended)

    return keep


def _regex(pattern: str) -> str:
    return "".join(_REGEX.get(token) or re.escape(token) for token in _TOKEN.findall(pattern))
