"""The verdict as a hook and a CI job meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import build
import pytest
from layerscope.cli import session
from layerscope.cli.policies import find_policy, search
from layerscope.errors import ArchiveError, ExtraMissingError, PolicyError, SelectionError

BAD = {"etc/passwd": "root::0:0:root:/:/bin/sh\n"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, *trees, **image):
    with open(name, "wb") as stream:
        stream.write(build.docker_save(build.Image([build.layer(tree) for tree in trees], **image)))
    return name


def leave(*arguments):
    return session.run(arguments)


def last(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_a_good_image_passes(capsys):
    assert leave("audit", write("a.tar", {"a": "b"}, tags=["app:1"])) == 0
    assert last(capsys).startswith("layerscope-audit verdict=pass complete=true exit=0")


def test_a_bad_one_is_1(capsys):
    assert leave("audit", write("a.tar", BAD)) == 1
    assert last(capsys).startswith("layerscope-audit verdict=fail complete=true exit=1 error=1")


def test_a_limit_on_what_is_pulled_holds_for_layers_that_are_stored_raw(home, capsys):
    write("a.tar", {"a": os.urandom(3000)}, tags=["app:1"])
    (home / "layerscope.toml").write_text("[limits]\npull_bytes = 3000\n[growth]\npull_bytes = 10\n")
    assert leave("baseline", "a.tar", "--output", "old.json") == 0
    assert leave("audit", "a.tar", "--baseline", "old.json", "-f", "json") == 1
    checks = {check["id"]: check["status"] for check in json.loads(capsys.readouterr().out)["checks"]}
    assert (checks["limits.pull_bytes"], checks["growth.pull_bytes"]) == ("fail", "pass")


def test_what_the_base_brought_can_be_left_out(capsys):
    write("base.tar", BAD, tags=["base:1"])
    write("a.tar", BAD, {"app": "a"}, tags=["app:1"])
    assert leave("audit", "a.tar") == 1
    for options in (("--base", "base.tar"), ("--base-layers", "1")):
        assert leave("audit", "a.tar", *options) == 1
        capsys.readouterr()
        assert leave("audit", "a.tar", *options, "--ignore-base", "-f", "json") == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["base_share"]["layers"], said["base_share"]["left_out"]) == (1, True)
        assert leave("audit", "a.tar", *options, "--ignore-base") == 0
        assert "left out: 1 fact for a security review" in " ".join(capsys.readouterr().out.split())
    assert leave("audit", "a.tar", "--ignore-base") == 1
    assert "nothing tells which layers are the base image's" in capsys.readouterr().err
    write("other.tar", {"b": "c"})
    assert leave("report", "a.tar", "--base", "other.tar") == 0
    assert "other.tar: the image does not begin with its layers" in capsys.readouterr().err


def test_an_incomplete_one_is_3_whatever_it_holds(capsys):
    data = build.docker_save(build.Image([build.layer(BAD), build.layer({"b": "c"})]))
    members = build.docker(build.Image([build.layer(BAD), build.layer({"b": "c"})]))
    with open("cut.tar", "wb") as stream:
        stream.write(build.archive(members, omit=[build.layer({"b": "c"})]))
    assert data
    assert leave("audit", "cut.tar") == 3
    assert "verdict=fail complete=false exit=3" in last(capsys)
    with open("layerscope.toml", "w") as stream:
        stream.write("[limits]\ncontent_bytes = 0\n")
    assert leave("audit", "cut.tar", "--format", "json") == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["complete"], document["verdict"], document["policy"]["source"]) == (False, "fail", "layerscope.toml")
    assert leave("baseline", "cut.tar", "--output", "b.json") == 3
    assert not os.path.exists("b.json")
    assert leave("audit", "cut.tar", "--init", "--policy", "new.toml") == 3
    assert not os.path.exists("new.toml")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "no"), 2),
        (PermissionError(13, "no"), 2),
        (OSError(5, "no"), 3),
        (ArchiveError("no"), 3),
        (SelectionError("no"), 2),
        (PolicyError("no"), 2),
        (ExtraMissingError("no"), 2),
        (KeyError("no"), 70),
        (MemoryError(), 3),
        (RecursionError(), 70),
        (AssertionError(), 70),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "no"), 70),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
@pytest.mark.parametrize("where", ["load", "analyze"])
def test_nothing_but_an_unmet_policy_is_1(monkeypatch, capsys, error, code, where):
    from layerscope import api

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(api, where, fail)
    assert leave("audit", write("a.tar", BAD)) == code


@pytest.mark.parametrize(
    ("files", "words", "hint"),
    [
        ({"layerscope.toml": "[limit]\n"}, (), "did you mean 'limits'"),
        ({"layerscope.toml": "[limits.cause]\nlog = 0\n"}, (), "did you mean 'logs'"),
        ({"layerscope.toml": "[limits.owner]\ncach = 0\n"}, (), "did you mean 'cache'"),
        ({"layerscope.toml": b"\xff"}, (), "not UTF-8"),
        ({}, ("--policy", "no.toml"), "no.toml: No such file"),
        ({}, ("--policy", "."), ".: Is a directory"),
        ({}, ("--baseline", "no.json"), "no.json: No such file"),
        ({"b.json": "{}"}, ("--baseline", "b.json"), "b.json: no baseline"),
        ({".dive-ci": "rules:\n  lowestEfficiency: 95\n"}, (), ".dive-ci: rules.lowestEfficiency = 95"),
        ({}, ("--format", "sarf"), "There are:"),
        ({}, ("--output", "a.pdf"), "suffix"),
        ({"layerscope.toml": ""}, ("--init",), "not overwritten"),
    ],
)
def test_what_is_wrong_is_2(capsys, files, words, hint):
    for name, content in files.items():
        with open(name, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
    assert leave("audit", write("a.tar", BAD), *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err


def test_the_nearest_policy_up_to_the_repository(home):
    (home / "a/b").mkdir(parents=True)
    (home / "layerscope.toml").write_text("")
    assert search("a/b") is None  # no repository: other people's folders are not looked into
    (home / "a/.git").mkdir()
    assert search("a/b") is None
    os.rename("a/.git", ".git")
    assert search("a/b") == "layerscope.toml"
    (home / "a/pyproject.toml").write_text("[tool.other]\n")
    assert search("a/b") == "layerscope.toml"
    (home / "a/pyproject.toml").write_text("[tool.layerscope]\n")
    assert search("a/b") == os.path.join("a", "pyproject.toml")
    (home / "a/pyproject.toml").write_text("not TOML = = ")
    assert search("a/b") == "layerscope.toml"


def test_a_dive_ci_alone_decides(capsys, home):
    (home / ".dive-ci").write_text("rules:\n  lowestEfficiency: 0.99\n")
    image = write("a.tar", {"a": b"x" * 5000}, {"a": b"y" * 5000})
    assert leave("audit", image) == 1
    assert "by dive's own definition (.dive-ci)" in " ".join(capsys.readouterr().out.split())
    (home / ".dive-ci").write_text("rules:\n  lowestEfficiency: off\n  highestUserWastedPercent: off\n")
    assert leave("audit", image) == leave("audit", write("b.tar", BAD)) == 0
    (home / "layerscope.toml").write_text("")
    assert find_policy(None).alone is False
    assert leave("audit", "b.tar") == 1


def test_init_writes_a_policy_that_the_image_meets(capsys, home):
    image = write("a.tar", {"a": b"x" * 5000}, {"a": b"y" * 5000})
    assert leave("audit", image, "--init") == 0
    assert capsys.readouterr().out == ""
    text = (home / "layerscope.toml").read_text()
    assert leave("audit", image) == 0
    assert leave("audit", image, "--init") == 2
    assert (home / "layerscope.toml").read_text() == text


def test_baseline_and_growth(capsys, home):
    (home / "layerscope.toml").write_text("[growth]\ncontent_bytes = 10\n")
    old, new = write("old.tar", {"a": b"x" * 5000}, BAD), write("new.tar", {"a": b"x" * 5000}, BAD, {"b": b"y" * 20})
    assert leave("baseline", old, "--output", "b.json") == 0
    assert leave("audit", old, "--baseline", "b.json") == 0
    assert leave("audit", new, "--baseline", "b.json") == 1
    assert "growth.content_bytes" in capsys.readouterr().out
    assert leave("baseline", old) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((home / "b.json").read_text())


def test_explain(capsys):
    assert leave("explain", "setuid-file") == 0
    assert "fix: " in capsys.readouterr().out
    assert leave("explain", "--rules") == 0
    assert "| `setuid-file`" in capsys.readouterr().out
    assert leave("explain", "setuid") == 2
    assert "Did you mean 'setuid-file'" in capsys.readouterr().err


def test_a_process_says_the_same():
    write("a.tar", BAD)
    code = "from layerscope.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, "audit", "a.tar"], capture_output=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr == b""


def test_a_program_that_is_broken_itself_is_not_1():
    write("a.tar", BAD)
    code = "import sys; sys.modules['layerscope.render.escape'] = None; from layerscope.cli import main; main()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code, "audit", "a.tar"], capture_output=True, check=False, env=environment)
    assert done.returncode == 70
