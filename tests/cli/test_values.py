"""Is a command called with the same values, whoever takes them from the command line?"""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from layerscope.cli.values import keep_text

CALLS = [
    [],
    ["a.tar"],
    ["a.tar", ""],
    ["a.tar", "--format", "json", "--top", "3"],
    ["a.tar", "--format", ""],
    ["a.tar", "--format", "\u00e9", "--no-cache", "-o", "b", "-o", "c"],
    ["a.tar", "b.tar", "c.tar", "--bandwidth", "1"],
    ["a.tar", "--top", "many"],
    ["a.tar", "--top", "0"],
    ["a.tar", "--top"],
    ["a.tar", "--seen", "now"],
    ["--seen", "now"],
    ["a.tar", "--whatever"],
    ["a.tar", "--choice", "one"],
]


app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
told: list[object] = []


def upper(value: str | None) -> str | None:
    told.append(("callback", value))
    return value and value.upper()


@app.callback()
def about(*, debug: bool = False) -> None:
    told.append(debug)


@app.command()
def report(
    source: str,
    more: Annotated[list[str] | None, typer.Argument()] = None,
    *,
    format_: Annotated[str | None, typer.Option("--format")] = None,
    output: Annotated[list[str] | None, typer.Option("--output", "-o")] = None,
    top: Annotated[int | None, typer.Option(min=1)] = None,
    bandwidth: str = "100Mbit/s",
    cache: Annotated[bool, typer.Option("--cache/--no-cache")] = True,
    seen: Annotated[str | None, typer.Option(callback=upper)] = None,
) -> None:
    told.append((source, more, format_, output, top, bandwidth, cache, seen))


def call(arguments: list[str], *, kept: bool) -> list[object]:
    """Return what a command is called with, or the error."""
    told.clear()
    command = typer.main.get_command(app)
    if kept:
        keep_text(command)
    try:
        command.main(["report", *arguments], prog_name="x", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - typer's own, which older versions have from click
        told.append((type(error), error.format_message()))
    return told.copy()


@pytest.mark.parametrize("arguments", CALLS)
def test_values_are_those_that_typer_makes(arguments):
    assert call(arguments, kept=True) == call(arguments, kept=False)


def test_a_name_that_is_no_utf8_is_kept():
    assert call(["caf\udce9.tar"], kept=True)[-1][0] == "caf\udce9.tar"


def test_typer_is_asked_for_numbers_alone(monkeypatch):
    core = pytest.importorskip("typer.core")
    if not hasattr(getattr(core, "_TyperParameter", None), "get_runtime_param"):
        pytest.skip("this typer converts without pydantic")
    asked = []
    given = core._TyperParameter.get_runtime_param
    monkeypatch.setattr(core._TyperParameter, "get_runtime_param", lambda self: asked.append(self.name) or given(self))
    call(["a.tar", "--format", "json", "-o", "b", "--top", "3"], kept=True)
    assert asked == ["top"]
