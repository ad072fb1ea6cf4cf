"""What does GitHub show beside a job? Annotations, the worst first, within ten of each level."""

from __future__ import annotations

from layerscope.audit import Audit, Finding
from layerscope.render.audit.lines import Places, find_places
from layerscope.render.audit.markdown import audit_markdown
from layerscope.render.audit.places import say_fix, say_message, summary_line
from layerscope.render.escape import workflow_data, workflow_property
from layerscope.render.options import Options
from layerscope.render.words import fit

_EACH, _LONG = 10, 1000
SUMMARY_BYTES = 1 << 20
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def audit_github(audit: Audit, _options: Options) -> str:
    """Return commands for GitHub's runner; what goes beyond ten of a level is one line that counts it."""
    places = find_places(audit.report)
    lines: list[str] = []
    told = [finding for finding in audit.findings if finding.ignored is None and not finding.known]
    limits = [check for check in audit.checks if check.status == "fail" and (check.kind != "rule" or check.id[:7] == "ignore.")]
    for level, command in _COMMANDS.items():
        rows = [_annotation(command, finding, places) for finding in told if finding.level == level]
        if level == "error":
            rows = [_command(command, places, places.base, check.id, check.message) for check in limits] + rows
        if len(rows) > _EACH:
            more = f"and {len(rows) - _EACH + 1:,} more of this level: see the job's summary"
            rows = [*rows[: _EACH - 1], f"::{command} title=layerscope::{workflow_data(more)}"]
        lines += rows
    return "\n".join([*lines, summary_line(audit)]) + "\n"


def summary_github(audit: Audit, options: Options) -> str:
    """Return the summary of the job: Markdown, cut before GitHub refuses it as a whole."""
    text = audit_markdown(audit, options)
    data = text.encode("utf-8", "replace")
    if len(data) < SUMMARY_BYTES:
        return text
    cut = data[: SUMMARY_BYTES - 200].decode("utf-8", "ignore")
    return cut[: cut.rfind("\n") + 1] + "\n\n... cut: GitHub takes no more than 1 MiB.\n"


def _annotation(command: str, finding: Finding, places: Places) -> str:
    _, line = places.of(finding)
    return _command(command, places, line, finding.rule, f"{say_message(finding)}. {say_fix(finding)}")


def _command(command: str, places: Places, line: int, title: str, message: str) -> str:
    where = f"file={workflow_property(places.path)},line={line}," if places.path else ""
    return f"::{command} {where}title={workflow_property(title)}::{workflow_data(fit(message, _LONG))}"
