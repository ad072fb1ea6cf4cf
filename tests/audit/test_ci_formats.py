"""SARIF, JUnit, GitHub and GitLab: what their readers insist on."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import build
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.analysis.dockerfile import Source
from layerscope.analysis.placement import place_layers
from layerscope.cli import session
from layerscope.render import Options
from layerscope.render.audit import AUDIT_FORMATS, summary_github
from layerscope.render.audit.lines import find_places
from layerscope.render.audit.sarif import sarif_document
from layerscope.render.escape import uri_path, workflow_data, workflow_property, xml
from lxml import etree
from render import specimens

from audit.test_formats import make


def placed(audit, path, text):
    """Return an audit whose layers were looked for in a Dockerfile."""
    report = replace(audit.report, placement=place_layers(audit.report.image, Source(path, text)))
    return replace(audit, report=report)


SCHEMAS = Path(__file__).parents[1] / "schemas"
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text()))
JUNIT = etree.XMLSchema(etree.parse(SCHEMAS / "junit-10.xsd"))
TEXT = {"type": "string", "minLength": 1}
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
PROGRAM = {
    "required": ["id", "name", "version", "vendor"],
    "properties": {"id": TEXT, "name": TEXT, "version": TEXT, "vendor": {"required": ["name"], "properties": {"name": TEXT}}},
}
IDENTIFIER = {"required": ["type", "name", "value"], "properties": {"type": TEXT, "name": TEXT, "value": TEXT}}
# What GitLab's documentation and schema 15 ask of a container scanning report, as far as one is written here.
SCANNING = {
    "type": "object",
    "required": ["scan", "version", "vulnerabilities"],
    "properties": {
        "version": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$"},
        "scan": {
            "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
            "properties": {
                "analyzer": PROGRAM, "scanner": PROGRAM, "start_time": TIME, "end_time": TIME,
                "status": {"enum": ["success", "failure"]}, "type": {"const": "container_scanning"},
                "messages": {"items": {"required": ["level", "value"], "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": TEXT}}},
            },
        },
        "vulnerabilities": {
            "type": "array",
            "items": {
                "required": ["id", "identifiers", "location"],
                "properties": {
                    "id": TEXT,
                    "name": {"type": "string", "maxLength": 255},
                    "description": {"type": "string", "maxLength": 1 << 20},
                    "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
                    "solution": {"type": "string", "maxLength": 7000},
                    "identifiers": {"type": "array", "minItems": 1, "items": IDENTIFIER},
                    "links": {"items": {"required": ["url"], "properties": {"url": {"pattern": "^(https?|ftp)://.+"}}}},
                    "details": {"additionalProperties": {"required": ["type", "name", "value"], "properties": {"type": {"const": "text"}, "name": TEXT, "value": {"type": "string"}}}},
                    "location": {
                        "required": ["dependency", "operating_system", "image"],
                        "properties": {
                            "dependency": {
                                "required": ["package", "version"],
                                "properties": {"package": {"required": ["name"], "properties": {"name": {"type": "string"}}}, "version": {"type": "string"}},
                            },
                            "operating_system": TEXT, "image": TEXT,
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("name", specimens.SPECIMENS)
@pytest.mark.parametrize("dockerfile", [None, ("./docker/Docker file", "FROM x\nRUN a\n")])
def test_sarif_is_valid(name, dockerfile):
    audit = placed(make(name), *dockerfile) if dockerfile else make(name)
    document = sarif_document(audit)
    SARIF.validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) <= 25_000  # from here on: what GitHub's reader of it asks besides
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]
        (location,) = (one["physicalLocation"] for one in result["locations"])
        assert re.fullmatch(r"[A-Za-z0-9._~%-][A-Za-z0-9._~%/-]*", location["artifactLocation"]["uri"])
    for rule in rules:
        assert re.fullmatch("[A-Za-z0-9]*", rule.get("name", ""))
        assert len(rule["properties"]["tags"]) <= 20
        assert re.fullmatch(r"10\.0|\d\.\d", rule["properties"].get("security-severity", "0.0"))
    assert json.loads(AUDIT_FORMATS["sarif"](audit, Options())) == document


def test_sarif_keeps_fingerprints_and_tells_what_is_put_up_with():
    results = sarif_document(make("fat"))["runs"][0]["results"]
    setuid = next(result for result in results if result["ruleId"] == "setuid-file")
    assert setuid["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "image/usr/bin/su"
    assert setuid["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "layer 0!/usr/bin/su"
    assert setuid["suppressions"][0]["justification"].startswith("it is")
    assert results[0]["level"] == "error"


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_junit_is_valid(name):
    made = make(name)
    text = AUDIT_FORMATS["junit"](made, Options())
    JUNIT.assertValid(etree.fromstring(text.encode()))
    root = ET.fromstring(text)
    cases = root.findall("testsuite/testcase")
    assert root.tag == "testsuites"
    assert int(root.get("tests")) == len(cases) == len(made.checks) + (not made.report.complete)
    assert int(root.get("failures")) == len(root.findall("testsuite/testcase/failure"))
    assert sum(int(suite.get("skipped")) for suite in root) == len(root.findall("testsuite/testcase/skipped"))
    assert int(root.get("errors")) == len(root.findall("testsuite/testcase/error")) == (not made.report.complete)
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_gitlab_code_quality(name):
    rows = json.loads(AUDIT_FORMATS["gitlab"](make(name), Options()))
    assert len({row["fingerprint"] for row in rows}) == len(rows)
    for row in rows:
        assert row.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert row["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert row["location"]["lines"]["begin"] >= 1
        assert not row["location"]["path"].startswith(("./", "/"))
    assert "setuid-file" not in {row["check_name"] for row in rows}


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_gitlab_container_scanning(name):
    made = make(name)
    document = json.loads(AUDIT_FORMATS["container-scanning"](made, Options(moment=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))))
    jsonschema.Draft7Validator(SCANNING).validate(document)
    assert document["scan"]["start_time"] == "2026-01-02T03:04:05"
    assert document["scan"]["status"] == ("success" if made.report.complete else "failure")
    rows = document["vulnerabilities"]
    assert len({row["id"] for row in rows}) == len(rows)
    ids = {row["identifiers"][0]["value"] for row in rows}
    assert "setuid-file" not in ids  # the policy puts up with it
    assert not any(id_.startswith("limits.") for id_ in ids)


def test_a_vulnerability_tells_layer_package_and_severity(judge):
    made = judge(
        {"etc/os-release": "ID=debian\nVERSION_ID=12\n", "root/.npmrc": "//r/:_authToken=q8Zk2Lw7\n"},
        build.tar(build.whiteout("root/.npmrc")),
    )
    rows = json.loads(AUDIT_FORMATS["container-scanning"](made, Options()))["vulnerabilities"]
    (row,) = [row for row in rows if row["identifiers"][0]["value"] == "credential-file"]
    assert row["severity"] == "Medium"
    assert row["details"]["where"]["value"] == "layer 0, deleted in layer 1"
    assert row["location"] == {
        "dependency": {"package": {"name": "/root/.npmrc"}, "version": ""}, "operating_system": "debian 12", "image": "app:latest",
    }  # fmt: skip


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_github_annotations_keep_to_the_limits(name):
    lines = AUDIT_FORMATS["github"](placed(make(name), "Dockerfile", "FROM x"), Options()).splitlines()
    for command in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{command} ") for line in lines) <= 10
    for line in lines[:-1]:
        assert re.fullmatch(r"::(error|warning|notice) (file=[^:,]+,line=\d+,)?title=[^:,]+::[^\r\n]+", line)
    assert lines[-1].startswith("layerscope-audit ")


def test_github_tells_the_worst_first_and_counts_the_rest(judge):
    tree = {"etc/passwd": "".join(f"u{number}::{number}:0::/:\n" for number in range(1, 40))}
    lines = AUDIT_FORMATS["github"](judge(tree), Options()).splitlines()
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) == 10
    assert "and 30 more of this level" in errors[-1]


def test_the_summary_is_cut_before_github_refuses_it(judge, monkeypatch):
    from layerscope.render.audit import github

    made = judge({"etc/passwd": "u::1:0::/:\n"})
    assert summary_github(made, Options()) == AUDIT_FORMATS["markdown"](made, Options())
    monkeypatch.setattr(github, "SUMMARY_BYTES", 600)
    text = summary_github(made, Options())
    assert len(text.encode()) <= 600
    assert "... cut" in text


def test_a_job_gets_summary_and_outputs(judge, tmp_path, monkeypatch, capsys):
    judge({"etc/passwd": "u::1:0::/:\n"})
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    (tmp_path / "output").write_text("before=1\n")
    assert session.run(["audit", str(tmp_path / "image.tar"), "--format", "github"]) == 1
    assert (tmp_path / "output").read_text() == "before=1\nverdict=fail\nexit=1\n"
    assert "not passed" in (tmp_path / "summary").read_text()
    assert session.run(["audit", str(tmp_path / "image.tar")]) == 1
    assert (tmp_path / "summary").read_text().count("not passed") == 1


def test_outputs_name_their_formats(judge, tmp_path, capsys):
    judge({"a": "b"})
    names = {
        "a.sarif": "$schema",
        "a.xml": "<testsuites",
        "gitlab:a.json": "[",
        "container-scanning:s.json": '"container_scanning"',
        "b.json": "schema_version",
        "github:c.txt": "layerscope-audit",
    }
    words = [
        word for name in names for word in ("-o", name.replace(":", f":{tmp_path}/") if ":" in name else f"{tmp_path}/{name}")
    ]
    assert session.run(["audit", str(tmp_path / "image.tar"), *words]) == 0
    for name, words in names.items():
        assert words in (tmp_path / name.rpartition(":")[2]).read_text()


def test_findings_stand_where_their_layer_was_made():
    places = find_places(placed(make("fat"), "./docker/Dockerfile", "FROM x\nRUN npm ci\nCOPY . /app\nUSER node\n").report)
    assert (places.path, places.base, places.user) == ("docker/Dockerfile", 1, 4)
    assert find_places(placed(make("fat"), "D", "no FROM here").report).base == 1


@given(st.text())
def test_xml_is_only_text(text):
    element = ET.fromstring(f'<a b="{xml(text)}">{xml(text)}</a>')
    assert element.get("b") == (element.text or "")


@given(st.text())
def test_workflow_commands_stay_one_line(text):
    assert not re.search(r"[\r\n]", workflow_data(text))
    assert not re.search(r"[\r\n:,]", workflow_property(text))
    assert not re.search(r"%(?!25|0D|0A|3A|2C)", workflow_property(text))


@given(st.binary())
def test_uris_are_encoded(path):
    assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri_path(path))
