"""What does an id mean, why does it matter, and what is the fix?

`EXPLANATIONS` maps each id to the function that explains it; causes and notes join in as one more entry each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from layerscope.audit import RULES, Rule
from layerscope.audit.checks import CHECKS, Check
from layerscope.render.words import wrap

_WIDTH = 80


def explain_rule(rule: Rule) -> str:
    """Return what a rule means, for the terminal."""
    parts = [
        f"{rule.id}: {rule.title}",
        "\n".join(wrap(f'level {rule.level} at most; a policy changes it: [rules] {rule.id} = "off"', _WIDTH)),
        "\n".join(wrap(rule.why, _WIDTH)),
        "\n".join(wrap(rule.fix, _WIDTH, "     ", "fix: ")),
    ]
    if rule.counterparts:
        parts.append(f"answers: {', '.join(rule.counterparts)}")
    parts += ["\n".join(rule.references)] if rule.references else []
    return "\n\n".join(parts) + "\n"


def explain_rules() -> str:
    """Return all rules as a Markdown table, and which checks of dockle and of CIS they answer."""
    rows = [(f"`{rule.id}`", rule.level, rule.title, ", ".join(rule.counterparts)) for rule in RULES]
    return _table(("rule", "level", "finds", "answers"), rows)


def explain_checks() -> str:
    """Return other people's checks as a Markdown table, and what answers each."""
    rows = [(", ".join(check.ids), check.title, _say_answer(check)) for check in CHECKS]
    return _table(("check", "asks for", "answered by"), rows)


def _say_answer(check: Check) -> str:
    rules = check.rules()
    names = [f"`{rule.id}`" for rule in rules if "secret" not in rule.tags]
    if len(names) < len(rules):
        names.append(f"{len(rules) - len(names)} kinds of secrets by their form")
    causes = ", ".join(f"`{cause}`" for cause in check.causes)
    parts = [
        ", ".join(names),
        f"{'the causes' if len(check.causes) > 1 else 'the cause'} {causes}" if causes else "",
        check.note,
    ]
    return "; ".join(part for part in parts if part)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    from tabulate import tabulate

    return tabulate(rows, head, tablefmt="github", disable_numparse=True) + "\n"


EXPLANATIONS: dict[str, Callable[[], str]] = {rule.id: partial(explain_rule, rule) for rule in RULES}
