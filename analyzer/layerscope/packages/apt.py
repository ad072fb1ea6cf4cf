"""Which packages did apt install on its own account, and which command line asked for the others?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layerscope.packages.database import MAX_RECORDS
from layerscope.packages.paragraphs import is_automatic, read_fields
from layerscope.packages.text import text
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENDED_STATES = b"var/lib/apt/extended_states"
HISTORY = b"var/log/apt/history.log"

_LINE = regex(rb"^(Commandline|Install|Reinstall): (.*)$", re.MULTILINE)
_INSTALLED = regex(rb"(?<![^\s:,()])([^\s:,()]++):[^\s,()]++ \(([^()]*+)\)")


def automatic(content: bytes, problems: list[str]) -> frozenset[str]:
    """Return the names of the packages that apt installed on its own account, from `extended_states`."""
    names = set()
    for chunk in content.split(b"\n\n", MAX_RECORDS)[:MAX_RECORDS]:
        fields = read_fields(chunk)
        name = text(fields.get(b"package"))
        if name and is_automatic(fields):
            names.add(name)
        elif not name and chunk.strip():
            problems.append("a paragraph that is no package was left out")
    return frozenset(names)


def commands(content: bytes, _problems: list[str]) -> dict[str, tuple[str, bool]]:
    """Return name -> (command line that installed it, whether apt says "automatic"), from `history.log`."""
    found: dict[str, tuple[str, bool]] = {}
    for command, name, auto in _installations(content):
        if len(found) == MAX_RECORDS:
            break
        found[name] = (command, auto)
    return found


def _installations(content: bytes) -> Iterator[tuple[str, str, bool]]:
    for transaction in content.split(b"\n\n"):
        lines = dict(_LINE.findall(transaction))
        command = text(lines.get(b"Commandline"))
        if command:
            for name, what in _INSTALLED.findall(lines.get(b"Install", b"")):
                yield command, text(name), what.endswith(b"automatic")
