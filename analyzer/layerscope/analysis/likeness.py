"""Is this row of the history that instruction of the Dockerfile?

Builders leave out flags, put variables in, write lists and maps their own way, and of what was copied keep only a hash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from layerscope.analysis.dockerfile import Instruction, expand
from layerscope.archive.history.instructions import VERBS, for_people
from layerscope.regex import regex

SURE = 0.9
_LONG = 8_192
_LEAST_ALIKE = 0.5
_COPIES = ("ADD", "COPY")
_FLAGGED = ("RUN", *_COPIES, "HEALTHCHECK")
_UNORDERED = ("ENV", "LABEL", "EXPOSE", "VOLUME")
_MANY = ("RUN", *_COPIES, "ENV", "LABEL", "ARG")  # a stage has several of them: what is not alike is not the same
_FLAG = regex(r"--[a-z][\w-]*(?:=\S*)?(?:\s+|$)")
_VARIABLE = regex(r"\$(?:[A-Za-z_]\w*|\{[^{}]*\})")
_HASHED = regex(r"(?:file|dir|multi):[0-9a-f]+ in (?P<to>.*)")
_SHELL_FORM = regex(r'\["(?:/bin/sh|cmd)", "(?:-c|/S)", (?:"/C", )?(".*")\]')
_ASSIGNED = regex(r"(?:^|(?<=\s))(?P<name>[A-Za-z_]\w*)[= ](?P<value>\"[^\"]*\"|'[^']*'|\S*)")


def _squeeze(text: str) -> str:
    """Return the letters and digits of a text: quotes, blanks, breaks and signs differ from builder to builder."""
    return re.sub(r"[\W_]+", "", text)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text[:_LONG]))


def _without_flags(text: str) -> str:
    at = 0
    while found := _FLAG.match(text, at):
        at = found.end()
    return text[at:]


class Told:
    """A row of the history, made ready to be compared."""

    def __init__(self, instruction: str) -> None:
        self.verb, _, values = instruction.partition(" ")
        if self.verb not in VERBS:  # old builders write a command in exec form bare
            self.verb, values = "RUN", instruction
        self.text = _without_flags(values) if self.verb in _FLAGGED else values
        self.squeezed = _squeeze(_shell_form(self.text))
        self.words = _words(self.text)
        hashed = _HASHED.search(self.text)
        self.target = _squeeze(hashed["to"]) if hashed else None


class Written:
    """An instruction of the Dockerfile, made ready to be compared."""

    def __init__(self, one: Instruction, known: Mapping[str, str]) -> None:
        self.one = one
        self.verb = one.verb
        text = one.plain if one.verb in _FLAGGED else one.text
        scripts = [body for _, body in one.heredocs] if one.verb == "RUN" else []
        texts = [text, "\n".join(scripts), _as_run(text, one)] if scripts else [text]
        if one.verb != "RUN":
            texts.append(expand(text, known))
        self.squeezed = [_squeeze(_shell_form(for_people(f"{one.verb} {said}").partition(" ")[2])) for said in texts]
        self.parts = [_squeeze(part) for part in _VARIABLE.split(text)]
        self.words = _words(text + "".join(scripts))
        self.sets = [_words(said) - {"tcp"} for said in texts]
        self.name = text.partition("=")[0].strip()
        self.targets = [_squeeze(said.split()[-1].strip('"]')) for said in texts if said.split()]
        self.marked = bool(one.heredocs)

    def compare(self, told: Told) -> float:
        """Return how alike they are, from 0 to 1; at least `SURE` if they differ only in what builders leave out or put in."""
        if told.squeezed in self.squeezed:
            return 1.0
        if told.target is not None and self.verb in _COPIES:
            return 0.95 if told.target in self.targets else 0.3
        if len(self.parts) > 1 and self.verb != "RUN":
            if not any(self.parts):
                return 0.6
            if _fits(self.parts, told.squeezed):
                return 0.95
        if self.marked and told.text.startswith(("<<", "/dev/pipes/")):
            return 0.6
        return self._guess(told)

    def _guess(self, told: Told) -> float:
        """Return how likely one became the other through a change of the file, or of what a builder writes."""
        if self.verb == "ARG" and told.text.partition("=")[0].strip() == self.name:
            return 0.95
        if self.verb in _UNORDERED and told.words - {"tcp"} in self.sets:
            return 0.95
        union = len(self.words | told.words)
        share = len(self.words & told.words) / union if union else 0.0
        if self.verb in _MANY:
            return 0.8 * share if share >= _LEAST_ALIKE else 0.0
        return 0.1 + 0.7 * share


def make_ready(instructions: Sequence[Instruction]) -> list[Written]:
    """Make instructions ready, with what ENV and ARG before them tell of their variables."""
    known: dict[str, str] = {}
    written = []
    for one in instructions:
        written.append(Written(one, known))
        if one.verb in ("ENV", "ARG"):
            for found in _ASSIGNED.finditer(one.text):
                known[found["name"]] = expand(found["value"].strip("\"'"), known)
    return written


def _as_run(text: str, one: Instruction) -> str:
    """Return a RUN with its heredocs as the shell is given it."""
    return text + "".join(f"\n{body}\n{name}" for name, body in one.heredocs)


def _shell_form(values: str) -> str:
    """Return the command line of a CMD that was written as one; the config has it behind a shell."""
    found = _SHELL_FORM.fullmatch(values)
    return found[1] if found else values


def _fits(parts: Sequence[str], text: str) -> bool:
    """Whether a text is these parts in order, with anything in the place of the variables between them."""
    if len(text) > _LONG or not text.startswith(parts[0]) or not text.endswith(parts[-1]):
        return False
    at, end = len(parts[0]), len(text) - len(parts[-1])
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end
