"""Which bytes would a command push? Reads the command lines of docker, podman, skopeo, crane and regctl."""

from __future__ import annotations

# ruff: noqa: PTH119
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import typer

_FILES = ("docker-archive", "oci-archive", "oci", "dir")
_STORES = {"docker-daemon": "docker", "containers-storage": "podman"}
_ENGINES = ("docker", "podman", "nerdctl", "finch")
_VALUED = frozenset(
    ("--platform", "--authfile", "--creds", "--cert-dir", "--format", "--image-refs", "-f", "--compression-format", "--sign-by")
)
_TRANSPORTS = re.compile(r"^(?:docker|docker-archive|oci-archive|oci|dir|docker-daemon|containers-storage):.")


@dataclass(frozen=True, slots=True)
class Push:
    """What would be pushed: an archive or folder (`path`), or an image of an engine (`engine`, `name`).

    name   in an archive: the image, if one is named
    """

    path: str | None = None
    engine: str | None = None
    name: str | None = None


def read_push(command: Sequence[str]) -> Push:
    """Return what a command pushes; one that is not understood is a usage error, never waved through."""
    tool = os.path.basename(command[0]).removesuffix(".exe") if command else ""
    words = list(command[1:])
    if tool in _ENGINES:
        return _engine(tool, words)
    if tool == "skopeo":
        return _skopeo(words)
    if tool == "crane":
        return _archive(words, ("push",), -2, "crane push ARCHIVE REF")
    if tool == "regctl":
        return _archive(words, ("image", "import"), -1, "regctl image import REF ARCHIVE")
    raise _refuse(f"{tool!r} is no command that guard knows; it knows docker, podman, nerdctl, skopeo, crane and regctl")


def _engine(tool: str, words: list[str]) -> Push:
    plain = _positionals(words)
    if plain[:1] == ["buildx"] or plain[:1] == ["build"] or plain[:2] == ["image", "build"]:
        raise _refuse(
            "a build that pushes leaves nothing to audit before it does. Build with --output type=oci,dest=image.tar, "
            "then: layerscope guard -- skopeo copy oci-archive:image.tar docker://REF"
        )
    plain = plain[1:] if plain[:1] == ["image"] else plain
    if plain[:1] != ["push"]:
        raise _refuse(f"{tool} {' '.join(plain[:1])} pushes nothing; guard is for {tool} push REF")
    if "-a" in words or "--all-tags" in words:
        raise _refuse("push one tag at a time: --all-tags pushes what was not audited")
    if len(plain) < 2:
        raise _refuse(f"{tool} push: which image?")
    return Push(engine=tool, name=plain[1])


def _skopeo(words: list[str]) -> Push:
    plain = [word for word in words if _TRANSPORTS.match(word)]
    if "copy" not in words or len(plain) != 2:
        raise _refuse("guard is for skopeo copy SOURCE DESTINATION")
    transport, _, rest = plain[0].partition(":")
    if transport in _STORES:
        return Push(engine=_STORES[transport], name=rest)
    if transport not in _FILES:
        raise _refuse(f"{plain[0]}: what a registry holds is not audited; copy it to an archive first")
    if transport == "dir":
        return Push(path=rest)
    path, _, name = rest.partition(":")
    return Push(path=path, name=name or None)


def _archive(words: list[str], verbs: tuple[str, ...], at: int, usage: str) -> Push:
    plain = _positionals(words)
    if tuple(plain[: len(verbs)]) != verbs or len(plain) != len(verbs) + 2:
        raise _refuse(f"guard is for {usage}")
    return Push(path=plain[at])


def _positionals(words: Sequence[str]) -> list[str]:
    """Return the words that are no options; of options written in two words only the usual ones are known."""
    plain, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _VALUED
        else:
            plain.append(word)
    return plain


def _refuse(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="'-- COMMAND'")
