"""Which names speak of a secret, and which values are none?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerscope.regex import regex

_ENDS = r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|SECRET_KEY|ACCESS_KEY)"
SECRET_NAME = regex(rf"{_ENDS}$", re.IGNORECASE)
# Letters before the name's end are bounded, and a value never fails to match: a hostile history costs no more than its length.
ASSIGNMENT = regex(
    rf"(?<![\w.-])((?:--)?(?:[A-Za-z_][\w-]{{0,60}}?)?{_ENDS})"
    r"=(\"(?:[^\"\\\n]|\\.)*\"?|'[^'\n]*'?|[^\s\"';&|]*)",
    re.IGNORECASE,
)
# Builders write values without quotes: behind `|2 `, before the shell, they may have spaces; so may that of `ENV NAME value`.
_ARGUMENTS = regex(r"^(?:RUN )?\|\d{1,4} (.*?) (?:/[\w./-]{0,80}/)?\w{0,4}sh -", re.DOTALL)
_NEXT = regex(r" (?=[A-Za-z_]\w{0,60}=)")
SPACED = regex(r"^((?:ENV|LABEL) )([A-Za-z_][\w.-]{0,100})([ \t]+)(?![=\s])(.+)$", re.DOTALL)
PLACEHOLDER = regex(
    r"^(?:|\W+|change_?-?me.*|.*\bexamples?\b.*|dummy|fake|test(?:ing)?|todo|tbd|none|null|nil|undefined|true|false|yes|no|on|off|\d"
    r"|placeholder|redacted|your[-_ ].*|insert[-_ ].*|\$.*|%.*|<.*>|\{\{.*|\[.*\]|x{3,}|\*+|\.{3}|/[\w./-]+|file://.*|env:.*"
    r"|password|passwd|secret|token|api_?key)$",
    re.IGNORECASE,
)


def is_secret(name: str, value: str) -> bool:
    """Whether a name speaks of a secret and its value is more than a placeholder; how random it looks is not asked."""
    return bool(SECRET_NAME.search(name)) and not PLACEHOLDER.match(bare(value)[:200])


def bare(value: str) -> str:
    """Return a value without its quotes."""
    return value.strip("'\"").strip()


def secret_assignments(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values of secrets that an instruction assigns: `ARG`, `ENV`, build arguments, exports, long options."""
    spaced, arguments = SPACED.match(text), _ARGUMENTS.match(text)
    if spaced is not None and is_secret(spaced[2], spaced[4]):
        yield spaced[2], bare(spaced[4])
    for pair in _NEXT.split(arguments[1]) if arguments is not None else ():
        name, _, value = pair.partition("=")
        if " " in value and is_secret(name, value):
            yield name, bare(value)
    for found in ASSIGNMENT.finditer(text):
        name, value = found[1].lstrip("-"), found[2]
        if is_secret(name, value):
            yield name, bare(value)
