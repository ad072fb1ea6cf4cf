"""A `.dive-ci`, as that tool reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from layerscope.audit import Policy, audit, read_dive
from layerscope.errors import PolicyError
from layerscope.render import Options
from layerscope.render.audit import AUDIT_FORMATS
from render import specimens

from audit.conftest import TODAY, check

FULL = "rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n  highestUserWastedPercent: 0.20\n"


def read(text):
    rules = read_dive(text, ".dive-ci")
    return rules.lowest_efficiency, rules.highest_wasted_bytes, rules.highest_user_wasted_percent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FULL, (0.95, 20_000_000, 0.2)),
        ("", (0.9, None, 0.1)),
        ("rules:\n", (0.9, None, 0.1)),
        ("other: 5\nrules:\n  unknown: 7\n", (0.9, None, 0.1)),
        ("rules:\n  highestWastedBytes: 20MiB\n", (0.9, 20 * 2**20, 0.1)),
        ("rules:\n  lowestEfficiency: disabled\n  highestUserWastedPercent: off\n", (None, None, None)),
        ("rules:\n  lowestEfficiency: false\n  highestWastedBytes: ''\n  highestUserWastedPercent:\n", (None, None, None)),
        ("rules:\n  lowestEfficiency: '0.5'\n  LOWESTEFFICIENCY2: 1\n", (0.5, None, 0.1)),
        ("rules:\n  lowestEfficiency: 1\n", (1.0, None, 0.1)),
    ],
)
def test_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "rules:\n  lowestEfficiency: 95\n",
        "rules:\n  lowestEfficiency: -0.1\n",
        "rules:\n  lowestEfficiency: high\n",
        "rules:\n  lowestEfficiency: .nan\n",
        "rules:\n  highestWastedBytes: 5 parsec\n",
        "rules:\n  highestUserWastedPercent: 20\n",
        "rules: [1]\n",
        "- a\n",
        "a: b: c\n",
        "!!python/object/apply:os.system [ls]\n",
    ],
)
def test_wrong_values_are_told(text):
    with pytest.raises(PolicyError, match=r"^\.dive-ci: "):
        read(text)


def judge(text, dive=(0.612, 640_000_000, 0.56), *, alone=True):
    report = specimens.fat_report()
    numbers = dict(zip(("efficiency", "wasted_bytes", "user_wasted_percent"), dive, strict=True))
    report = replace(report, dive=replace(report.dive, **numbers))
    return audit(report, Policy(dive=read_dive(text, ".dive-ci"), alone=alone), today=TODAY)


@pytest.mark.parametrize(
    ("dive", "failed"),
    [
        ((0.95, 20_000_000, 0.2), set()),  # comparisons are strict
        ((0.9499, 20_000_000, 0.2), {"lowestEfficiency"}),
        ((1.0, 20_000_001, 0.0), {"highestWastedBytes"}),
        ((1.0, 0, 0.2001), {"highestUserWastedPercent"}),
        ((1.0, 0, None), set()),
        ((0.1, 10**9, 0.9), {"lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent"}),
    ],
)
def test_verdicts(dive, failed):
    made = judge(FULL, dive)
    assert {check.id.removeprefix("dive.") for check in made.checks if check.status == "fail"} == failed
    assert made.verdict == ("fail" if failed else "pass")
    assert "by dive's own definition" in check(made, "dive.lowestEfficiency").message


def test_what_it_does_not_decide_need_not_change():
    report = replace(
        specimens.fat_report(), exposures=(replace(specimens.fat_report().exposures[0], id="ssh-host-key", level="error"),)
    )
    for lowest, verdict in (
        ("off", "PASS: The policy is met; "),
        ("0.999", "FAIL: The policy is not met: 1 limit that does not "),
    ):
        rules = read_dive(f"rules:\n  lowestEfficiency: {lowest}\n  highestUserWastedPercent: off\n", ".dive-ci")
        made = audit(report, Policy(dive=rules, alone=True), today=TODAY)
        text, markdown = (AUDIT_FORMATS[name](made, Options()) for name in ("text", "markdown"))
        assert verdict in text
        assert "\nWHAT A .DIVE-CI ALONE DOES NOT ASK ABOUT\n error    ssh-host-key" in text
        assert "### What a .dive-ci alone does not ask about\n" in markdown
        assert "must change" not in (text + markdown).lower()


def test_alone_it_decides_alone_and_beside_a_policy_it_joins():
    report = replace(
        specimens.fat_report(), exposures=(replace(specimens.fat_report().exposures[0], id="ssh-host-key", level="error"),)
    )
    off = "rules:\n  lowestEfficiency: off\n  highestUserWastedPercent: off\n"
    rules = read_dive(off, ".dive-ci")
    assert audit(report, Policy(dive=rules, alone=True), today=TODAY).verdict == "pass"
    assert audit(report, Policy(dive=rules), today=TODAY).verdict == "fail"
    assert judge("", (0.5, 0, 0), alone=False).verdict == "fail"
