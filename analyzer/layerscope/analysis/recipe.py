"""Which Dockerfile would make this image again? Written from history and config, as far as these tell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from layerscope.analysis.base import Base
from layerscope.analysis.dockerfile import expand
from layerscope.analysis.history import IN_FORCE, Step, assignments, variables
from layerscope.archive.history.instructions import peel, shell_of
from layerscope.frozen import frozen
from layerscope.model import Config, HistoryRow, Image
from layerscope.regex import regex

NO_BASE_NAME = "What this was built on has no name in the image; the steps below begin with its own."
BASE_UNKNOWN = "Which of the steps below are in the base image already, the history does not tell."
FROM_CONFIG = "The config has these as well; the history does not tell where they come from."
NOT_IN_CONFIG = "The config does not have what is set above: "
UNTOLD = "What made this layer is not told."
PERHAPS_STAGE = "Perhaps with --from=STAGE, which the history does not tell."
_NAME = regex(r"[\w.:/@+-]+")
_KEY = regex(r"[A-Za-z_][\w./-]*")
_QUOTABLE = regex(r"[^\s\"'\\$`](?:[^\r\n\"'\\$`]*[^\s\"'\\$`])?")
_PLAIN = regex(r"[\w./:@%+,-]+")
_HASHED = regex(r"\b(?:file|dir|multi):[0-9a-f]{12}")
_HEREDOC = regex(r"<<-?[\"']?\w")
_FLAGS = regex(r"(?:--[a-z][\w-]*(?:=\S+)?\s+)*")
_PORT = regex(r"\d{1,5}(?:-\d{1,5})?(?:/\w+)?")
_SHELL = ("/bin/sh", "-c")


@frozen
class Line:
    """An instruction, or a comment, of several lines each; `layer` is the one that a comment is to describe."""

    text: str
    comment: bool = False
    layer: int | None = None


def rebuild(image: Image, steps: Sequence[Step], base: Base) -> tuple[Line, ...]:
    """Return the lines of a Dockerfile. What nothing tells is a comment, never an instruction; the config has the last word."""
    writer = _Writer(image.config)
    named = base.name is not None and _NAME.fullmatch(base.name) is not None
    writer.begin(base if named else Base())
    inside = [step for step in steps if not (named and step.in_base)]
    if not named and base.layers:
        writer.remark(NO_BASE_NAME)
    elif named and not base.layers and any(step.layer is not None for step in inside):
        writer.remark(BASE_UNKNOWN)
    for step in inside:
        writer.add(step)
    writer.finish()
    return tuple(writer.lines)


def wanted(config: Config) -> dict[str, str]:
    """Return everything that a config sets, by `Effect.what`, as an instruction's values say it."""
    single = {
        "STOPSIGNAL": config.stop_signal,
        "SHELL": _list(config.shell),
        "HEALTHCHECK": config.healthcheck,
        "WORKDIR": config.workdir if config.workdir != "/" else None,
        "USER": config.user,
        "ENTRYPOINT": _list(config.entrypoint),
        "CMD": _list(config.cmd),
    }
    return {
        **{f"ENV {name}": value for name, value in variables(config).items() if name},
        **{f"LABEL {name}": value for name, value in config.labels.items()},
        **{f"EXPOSE {_port(port)}": _port(port) for port in config.ports},
        **{f"VOLUME {volume}": volume for volume in config.volumes},
        **{f"ONBUILD {text}": text for text in config.onbuild},
        **{verb: value for verb, value in single.items() if value},
    }


