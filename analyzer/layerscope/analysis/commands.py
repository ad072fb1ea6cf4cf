"""What does a container run when it starts, and whose is it?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from layerscope.model import Image, Kind, LayerIndex
from layerscope.rootfs.stack import Stack

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINKS = 40
WORDS = 200


def run_rows(image: Image, stack: Stack) -> set[int]:
    """Return the rows of the programs that entrypoint and command name, also within a shell command line."""
    config = image.config
    folders = _search_path(image)
    work = (config.workdir or "/").strip("/").encode("utf-8", "surrogateescape")
    found = set()
    words = " ".join((*config.entrypoint, *config.cmd))
    for word in re.findall(r"[^\s;&|()<>\"'=]+", words)[:WORDS]:
        raw = word.encode("utf-8", "surrogateescape")
        places = [folder + b"/" + raw for folder in (*folders, work + b"/node_modules/.bin")] if b"/" not in raw else [
            raw if raw.startswith(b"/") else work + b"/" + raw
        ]  # fmt: skip
        for place in places:
            rows = list(resolve(image, stack, place))
            if rows:
                found.update(rows)
                break
    return found


def _search_path(image: Image) -> list[bytes]:
    told = next((value[5:] for value in image.config.env if value.startswith("PATH=")), PATH)
    return [folder.encode("utf-8", "surrogateescape") for folder in told.split(":")[:64] if folder]


def resolve(image: Image, stack: Stack, path: bytes) -> Iterator[int]:
    """Yield the rows that a path leads over: symlinks on the way, and the file at its end; nothing if there is none."""
    waiting = [part for part in path.split(b"/") if part not in (b"", b".")][::-1]
    place: list[bytes] = []
    passed: list[int] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part == b"..":
            del place[-1:]
            continue
        place.append(part)
        row = stack.visible.get(b"/".join(place))
        if row is None:
            continue
        index, inside = _row(image, stack, row)
        kind = index.kinds[inside]
        if kind == Kind.SYMLINK:
            links += 1
            if links > LINKS:
                return
            passed.append(row)
            target = index.links.get(inside, b"")
            if target.startswith(b"/"):
                place = []
            else:
                place.pop()
            waiting.extend([part for part in target.split(b"/") if part not in (b"", b".")][::-1])
        elif not waiting and kind in (Kind.FILE, Kind.HARDLINK):
            yield from (*passed, row)


def _row(image: Image, stack: Stack, row: int) -> tuple[LayerIndex, int]:
    position = stack.position_of(row)
    index = image.index_of(position)
    assert index is not None
    return index, row - stack.starts[position]
