"""Which values of options and arguments need no conversion? What is not given, and text that is to be text: nearly all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer


def keep_text(command: Any) -> None:
    """Let the parameters of a command, and of those below it, take text as it is.

    Some versions of typer convert all values with pydantic, whose import takes longer than to read a small layer, also to find
    that text is text and that nothing is nothing. What else is given (a number), is missing or is prompted for, typer sees to.
    """
    for parameter in _parameters(command):
        kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if kind is not None:
            parameter.process_value = _Taker(parameter, text=kind in (str, list[str]))


class _Taker:
    """What a parameter makes of the value on the command line."""

    def __init__(self, parameter: Any, *, text: bool) -> None:
        self._parameter, self._text, self._convert = parameter, text, parameter.process_value

    def __call__(self, context: Any, value: Any) -> Any:
        """Return the value that the command is called with."""
        parameter = self._parameter
        if value is None and not parameter.required:
            value = () if parameter.multiple or parameter.nargs == -1 else None
        elif not value or not self._text:
            return self._convert(context, value)
        return value if parameter.callback is None else parameter.callback(context, parameter, value)


def _parameters(command: Any) -> Iterator[Any]:
    """Go through the parameters of a command and of all below it."""
    commands, help_names = [command], command.context_settings.get("help_option_names")
    while commands:
        one = commands.pop()
        commands += getattr(one, "commands", {}).values()
        context = typer.Context(one, help_option_names=help_names)
        yield from one.get_params(context)  # among them `--help`, which is no parameter of its own
