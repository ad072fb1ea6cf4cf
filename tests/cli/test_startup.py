"""Is nothing imported that a command does not need? A hook waits for every import before each push."""

from __future__ import annotations

import subprocess
import sys

from layerscope.packages import DATABASES

VERSION = """
layerscope layerscope._version layerscope.cli layerscope.cli.answer layerscope.cli.assembly layerscope.cli.caching layerscope.cli.choices layerscope.cli.clock
layerscope.cli.commands layerscope.cli.comparison layerscope.cli.history layerscope.cli.inquiry layerscope.cli.inventory layerscope.cli.review
layerscope.cli.session layerscope.cli.values
layerscope.errors layerscope.frozen
"""
NEVER = (
    "audit render.audit render.sbom render.diff render.sharing analysis.diff analysis.sharing analysis.push analysis.snapshot"
    " analysis.whatif analysis.draft analysis.history analysis.recipe questions"
)


def modules(*arguments: str) -> set[str]:
    """Return what a run imports."""
    code = f"import sys; from layerscope.cli.session import run; run({arguments!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_imports_the_command_line_alone() -> None:
    found = {name for name in modules("--version") if name.partition(".")[0] == "layerscope"}
    assert found <= set(VERSION.split()), found - set(VERSION.split())


def test_a_report_imports_neither_the_audit_nor_other_commands() -> None:
    found = modules("report", "--format", "json", "--quiet", "fixtures/node-app.docker.tar")
    rooms = tuple(f"layerscope.{room}" for room in NEVER.split())
    assert not [name for name in found if name.startswith(rooms)]
    assert not found & {
        "layerscope.cli.review",
        "layerscope.cli.comparison",
        "layerscope.cli.history",
        "layerscope.cli.inquiry",
        "layerscope.cli.inventory",
        "layerscope.cli.policies",
    }
    assert {f"layerscope.{room}" for room in ("api", "report", "render.document")} <= found
    assert len(DATABASES) > 20  # all of them are there, so that the test above means something


def test_a_report_imports_no_heavy_library() -> None:
    found = {
        name.partition(".")[0] for name in modules("report", "--format", "json", "--quiet", "fixtures/node-app.docker.tar")
    }
    assert not found & {"pydantic", "tabulate", "email", "secrets", "rich"}
    assert not found & {"yaml", "re2", "cyclonedx", "spdx_tools", "jsonschema", "sqlite3", "asyncio", "multiprocessing", "http"}


def test_a_run_looks_for_no_garbage() -> None:
    code = "import gc; from layerscope.cli import session; session.run = lambda _: print(gc.isenabled()); session.main([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n"
