"""How large is what a person wrote: `600 MB`, `20MiB`, `1_000`, 0.05?"""

from __future__ import annotations

import re

from layerscope.regex import regex

UNITS = {"": 1, "b": 1, **{f"{letter}{end}": base**power for power, letter in enumerate("kmgt", 1)
         for end, base in (("", 1000), ("b", 1000), ("ib", 1024))}}  # fmt: skip
_SIZE = regex(r"(\d[\d_,]*(?:\.\d+)?) ?([a-z]*)", re.IGNORECASE)


def read_size(value: object) -> int | None:
    """Return bytes from a whole number or a text with a unit; None if it is neither, or negative."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if not isinstance(value, str):
        return None
    found = _SIZE.fullmatch(value.strip())
    if found is None or found[2].lower() not in UNITS:
        return None
    digits = found[1].replace("_", "").replace(",", "")
    unit = UNITS[found[2].lower()]
    return int(digits) * unit if digits.isdigit() else int(float(digits) * unit)


def read_ratio(value: object) -> float | None:
    """Return a share between 0 and 1 from a number or `5 %`; None if it is none."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            value = float(value.strip()[:-1]) / 100
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None
