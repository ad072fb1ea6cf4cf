"""Which caches and lists did package managers leave behind? Group 5 of the causes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from layerscope.analysis.causes import Cause, Certainty
from layerscope.analysis.waste import Pile, names_of, spans_with_links
from layerscope.model import Image
from layerscope.rootfs import LIVE, Stack

ID = "package-manager-cache"


@dataclass(frozen=True, slots=True)
class Cache:
    """What one tool leaves behind.

    folders  regular expression of the folders whose files, at any depth, are cache
    files    regular expression of further single files, or None
    mount    folder to give to `RUN --mount=type=cache,target=`
    clean    command that removes the files, for the RUN that makes them
    """

    tool: str
    what: str
    folders: str
    files: str | None
    mount: str | None
    clean: str


CACHES: tuple[Cache, ...] = (
    Cache("apt lists", "package lists", r"var/lib/apt/lists", None, "/var/lib/apt/lists", "rm -rf /var/lib/apt/lists/*"),
    Cache("apt", "downloaded packages and cache", r"var/cache/apt", None, "/var/cache/apt", "apt-get clean"),
    Cache(
        "dpkg",
        "backups of its databases",
        r"(?!)",
        r"var/(?:lib/dpkg|cache/debconf)/[^/]+-old",
        None,
        "rm -f /var/lib/dpkg/*-old /var/cache/debconf/*-old",
    ),
    Cache("apk", "cache", r"(?:var/cache/apk|etc/apk/cache)", None, None, "apk add --no-cache"),
    Cache("dnf", "cache", r"var/cache/(?:dnf|yum|libdnf5)", None, "/var/cache/dnf", "dnf clean all"),
    Cache("zypper", "cache", r"var/cache/zypp", None, "/var/cache/zypp", "zypper clean --all"),
    Cache(
        "pacman",
        "downloaded packages",
        r"var/cache/pacman/pkg|var/lib/pacman/sync",
        None,
        "/var/cache/pacman/pkg",
        "pacman -Scc --noconfirm",
    ),
    Cache("pip", "cache", r"(?:.*/)?\.cache/pip", None, "/root/.cache/pip", "pip install --no-cache-dir"),
    Cache("uv", "cache", r"(?:.*/)?\.cache/uv", None, "/root/.cache/uv", "uv cache clean"),
    Cache("poetry", "cache", r"(?:.*/)?\.cache/pypoetry", None, "/root/.cache/pypoetry", "poetry install --no-cache"),
    Cache("npm", "cache", r"(?:.*/)?\.npm/(?:_cacache|_logs|_npx)", None, "/root/.npm", "npm cache clean --force"),
    Cache(
        "yarn",
        "cache",
        r"(?:.*/)?\.cache/yarn|(?:.*/)?\.yarn/berry/cache",
        None,
        "/usr/local/share/.cache/yarn",
        "yarn cache clean",
    ),
    Cache(
        "pnpm",
        "store",
        r"(?:.*/)?(?:\.local/share/pnpm/store|\.pnpm-store)",
        None,
        "/root/.local/share/pnpm/store",
        "pnpm store prune",
    ),
    Cache(
        "gem",
        "downloaded gems",
        r"(?:.*/)?(?:\.bundle/cache|\.gem/specs)",
        r".*/gems/[^/]+/cache/[^/]+\.gem|.*/bundle/(?:ruby/)?[^/]+/cache/[^/]+\.gem",
        None,
        'rm -rf "$(gem env gemdir)"/cache/*.gem',
    ),
    Cache(
        "go",
        "module and build cache",
        r"(?:.*/)?(?:go/pkg/mod/cache|\.cache/go-build)",
        None,
        "/root/.cache/go-build",
        "go clean -cache -modcache",
    ),
    Cache(
        "cargo",
        "registry",
        r"(?:.*/)?\.?cargo/(?:registry|git)/(?:cache|src|index|db|checkouts)",
        None,
        "/usr/local/cargo/registry",
        'rm -rf "$CARGO_HOME"/registry',
    ),
    Cache("maven", "local repository", r"(?:.*/)?\.m2/repository", None, "/root/.m2", "rm -rf ~/.m2/repository"),
    Cache("gradle", "cache", r"(?:.*/)?\.gradle/caches", None, "/root/.gradle", "rm -rf ~/.gradle/caches"),
    Cache(
        "conda",
        "package cache",
        r"(?:.*/)?(?:conda|miniconda\d?|miniforge\d?|mambaforge|anaconda\d?|micromamba)/pkgs",
        None,
        "/opt/conda/pkgs",
        "conda clean -afy",
    ),
    Cache(
        "composer",
        "cache",
        r"(?:.*/)?(?:\.composer/cache|\.cache/composer)",
        None,
        "/root/.composer/cache",
        "composer clear-cache",
    ),
    Cache(
        "nuget",
        "http cache",
        r"(?:.*/)?\.local/share/NuGet/(?:http-cache|v3-cache)",
        None,
        None,
        "dotnet nuget locals http-cache --clear",
    ),
    Cache("man-db", "index", r"var/cache/man", None, None, "rm -rf /var/cache/man"),
)
FOLDERS = re.compile("|".join(f"(?P<c{number}>{cache.folders})(?:/.*)?" for number, cache in enumerate(CACHES)).encode())
FILES = re.compile("|".join(f"(?P<c{number}>{cache.files})" for number, cache in enumerate(CACHES) if cache.files).encode())
FILE_ENDS = tuple(b"-old .gem".split())


def cache_of(folder: bytes) -> int:
    """Return the number of the cache that a folder belongs to, -1 if to none."""
    found = FOLDERS.fullmatch(folder)
    return int(found.lastgroup[1:]) if found and found.lastgroup else -1


def find_caches(image: Image, stack: Stack, fates: bytearray) -> tuple[list[Cause], set[int]]:
    """Return a cause for each (tool, layer), and the rows that they claim: live files, all of whose live names match."""
    piles: dict[tuple[int, int], Pile] = {}
    claimed: set[int] = set()
    links = spans_with_links(stack, image)
    names = names_of(stack)
    for position, row, number, size, span in _matches(image, stack, fates):
        if row in names and not _all_match(image, stack, names[row]):
            continue
        claimed.add(row)
        piles.setdefault((number, position), Pile()).add(row, size, span + links.get(row, 0))
    return [_cause(image, stack, CACHES[number], position, pile) for (number, position), pile in piles.items()], claimed


def _matches(image: Image, stack: Stack, fates: bytearray) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield position, row id, cache, size and span of each live file with content in a cache."""
    known: dict[bytes, int] = {}
    for layer in image.layers:
        index = layer.index
        if index is None:
            continue
        start = stack.starts[layer.position]
        folders = stack.folders[start : start + len(index)]
        for row, (size, fate, folder) in enumerate(zip(index.sizes, fates[start : start + len(index)], folders, strict=True)):
            if not size or fate != LIVE:
                continue
            number = known.get(folder)
            if number is None:
                number = known[folder] = cache_of(folder)
            if number < 0 and index.paths[row].endswith(FILE_ENDS):
                found = FILES.fullmatch(index.paths[row])
                number = int(found.lastgroup[1:]) if found and found.lastgroup else -1
            if number >= 0:
                yield layer.position, start + row, number, size, index.spans[row]


