"""What do the lists and structures say that Docker's builders print into the history as Go prints its own?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from layerscope.regex import regex

_GAP = regex(r"[ ,]*")
_ITEM = regex(r'"(?:[^"\\]|\\.)*"')
_ESCAPE = regex(r"\\(?:x([0-9a-f]{2})|U([0-9a-f]{8})|([av]))")
_QUOTED = regex(
    r"&?\{\[(?P<test>.*)\] \"(?P<interval>\w*)\" \"(?P<timeout>\w*)\" \"(?P<start>\w*)\""
    r"(?: \"\w*\")? '(?P<retries>[^']+)'\}",
    re.DOTALL,
)
_NAMED = regex(
    r"&?\{Test:\[(?P<test>.*)\] Interval:(?P<interval>\w*) Timeout:(?P<timeout>\w*) StartPeriod:(?P<start>\w*)"
    r"(?: StartInterval:\w*)? Retries:(?P<number>\d+)\}",
    re.DOTALL,
)
_RUNES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}


def list_items(text: str) -> list[str] | None:
    """Return the items of a list of quoted strings, with or without commas, as JSON strings; None if it is no such list."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    items, at, end = [], 1, len(text) - 1
    while (at := _GAP.match(text, at, end).end()) < end:  # type: ignore[union-attr]
        found = _ITEM.match(text, at, end)
        if found is None:
            return None
        items.append(json.dumps(read_string(found[0]), ensure_ascii=False))
        at = found.end()
    return items


def read_string(quoted: str) -> str:
    """Return what a quoted string of Go says; one with escapes that nobody knows as it stands."""
    spelled = _ESCAPE.sub(_respell, quoted)
    try:
        return str(json.loads(spelled, strict=False))
    except ValueError:
        return quoted[1:-1]


def _respell(found: re.Match[str]) -> str:
    if found[3]:
        return f"\\u{_RUNES[found[3]]:04x}"
    point = int(found[1] or found[2], 16)
    return f"\\u{point:04x}" if point < 0x10000 else json.dumps(chr(min(point, 0x10FFFF)))[1:-1]


def read_healthcheck(text: str) -> str | None:
    """Return the arguments of a HEALTHCHECK from Go's structure, None if it is written otherwise."""
    found = _QUOTED.fullmatch(text) or _NAMED.fullmatch(text)
    if found is None:
        return None
    items = list_items(f"[{found['test']}]")
    words = [str(json.loads(item)) for item in items] if items else found["test"].split(" ")
    options = {
        "interval": found["interval"],
        "timeout": found["timeout"],
        "start-period": found["start"],
        "retries": found["number"] if "number" in found.re.groupindex else _read_letter(found["retries"]),
    }
    flags = [f"--{name}={value}" for name, value in options.items() if value.strip("0sm")]
    return write_healthcheck(words, flags)


def write_duration(nanoseconds: int) -> str:
    """Return a span of time as Go prints it: `1m30s`, `500ms`."""
    if nanoseconds < 10**9:
        return f"{nanoseconds / 10**6:g}ms"
    minutes, rest = divmod(nanoseconds, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 10**9:.9f}".rstrip("0").rstrip(".")
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{seconds}s"


def write_healthcheck(test: Sequence[str], flags: Sequence[str]) -> str:
    """Return the arguments of a HEALTHCHECK: what Docker calls its test, `CMD-SHELL` and a command line, or `CMD` and words."""
    kind, *words = test
    if kind == "NONE":
        return "NONE"
    said = json.dumps(words, ensure_ascii=False) if kind == "CMD" else " ".join(words)
    return " ".join([*flags, "CMD", said])


def _read_letter(rune: str) -> str:
    r"""Return the number that Go prints as a letter: 3 is `\x03`, 10 is `\n`."""
    if re.fullmatch(r"\\x[0-9a-f]{2}", rune):
        return str(int(rune[-2:], 16))
    return str(_RUNES.get(rune[1:2], 0) if rune.startswith("\\") else ord(rune[0]))
