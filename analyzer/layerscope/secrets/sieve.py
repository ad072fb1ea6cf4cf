"""Which kinds of secrets may a content hold at all? Those whose literals stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from layerscope.secrets.secret import Secret

# In so many texts that they say nothing: looked for by themselves.
COMMON = frozenset((b"://", b"-us", b"key-", b"shp"))
Sieve = Callable[[bytes], list[Secret]]


def sieve(secrets: Sequence[Secret]) -> Sieve:
    """Return a function that names the kinds whose literals stand in a content; google-re2 passes most texts by at once."""
    literals: dict[bytes, list[Secret]] = {}
    for secret in secrets:
        for literal in secret.literals:
            literals.setdefault(literal, []).append(secret)
    rare = {literal: kinds for literal, kinds in literals.items() if literal not in COMMON}
    common = {literal: kinds for literal, kinds in literals.items() if literal in COMMON}
    holds, look, glance = _alternation(rare), _one_by_one(rare), _one_by_one(common)
    if holds is None:
        return _one_by_one(literals)

    def present(content: bytes) -> list[Secret]:
        found = glance(content)
        return list(dict.fromkeys((*look(content), *found))) if holds(content) else found

    return present


def _one_by_one(literals: dict[bytes, list[Secret]]) -> Sieve:
    pairs = tuple(literals.items())

    def present(content: bytes) -> list[Secret]:
        found = [kinds for literal, kinds in pairs if literal in content]
        return list(dict.fromkeys(secret for kinds in found for secret in kinds)) if found else []

    return present


def _alternation(literals: dict[bytes, list[Secret]]) -> Callable[[bytes], object] | None:
    """Return a search for any of the literals in one pass, None where google-re2 is not installed."""
    if not literals:
        return None
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    search: Callable[[bytes], object] = re2.compile(b"|".join(map(re.escape, literals)), options).search
    return search
