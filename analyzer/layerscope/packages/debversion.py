"""Which of two versions of dpkg is the later one, and does a version meet a condition? (deb-version(7))"""

from __future__ import annotations

from layerscope.regex import regex

_PARTS = regex(r"([^0-9]*)([0-9]*)")

Number = tuple[int, str]
"""Digits without leading zeros, behind their count: compared so, however many there are."""
Key = tuple[Number, tuple[tuple[tuple[int, ...], Number], ...], tuple[tuple[tuple[int, ...], Number], ...]]


def key(version: str) -> Key:
    """Return what orders versions as dpkg does: epoch, upstream's version, Debian's revision."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "", version
    upstream, dash, revision = rest.rpartition("-")
    return _number(epoch), _key(upstream if dash else rest), _key(revision if dash else "")


def meets(version: str, relation: str, bound: str) -> bool:
    """Tell whether a version meets `relation bound`; one that dpkg does not know is met."""
    here, there = key(version), key(bound)
    if relation == "<<":
        return here < there
    if relation in {"<=", "<"}:
        return here <= there
    if relation in {">=", ">"}:
        return here >= there
    if relation == ">>":
        return here > there
    return relation != "=" or here == there


def _key(part: str) -> tuple[tuple[tuple[int, ...], Number], ...]:
    """Return text and numbers in turn; an end comes after `~` and before all else, letters before other signs."""
    parts = [((*map(_rank, words), 0), _number(digits)) for words, digits in _PARTS.findall(part)]
    # What is found last is the end; nothing at all counts as a zero does.
    return tuple(parts) if part else (*parts, *parts)


def _rank(sign: str) -> int:
    return -1 if sign == "~" else ord(sign) if sign.isalpha() else ord(sign) + 0x110000


def _number(digits: str) -> Number:
    stripped = digits.lstrip("0")
    return len(stripped), stripped
