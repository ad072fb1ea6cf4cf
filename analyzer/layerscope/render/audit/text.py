"""What does a person read who asks whether the image may be pushed?"""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.audit import Audit, Check, Finding
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
from layerscope.render.escape import defuse, one_line, terminal
from layerscope.render.options import Options, Paint
from layerscope.render.text.head import image_name, image_traits, say_base
from layerscope.render.words import fit, fit_path, width_of, wrap

_PLACES, _FEW = 5, 2
_PAINTS: dict[str, Paint] = {"error": "bad", "warning": "warn", "info": "faint", "fail": "bad", "ignored": "faint"}


def audit_text(audit: Audit, options: Options) -> str:
    """Return verdict, what fails, limits, warnings, remarks; the last line is for programs."""
    failing = [finding for finding in audit.findings if finding.fails]
    rest = [finding for finding in audit.findings if not finding.fails and finding.level != "info"]
    sections = (
        _head(audit, options),
        _section(ASIDE.upper() if audit.policy.alone else "WHAT MUST CHANGE", failing, options, _PLACES),
        _checks(audit, options),
        _section("WARNINGS", [one for one in rest if not one.ignored and not one.known], options, _FEW),
        _section("PUT UP WITH", [one for one in rest if one.ignored or one.known], options, _FEW),
        _remarks(audit, options),
        [summary_line(audit)],
    )
    return "\n\n".join("\n".join(defuse(line.rstrip()) for line in lines) for lines in sections if lines) + "\n"


def _head(audit: Audit, options: Options) -> list[str]:
    report = audit.report
    name, traits = image_name(report), "   ".join(image_traits(report))
    one = f"{name}   {traits}"
    lines = [one] if width_of(one) <= options.columns else [fit_path(name, options.columns), *wrap(traits, options.columns)]
    lines[0] = options.paint(lines[0], "title")
    if not report.complete:
        said = "INCOMPLETE: the image could be read only in part, so it may not pass, whatever was found in the rest."
        lines += [options.paint(line, "bad") for line in wrap(said, options.columns)]
    paint: Paint = "good" if audit.passed and report.complete else "bad"
    verdict = f"{audit.verdict.upper()}: " if report.complete or not audit.passed else ""
    said = f"{verdict}{say_verdict(audit)}"
    lines += [options.paint(line, paint) for line in wrap(said, options.columns)]
    lines += wrap(say_base(report), options.columns) if report.aside is not None else []
    sources = [source for source in (audit.policy.source, audit.policy.dive.source if audit.policy.dive else None) if source]
    return [*lines, options.paint(f"policy: {terminal(', '.join(sources)) or 'none; findings of level error fail'}", "faint")]


def _section(title: str, findings: Sequence[Finding], options: Options, places: int) -> list[str]:
    lines: list[str] = []
    for group in group_findings(findings):
        first = group[0]
        count = f" ({len(group):,} times)" if len(group) > 1 else ""
        level = f" {first.level:<7}  "
        head = wrap(f"{terminal(first.rule)}: {one_line(first.fact.title)}{count}", options.columns, "   ", level)
        head[0] = options.paint(head[0][: len(level)], _PAINTS.get(first.level, "faint")) + head[0][len(level) :]
        lines += head
        for finding in group[: options.rows(places)]:
            lines += _place(finding, options)
        if rest := len(group) - options.rows(places):
            lines += [f"   ... and {rest:,} more"] if rest > 0 else []
        fix = say_fix(first)
        if fix and places == _PLACES:
            lines += wrap(one_line(fix), options.columns, "        ", "   fix: ")
    return [options.paint(title, "title"), *lines] if lines else []


def _place(finding: Finding, options: Options) -> list[str]:
    state, path = terminal(say_state(finding)), one_line(say_path(finding))
    room = max(20, options.columns - width_of(state) - 5)
    lines = [f"   {fit_path(path, room)}  {state}" if path else f"   {state}"]
    detail = one_line(say_detail(finding))
    return [*lines, *(wrap(fit(detail, 3 * options.columns), options.columns, "     ", "     ") if detail else [])]


def _checks(audit: Audit, options: Options) -> list[str]:
    """Return limits and growth, failed or not, and what else is told about the policy itself."""
    told = [check for check in audit.checks if check.kind != "rule" or check.id.startswith("ignore.")]
    lines: list[str] = []
    for check in sorted(told, key=_order):
        lead = f" {check.status:<7}  "
        head = wrap(f"{terminal(check.id)}  {one_line(check.message)}", options.columns, "   ", lead)
        head[0] = options.paint(head[0][: len(lead)], _PAINTS.get(check.status, "good")) + head[0][len(lead) :]
        lines += head
    return [options.paint("LIMITS", "title"), *lines] if lines else []


def _order(check: Check) -> int:
    return ("fail", "ignored", "pass", "skipped").index(check.status)


def _remarks(audit: Audit, options: Options) -> list[str]:
    groups = group_findings(finding for finding in audit.findings if finding.level == "info" and not finding.fails)
    said = ", ".join(f"{len(group):,} x {terminal(group[0].rule)}" for group in groups)
    lines = wrap(f"remarks: {said}; --format json tells them", options.columns, "  ") if said else []
    verification = audit.report.verification
    if verification is not None and verification.verified:
        lines += wrap(f"{verification.verified:,} files are as their packages shipped them, by digest", options.columns, "  ")
    if not audit.secrets_scanned:
        lines += wrap("contents were not read for secrets", options.columns, "  ")
    return [options.paint(line, "faint") for line in lines]
