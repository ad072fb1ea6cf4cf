"""Which bytes would a command push? Reads the command lines of docker, podman, skopeo, crane and regctl."""

from __future__ import annotations

# ruff: noqa: PTH119
import os
from collections.abc import Sequence

import typer

from layerscope.frozen import frozen
from layerscope.regex import regex

_FILES = ("docker-archive", "oci-archive", "oci", "dir")
_STORES = {"docker-daemon": "docker", "containers-storage": "podman"}
_ENGINES = ("docker", "podman", "nerdctl", "finch")
# Options with a value in the next word: of the engines before the verb, then of the verbs.
_VALUED = frozenset(
    """
    --context -c --host -H --log-level -l --config --tlscacert --tlscert --tlskey --connection --url --identity --root
    --runroot --imagestore --storage-driver --storage-opt --namespace -n --address
    --platform --authfile --creds --cert-dir --format -f --compression-format --compression-level --digestfile --retry
    --retry-delay --sign-by --sign-by-sigstore --sign-by-sigstore-private-key --sign-passphrase-file --image-refs --name
    """.split()  # noqa: SIM905 - a table
)
_FLAGS = frozenset(
    """
    --debug -D --tls --tlsverify --tls-verify --remote -r --quiet -q --disable-content-trust --remove-signatures --compress
    --force-compression --insecure --insecure-registry --allow-nondistributable-artifacts --verbose -v --index
    """.split()  # noqa: SIM905 - a table
)
_TRANSPORTS = regex(r"^(?:docker|docker-archive|oci-archive|oci|dir|docker-daemon|containers-storage):.")


@frozen
class Push:
    """What would be pushed: an archive or folder (`path`), or an image of an engine (`engine`, `name`).

    engine    the words that ask that very engine: its program, and the options that name its host, context or store
    name      in an archive: the image, if one is named
    platform  of an image for several, if the command names one
    """

    path: str | None = None
    engine: tuple[str, ...] = ()
    name: str | None = None
    platform: str | None = None


def read_push(command: Sequence[str]) -> Push:
    """Return what a command pushes; one that is not understood is a usage error, never waved through."""
    tool = os.path.basename(command[0]).removesuffix(".exe") if command else ""
    words = list(command[1:])
    if tool in _ENGINES:
        return _engine(tool, command[0], words)
    if tool == "skopeo":
        return _skopeo(words)
    if tool == "crane":
        return _archive(words, ("push",), -2, "crane push ARCHIVE REF")
    if tool == "regctl":
        return _archive(words, ("image", "import"), -1, "regctl image import REF ARCHIVE")
    raise _refuse(f"{tool!r} is no command that guard knows; it knows docker, podman, nerdctl, skopeo, crane and regctl")


def _engine(tool: str, program: str, words: list[str]) -> Push:
    if "push" not in words and {"buildx", "build"} & set(words):
        raise _refuse(
            "a build that pushes leaves nothing to audit before it does. Build with --output type=oci,dest=image.tar, "
            "then: layerscope guard -- skopeo copy oci-archive:image.tar docker://REF"
        )
    places = _places(words)
    plain = [words[at] for at in places]
    options = tuple(words[: places[0]]) if places else ()
    plain = plain[1:] if plain[:1] == ["image"] else plain
    if plain[:1] != ["push"]:
        raise _refuse(f"{tool} {' '.join(plain[:1])} pushes nothing; guard is for {tool} push REF")
    if len(plain) < 2:
        raise _refuse(f"{tool} push: which image?")
    if len(plain) > (3 if tool == "podman" else 2):
        raise _refuse(f"{tool} push: one image at a time")
    return Push(engine=(program, *options), name=plain[1], platform=_value(words[len(options) :], "--platform"))


def _skopeo(words: list[str]) -> Push:
    plain = [word for word in words if _TRANSPORTS.match(word)]
    if "copy" not in words or len(plain) != 2:
        raise _refuse("guard is for skopeo copy SOURCE DESTINATION")
    transport, _, rest = plain[0].partition(":")
    if transport in _STORES:
        if any(word.startswith(("--src-daemon-host", "--root", "--runroot", "--storage-")) for word in words):
            raise _refuse("guard asks the usual daemon or store, and this command another one; copy it to an archive first")
        return Push(engine=(_STORES[transport],), name=rest)
    if transport not in _FILES:
        raise _refuse(f"{plain[0]}: what a registry holds is not audited; copy it to an archive first")
    if transport == "dir":
        return Push(path=rest)
    path, _, name = rest.partition(":")
    return Push(path=path, name=name or None)


def _archive(words: list[str], verbs: tuple[str, ...], at: int, usage: str) -> Push:
    plain = [words[place] for place in _places(words)]
    if tuple(plain[: len(verbs)]) != verbs or len(plain) != len(verbs) + 2:
        raise _refuse(f"guard is for {usage}")
    return Push(path=plain[at])


def _places(words: Sequence[str]) -> list[int]:
    """Return where the words stand that are no options; one that may take the next word for its value is refused."""
    places, skip = [], False
    for at, word in enumerate(words):
        if skip:
            skip = False
        elif not word.startswith("-"):
            places.append(at)
        elif word in _VALUED:
            skip = True
        elif "=" not in word and word not in _FLAGS:
            raise _refuse(f"{word}: guard does not know what this pushes; write a value behind it with =, or push without it")
    return places


def _value(words: Sequence[str], option: str) -> str | None:
    """Return the value of an option, written in one word or two."""
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _refuse(message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint="'-- COMMAND'")
