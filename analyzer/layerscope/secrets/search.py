"""Does a file hold a secret? Contents in, marks out; the secret itself stays behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

from layerscope.analysis.credentials import kind_of
from layerscope.analysis.marks import pack
from layerscope.archive.inspection import Content, Inspector
from layerscope.frozen import frozen
from layerscope.model import SECRETS as NAME
from layerscope.model import Mark
from layerscope.secrets.context import weigh
from layerscope.secrets.files import FILES
from layerscope.secrets.prints import print_of
from layerscope.secrets.secret import Secret
from layerscope.secrets.sieve import sieve
from layerscope.secrets.tokens import TOKENS

SECRETS: tuple[Secret, ...] = (*TOKENS, *FILES)
VERSION = 1
"""To be raised by whoever changes what is found in the same content without changing a declaration."""

MARKS = 100
LEAST = 8
FIRST = 8 << 20
"""Bytes of a file that are looked into."""

_KEPT = 400
_FREE = frozenset(("dotenv-secret", "url-credentials", "netrc-password", "pypirc-password", "npmrc-auth"))


@frozen
class Hit:
    """Where a secret's pattern matched and what it proved; the value is cut, and leaves this module only as a short hash."""

    secret: Secret
    level: str
    start: int
    line: int
    length: int
    value: bytes
    print: str


class Finder(Protocol):
    """Something else that finds secrets: other people's rules; `version` is another one if they are others."""

    version: str

    def find(self, path: bytes, content: bytes) -> Iterator[Mark]:
        """Yield what it finds in a text."""


def inspector(secrets: Sequence[Secret] = SECRETS, finders: Sequence[Finder] = ()) -> Inspector:
    """Return who finds secrets in contents; `analysis.marks` reads what it finds."""
    search_in = Search(secrets, finders)

    def find(path: bytes, content: Content) -> bytes | None:
        marks = search_in(path, content[0 : len(content)])
        return pack(marks) if marks else None

    rules = [
        (one.id, one.title, one.level, one.literals, one.pattern, one.proof.__name__, one.doubt, one.lead, one.hint, one.names)
        for one in secrets
    ]
    said = repr((VERSION, rules, [finder.version for finder in finders]))
    version = blake2b(said.encode(), digest_size=16).hexdigest()
    return Inspector(NAME, version, _holds_something, is_text, find, FIRST, search_in.asks)


def _holds_something(_path: bytes, _mode: int, size: int) -> bool:
    return size >= LEAST


def is_text(head: bytes) -> bool:
    """Whether a file may be a text: keys in programs are those of their tests."""
    return b"\0" not in head


class Search:
    """Looks into contents, into each distinct content once: path and content in, marks out."""

    def __init__(self, secrets: Sequence[Secret] = SECRETS, finders: Sequence[Finder] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if not secret.names)
        self._named = tuple(secret for secret in secrets if secret.names)
        self._ends = tuple({end for secret in self._named for end in secret.names})
        self._finders = tuple(finders)
        self._seen: dict[bytes, tuple[Hit, ...]] = {}
        self._present = sieve(self._secrets)

    def __call__(self, path: bytes, content: bytes) -> tuple[Mark, ...]:
        """Return the marks of one file, at most `MARKS`, in the order they stand in it."""
        found = [*self._look(content), *search(content, self._fitting(b"/" + path))]
        marks = [mark for hit in found if (mark := _mark(path, hit)) is not None]
        for finder in self._finders:
            marks += finder.find(path, content)
        return tuple(_settle(marks))[:MARKS]

    def asks(self, path: bytes) -> bool:
        """Whether anything is looked for because of a file's name; other people's rules may be of any."""
        return bool(self._finders) or self._is_special(b"/" + path)

    def _is_special(self, path: bytes) -> bool:
        return path.endswith(self._ends) or b"/.env." in path

    def _fitting(self, path: bytes) -> list[Secret]:
        """Return the kinds that are looked for because of a file's name."""
        if not self._is_special(path):
            return []
        return [one for one in self._named if _is_named(path, one)]

    def _look(self, content: bytes) -> tuple[Hit, ...]:
        key = blake2b(content, digest_size=16).digest()
        found = self._seen.get(key)
        if found is None:
            # Most contents hold nothing: one empty tuple for them all.
            present = self._present(content)
            found = self._seen[key] = tuple(search(content, present)) if present else ()
        return found


def _is_named(path: bytes, secret: Secret) -> bool:
    name = path[path.rfind(b"/") + 1 :]
    return any(path.endswith(end) or (end == b"/.env" and name.startswith(b".env.")) for end in secret.names)


def search(content: bytes, secrets: Sequence[Secret]) -> Iterator[Hit]:
    """Yield what matches and can be proved. A pattern is tried only where one of its literals stands."""
    for secret in secrets:
        count = 0
        for literal in secret.literals:
            at, done = content.find(literal), 0
            while at >= 0 and count < MARKS:
                found = _match(secret, content, at, done)
                if found is not None:
                    done = found.end()
                    level = secret.level if secret.proof(found) else secret.doubt
                    if level is not None:
                        count += 1
                        yield _hit(secret, level, content, found)
                at = content.find(literal, max(at + len(literal), done))


def _match(secret: Secret, content: bytes, at: int, done: int) -> re.Match[bytes] | None:
    """Return the match that begins at a literal, or not further before it than the pattern may; each start is tried once."""
    match = secret.regex.match
    for start in range(max(done, at - secret.lead), at + 1):
        found = match(content, start)
        if found is not None and found.end() > at:
            return found
    return None


def _hit(secret: Secret, level: str, content: bytes, found: re.Match[bytes]) -> Hit:
    group = "secret" if "secret" in found.re.groupindex and found["secret"] is not None else 0
    value, start = found[group], found.start(group)
    line = content.count(b"\n", 0, start) + 1
    return Hit(secret, level, start, line, len(value), value[:_KEPT], print_of(value))


def _mark(path: bytes, hit: Hit) -> Mark | None:
    secret, level = hit.secret, hit.level
    if secret.id == "url-credentials" and kind_of(path) is not None:
        level = "error"
    weighed = weigh(level, path, hit.value, free=secret.id in _FREE)
    if weighed is None:
        return None
    return Mark(secret.id, weighed, secret.title, hit.line, hit.start, hit.length, hit.print)


def _settle(marks: list[Mark]) -> list[Mark]:
    """Return marks in order; where two speak of the same bytes, the graver, then the first, stands for both."""
    order = {"error": 0, "warning": 1, "info": 2}
    settled: list[Mark] = []
    for mark in sorted(marks, key=lambda one: (one.offset, order[one.level])):
        last = settled[-1] if settled else None
        if last is not None and mark.offset < last.offset + last.length:
            if order[mark.level] < order[last.level]:
                settled[-1] = mark
            continue
        settled.append(mark)
    return settled
