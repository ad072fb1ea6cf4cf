"""Which instruction made which layer, and what did the others do to the config?"""

from __future__ import annotations

from collections.abc import Callable, Collection

from layerscope.analysis.base import Base
from layerscope.analysis.dockerfile import expand
from layerscope.frozen import frozen
from layerscope.model import Config, HistoryRow, Image
from layerscope.regex import regex

IN_FORCE, REPLACED, GONE, BUILD = "in force", "replaced", "gone", "build only"
SURPLUS = "the image has no layer for it"
UNTOLD = "the history does not tell of it"
_NAME = regex(r"(\"?)([A-Za-z_][\w./-]*)\1")
_ASSIGNED = regex(rf"(?<=\s){_NAME.pattern}=")


@frozen
class Effect:
    """What a row of the history did to the config.

    what   the setting: `ENV PATH`, `CMD`, `EXPOSE 80/tcp`
    state  "in force"; "replaced" by a later row; "gone": the config does not have it; "build only": it never would
    by     index of the row that replaced it
    """

    what: str
    state: str
    by: int | None = None


@frozen
class Step:
    """A row of the history, or a layer that no row tells of.

    index    of the row in the history, None for such a layer
    layer    position of the layer that it made
    in_base  whether it is the base image's
    note     what is odd about it
    """

    index: int | None
    row: HistoryRow | None
    layer: int | None
    effects: tuple[Effect, ...] = ()
    in_base: bool = False
    note: str | None = None


def assignments(values: str, known: Collection[str]) -> list[tuple[str, str]]:
    """Return names and values of `A=b c D=e`, whose values the history writes without quotes.

    What stands before the first equals sign is a name if the config knows it, blanks and all, else its first word is; of the
    other words with one only those are that the config knows.
    """
    head, equals, _ = values.partition("=")
    if not equals or not (head in known or _NAME.fullmatch(head)):
        name, _, value = values.partition(" ")
        return [(name, value.strip())] if name else []
    starts = [(0, len(head) + 1, head.strip('"'))]
    others = _ASSIGNED.finditer(values, len(head) + 1)
    starts += [(found.start(), found.end(), found[2]) for found in others if found[2] in known]
    ends = [begin for begin, _, _ in starts[1:]] + [len(values)]
    return [(name, values[begin:end].strip()) for (_, begin, name), end in zip(starts, ends, strict=True)]


def variables(config: Config) -> dict[str, str]:
    """Return the environment by name."""
    return {name: value for name, _, value in (variable.partition("=") for variable in config.env)}


def settings(row: HistoryRow, config: Config) -> list[str]:
    """Return what a row sets, as `Effect.what` names it."""
    verb, _, values = row.instruction.partition(" ")
    read = _SETTINGS.get(verb)
    return [] if read is None else read(verb, values, config)


def _once(verb: str, _values: str, _config: Config) -> list[str]:
    return [verb]


def _each(verb: str, values: str, config: Config) -> list[str]:
    return [f"{verb} {value}" for value in expand(values, variables(config)).split()]


def _named(verb: str, values: str, config: Config) -> list[str]:
    known = variables(config) if verb == "ENV" else config.labels
    return [f"{verb} {name}" for name, _ in assignments(values, known)]


_SETTINGS: dict[str, Callable[[str, str, Config], list[str]]] = {
    "ENV": _named,
    "LABEL": _named,
    "EXPOSE": _each,
    "VOLUME": _each,
    **dict.fromkeys(("CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "SHELL", "STOPSIGNAL", "USER", "WORKDIR"), _once),
}


def config_settings(config: Config) -> frozenset[str]:
    """Return everything that a config sets, as `Effect.what` names it."""
    single = {
        "CMD": config.cmd, "ENTRYPOINT": config.entrypoint, "HEALTHCHECK": config.healthcheck, "MAINTAINER": config.author,
        "SHELL": config.shell, "STOPSIGNAL": config.stop_signal, "USER": config.user, "WORKDIR": config.workdir,
    }  # fmt: skip
    ports = [port if "/" in port else f"{port}/tcp" for port in config.ports]
    return frozenset(
        (
            *(verb for verb, value in single.items() if value),
            *(f"ENV {name}" for name in variables(config)),
            *(f"LABEL {name}" for name in config.labels),
            *(f"EXPOSE {port}" for port in ports),
            *(f"VOLUME {volume}" for volume in config.volumes),
        )
    )


def tell_steps(image: Image, base: Base) -> tuple[Step, ...]:
    """Return the history's rows in order, then the layers that it does not tell of."""
    present = config_settings(image.config)
    last: dict[str, int] = {}
    sets = [settings(row, image.config) for row in image.history]
    for index, whats in enumerate(sets):
        last.update(dict.fromkeys(whats, index))

    def effect(what: str, index: int) -> Effect:
        if last[what] != index:
            return Effect(what, REPLACED, last[what])
        if what == "CMD" and not image.config.cmd and last.get("ENTRYPOINT", -1) > index:
            return Effect(what, REPLACED, last["ENTRYPOINT"])  # it takes a command with it that came before
        full = f"{what}/tcp" if what.startswith("EXPOSE ") and "/" not in what else what
        return Effect(what, IN_FORCE if full in present else GONE)

    layers = base.layers or 0
    end = max((index for index, row in enumerate(image.history, 1) if row.layer is not None and row.layer < layers), default=0)
    end = max(end, base.rows)
    steps = []
    for index, row in enumerate(image.history):
        effects = [effect(what, index) for what in dict.fromkeys(sets[index])]
        if row.instruction.startswith("ARG "):
            effects = [Effect(f"ARG {row.instruction[4:].partition('=')[0].strip()}", BUILD)]
        note = SURPLUS if row.layer is None and not row.empty else None
        steps.append(Step(index, row, row.layer, tuple(effects), index < end, note))
    told = {row.layer for row in image.history}
    untold = [layer.position for layer in image.layers if layer.position not in told]
    return (*steps, *(Step(None, None, layer, (), layer < layers, UNTOLD) for layer in untold))
