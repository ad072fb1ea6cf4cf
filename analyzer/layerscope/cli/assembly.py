"""Which command line does a run need? All of it for help and for mistakes, else the one command that was called."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING

from layerscope.cli import commands

if TYPE_CHECKING:
    import typer


def assemble(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line for some arguments.

    To describe one command to typer takes longer than to read a small layer: a hook that runs `report` waits for none
    but that.
    """
    called = next((word for word in arguments if not word.startswith("-")), None)
    alone = [command for command in commands.app.registered_commands if _name(command) == called]
    if alone:
        app = copy(commands.app)
        app.registered_commands = alone
        return app
    from layerscope.cli import caching, comparison, history, inquiry, inventory, review

    app = commands.app
    for group in (inventory, history, review, inquiry, comparison, caching):
        app = group.join(app)
    return app


def _name(command: typer.models.CommandInfo) -> str | None:
    return command.name or (command.callback.__name__ if command.callback else None)
