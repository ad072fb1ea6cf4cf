"""Is nothing imported that a command does not need? A hook waits for every import before each push."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from layerscope.cli.assembly import ROOMS, assemble
from layerscope.packages.databases import DATABASES
from typer.main import get_command

VERSION = """
layerscope layerscope._version layerscope.cli layerscope.cli.answer layerscope.cli.assembly layerscope.cli.choices
layerscope.cli.clock layerscope.cli.commands layerscope.cli.session layerscope.cli.values layerscope.errors layerscope.frozen
"""
NEVER = (
    "audit render.audit render.sbom render.diff render.sharing analysis.diff analysis.sharing analysis.push analysis.snapshot"
    " analysis.whatif analysis.draft analysis.history analysis.recipe questions"
)


RECALLED = """
layerscope.analysis layerscope.analysis.base layerscope.analysis.books layerscope.analysis.causes layerscope.analysis.dive
layerscope.analysis.duplicates layerscope.analysis.exposure layerscope.archive layerscope.archive.cache
layerscope.archive.identity layerscope.archive.limits layerscope.archive.shelf layerscope.cli.memory layerscope.cli.packing
layerscope.cli.progress layerscope.cli.verbs layerscope.columns layerscope.compiled layerscope.model layerscope.packages
layerscope.packages.claims layerscope.packages.classes layerscope.packages.column layerscope.packages.paths
layerscope.packages.shares layerscope.regex layerscope.report layerscope.rootfs layerscope.rootfs.paths
layerscope.rootfs.stack layerscope.stacking
"""
"""What a report that was made before is read with: the modules of its values, and what finds it."""
ELSEWHERE = "audit caching diff explanations folders glossary history inventory recipe sbom schemas sharing whatif why"


def modules(*arguments: str, before: str = "pass", **environment: str) -> set[str]:
    """Return what a run imports."""
    code = f"{before}; import sys; from layerscope.cli.session import run; run({arguments!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_imports_the_command_line_alone() -> None:
    found = {name for name in modules("--version") if name.partition(".")[0] == "layerscope"}
    assert found <= set(VERSION.split()), found - set(VERSION.split())


def commands(*arguments: str) -> set[str]:
    """Return the names of the commands that are there for some arguments."""
    return set(get_command(assemble(arguments)).commands)


def test_a_command_is_there_alone_and_all_of_them_for_help() -> None:
    everything = commands("--help")
    for names in ROOMS.values():
        assert set(names) < everything
    for name in everything:
        assert commands(name, "report", "--help") == commands("--flag", name) == {name}
    assert commands() == commands("nothing") == commands("--help", "--version") == everything
    assert len(commands("--version")) == 1


def test_a_report_imports_neither_the_audit_nor_other_commands() -> None:
    found = modules("report", "--format", "json", "--quiet", "fixtures/node-app.docker.tar")
    rooms = tuple(f"layerscope.{room}" for room in NEVER.split())
    assert not [name for name in found if name.startswith(rooms)]
    assert not found & {f"layerscope.cli.{room}" for room in (*ROOMS, "policies")}
    assert {f"layerscope.{room}" for room in ("api", "report", "render.document")} <= found
    assert len(DATABASES) > 20  # all of them are there, so that the test above means something


def test_a_report_imports_no_heavy_library() -> None:
    found = {
        name.partition(".")[0] for name in modules("report", "--format", "json", "--quiet", "fixtures/node-app.docker.tar")
    }
    assert not found & {"pydantic", "tabulate", "email", "secrets", "rich"}
    assert not found & {"yaml", "re2", "cyclonedx", "spdx_tools", "jsonschema", "sqlite3", "asyncio", "multiprocessing", "http"}


@pytest.mark.parametrize(("name", "left_out"), [("text", "document markdown tables"), ("json", "markdown tables")])
def test_a_report_that_was_made_before_is_told_with_its_values_alone(name: str, left_out: str, tmp_path: Path) -> None:
    image = shutil.copyfile("fixtures/node-app.docker.tar", tmp_path / "image.tar")
    settled = "from layerscope.archive import identity; identity.SETTLED = -60"
    first, second = (
        modules("report", "--format", name, str(image), before=settled, LAYERSCOPE_CACHE_DIR=str(tmp_path / "cache"))
        for _ in range(2)
    )
    assert {"layerscope.api", "layerscope.packages.databases"} <= first
    renderers = {one for one in second if one.startswith("layerscope.render")}
    assert not renderers & {f"layerscope.render.{room}" for room in (*left_out.split(), *ELSEWHERE.split())}
    found = {one for one in second - renderers if one.startswith("layerscope")}
    more = (
        {f"layerscope.{room}" for room in ("analysis.carriage", "analysis.files", "analysis.held", "packages.inventory")}
        if name == "json"
        else set()
    )
    assert found <= set(VERSION.split()) | set(RECALLED.split()) | more, found
    assert "hashlib" not in second


def test_a_run_looks_for_no_garbage() -> None:
    code = "import gc; from layerscope.cli import session; session.run = lambda _: print(gc.isenabled()); session.main([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("command", ["report", "files"])
def test_what_an_answer_tells_of_is_left_to_the_end_of_the_process(command: str) -> None:
    code = f"""
import gc
from layerscope.cli import session
session.run(["{command}", "--no-cache", "--quiet", "fixtures/node-app.docker.tar"])
from layerscope.model import LayerIndex
print(sum(isinstance(one, LayerIndex) for one in gc.get_objects()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) > 1
