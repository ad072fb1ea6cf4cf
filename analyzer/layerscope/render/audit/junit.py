"""What does a test report show? JUnit XML: one test case a check, in one suite a kind."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.audit import Audit, Check
from layerscope.render.audit.places import say_message
from layerscope.render.escape import xml
from layerscope.render.options import Options

_KINDS = ("limit", "growth", "rule")
_LONG = 50


def audit_junit(audit: Audit, _options: Options) -> str:
    """Return the checks as test cases; an image that could be read only in part is an error of its own."""
    lines: list[str] = []
    for kind in _KINDS:
        lines += _suite(audit, kind, [check for check in audit.checks if check.kind == kind])
    if not audit.report.complete:
        message = "the image could be read only in part"
        lines += [
            '  <testsuite name="layerscope.image" tests="1" failures="0" errors="1" skipped="0" time="0">',
            f'    <testcase name="complete" classname="layerscope.image" time="0"><error message="{message}"/></testcase>',
            "  </testsuite>",
        ]
    failures = sum(check.status == "fail" for check in audit.checks)
    errors = 0 if audit.report.complete else 1
    head = (
        f'<testsuites name="layerscope audit" tests="{len(audit.checks) + errors}" failures="{failures}" errors="{errors}" '
        'time="0">'
    )
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *lines, "</testsuites>"]) + "\n"


def _suite(audit: Audit, kind: str, checks: list[Check]) -> Iterator[str]:
    if not checks:
        return
    failures = sum(check.status == "fail" for check in checks)
    skipped = sum(check.status in ("skipped", "ignored") for check in checks)
    yield (
        f'  <testsuite name="layerscope.{kind}" tests="{len(checks)}" failures="{failures}" errors="0" skipped="{skipped}" '
        'time="0">'
    )
    for check in checks:
        opening = f'    <testcase name="{xml(check.id)}" classname="layerscope.{kind}" time="0"'
        if check.status == "pass":
            yield f"{opening}/>"
        elif check.status == "fail":
            yield f'{opening}><failure message="{xml(check.message)}">'
            rule = check.id.removeprefix("rules.")
            found = [one for one in audit.findings if one.rule in (rule, check.id) and one.fails]
            yield from (f"      {xml(say_message(one))}" for one in found[:_LONG])
            if len(found) > _LONG:
                yield f"      ... and {len(found) - _LONG:,} more"
            yield "    </failure></testcase>"
        else:
            yield f'{opening}><skipped message="{xml(check.message)}"/></testcase>'
    yield "  </testsuite>"
