"""Growth, and findings that were there before."""

from __future__ import annotations

import json

import jsonschema
import pytest
from layerscope.audit import audit, read_baseline
from layerscope.errors import PolicyError
from layerscope.render.audit import baseline_json
from layerscope.render.document import report_document
from layerscope.render.schemas import schema_text
from render import specimens

from audit.conftest import TODAY, check, found


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_baselines_are_valid_stable_and_read_back(name):
    report = specimens.SPECIMENS[name]()
    text = baseline_json(audit(report, today=TODAY))
    jsonschema.Draft202012Validator(json.loads(schema_text("baseline"))).validate(json.loads(text))
    assert text == baseline_json(audit(report, today=TODAY))
    assert read_baseline(text, "b.json").totals["content_bytes"] == report.books.content_bytes


@pytest.mark.parametrize("name", ["fat", "tall", "empty"])
def test_a_report_is_a_baseline_too(name):
    report = specimens.SPECIMENS[name]()
    old = read_baseline(json.dumps(report_document(report)), "report.json")
    new = read_baseline(baseline_json(audit(report, today=TODAY)), "b.json")
    assert (old.layers, old.packages, old.causes) == (new.layers, new.packages, new.causes)
    assert new.totals.items() <= old.totals.items()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": "2.0"}',
        '{"schema_version": "1.0"}',
        '{"schema_version": "1.0", "layers": [5]}',
        '{"schema_version": "1.0", "layers": {}, "totals": {"a": "x"}, "packages": {}, "causes": {}, "findings": {}}',
    ],
)
def test_what_is_no_baseline(text):
    with pytest.raises(PolicyError, match=r"^b\.json: "):
        read_baseline(text, "b.json")


@pytest.mark.parametrize(
    ("growth", "id_", "status"),
    [
        ("content_bytes = 5", "growth.content_bytes", "fail"),
        ("content_bytes = 50", "growth.content_bytes", "pass"),
        ("content_bytes = {max = 5, share = 0.5}", "growth.content_bytes", "pass"),
        ("content_bytes = {max = 5, share = 0.1}", "growth.content_bytes", "fail"),
        ("[growth.layer]\ncontent_bytes = 5", "growth.layer.content_bytes", "fail"),
        ("[growth.layer]\ncontent_bytes = 20", "growth.layer.content_bytes", "pass"),
        ("[growth.cause]\n'*' = 0", "growth.cause.*", "pass"),
        ("[growth.package]\n'deb:*' = 0", "growth.package.deb:*", "pass"),
    ],
)
def test_growth(judge, growth, id_, status):
    old = read_baseline(baseline_json(judge({"a": b"x" * 100}, {"b": b"y" * 10})), "b.json")
    made = judge({"a": b"x" * 100}, {"b": b"y" * 30}, policy=f"[growth]\n{growth}", baseline=old)
    assert check(made, id_).status == status


def test_a_layer_is_known_by_its_instruction_else_by_its_place(judge):
    old = read_baseline(baseline_json(judge({"a": b"x" * 100}, {"b": b"y" * 10}, history=["RUN a", "RUN b"])), "b.json")
    for history in (["RUN z", "RUN a"], ["RUN a", "RUN changed"]):
        layers = [{"n": b""}, {"a": b"x" * 100}] if history[0] == "RUN z" else [{"a": b"x" * 100}, {"b": b"y" * 12}]
        made = judge(*layers, policy="[growth.layer]\ncontent_bytes = 5", baseline=old, history=history)
        assert check(made, "growth.layer.content_bytes").status == "pass"


def test_only_new_findings_count(judge):
    tree = {"etc/passwd": "root::0:0::/:\n"}
    first = judge(tree)
    assert first.verdict == "fail"
    old = read_baseline(baseline_json(first), "b.json")
    again = judge({"x": "a new layer below"}, tree, baseline=old)
    assert again.verdict == "pass"
    assert found(again, "empty-password")[0].known
    assert judge({"etc/passwd": "root:*:0:0::/:\n", "etc/shadow": "app::1::::\n"}, baseline=old).verdict == "fail"
