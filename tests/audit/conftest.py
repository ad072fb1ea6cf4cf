"""Whole images, written byte by byte, read and audited."""

from __future__ import annotations

from datetime import date

import build
import pytest
from layerscope import api
from layerscope.audit import RULES, audit, read_policy

TODAY = date(2026, 1, 1)


@pytest.fixture
def judge(tmp_path):
    """Return the audit of an image made of trees or tars; `policy` is TOML."""

    def run(*layers, policy="", baseline=None, today=TODAY, load=None, **image):
        made = build.Image([one if isinstance(one, bytes) else build.layer(one, parents=True) for one in layers], **image)
        path = tmp_path / "image.tar"
        path.write_bytes(build.docker_save(made))
        report = api.analyze(api.load(str(path), verify=True, **(load or {})))
        return audit(report, read_policy(policy, "layerscope.toml", known=[rule.id for rule in RULES]), baseline, today=today)

    return run


def found(made, rule):
    """Return the findings of a rule."""
    return [finding for finding in made.findings if finding.rule == rule]


def check(made, id_):
    """Return a check by its id."""
    (one,) = [check for check in made.checks if check.id == id_]
    return one
