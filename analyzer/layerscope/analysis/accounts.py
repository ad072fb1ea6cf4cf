"""Which accounts does the image have that it should not?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from layerscope.analysis.exposure import Exposure, Ground
from layerscope.model import Image

PASSWD, SHADOW, GROUP = b"etc/passwd", b"etc/shadow", b"etc/group"
_LINES = 10_000


def find_accounts(image: Image, ground: Ground) -> Iterator[Exposure]:
    """Return empty passwords, numbers that two accounts or groups share, and password hashes; also of hidden files."""
    for layer in image.layers:
        if layer.index is None:
            continue
        start = ground.stack.starts[layer.position]
        for row, content in layer.index.kept.items():
            path = layer.index.paths[row]
            if path not in _READERS:
                continue
            state, hidden = ground.state(start + row)
            for id_, level, title, detail in _READERS[path](content):
                if state == "visible" or id_ == "password-hash":
                    yield Exposure(id_, level, title, path, layer.position, state, hidden, detail=detail)


def _rows(content: bytes) -> Iterator[list[str]]:
    for line in islice(content.splitlines(), _LINES):
        fields = line.decode("utf-8", "replace").split(":")
        if len(fields) > 2 and fields[0] and not fields[0].startswith(("#", "+", "-")):
            yield fields


def _passwd(content: bytes) -> Iterator[tuple[str, str, str, str]]:
    first: dict[str, str] = {}
    for name, password, uid, *_ in _rows(content):
        if not password:
            yield "empty-password", "error", "an account without a password", name
        elif _is_hash(password):
            yield "password-hash", "warning", "the hash of a password, for anybody to guess at", name
        other = first.setdefault(uid, name)
        if other != name:
            level = "error" if uid == "0" else "warning"
            yield "duplicate-uid", level, "two accounts with one number", f"{other} and {name} are both {uid}"


def _shadow(content: bytes) -> Iterator[tuple[str, str, str, str]]:
    for name, password, *_ in _rows(content):
        if not password:
            yield "empty-password", "error", "an account without a password", name
        elif _is_hash(password):
            yield "password-hash", "warning", "the hash of a password, for anybody to guess at", name


def _group(content: bytes) -> Iterator[tuple[str, str, str, str]]:
    first: dict[str, str] = {}
    for name, _, gid, *_ in _rows(content):
        other = first.setdefault(gid, name)
        if other != name:
            yield "duplicate-gid", "warning", "two groups with one number", f"{other} and {name} are both {gid}"


def _is_hash(password: str) -> bool:
    return password.lstrip("!").startswith("$") and len(password) > 12


_READERS = {PASSWD: _passwd, SHADOW: _shadow, GROUP: _group}
