"""Which instruction was it? Turns what builders write into a history row back into a line of a Dockerfile, for people."""

from __future__ import annotations

import re
from collections.abc import Callable

from layerscope.archive.history.builders import BUILDERS, MARKS
from layerscope.archive.history.golang import list_items, read_healthcheck
from layerscope.frozen import frozen
from layerscope.regex import regex

NONE = "(no history)"
VERBS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD"),
    *("RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
_OPTION = r"-[\w-]{1,24}(?: (?:pipefail|errexit|nounset|xtrace|posix|noglob))?"
_UNIX = rf"(?:/[\w./-]*/)?(?:ba|da|a|z|k)?sh (?:{_OPTION} ){{0,8}}?-\w{{0,8}}c"
_SHELL_OF = regex(rf"(?:RUN )?(?:\|\d+ (?:.*? )??)?(?P<shell>{_UNIX})\s", re.DOTALL)
SHELL = (
    rf"(?:{_UNIX}\s"
    r"|cmd(?:\.exe)? /S /C\s"
    r"|(?:powershell|pwsh)(?:\.exe)? (?:-(?!Command)\w+ (?:\w+ )?){0,4}(?:-Command )?(?:\$\w+ = '\w+'; ?){0,8})"
)
_BUILDAH = regex(r"(?:inherit|unset|force-|clamp-)(?:Labels|Label|Annotations|Annotation|mtime)=[^|\n]*")
_BOUND = regex(r"(?<!@sha256)(?::(?:sha256:)?[0-9a-f]{64})+$")
_REMARKS = 64


@frozen
class Frame:
    """What a builder writes around an instruction: whose it is, and what takes it off."""

    builder: str
    take_off: Callable[[str], str]


def _cut(looks: str, left: str = "") -> Callable[[str], str]:
    """Return what puts `left` in the place of a frame that looks so."""
    pattern = regex(looks, re.DOTALL)
    return lambda text: pattern.sub(left, text, count=1)


def _without_remarks(text: str) -> str:
    """Take off what buildah adds to tell its cache apart: what it did to labels and times, the hashes of what mounts bind."""
    for _ in range(_REMARKS):
        head, bar, tail = text.rpartition("|")
        if not bar or not _BUILDAH.fullmatch(tail):
            break
        text = head
    return _BOUND.sub("", text) if "--mount=" in text else text


def _without_arguments(text: str) -> str:
    """Take off build arguments before a command in exec form; only their count is told, and a value may have spaces."""
    found = _ARGUMENTS.match(text)
    if found is None:
        return text
    words = found["rest"].split(" ")
    count = min(int(found["count"]), len(words))
    while count and "=" not in words[count - 1]:
        count -= 1
    return "RUN " + " ".join(words[count:])


_ARGUMENTS = regex(r"(?:RUN )?\|(?P<count>\d{1,4}) (?P<rest>.*)", re.DOTALL)
FRAMES = (
    Frame("BuildKit", lambda text: text.removesuffix("# buildkit")),
    Frame("BuildKit without a Dockerfile", _cut(r"^(?:mount / from exec (?=\S)|\[[^\]\n]{0,80}\] (?=[A-Z]+ ))")),
    Frame("BuildKit without a Dockerfile", _cut(r"^pulled from (?=\S)", "FROM ")),
    Frame("buildah", _without_remarks),
    Frame("Docker's classic builder, buildah", _cut(rf"^{SHELL}#\(nop\)\s+")),
    Frame("Docker's classic builder, BuildKit", _cut(rf"^(?:RUN )?\|\d+ (?:.*? )??{SHELL}\s*", "RUN ")),
    Frame("every builder", _cut(rf"^(?:RUN )?{SHELL}\s*", "RUN ")),
    Frame("every builder, exec form", _without_arguments),
)


def peel(created_by: str) -> str:
    """Return the instruction that a row's text holds, its line breaks kept: no shell, no build arguments, no builder's mark."""
    text = created_by.strip()
    for frame in FRAMES:
        text = frame.take_off(text).strip()
    verb, blank, values = text.partition(" ")
    return f"{verb.upper()}{blank}{values}" if verb.upper() in VERBS else text


def shell_of(created_by: str) -> tuple[str, ...] | None:
    """Return the shell of a RUN that a row's text names, as SHELL lists it; None if it names none, or that of Windows."""
    found = _SHELL_OF.match(created_by.strip())
    return tuple(found["shell"].split()) if found else None


@frozen
class Spelling:
    """How a builder spells the values of an instruction, and what a Dockerfile would say; None if it is spelled otherwise."""

    builder: str
    verbs: tuple[str, ...]
    read: Callable[[str], str | None]


def _exec(values: str) -> str | None:
    """`["npm" "start"]`, of the oldest builders `&{["npm" "start"]}`: Go's list, which has no commas."""
    items = list_items(values.removeprefix("&{").removesuffix("}"))
    return None if items is None else f"[{', '.join(items)}]"


def _words(values: str) -> str | None:
    """`[/bin/bash -o pipefail -c]`: Go's list without quotes."""
    found = re.fullmatch(r"\[([^\[\]\"]*)\]", values)
    return "[" + ", ".join(f'"{word}"' for word in found[1].split()) + "]" if found else None


def _plain(values: str) -> str | None:
    """`map[80/tcp:{} 443/tcp:{}]` or `[80/tcp]`: Go's map, Go's list."""
    found = re.fullmatch(r"(?:map)?\[([^\[\]\"]*)\]", values)
    return " ".join(word.removesuffix(":{}") for word in found[1].split()) if found else None


def _digest(values: str) -> str | None:
    """`file:2a949686d988... in /`: the hash of what was copied, of which twelve digits tell it apart."""
    return re.sub(r"\b(file|dir|multi):([0-9a-f]{12})[0-9a-f]{20,}", r"\1:\2", values)


SPELLINGS = (
    Spelling("Docker's builders", ("CMD", "ENTRYPOINT", "SHELL", "VOLUME"), _exec),
    Spelling("Docker's builders", ("SHELL",), _words),
    Spelling("Docker's builders", ("EXPOSE", "VOLUME"), _plain),
    Spelling("Docker's builders", ("HEALTHCHECK",), read_healthcheck),
    Spelling("Docker's classic builder, buildah", ("ADD", "COPY"), _digest),
)


def for_people(created_by: str | None, comment: str | None = None) -> str:
    """Return the instruction in one line, as a Dockerfile would say it; else what its builder tells (B05, B07)."""
    raw, remark = (created_by or "").strip(), (comment or "").strip()
    for builder in BUILDERS:
        told = builder.tell(raw, remark)
        if told is not None:
            return _fold(told)
    if not raw:
        return NONE if not remark or remark.startswith(MARKS) else _fold(remark)
    text = peel(raw)
    verb, _, values = text.partition(" ")
    if verb == "RUN" and "\n" in values and "<<" not in values:
        return _fold("RUN " + join_lines(values))
    values = " ".join(values.split())
    for spelling in SPELLINGS:
        if verb in spelling.verbs and (said := spelling.read(values)) is not None:
            return _fold(f"{verb} {said}")
    if verb not in VERBS and found_command(text):
        text = f"RUN {text}"
    return _fold(text) or NONE


def join_lines(script: str) -> str:
    """Return a script of several lines in one, comments left out: a heredoc, the only command that keeps its lines."""
    script = re.sub(r"\\\r?\n", " ", script)
    lines = [line.strip() for line in script.splitlines()]
    told = [line for line in lines if line and not line.startswith("#")]
    return "".join(line if at == len(told) else f"{line}{' ' if _goes_on(line) else '; '}" for at, line in enumerate(told, 1))


def _goes_on(line: str) -> bool:
    """Whether a line of a shell goes on in the next, so that no semicolon may stand between."""
    return line.endswith(("&&", "||", "|", ";", "{", "(")) or bool(re.search(r"\b(?:then|do|else|in)$", line))


def _fold(text: str) -> str:
    return " ".join(text.split())


def found_command(text: str) -> bool:
    """Whether a line without a verb reads like a command: old builders write them bare."""
    return bool(re.match(r"(?:set -|apt-get |apk |yum |dnf |pip |npm |cd |mkdir |rm |chmod |chown |/\S+ \S)", text))