def _all_match(image: Image, stack: Stack, links: list[int]) -> bool:
    """Whether every live name of an inode lies in a cache: else removing one frees nothing."""
    for link in links:
        if stack.ended[link] < 0:
            position = stack.position_of(link)
            index = image.index_of(position)
            assert index is not None
            path = index.paths[link - stack.starts[position]]
            if cache_of(path.rpartition(b"/")[0]) < 0 and FILES.fullmatch(path) is None:
                return False
    return True


def _cause(image: Image, stack: Stack, cache: Cache, position: int, pile: Pile) -> Cause:
    instruction = image.layers[position].instruction
    return Cause(
        id=ID,
        title=f"{cache.tool.removesuffix(' lists')} {cache.what} left behind",
        certainty=Certainty.FACT,
        bytes=pile.bytes,
        tar_bytes=pile.tar_bytes,
        layer=position,
        instruction=instruction,
        hidden_in=None,
        hidden_by_instruction=None,
        fix=_fix(cache, position, instruction),
        path_count=len(pile.rows),
        paths=pile.largest(image, stack),
    )


def _fix(cache: Cache, position: int, instruction: str) -> str:
    if not instruction.startswith("RUN"):
        return f"keep them out of what layer {position} brings in: {cache.clean} before it is made"
    if cache.clean.startswith(("pip install", "apk add", "poetry install")):
        return f"{cache.clean} in layer {position}"
    if cache.mount is not None:
        return f"RUN --mount=type=cache,target={cache.mount} in layer {position}, or end it with: && {cache.clean}"
    return f"end the RUN of layer {position} with: && {cache.clean}"
