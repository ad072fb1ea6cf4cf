"""Which command line does a run need? All of it for help and for mistakes, else the one command that was called."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING

from layerscope.cli import commands

if TYPE_CHECKING:
    import typer

ROOMS = {
    "inventory": ("packages", "why", "sbom"),
    "history": ("history",),
    "review": ("audit", "baseline", "guard", "hook"),
    "inquiry": ("whatif", "cat", "export-file"),
    "comparison": ("diff", "compare"),
    "caching": ("cache",),
}
"""Where the commands are that are not in `commands`."""
_SMALLEST = "schema"


def assemble(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line for some arguments.

    To describe one command to typer takes longer than to read a small layer: a hook that runs `audit` waits for none
    but that. Who asks for the version runs no command, but there has to be one.
    """
    called = next((word for word in arguments if not word.startswith("-")), None)
    if list(arguments[:1]) == ["--version"]:
        called = _SMALLEST
    app = copy(commands.app)
    app.registered_commands, app.registered_groups = [*app.registered_commands], [*app.registered_groups]
    rooms = [room for room, names in ROOMS.items() if called in names]
    alone = bool(rooms) or called in map(_name, app.registered_commands)
    for room in rooms if alone else ROOMS:
        app = import_module(f"layerscope.cli.{room}").join(app)
    if alone:
        app.registered_commands = [command for command in app.registered_commands if _name(command) == called]
        app.registered_groups = [group for group in app.registered_groups if group.name == called]
    return app


def _name(command: typer.models.CommandInfo) -> str | None:
    return command.name or (command.callback.__name__ if command.callback else None)
