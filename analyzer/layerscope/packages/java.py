"""Which Java libraries lie in jars, wars and ears, also in jars inside them?

A jar tells its name in `pom.properties` (one whose name fits the file's, if it holds several), else in its manifest,
else by its file name. Jars inside a jar are packages as well; their bytes are the outer file's. `inspect` makes a
small mark of a large file while a layer is scanned, and `read` reads marks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from layerscope.archive.inspection import Content
from layerscope.frozen import frozen
from layerscope.model import Package
from layerscope.packages.database import MAX_RECORDS, Database, View
from layerscope.packages.purl import purl
from layerscope.packages.text import text
from layerscope.packages.zips import Allowance, members, unpack
from layerscope.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS = (b".jar", b".war", b".ear", b".par", b".sar", b".nar", b".jpi", b".hpi", b".kar", b".lpkg", b".rar")
MAX_DEPTH = 3
MAX_JARS = 5_000
"""Jars inside one file, at any depth."""

_MAX_TEXT = 1 << 20
_FILE = regex(r"(.+?)-(\d[A-Za-z0-9.+_-]*)\Z")
_PROPERTY = regex(rb"^[ \t]*+(groupId|artifactId|version)[ \t]*+[=:]([^\r\n]*)", re.MULTILINE)
_FOLDED = regex(rb"\r?\n ")
_HEADER = regex(rb"^([A-Za-z0-9_-]+): *(.*?)\r?$", re.MULTILINE)
_DOTTED = regex(r"[A-Za-z_][\w-]*(?:\.[\w-]+)+\Z")


@frozen
class Jar:
    """One library. `place` is the way to it inside the file, empty for the file itself."""

    group: str
    name: str
    version: str
    place: str


def is_jar(path: bytes) -> bool:
    """Tell by its name whether a file may be a jar."""
    return path.endswith(ENDINGS)


def inspect(path: bytes, content: Content) -> bytes | None:
    """Return a mark of what a jar holds, None if it is none; what is damaged inside is told in the mark."""
    if not is_jar(path) or content[0:2] != b"PK":
        return None
    problems: list[str] = []
    jars = read_jars(path, content, problems)
    return json.dumps(
        {"jars": [[jar.group, jar.name, jar.version, jar.place] for jar in jars], "problems": problems[:20]}
    ).encode()


def read_jars(path: bytes, content: Content, problems: list[str]) -> list[Jar]:
    """Return the libraries in a jar, itself first."""
    found: list[Jar] = []
    _look(path.rpartition(b"/")[2], content, "", 0, Allowance(), found, problems)
    return found


def _look(
    name: bytes, content: Content, place: str, depth: int, allowance: Allowance, found: list[Jar], problems: list[str]
) -> None:
    title = f"{place}: " if place else ""
    try:
        listed = members(content)
    except ValueError as error:
        problems.append(f"{title}{error}")
        return
    properties: list[dict[str, str]] = []
    manifest: dict[str, str] = {}
    inner = []
    for member in listed:
        is_pom = member.name.startswith(b"META-INF/maven/") and member.name.endswith(b"/pom.properties")
        is_jar = member.name.endswith(ENDINGS)
        if is_jar:
            inner.append(member)
        if not is_pom and member.name != b"META-INF/MANIFEST.MF":
            continue
        try:
            told = unpack(content, member, allowance, _MAX_TEXT)
        except ValueError as error:
            problems.append(f"{title}{text(member.name)}: {error}")
            continue
        if is_pom and len(properties) < MAX_JARS:
            properties.append({key.decode(): text(value) for key, value in _PROPERTY.findall(told)})
        elif not is_pom:
            main = re.split(rb"\r?\n\r?\n", told, maxsplit=1)[0]
            manifest = {key.decode().lower(): text(value) for key, value in _HEADER.findall(_FOLDED.sub(b"", main))}
    found.extend(_identify(text(name), properties, manifest, place))
    for member in inner:
        if len(found) >= MAX_JARS:
            problems.append(f"{title}more than {MAX_JARS} libraries")
            return
        if depth + 1 >= MAX_DEPTH:
            problems.append(f"{title}{text(member.name)}: jars are nested too deeply")
            continue
        try:
            content_ = unpack(content, member, allowance)
        except ValueError as error:
            problems.append(f"{title}{text(member.name)}: {error}")
            continue
        below = f"{place}!{text(member.name)}" if place else text(member.name)
        _look(member.name.rpartition(b"/")[2], content_, below[:1000], depth + 1, allowance, found, problems)


def _identify(name: str, properties: list[dict[str, str]], manifest: dict[str, str], place: str) -> Iterator[Jar]:
    """Yield the jar itself, and after it what was shaded into it."""
    stem = name.rpartition(".")[0] or name
    match = _FILE.match(stem)
    title, version = (match[1], match[2]) if match else (stem, "")
    whole = [told for told in properties if told.get("artifactId") and told.get("version")]
    own = next((told for told in whole if stem.startswith(told["artifactId"])), whole[0] if len(whole) == 1 else None)
    if own is not None:
        yield Jar(own.get("groupId", ""), own["artifactId"], own["version"], place)
    else:
        for key in ("bundle-version", "implementation-version", "specification-version", "plugin-version"):
            version = version or manifest.get(key, "")
        bundle = manifest.get("bundle-symbolicname", "").partition(";")[0].strip()
        vendor = manifest.get("implementation-vendor-id", "")
        group = next((one for one in (vendor, bundle) if _DOTTED.match(one)), "")
        if match is None and not version:
            title = manifest.get("implementation-title") or bundle or title
        yield Jar(group, title, version, place)
    for told in whole:
        if told is not own:
            yield Jar(told.get("groupId", ""), told["artifactId"], told["version"], f"{place}#{told['artifactId']}")


def read(view: View) -> Iterator[Package]:
    """Yield the libraries of every jar; the outer file is the first one's."""
    count = 0
    for path in sorted(view.files):
        for number, jar in enumerate(view.parsed(path, _mark) or ()):
            count += 1
            if count > MAX_RECORDS:
                view.note(path, f"only the first {MAX_RECORDS} libraries were read")
                return
            if not jar.name:
                continue
            yield Package(
                type="maven",
                name=jar.name,
                version=jar.version,
                arch=None,
                purl=purl("maven", jar.group or jar.name, jar.name, jar.version),
                origin=path,
                location=path + b"!" + jar.place.encode() if jar.place else path,
                paths=(path,) if number == 0 else (),
                source=f"{jar.group}:{jar.name}" if jar.group else None,
                evidence=f"inside /{text(path)}" if jar.place else None,
            )


def _mark(content: bytes, problems: list[str]) -> tuple[Jar, ...]:
    """Read a mark."""
    document = json.loads(content)
    if not isinstance(document, dict):
        return ()
    problems.extend(map(text, document.get("problems") or ()))
    return tuple(Jar(*map(text, row)) for row in document.get("jars") or () if isinstance(row, list) and len(row) == 4)


JAVA = Database("java", (), read, inspect=inspect, named=is_jar)
