"""Reading a policy, judging by it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.audit import RULES, Policy, audit, read_policy
from layerscope.audit.globs import name_matches, path_matches
from layerscope.audit.policy import Limit
from layerscope.audit.sizes import read_ratio, read_size
from layerscope.audit.template import write_policy
from layerscope.errors import PolicyError
from render import specimens

from audit.conftest import TODAY, check, found

KNOWN = [rule.id for rule in RULES]


def read(text, source="layerscope.toml"):
    return read_policy(text, source, known=KNOWN)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("600 MB", 600_000_000),
        ("20MiB", 20 * 2**20),
        (5, 5),
        ("1_000", 1000),
        ("1,000 kB", 1_000_000),
        ("1.5k", 1500),
        ("0", 0),
    ],
)
def test_sizes(value, size):
    assert read_size(value) == size


@pytest.mark.parametrize("value", [-1, True, None, 1.5, "", "MB", "-5 MB", "5 parsec", [], {}])
def test_what_is_no_size(value):
    assert read_size(value) is None


def test_ratios():
    assert read_ratio(0.05) == read_ratio("5 %") == read_ratio("5%") == 0.05
    assert [read_ratio(value) for value in (1.5, -0.1, "5", "x %", True, None)] == [None] * 6


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("/usr/share/doc/**", b"usr/share/doc/a/b", True),
        ("/usr/share/doc/**", b"usr/share/docs", False),
        ("/usr/*/a", b"usr/share/a", True),
        ("/usr/*/a", b"usr/share/doc/a", False),
        ("*.key", b"etc/ssl/x.key", True),
        ("**/x/*.[ch]", b"a/x/y.c", True),
        ("**/x/*.[!ch]", b"a/x/y.c", False),
        ("/a?c", b"abc", True),
        ("/a.c", b"abc", False),
        ("/caf*", b"caf\xe9", True),
        ("/[", b"[", True),
    ],
)
def test_path_globs(glob, path, expected):
    assert path_matches(path, glob) is expected


def test_name_globs():
    assert name_matches("deb:gcc-12", "deb:gcc-*")
    assert not name_matches("deb:gcc", "deb:gcc-*")
    assert name_matches("npm:@babel/core", "npm:*")
    assert name_matches("npm:@babel/core", "npm:@babel/*")
    assert not name_matches("deb:gcc.12", "deb:gcc?1")


@given(st.text(max_size=20), st.binary(max_size=20))
def test_no_glob_is_an_error(glob, path):
    path_matches(path, glob)
    name_matches(path.decode("latin-1"), glob)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limit]\n", "did you mean 'limits'"),
        ("[limits]\ncontent_byte = 5", "'limits.content_byte': did you mean 'content_bytes'"),
        ("[limits]\ncontent-bytes = 5", "did you mean 'content_bytes'"),
        ("[limits]\ncontent_bytes = '5 parsec'", "limits.content_bytes = '5 parsec': expected a size"),
        ("[limits]\ncontent_bytes = {maximum = 5}", "did you mean 'max'"),
        ("[limits]\ncontent_bytes = {}", "expected a size"),
        ("[limits]\ncontent_bytes = {share = 5}", "expected a share between 0 and 1"),
        ("[limits]\nefficiency = 0.9", "{ min = 0.95 }"),
        ("[limits]\nlayers = 'many'", "expected a number"),
        ("[limits.layer]\ncontent = 5", "did you mean 'content_bytes'"),
        ("[limits]\npackage = 5", "expected a table"),
        ("[growth]\nefficiency = 0.1", "unknown key 'growth.efficiency'"),
        ("[growth.path]\n'/a' = 1", "unknown key 'growth.path'"),
        ("[rules]\nsetuid = 'off'", "did you mean 'setuid-file'"),
        ("[rules]\nsetuid-file = 'warn'", "Did you mean 'warning'"),
        ("[[ignore]]\nrule = 'setuid-file'", "ignore 1: reason is required"),
        ("[[ignore]]\nreason = 'x'", "ignore 1: rule is required"),
        ("[[ignore]]\nrule = 'setuid-file'\nreason = ' '", "reason is required"),
        (
            "[[ignore]]\nrule = 'setuid-fil'\nreason = 'x'",
            "ignore 1.rule = 'setuid-fil': there is no such rule. Did you mean 'setuid-file'?",
        ),
        ("[[ignore]]\nrule = 'setuid-file'\nreason = 'x'\nuntil = '2027-01-01'", "without quotes"),
        ("[[ignore]]\nrule = 'setuid-file'\nreason = 'x'\nuntill = 2027-01-01", "did you mean 'until'"),
        ("[[ignore]]\nrule = 'setuid-file'\nreason = 'x'\npath = 5", "ignore 1.path"),
        ("[ignore]\n", "[[ignore]]"),
        ("x = ", "not valid TOML"),
    ],
)
def test_wrong_policies_name_file_key_and_the_nearest(text, words):
    with pytest.raises(PolicyError) as error:
        read(text)
    assert words in str(error.value)
    assert str(error.value).startswith("layerscope.toml: ")


def test_a_pyproject_has_its_table():
    policy = read("[tool.layerscope.limits]\nlayers = 3\n[tool.other]\nx = 1", "a/pyproject.toml")
    assert policy.limits.image == {"layers": Limit(max=3)}
    with pytest.raises(PolicyError, match=r"tool\.layerscope"):
        read("[tool]\nlayerscope = 5", "pyproject.toml")


@pytest.mark.parametrize(
    ("limit", "actual", "broken"),
    [
        (Limit(max=5), 5, False),
        (Limit(max=5), 6, True),
        (Limit(max=0), 1, True),
        (Limit(share=0.1), 10, False),
        (Limit(share=0.1), 11, True),
        (Limit(max=20, share=0.1), 15, False),
        (Limit(max=5, share=0.5), 15, False),
        (Limit(max=5, share=0.1), 15, True),
        (Limit(min=5), 5, False),
        (Limit(min=5), 4, True),
        (Limit(min=5, max=9), 10, True),
    ],
)
def test_a_limit_fails_above_both(limit, actual, broken):
    assert limit.broken_by(actual, 100) is broken


NAMES = {"cause": ["package-manager-cache", "logs"], "owner": ["cache", "package database", "deb"], "package": ["deb", "npm"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[limits.cause]\npackage-manager-cach = 0",
            "unknown key 'limits.cause.package-manager-cach': did you mean 'package-manager-cache'?",
        ),
        ("[growth.cause]\nlog = 0", "unknown key 'growth.cause.log': did you mean 'logs'?"),
        ("[limits.cause]\n'x*' = 0", "unknown key 'limits.cause.x*': there are: package-manager-cache, logs"),
        ("[limits.owner]\ncach = 0", "unknown key 'limits.owner.cach': did you mean 'cache'?"),
        ("[limits.package]\n'debb:gcc-*' = 0", "limits.package.debb:gcc-*: did you mean 'deb:gcc-*'?"),
        ("[limits.package]\n'gcc-*' = 0", 'limits.package.gcc-*: a package is written with its type, like "deb:gcc-*"'),
        ("[growth.package]\nlodash = 0", 'growth.package.lodash: a package is written with its type, like "deb:gcc-*"'),
        ("[growth.package]\ndeb = 0", 'growth.package.deb: a package is written with its type, like "deb:gcc-*"'),
    ],
)
def test_a_limit_on_what_cannot_be_there_does_not_look_like_one_that_holds(text, told):
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "layerscope.toml", known=KNOWN, subjects=NAMES)
    assert str(caught.value) == f"layerscope.toml: {told}"


def test_a_limit_may_name_what_this_image_has_not():
    text = (
        "[limits.cause]\nlogs = 0\n'*-cache' = 0\n[limits.owner]\n'package database' = 0\n'd*' = 0\n"
        "[limits.package]\n'deb:nothing' = 0\n'*' = 0\n'npm:@types/*' = 0\n'd?b:x' = 0\n'n*' = 0\n"
    )
    limits = read_policy(text, "layerscope.toml", known=KNOWN, subjects=NAMES).limits
    assert (len(limits.cause), len(limits.owner), len(limits.package)) == (2, 2, 5)


def fat(policy="", **options):
    return audit(specimens.fat_report(), read(policy), today=TODAY, **options)


@pytest.mark.parametrize(
    ("policy", "id_", "status"),
    [
        ("[limits]\ncontent_bytes = '1 GB'", "limits.content_bytes", "fail"),
        ("[limits]\ncontent_bytes = '2 GB'", "limits.content_bytes", "pass"),
        ("[limits]\nreclaimable_fact_bytes = {max = '1 MB', share = 0.9}", "limits.reclaimable_fact_bytes", "pass"),
        ("[limits]\nreclaimable_fact_bytes = {max = '1 MB', share = 0.1}", "limits.reclaimable_fact_bytes", "fail"),
        ("[limits]\nefficiency = {min = 0.95}", "limits.efficiency", "fail"),
        ("[limits]\nlayers = 8", "limits.layers", "pass"),
        ("[limits]\nlayers = 7", "limits.layers", "fail"),
        ("[limits.layer]\ncontent_bytes = '100 MB'", "limits.layer.content_bytes", "fail"),
        ("[limits.package]\n'deb:g*-12' = 0", "limits.package.deb:g*-12", "fail"),
        ("[limits.package]\n'deb:clang' = 0", "limits.package.deb:clang", "pass"),
        ("[limits.owner]\ncache = 0", "limits.owner.cache", "fail"),
        ("[limits.owner]\ndeb = '1 GB'", "limits.owner.deb", "pass"),
        ("[limits.cause]\npackage-cache = '1 MB'", "limits.cause.package-cache", "fail"),
        ("[growth]\ncontent_bytes = 0", "growth.content_bytes", "skipped"),
    ],
)
def test_limits(policy, id_, status):
    made = fat("[rules]\n" + policy)
    assert check(made, id_).status == status
    # The specimen's one error is not a rule's, so the limit alone decides.
    assert made.verdict == ("fail" if status == "fail" else "pass")


def test_causes_behind_a_limit_are_findings():
    made = fat("[limits.cause]\nmetadata-copy = 0")
    (finding,) = found(made, "limits.cause.metadata-copy")
    assert finding.fails
    assert finding.fact.title.startswith("48,102 files")


def test_ignores(judge):
    tree = {"etc/passwd": "root::0:0::/:/bin/sh\nother::1:1::/:\n"}
    assert judge(tree).verdict == "fail"
    text = "[[ignore]]\nrule = 'empty-password'\nreason = 'a toy'\n"
    made = judge(tree, policy=text)
    assert made.verdict == "pass"
    assert [finding.ignored.reason for finding in found(made, "empty-password")] == ["a toy", "a toy"]
    assert check(made, "rules.empty-password").status == "ignored"
    assert judge(tree, policy=text + "path = '/etc/shadow'\n").verdict == "fail"
    assert judge(tree, policy=text + "path = '/etc/*'\n").verdict == "pass"


def test_an_ignore_ends(judge):
    tree = {"etc/passwd": "root::0:0::/:/bin/sh\n"}
    text = "[[ignore]]\nrule = 'empty-password'\nreason = 'a toy'\nuntil = 2026-01-01\n"
    assert judge(tree, policy=text).verdict == "pass"
    made = judge(tree, policy=text, today=date(2026, 1, 2))
    assert made.verdict == "fail"
    assert "which is past" in check(made, "ignore.1").message
    # Also when there is nothing left to put up with: the file says something that is not so any more.
    assert judge({"a": "b"}, policy=text, today=date(2026, 1, 2)).verdict == "fail"


def test_an_unused_ignore_is_told_and_does_not_fail(judge):
    made = judge({"a": "b"}, policy="[[ignore]]\nrule = 'sudo'\nreason = 'x'\n")
    assert made.verdict == "pass"
    assert check(made, "ignore.1").status == "skipped"


def test_a_failed_limit_can_be_put_up_with(judge):
    text = "[limits]\ncontent_bytes = 0\n[[ignore]]\nrule = 'limits.content_bytes'\nreason = 'next week'\n"
    made = judge({"a": "b"}, policy=text)
    assert (made.verdict, check(made, "limits.content_bytes").status) == ("pass", "ignored")


def test_levels_of_rules(judge):
    tree = {"bin/": "", "x": "y"}
    made = judge(tree, policy="[rules]\nmissing-healthcheck = 'error'")
    assert made.verdict == "fail"
    made = judge({"etc/passwd": "root::0:0::/:\n"}, policy="[rules]\nempty-password = 'off'")
    assert (made.verdict, check(made, "rules.empty-password").status, found(made, "empty-password")) == ("pass", "skipped", [])
    assert judge({"etc/passwd": "root::0:0::/:\n"}, policy="[rules]\nempty-password = 'warning'").verdict == "pass"


def test_path_limits_count_hidden_files_too(judge):
    layers = ({"doc/a": b"x" * 100, "b": b"y"}, {"doc/a": b"z" * 50})
    assert check(judge(*layers, policy="[limits.path]\n'/doc/**' = 149"), "limits.path./doc/**").status == "fail"
    assert check(judge(*layers, policy="[limits.path]\n'/doc/**' = 150"), "limits.path./doc/**").status == "pass"


@pytest.mark.parametrize("name", specimens.SPECIMENS)
def test_the_first_policy_is_met_by_its_image(name):
    report = specimens.SPECIMENS[name]()
    text = write_policy(audit(report, today=TODAY))
    made = audit(report, read(text), today=TODAY)
    assert not [check for check in made.checks if check.status == "fail" and check.kind == "limit"]


def test_without_a_policy_only_errors_fail():
    assert audit(specimens.fat_report(), today=TODAY).verdict == "pass"
    assert audit(specimens.fat_report(), Policy(), today=TODAY).policy.source is None
