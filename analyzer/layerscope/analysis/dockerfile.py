"""What does a Dockerfile say: which stages, which instructions, on which lines?

Read as BuildKit reads it (docs.docker.com/reference/dockerfile): parser directives, continued lines, comments and empty lines
among them, heredocs, arguments before the first FROM, stages built on stages. Nothing in it is run or fetched, nothing is an
error but a size past the limits: what is no instruction is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from layerscope.errors import LayerscopeError
from layerscope.frozen import frozen
from layerscope.regex import regex

MOST_BYTES, MOST_LINES = 1 << 20, 20_000
_LONG = 4_096
_DIRECTIVE = regex(r"#\s*([A-Za-z][\w-]*)\s*=(.*)")
_VERB = regex(r"([A-Za-z]+)(?:\s+(.*))?", re.DOTALL)
_FLAG = regex(r"--[a-z][\w-]*(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*)?(?:\s+|$)")
_FROM = regex(r"(?P<base>\S+)(?:\s+[Aa][Ss]\s+(?P<name>\S+))?\s*")
_HEREDOC = regex(r"(?:^|(?<=\s))\d*<<(?P<chomp>-?)(?P<quote>[\"']?)(?P<name>[A-Za-z_]\w*)(?P=quote)(?=\s|$)")
_VARIABLE = regex(r"\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?::?[-+](?P<other>[^{}]*))?\})")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN", "ONBUILD")


class DockerfileError(LayerscopeError):
    """A Dockerfile is larger than any that a person wrote."""


@frozen
class Source:
    """A Dockerfile as it was named and read: its path, for people and for links, and its text."""

    path: str
    text: str


@frozen
class Instruction:
    """One instruction.

    line, end  its first and last line, from 1
    text       what stands behind the verb, continued lines joined, comments left out
    heredocs   names and contents of its heredocs
    """

    line: int
    end: int
    verb: str
    text: str
    heredocs: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> str:
        """The text without its flags."""
        text = self.text
        while found := _FLAG.match(text):
            text = text[found.end() :]
        return text


@frozen
class Stage:
    """One stage: its FROM, what it is built on (arguments put in) and called, and its instructions without the FROM."""

    start: Instruction
    base: str
    name: str | None
    instructions: tuple[Instruction, ...]


def read_stages(text: str) -> tuple[Stage, ...]:
    """Return the stages of a Dockerfile; raises `DockerfileError` past 1 MiB or 20,000 lines."""
    if len(text) > MOST_BYTES or text.count("\n") > MOST_LINES:
        raise DockerfileError(f"a Dockerfile has at most {MOST_BYTES:,} bytes and {MOST_LINES:,} lines")
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    start: Instruction | None = None
    inside: list[Instruction] = []
    for one in read_instructions(text):
        if one.verb == "FROM":
            stages += [_stage(start, inside, arguments)] if start else []
            start, inside = one, []
        elif start is not None:
            inside.append(one)
        elif one.verb == "ARG":
            name, _, value = one.text.partition("=")
            arguments[name.strip()] = expand(value.strip().strip("\"'"), arguments)
    return (*stages, _stage(start, inside, arguments)) if start else ()


def _stage(start: Instruction, inside: list[Instruction], arguments: dict[str, str]) -> Stage:
    found = _FROM.fullmatch(start.plain)
    base, name = (found["base"], found["name"]) if found else (start.plain, None)
    return Stage(start, expand(base, arguments), name.lower() if name else None, tuple(inside))


def expand(text: str, arguments: Mapping[str, str]) -> str:
    """Return text with its variables put in; one that nothing tells stays as it is, if it has no default.

    What is or becomes longer than a line that anybody writes stays as it was: variables that hold themselves twice grow fast.
    """
    if len(text) > _LONG:
        return text

    def value(found: re.Match[str]) -> str:
        name = found["plain"] or found["name"]
        return arguments.get(name) or found["other"] or found[0]

    said = _VARIABLE.sub(value, text)
    return said if len(said) <= _LONG else text


def lineage(stages: tuple[Stage, ...], number: int) -> tuple[tuple[Instruction, ...], Stage]:
    """Return all instructions that made a stage, those of the stages under it first, and the lowest of these stages."""
    chain = [stages[number]]
    at = number
    while (below := _find_stage(stages, chain[-1].base, at)) is not None:
        chain.append(stages[below])
        at = below
    return tuple(one for stage in reversed(chain) for one in stage.instructions), chain[-1]


def _find_stage(stages: tuple[Stage, ...], base: str, before: int) -> int | None:
    """Return the number of the stage that a FROM means: the last of that name above it; None if it means an image."""
    return next((number for number in range(before - 1, -1, -1) if stages[number].name == base.lower()), None)


def read_instructions(text: str) -> list[Instruction]:
    """Return the instructions in order."""
    lines = text.removeprefix("\ufeff").split("\n")
    escape, at = _read_directives(lines)
    continued = re.compile(rf"(?:^|(?<!{re.escape(escape)})){re.escape(escape)}[ \t]*$")
    found: list[Instruction] = []
    while at < len(lines):
        parts: list[str] = []
        first, goes_on = at, True
        while goes_on and at < len(lines):
            line = lines[at].rstrip("\r")
            at += 1
            bare = line.strip()
            if bare.startswith("#") or not bare:
                goes_on = bool(parts)
                first = first if parts else at
                continue
            goes_on = continued.search(line) is not None
            parts.append(continued.sub("", line))
        match = _VERB.fullmatch("".join(parts).strip())
        if match is None:
            continue
        verb, rest = match[1].upper(), match[2] or ""
        heredocs: list[tuple[str, str]] = []
        for heredoc in _HEREDOC.finditer(rest) if verb in _WITH_HEREDOCS else ():
            body, at = _read_heredoc(lines, at, heredoc)
            heredocs.append((heredoc["name"], body))
        found.append(Instruction(first + 1, at, verb, rest.strip(), tuple(heredocs)))
    return found


def _read_directives(lines: list[str]) -> tuple[str, int]:
    """Return the letter that continues lines, and where directives end: at the first line that is none."""
    escape = "\\"
    for at, line in enumerate(lines):
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            return escape, at
        if found[1].lower() == "escape" and found[2].strip() in ("`", "\\"):
            escape = found[2].strip()
    return escape, len(lines)


def _read_heredoc(lines: list[str], at: int, heredoc: re.Match[str]) -> tuple[str, int]:
    """Return what stands in a heredoc that begins on a line, and the line behind its end."""
    body: list[str] = []
    while at < len(lines):
        line = lines[at].rstrip("\r")
        at += 1
        if heredoc["chomp"]:
            line = line.lstrip("\t")
        if line == heredoc["name"]:
            break
        body.append(line)
    return "\n".join(body), at
