"""What do headers, names and the config tell that a security review wants to see?"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from layerscope.model import Fate, Image, Kind, LayerIndex
from layerscope.rootfs import DELETED, FILE, LIVE, Stack

KEY_NAMES = frozenset(
    b"id_rsa id_dsa id_ecdsa id_ed25519 .npmrc .netrc .git-credentials .pgpass .pypirc .htpasswd .env credentials.json".split()
)
KEY_ENDS = (
    b".key",
    b".ppk",
    b".p12",
    b".pfx",
    b".jks",
    b".keystore",
    b"/.aws/credentials",
    b"/.docker/config.json",
    b"/.kube/config",
)
ENDS = (*KEY_NAMES, *KEY_ENDS)
SECRET_NAME = re.compile(r"(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY)$", re.IGNORECASE)
PLACEHOLDER = re.compile(r"^(?:|changeme|change_me|example|none|null|true|false|\$\{?\w+\}?|<.*>|x+|\*+)$", re.IGNORECASE)
STATES = ("visible", "replaced", "deleted")
DEVICES = {int(Kind.CHARACTER): "character", int(Kind.BLOCK): "block"}


@dataclass(frozen=True, slots=True)
class Exposure:
    """One fact for a security review.

    level   "info", "warning" or "error"
    state   "visible", "deleted", "replaced" or "config"
    """

    id: str
    level: str
    title: str
    path: bytes | None
    layer: int | None
    state: str
    hidden_in: int | None = None
    package: str | None = None
    detail: str | None = None


def find_exposures(image: Image, stack: Stack, fates: bytearray, ended: array[int]) -> tuple[Exposure, ...]:
    """Return setuid and setgid files, devices, files whose names say key, and secrets in ENV; contents are not read."""
    found = list(_from_config(image))
    for layer in image.layers:
        if layer.index is not None:
            start = stack.starts[layer.position]
            found.extend(_from_rows(layer.index, layer.position, start, fates, ended))
    return tuple(found)


def _from_config(image: Image) -> Iterator[Exposure]:
    for variable in image.config.env:
        name, _, value = variable.partition("=")
        if SECRET_NAME.search(name) and not PLACEHOLDER.match(value):
            yield Exposure("secret-env", "error", "a secret in the image's environment", None, None, "config", detail=name)
    if not image.config.user or image.config.user.partition(":")[0] in ("0", "root"):
        yield Exposure("root-user", "info", "the container runs as root", None, None, "config")


def _from_rows(index: LayerIndex, position: int, start: int, fates: bytearray, ended: array[int]) -> Iterator[Exposure]:
    for row, (path, kind, mode) in enumerate(zip(index.paths, index.kinds, index.modes, strict=True)):
        what = None
        if kind == FILE:
            if mode & 0o6000:
                what = (
                    ("setuid-file", "info", "runs as its owner")
                    if mode & 0o4000
                    else ("setgid-file", "info", "runs as its group")
                )
            elif path.endswith(ENDS) and (path.endswith(KEY_ENDS) or path[path.rfind(b"/") + 1 :] in KEY_NAMES):
                what = ("key-file", "warning", "its name says that it holds a key or a password")
        elif kind in DEVICES:
            what = ("device-file", "warning", f"a {DEVICES[kind]} device")
        if what is not None:
            fate = fates[start + row]
            hidden = None if fate == LIVE else ended[start + row]
            yield Exposure(*what, path, position, STATES[fate], hidden, detail=f"mode {mode:04o}")


assert (Fate.LIVE, Fate.REPLACED, Fate.DELETED) == (LIVE, 1, DELETED)  # the order of STATES
