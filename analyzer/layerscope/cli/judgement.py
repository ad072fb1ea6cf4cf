"""How does a command get from an image and a policy to a verdict?"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import IO

from layerscope.audit import Audit
from layerscope.audit import audit as judge
from layerscope.audit.template import write_policy
from layerscope.cli import choices
from layerscope.cli.answer import Answer, OutputError
from layerscope.cli.policies import NAMES, find_baseline, find_policy
from layerscope.cli.verbs import Look, Order, Wish, examine, finish, warn_of_base
from layerscope.frozen import frozen
from layerscope.render.audit import AUDIT_FORMATS, baseline_json, exit_code, summary_github


@frozen
class Court:
    """By what an image is judged: the paths of a policy and of a baseline, if they are named."""

    policy: str | None = None
    baseline: str | None = None


def audit(order: Order, wish: Wish, look: Look, court: Court) -> Answer:
    """Return the verdict: exit code 3 if the image could be read only in part, else 1 if its policy is not met."""
    moment = choices.read_epoch(os.environ.get("SOURCE_DATE_EPOCH")) or datetime.now(UTC)
    made = judge_image(order, court)
    answer = wish.answer(lambda name, options: AUDIT_FORMATS[name](made, replace(options, moment=moment)), look)
    if "github" in (wish.format, *wish.files.values()):
        answer = replace(answer, appends=_job(made, look))
    answer = warn_of_base(answer, made.report, order)
    return replace(finish(answer, order, complete=made.report.complete), code=exit_code(made))


def _job(made: Audit, look: Look) -> dict[str, str]:
    """Return what a job of GitHub's is told besides: its summary, and the verdict for the steps that follow."""
    appends = {}
    if place := os.environ.get("GITHUB_STEP_SUMMARY"):
        appends[place] = summary_github(made, look.paper())
    if place := os.environ.get("GITHUB_OUTPUT"):  # where steps ask for the verdict alone
        code = exit_code(made)
        appends[place] = f"verdict={'fail' if code else 'pass'}\nexit={code}\n"
    return appends


def judge_image(order: Order, court: Court, stdin: IO[bytes] | None = None, name: str | None = None) -> Audit:
    """Return the audit of an image; `name` is what it is called where the archive does not say.

    The policy is read first: a wrong one is told before minutes of reading. Pull sizes are estimated if it speaks of them.
    """
    policy, known = find_policy(court.policy, rules=order.secret_rules), find_baseline(court.baseline)
    if "pull_bytes" in (*policy.limits.image, *policy.growth.image):
        order = replace(order, pull="estimate")
    report = examine(order, stdin, whole=True)
    if order.ignore_base:
        report = report.without_base()
    if name is not None and not report.image.names:
        report = replace(report, image=replace(report.image, names=(name,)))
    return judge(report, policy, known, today=date.today())  # noqa: DTZ011 - the day where the reader is


def baseline(order: Order, output: str | None, court: Court) -> Answer:
    """Return the baseline of an image; one that was read only in part makes none."""
    made = judge_image(order, court)
    if not made.report.complete:
        return finish(Answer(), order, complete=False)
    text = baseline_json(made)
    return Answer(text) if output is None else Answer(files={output: text})


def init(order: Order, court: Court) -> Answer:
    """Return a policy file to begin with; one that is there is never written over."""
    place = court.policy or NAMES[0]
    if os.path.lexists(place):
        raise OutputError(f"{place}: is there already, and is not overwritten")
    made = judge(examine(order, whole=True), today=date.today())  # noqa: DTZ011 - the day where the reader is
    answer = finish(Answer(fresh={place: write_policy(made)}), order, complete=made.report.complete)
    return replace(answer, fresh={} if answer.code else answer.fresh)