class _Writer:
    """Writes instructions, and keeps what they set as a builder would."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.lines: list[Line] = []
        self.made: dict[str, str] = {}
        self.shell: tuple[str, ...] = _SHELL

    def begin(self, base: Base) -> None:
        if base.name is None:
            self.write("FROM scratch")
            return
        told = base.digest if base.how != "image" and "@" not in base.name else None  # that of a local copy is no registry's
        digest = f"@{told}" if told and _NAME.fullmatch(told) else ""
        self.write(f"FROM {base.name}{digest}")

    def write(self, text: str) -> None:
        self.lines.append(Line(text))

    def remark(self, text: str, layer: int | None = None) -> None:
        self.lines.append(Line(text, comment=True, layer=layer))

    def expand(self, values: str) -> str:
        """Put in the variables that the steps have set: some builders keep what was written."""
        return expand(values, {what[4:]: value for what, value in self.made.items() if what.startswith("ENV ")})

    def add(self, step: Step) -> None:
        """Write one step."""
        if step.row is None:
            self.remark(UNTOLD, step.layer)
            return
        verb, _, values = step.row.instruction.partition(" ")
        write = _WRITERS.get(verb)
        if write is None or not _sayable(verb, values):
            self.remark(step.row.instruction, step.layer)
        else:
            write(self, step, verb, values)

    def run(self, step: Step, _verb: str, _values: str) -> None:
        assert step.row is not None
        shell = shell_of(step.row.created_by or "")
        if shell is not None and shell != self.shell:
            self.write(f"SHELL {_list(shell)}")
            self.shell = shell
        self.write(f"RUN {spread(_command(step.row))}")

    def copy(self, step: Step, verb: str, values: str) -> None:
        if _HASHED.search(values) or _HEREDOC.search(values):
            self.remark(f"{verb} {values}", step.layer)
            return
        built = step.row is not None and (step.row.comment or "").startswith("buildkit")
        source = _FLAGS.sub("", values, count=1)
        self.remark(PERHAPS_STAGE if built and verb == "COPY" and source.startswith("/") else "", step.layer)
        self.write(f"{verb} {values}")

    def assign(self, step: Step, verb: str, values: str) -> None:
        final = variables(self.config) if verb == "ENV" else self.config.labels
        kept = {effect.what for effect in step.effects if effect.state == IN_FORCE}
        for name, told in assignments(values, final):
            what = f"{verb} {name}"
            self.set(what, final[name] if what in kept and name in final else told, told)

    def set(self, what: str, value: str, told: str | None = None) -> None:
        """Write an assignment whose value is known; one that no Dockerfile can say is a comment."""
        verb, _, name = what.partition(" ")
        key = name if _KEY.fullmatch(name) else f'"{name}"' if verb == "LABEL" and _QUOTABLE.fullmatch(name) else None
        if key is None or "\n" in value or "\r" in value:
            self.remark(f"{verb} {name}={value if told is None else told}")
            return
        expanded = told is None or value != told or "$" not in value
        self.made[what] = value
        self.write(f"{verb} {key}={quote(value, expand=not expanded)}")

    def single(self, _step: Step, verb: str, values: str) -> None:
        if verb == "SHELL":
            self.shell = _words(values) or self.shell
        if verb == "ENTRYPOINT" and "CMD" not in self.made:
            self.made["CMD"] = ""
        self.write(f"{verb} {values}")
        if verb in ("CMD", "ENTRYPOINT"):
            self.made[verb] = values if values.startswith("[") else _list((*self.shell, values))
            return
        value = self.expand(values)
        if verb == "WORKDIR" and not value.startswith("/"):
            value = f"{self.made.get('WORKDIR', '').rstrip('/')}/{value}"
        self.made[verb] = value

    def several(self, step: Step, verb: str, values: str) -> None:
        words = self.expand(values).split()
        if verb == "EXPOSE" and not all(map(_PORT.fullmatch, words)):
            self.remark(f"{verb} {values}", step.layer)
            return
        for value in words:
            port = _port(value) if verb == "EXPOSE" else value
            self.made[f"{verb} {port}"] = port
        self.write(f"{verb} {values}")

    def plain(self, _step: Step, verb: str, values: str) -> None:
        if verb == "ONBUILD":
            self.made[f"ONBUILD {values}"] = values
        self.write(f"{verb} {values}")

    def finish(self) -> None:
        """Write what the config has and the steps did not set, and tell what they set and it does not have."""
        final = wanted(self.config)
        self.made = {what: value for what, value in self.made.items() if value or " " in what}
        missing = [what for what, value in final.items() if self.made.get(what) != value]
        if "ENTRYPOINT" in missing and "CMD" in final and "CMD" not in missing:
            missing.append("CMD")
        if missing:
            self.remark(FROM_CONFIG)
        for what in missing:
            verb, _, name = what.partition(" ")
            if verb in ("ENV", "LABEL"):
                self.set(what, final[what])
            elif "\n" in final[what] or final[what].endswith("\\"):
                self.remark(f"{verb} {final[what]}")
            else:
                self.write(f"{verb} {final[what]}" if not name or verb != "VOLUME" else f"VOLUME {_list((name,))}")
        more = [what for what in self.made if what not in final and what != "WORKDIR"]
        if more:
            self.remark(NOT_IN_CONFIG + ", ".join(more))
        for verb in ("ENTRYPOINT", "CMD"):
            if verb in more:
                self.write(f"{verb} []")


_Write = Callable[[_Writer, Step, str, str], None]
_WRITERS: dict[str, _Write] = {
    "RUN": _Writer.run,
    **dict.fromkeys(("COPY", "ADD"), _Writer.copy),
    **dict.fromkeys(("ENV", "LABEL"), _Writer.assign),
    **dict.fromkeys(("EXPOSE", "VOLUME"), _Writer.several),
    **dict.fromkeys(("CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "STOPSIGNAL", "USER", "WORKDIR"), _Writer.single),
    **dict.fromkeys(("ARG", "MAINTAINER", "ONBUILD"), _Writer.plain),
}


def _sayable(verb: str, values: str) -> bool:
    """Whether an instruction reads in a Dockerfile as it reads in the history."""
    if verb == "RUN":
        return bool(values)
    if not values or values.endswith("\\"):
        return False
    if verb in ("CMD", "ENTRYPOINT", "SHELL") and (values.startswith("[") or verb == "SHELL"):
        return values == "[]" or bool(_words(values))
    if verb == "HEALTHCHECK":
        return values == "NONE" or "CMD" in values.split()
    return verb != "ONBUILD" or not _HEREDOC.search(values)


def _command(row: HistoryRow) -> str:
    """Return what a RUN ran, its lines as they were."""
    text = peel(row.created_by or row.instruction)
    return text.removeprefix("RUN ").strip() if text.startswith("RUN ") or not row.instruction.startswith("RUN ") else text


def spread(command: str) -> str:
    """Return a command so that a builder reads the same again: in lines where its author seems to have broken them.

    A builder joins continued lines without a change, so runs of blanks show where they were. What has line breaks, a heredoc
    or a backslash at its end is a script of its own.
    """
    if "\n" in command or "\r" in command or command.endswith("\\") or _HEREDOC.search(command):
        found = _FLAGS.match(command)
        flags, script = (found[0], command[found.end() :]) if found else ("", command)
        end, number = "EOF", 0
        while any(line.strip() == end for line in script.splitlines()):
            end, number = f"EOF{number}", number + 1
        return f"{flags}<<{end}\n{script}\n{end}"
    return re.sub(r"(?<=[^\s\\])([ \t])([ \t]{2,})(?=[^\s#])", r"\1\\\n\2", command)


def quote(value: str, *, expand: bool = False) -> str:
    """Return a value of ENV or LABEL in quotes if it needs them; `expand`: variables in it are to be put in."""
    if _PLAIN.fullmatch(value):
        return value
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"' if expand else '"' + value.replace("$", "\\$") + '"'


def _list(words: Sequence[str]) -> str:
    return json.dumps(list(words), ensure_ascii=False) if words else ""


def _words(values: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(values)))
    except (ValueError, TypeError):
        return ()


def _port(port: str) -> str:
    return port if "/" in port else f"{port}/tcp"
