"""What does a comment on a pull request or the summary of a CI job say about the audit?"""

from __future__ import annotations

from layerscope.audit import Audit, Finding
from layerscope.render.audit.places import (
    ASIDE,
    group_findings,
    say_detail,
    say_fix,
    say_path,
    say_state,
    say_verdict,
    summary_line,
)
from layerscope.render.escape import cell, code, one_line, prose, terminal
from layerscope.render.options import Options
from layerscope.render.text.head import image_traits, say_base
from layerscope.render.words import fit, fit_path

_LONG, _PLACES = 100, 3
_MARKS = {"fail": "**fail**", "pass": "pass", "ignored": "ignored", "skipped": "skipped"}


def audit_markdown(audit: Audit, options: Options) -> str:
    """Return verdict, what must change, limits, and the rest folded away."""
    image = audit.report.image
    name = image.names[0] if image.names else image.config_digest or image.source
    head = [
        f"## {'passed' if audit.passed and audit.report.complete else 'not passed'}: {code(fit(terminal(name), _LONG))}",
        "",
        f"**{prose(say_verdict(audit))}**",
        "",
        " · ".join(map(prose, image_traits(audit.report))),
    ]
    if not audit.report.complete:
        head += ["", "> **INCOMPLETE**: this image could be read only in part."]
    if audit.report.aside is not None:
        head += ["", prose(say_base(audit.report))]
    failing = [finding for finding in audit.findings if finding.fails]
    rest = [finding for finding in audit.findings if not finding.fails]
    sections = (
        head,
        [f"### {ASIDE if audit.policy.alone else 'What must change'}", "", *_findings(failing, options)] if failing else [],
        _limits(audit),
        ["<details><summary>Other findings</summary>", "", *_findings(rest, options), "", "</details>"] if rest else [],
        [f"<!-- {summary_line(audit)} -->"],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _findings(findings: list[Finding], options: Options) -> list[str]:
    lines = ["| level | rule | where | fix |", "| --- | --- | --- | --- |"]
    groups = group_findings(findings)
    for group in groups[: options.rows(30)]:
        first, shown = group[0], group[: options.rows(_PLACES)]
        places = [_place(finding) for finding in shown]
        places += [f"... and {len(group) - len(shown):,} more"] if len(group) > len(shown) else []
        what = f"{cell(first.rule)}<br>{prose(first.fact.title)}"
        lines.append(f"| {prose(first.level)} | {what} | {'<br>'.join(places)} | {prose(say_fix(first))} |")
    if len(groups) > options.rows(30):
        lines.append(f"| | ... and {len(groups) - options.rows(30):,} more rules | | |")
    return lines


def _place(finding: Finding) -> str:
    path = cell(fit_path(one_line(say_path(finding)), _LONG))
    detail = say_detail(finding)
    said = f"{path} {prose(say_state(finding))}".strip()
    return f"{said} ({prose(fit(one_line(detail), _LONG))})" if detail else said


def _limits(audit: Audit) -> list[str]:
    told = [check for check in audit.checks if check.kind != "rule" or check.id.startswith("ignore.")]
    if not told:
        return []
    rows = [f"| {_MARKS[check.status]} | {cell(check.id)} | {prose(check.message)} |" for check in told]
    return ["### Limits", "", "| | check | |", "| --- | --- | --- |", *rows]
