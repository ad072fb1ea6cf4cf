"""What is a package database?

A `Database` is a value: a name, the files worth keeping while a layer is scanned, and a pure reader of them. Adding one
is a module and a name in `DATABASES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, TypeVar

from layerscope.archive.inspection import Content
from layerscope.frozen import frozen
from layerscope.model import Level, Note, Package, Release

Result = TypeVar("Result")

MAX_RECORDS = 50_000
"""Packages that one database may hold; what is beyond is left out with a note."""

MAX_PROBLEMS = 20
"""Notes that one file may cause."""

MAX_NOTES = 1000
"""Notes that one database may cause."""

MAX_GROWTH = 32
"""How many times longer than the text that lists them the paths of a package may get; real ones stay below 5."""


def bloated(folder: bytes, count: int, content: bytes) -> bool:
    """Tell whether writing `folder` before `count` names, listed in `content`, is an attack on memory."""
    return len(folder) * count > MAX_GROWTH * len(content)


@frozen
class View:
    """The kept files of one database as of one layer.

    files     path -> content
    release   the distribution, for package URLs
    layer     position of the layer, for notes
    memo      what was parsed before, shared by the views of all layers
    notes     what was odd, in the order it was met
    """

    files: Mapping[bytes, bytes]
    release: Release | None = None
    layer: int | None = None
    memo: dict[object, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def parsed(self, path: bytes, parse: Callable[[bytes, list[str]], Result]) -> Result | None:
        """Return `parse(content, problems)` of a file, None if it is absent or unreadable; once for each content."""
        content = self.files.get(path)
        if content is None:
            return None
        key = (parse, content)
        if key not in self.memo:
            problems: list[str] = []
            try:
                self.memo[key] = parse(content, problems)
            except (ValueError, RecursionError) as error:
                self.memo[key] = None
                problems.append(f"not readable: {type(error).__name__}")
            for problem in problems:
                self.note(path, problem)
        found: Result | None = self.memo[key]
        return found

    def once(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Return `function(*arguments)`, worked out once for all layers; for files that change a little."""
        key = (function, arguments)
        if key not in self.memo:
            self.memo[key] = function(*arguments)
        found: Result = self.memo[key]
        return found

    def note(self, path: bytes, message: str) -> None:
        """Report a record or a file that was left out; past what a file or a database may cause, only that there is more."""
        count = self.memo[View.note, path] = self.memo.get((View.note, path), 0) + 1
        if count > MAX_PROBLEMS + 1 or len(self.notes) > MAX_NOTES:
            return
        if count > MAX_PROBLEMS or len(self.notes) == MAX_NOTES:
            message = "more was left out than is told here"
        self.notes.append(Note("P01", Level.WARNING, f"package database: {message}", layer=self.layer, path=path))

    def remark(self, path: bytes, message: str) -> None:
        """Report, once a path, what is no fault but hides packages; past what a database may cause, nothing."""
        if (View.remark, path) not in self.memo and len(self.notes) <= MAX_NOTES:
            self.memo[View.remark, path] = True
            self.notes.append(Note("P02", Level.INFO, message, layer=self.layer, path=path))


@frozen
class Seals:
    """What a database tells of the contents of one package's files.

    package    as findings name it: "deb:bash"
    algorithm  one of `model.SUMS`
    digests    path as it is listed -> digest
    changing   those of the paths that may differ: settings, which people are meant to change
    published  whether anybody may have the package; one that was built from a folder nobody else may have
    """

    package: str
    algorithm: str
    digests: Mapping[bytes, bytes]
    changing: frozenset[bytes] = frozenset()
    published: bool = True


@frozen
class Database:
    """A kind of package database.

    name       for people
    patterns   globs over normalised paths: `**/` is any depth, also none; `*` stays within one component
    read       the packages that a view tells of; never raises on hostile content
    places     globs of paths of which only the presence matters: a view holds them, of any kind, without content
    inspect    a mark of a program or an archive that is too large to keep, made of path and content while a layer is
               scanned, None if the file tells nothing: a view holds the mark in place of the content
    links      which symlinks matter, by their paths: a view that holds anything else holds them, with their targets as content
    seals      the digests that a view tells of files; never raises either
    named      whether a file's name, by itself, may make `inspect` find a mark
    edition    changes whenever `inspect` may find another mark in the same content
    """

    name: str
    patterns: tuple[str, ...]
    read: Callable[[View], Iterable[Package]]
    places: tuple[str, ...] = ()
    inspect: Callable[[bytes, Content], bytes | None] | None = None
    seals: Callable[[View], Iterable[Seals]] | None = None
    edition: str = "1"
    links: Callable[[bytes], bool] | None = None
    named: Callable[[bytes], bool] | None = None
