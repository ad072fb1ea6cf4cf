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
    beginning is compared.
    """
    patterns = tuple(dict.fromkeys(patterns))
    ends = [pattern.rpartition("*")[2].rpartition("/")[2].encode() for pattern in patterns]
    length = min((len(end) for end in ends if end), default=0)
    tail = slice(-length, None)
    last = frozenset(end[tail] for end in ends if end)
    first = tuple(pattern.partition("*")[0].encode() for pattern, end in zip(patterns, ends, strict=True) if not end)
    whole = re.compile("|".join(map(_regex, patterns)).encode() or rb"(?!)", re.DOTALL).fullmatch

    def keep(path: bytes) -> bool:
        return (path[tail] in last or path.startswith(first)) and whole(path) is not None

    return keep


def _regex(pattern: str) -> str:
    return "".join(_REGEX.get(token) or re.escape(token) for token in _TOKEN.findall(pattern))
