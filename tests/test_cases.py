"""Is every edge case of the catalogue decided, and every decision tested?

tests/cases/GROUP.toml has a table for each case: `title`, `mark` ("test", "documented" or "not ours"), `choice` (what we do
where several things could be done), `reason` (why there is no test). Tests carry `@pytest.mark.case("A01", ...)`.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SIZES = {"a": 57, "b": 13, "c": 65, "d": 13, "e": 34, "f": 16}
GROUPS = sorted(path.stem for path in (HERE / "cases").glob("*.toml"))
KEYS = {"title", "mark", "choice", "reason"}


def cases_of(source: str) -> set[str]:
    """Return the ids that `pytest.mark.case(...)` quotes in a source."""
    return {
        argument.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


TESTED = set().union(*(cases_of(path.read_text(encoding="utf-8")) for path in HERE.rglob("test_*.py")))


def marks(group: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((HERE / "cases" / f"{group}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_is_decided(group):
    found = marks(group)
    assert list(found) == [f"{group.upper()}{number:02}" for number in range(1, SIZES[group] + 1)]
    for case, about in found.items():
        assert set(about) <= KEYS, case
        assert about["title"], case
        assert about["mark"] in ("test", "documented", "not ours"), case
        assert about["mark"] == "test" or about.get("reason"), case


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_marked_test_has_one(group):
    wanted = {case for case, about in marks(group).items() if about["mark"] == "test"}
    assert not wanted - TESTED


def test_tests_quote_only_cases_that_there_are():
    assert {case for case in TESTED if not 1 <= int(case[1:]) <= SIZES.get(case[0].lower(), 0)} == set()
