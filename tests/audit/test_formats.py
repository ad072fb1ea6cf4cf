"""Each format of an audit, on whole, broken and hostile reports."""

from __future__ import annotations

import csv
import json
import re

import jsonschema
import pytest
from layerscope.audit import RULES, audit, read_policy
from layerscope.render import Options
from layerscope.render.audit import AUDIT_FORMATS, exit_code
from layerscope.render.audit.document import audit_document
from layerscope.render.schemas import schema_text
from render import specimens

from audit.conftest import TODAY

POLICY = """
[limits]
content_bytes = "1 GB"
efficiency = { min = 0.5 }
[limits.cause]
"*" = 0
[growth]
content_bytes = 0
[rules]
setuid-file = "error"
[[ignore]]
rule = "setuid-file"
reason = "it is \\u001b[2J needed | *really*"
until = 2026-06-01
[[ignore]]
rule = "sudo"
reason = "unused"
"""


def make(name, policy=POLICY):
    return audit(
        specimens.SPECIMENS[name](), read_policy(policy, "layerscope.toml", known=[rule.id for rule in RULES]), today=TODAY
    )


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_the_document_is_valid(name):
    made = make(name)
    document = audit_document(made)
    jsonschema.Draft202012Validator(json.loads(schema_text("audit"))).validate(document)
    assert json.loads(AUDIT_FORMATS["json"](made, Options())) == document


@pytest.mark.parametrize("name", specimens.SPECIMENS)
@pytest.mark.parametrize("format_", AUDIT_FORMATS)
def test_no_format_lets_anything_through(name, format_):
    for top in (None, 1):
        text = AUDIT_FORMATS[format_](make(name), Options(top=top))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not re.search(r"^\s*::", text, re.MULTILINE) or format_ == "github"
        assert text.endswith("\n")
        text.encode()


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_the_last_line_is_for_programs(name):
    made = make(name)
    last = AUDIT_FORMATS["text"](made, Options()).splitlines()[-1]
    word, *pairs = last.split(" ")
    fields = dict(pair.split("=") for pair in pairs)
    assert word == "layerscope-audit"
    assert fields["verdict"] == made.verdict
    assert int(fields["exit"]) == exit_code(made)
    assert fields["complete"] == str(made.report.complete).lower()


@pytest.mark.parametrize("name", specimens.SPECIMENS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_fits(name, width):
    lines = AUDIT_FORMATS["text"](make(name), Options(width=width)).splitlines()
    from layerscope.render.words import width_of

    assert max(width_of(line) for line in lines[:-1]) <= width


def test_text_says_what_and_why():
    text = AUDIT_FORMATS["text"](make("fat"), Options())
    assert "FAIL: The policy is not met: 2 limits that do not hold" in text
    assert "limits.content_bytes" in text
    assert "fix: COPY --chown=node:node . /app" in text
    assert "put up with until 2026-06-01" in text
    assert make("fat", "").verdict == "pass"


def test_incomplete_is_3_even_if_limits_fail():
    assert exit_code(make("broken", "[limits]\ncontent_bytes = 0")) == 3
    for policy in ("", "[limits]\ncontent_bytes = 0"):
        for name in ("text", "markdown"):
            told = " ".join(AUDIT_FORMATS[name](make("broken", policy), Options()).split())
            assert "INCOMPLETE" in told
            assert "PASS: " not in told
            assert "The policy is met" not in told
            assert ("nothing speaks against it" in told) is (policy == "")
    assert exit_code(make("fat", "")) == 0
    assert exit_code(make("fat")) == 1


def test_csv_is_a_rectangle():
    rows = list(csv.reader(AUDIT_FORMATS["csv"](make("hostile"), Options()).splitlines()))
    assert len({len(row) for row in rows}) == 1
    assert rows[0][0] == "fails"


def test_fingerprints_stay_when_layers_move():
    from dataclasses import replace

    one = make("fat").findings
    report = specimens.fat_report()
    moved = replace(
        report,
        exposures=tuple(replace(fact, layer=None if fact.layer is None else fact.layer + 3) for fact in report.exposures),
    )
    two = audit(moved, read_policy(POLICY, "layerscope.toml", known=[rule.id for rule in RULES]), today=TODAY).findings
    assert {finding.fingerprint for finding in one} == {finding.fingerprint for finding in two}
