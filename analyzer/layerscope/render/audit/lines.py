"""Which line of the Dockerfile made this layer?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from layerscope.audit import Finding
from layerscope.model import HistoryRow, Image
from layerscope.render.escape import uri_path
from layerscope.render.options import Dockerfile

_VERB = re.compile(r"^\s*([A-Za-z]+)\s+(.*)$", re.DOTALL)
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, its continued lines joined."""

    line: int
    verb: str
    text: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where findings are told to be.

    path   of the Dockerfile, None if there is none
    lines  of each layer; `base` is the line of the last FROM, `user` that of the last USER or CMD
    """

    path: str | None
    lines: dict[int, int]
    base: int = 1
    user: int = 1

    def of(self, finding: Finding) -> tuple[str, int]:
        """Return path and line: in the Dockerfile, else a made-up path that stays the same over rebuilds."""
        if self.path is not None:
            layer = finding.fact.layer
            return self.path, self.user if layer is None else self.lines.get(layer, self.base)
        return (f"image/{uri_path(finding.path)}" if finding.path is not None else "image/config"), 1


def find_places(image: Image, dockerfile: Dockerfile | None) -> Places:
    """Return the line of each layer: history and last stage agree from their ends; what is left over is the base image's."""
    if dockerfile is None:
        return Places(None, {})
    stage = last_stage(read_dockerfile(dockerfile.text))
    path = uri_path(dockerfile.path.removeprefix("./").encode("utf-8", "surrogateescape"))
    if not stage:
        return Places(path, {})
    last = next((one.line for one in reversed(stage) if one.verb in ("USER", "CMD", "ENTRYPOINT")), stage[0].line)
    return Places(path, _match(image.history, stage), stage[0].line, last)


def read_dockerfile(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile; a line that is none is passed over."""
    found: list[Instruction] = []
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        first = number + 1
        parts: list[str] = []
        while number < len(lines):
            line = lines[number]
            number += 1
            if line.lstrip().startswith("#"):
                if not parts:
                    break
                continue
            parts.append(line.rstrip().removesuffix("\\"))
            if not line.rstrip().endswith("\\"):
                break
        joined = " ".join(" ".join(parts).split())
        match = _VERB.match(joined)
        if match is None:
            continue
        found.append(Instruction(first, match[1].upper(), match[2]))
        for heredoc in _HEREDOC.finditer(joined) if match[1].upper() in ("RUN", "COPY", "ADD") else ():
            while number < len(lines) and lines[number].strip() != heredoc[1]:
                number += 1
            number += 1
    return found


def last_stage(instructions: Sequence[Instruction]) -> list[Instruction]:
    """Return the instructions from the last FROM on."""
    starts = [at for at, one in enumerate(instructions) if one.verb == "FROM"]
    return list(instructions[starts[-1] :]) if starts else []


def _match(history: Sequence[HistoryRow], stage: Sequence[Instruction]) -> dict[int, int]:
    lines: dict[int, int] = {}
    at = len(stage) - 1
    for row in reversed(history):
        verb, _, rest = row.instruction.partition(" ")
        for candidate in range(at, 0, -1):
            one = stage[candidate]
            if one.verb == verb.upper() and (verb != "RUN" or _agree(one.text, rest)):
                if row.layer is not None:
                    lines[row.layer] = one.line
                at = candidate - 1
                break
    return lines


def _agree(written: str, ran: str) -> bool:
    """Whether two commands are one: the history has no flags, no line ends, and sometimes other quotes."""
    written = re.sub(r"^(?:--\S+ )+", "", written)
    plain = re.sub(r"\W+", "", written), re.sub(r"\W+", "", ran)
    return plain[0] == plain[1] or (written.startswith("<<") and bool(ran))
