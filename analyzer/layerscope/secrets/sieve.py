"""Which kinds of secrets may a content hold at all? Those whose literals, or hints, stand in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from layerscope.secrets.secret import Secret

Sieve = Callable[[bytes], list[Secret]]


def sieve(secrets: Sequence[Secret]) -> Sieve:
    """Return a function that names the kinds that a content may hold; google-re2 passes most texts by at once."""
    literals: dict[bytes, list[Secret]] = {}
    hints = [(re.compile(secret.hint).search, secret) for secret in secrets if secret.hint]
    for secret in secrets:
        for literal in () if secret.hint else secret.literals:
            literals.setdefault(literal, []).append(secret)
    patterns = [*map(re.escape, literals), *(secret.hint for secret in secrets if secret.hint)]
    meant = [*literals.values(), *([secret] for secret in secrets if secret.hint)]
    match = _matcher(patterns)
    if match is not None:

        def present(content: bytes) -> list[Secret]:
            found = match(content)
            return list(dict.fromkeys(secret for number in sorted(found) for secret in meant[number])) if found else []

        return present

    stems = _stems(literals)

    def look(content: bytes) -> list[Secret]:
        stand = (group for stem, group in stems if stem in content)
        found = [literals[literal] for group in stand for literal in group if literal in content]
        hinted = [secret for search, secret in hints if search(content)]
        return list(dict.fromkeys([*(secret for kinds in found for secret in kinds), *hinted])) if found or hinted else []

    return look


def _stems(literals: Iterable[bytes]) -> list[tuple[bytes, list[bytes]]]:
    """Return literals that begin alike in groups, each under its beginning: most texts hold not even that."""
    groups: dict[bytes, list[bytes]] = {}
    for literal in literals:
        groups.setdefault(literal[:3], []).append(literal)
    stems = []
    for group in groups.values():
        stem = group[0]
        while not all(literal.startswith(stem) for literal in group):
            stem = stem[:-1]
        stems.append((stem, group))
    return stems


def _matcher(patterns: Sequence[bytes]) -> Callable[[bytes], list[int] | None] | None:
    """Return what tells the numbers of all patterns that stand in a content, in one pass; None without google-re2."""
    try:
        import re2
    except ImportError:
        return None
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    all_of_them = re2.Set.SearchSet(options)
    for pattern in patterns:
        all_of_them.Add(pattern)
    all_of_them.Compile()
    match: Callable[[bytes], list[int] | None] = all_of_them.Match
    return match
