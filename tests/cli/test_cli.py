"""What a person, a hook or a pipe meets."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from layerscope import render
from layerscope.cli import choices, session
from layerscope.errors import ArchiveError, LimitError, PolicyError, SelectionError
from layerscope.model import Note
from layerscope.render.schemas import SCHEMAS, schema_text
from layerscope.render.tables import TABLES
from render import specimens

ROOT = Path(__file__).parents[2]


def leave(*arguments):
    return session.run(arguments)


def start(*arguments, code="from layerscope.cli import main; main()", **environment):
    path = os.pathsep.join([str(ROOT / "analyzer"), str(ROOT / "tests")])
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **environment}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )


FAKE = """
import sys, types, layerscope
from render import specimens
api = types.ModuleType("layerscope.api")
api.load = lambda source, **options: specimens.fat_report().image
api.analyze = lambda image, **options: specimens.fat_report()
api.list_files = lambda image, **options: specimens.some_files() * 5000
sys.modules["layerscope.api"] = layerscope.api = api
from layerscope.cli import main
main()
"""


def test_report_prints_the_text_and_nothing_else(api, capsys):
    assert leave("report", "image.tar") == 0
    out, err = capsys.readouterr()
    assert out == render.FORMATS["text"](api.made, render.Options())
    assert not err


def test_arguments_reach_the_loader(api, capsys):
    leave("report", "-", "--image", "a:1", "--platform", "linux/arm/v7", "--limit", "layer-bytes=4GiB", "--verify")
    source, options = api.calls[0]
    assert source == "-"
    assert options["progress"] is None
    assert {**options, "progress": 0, "lap": 0} == {
        "image": "a:1",
        "platform": "linux/arm/v7",
        "limits": {"layer_bytes": 4 * 2**30},
        "verify": True,
        "sums": True,
        "pull": "estimate",
        "shelf": None,
        "progress": 0,
        "lap": 0,
    }


@pytest.mark.parametrize("name", choices.FORMATS)
def test_every_format(api, capsys, name):
    assert leave("report", "image.tar", "--format", name) == 0
    assert capsys.readouterr().out == render.FORMATS[name](api.made, render.Options())


def test_a_table_means_csv(api, capsys):
    assert leave("report", "image.tar", "--table", "packages") == 0
    assert capsys.readouterr().out.startswith("type,name,version")
    assert leave("report", "image.tar", "--table", "files") == 0
    assert capsys.readouterr().out.startswith("path,kind,bytes")


def test_names_of_choices_are_those_of_the_renderers():
    assert list(render.FORMATS) == list(choices.FORMATS)
    assert list(render.FILE_FORMATS) == list(choices.ROW_FORMATS)
    assert list(render.IMAGE_FORMATS) == list(choices.ROW_FORMATS)
    assert set(choices.TABLES) == {*TABLES, "files"}


def test_output_files_are_whole_and_leave_standard_output_empty(api, capsys, tmp_path):
    paths = [str(tmp_path / f"r{suffix}") for suffix in choices.SUFFIXES]
    assert leave("report", "image.tar", *(word for path in paths for word in ("--output", path))) == 0
    assert capsys.readouterr().out == ""
    for path, name in zip(paths, choices.SUFFIXES.values(), strict=True):
        with open(path, newline="") as stream:
            assert stream.read() == render.FORMATS[name](api.made, render.Options())
    assert sorted(os.listdir(tmp_path)) == sorted(map(os.path.basename, paths))
    assert leave("report", "image.tar", "--format", "text", "--output", paths[1]) == 0
    assert capsys.readouterr().out.startswith("node-app:latest")


def test_an_output_file_keeps_its_mode_and_its_link(api, tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    assert leave("report", "image.tar", "-o", str(link)) == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["complete"]
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file(api, capsys, tmp_path, monkeypatch):
    place = tmp_path / "r.json"
    place.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert leave("report", "image.tar", "-o", str(place)) == 2
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.json"]
    assert capsys.readouterr().err == f"{place}: cannot write: No space left on device\n"


def test_a_pipe_is_written_to_not_replaced(api, tmp_path):
    place = tmp_path / "pipe.json"
    os.mkfifo(place)
    reader = subprocess.Popen(["cat", str(place)], stdout=subprocess.PIPE)
    assert leave("report", "image.tar", "-o", str(place)) == 0
    assert json.loads(reader.communicate()[0])["schema_version"] == "1.0"
    assert stat.S_ISFIFO(place.stat().st_mode)


def test_the_image_itself_is_no_output(api, capsys, tmp_path):
    place = tmp_path / "image.json"
    place.write_text("image")
    assert leave("report", str(place), "-o", str(place)) == 2
    assert place.read_text() == "image"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("report", "x", "--format", "jsno"), "json"),
        (("report", "x", "--table", "package"), "packages"),
        (("report", "x", "--color", "alway"), "always"),
        (("reprot", "x"), "report"),
        (("report", "x", "--formt", "json"), "--format"),
        (("schema", "reports"), "report"),
        (("report", "x", "--output", "r.pdf"), ".json"),
        (("report", "x", "--limit", "entries"), "NAME=VALUE"),
        (("report", "x", "--limit", "entries=many"), "4GiB"),
        (("report", "x", "--limit", "entires=5"), "Did you mean 'entries'"),
        (("report", "x", "--platform", "amd64"), "linux/arm64"),
        (("report", "x", "--bandwidth", "fast"), "20Mbit/s"),
        (("report", "x", "--top", "0"), "--top"),
        (("files", "x", "--format", "markdown"), "csv"),
        ((), "Usage:"),
        (("report",), "Usage:"),
    ],
)
def test_wrong_usage_is_2_and_names_the_nearest(api, capsys, words, hint):
    assert leave(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err
    assert not api.calls


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "no.tar"), 2, "no.tar: No such file or directory"),
        (PermissionError(13, "Permission denied", b"\xe9"), 2, "\\xe9: Permission denied"),
        (OSError(5, "Input/output error", "x"), 3, "x: Input/output error"),
        (ArchiveError("x: zip archive\nnot \x1b an image"), 3, "x: zip archive not \\x1b an image"),
        (LimitError("too long", limit="entries"), 3, "--limit entries=VALUE"),
        (PolicyError("bad key"), 2, "bad key"),
        (SelectionError("choose", ("a:1", "b\x1b:2")), 2, "choose\n  a:1\n  b\\x1b:2\n"),
        (KeyError("x"), 70, "a bug in layerscope: KeyError"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_errors_have_their_codes_and_are_escaped(api, capsys, error, code, words):
    api.error = error
    assert leave("report", "x") == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(api, capsys):
    api.error = KeyError("\x1b")
    assert leave("report", "x", "--debug") == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "\x1b" not in err


def test_hostile_arguments_are_escaped(api, capsys):
    assert leave("report", "x", "--format", "\x1b[2J") == 2
    assert leave("\x1b[2J\udce9") == 2
    assert "\x1b" not in capsys.readouterr().err


def test_an_incomplete_image_is_3_and_still_told(api, capsys):
    api.made = specimens.broken_report()
    assert leave("report", "image.tar") == 3
    out, err = capsys.readouterr()
    assert out.startswith("INCOMPLETE: 2 parts")
    assert err.startswith("image.tar: could be read only in part")
    assert leave("files", "image.tar", "--quiet") == 3
    assert capsys.readouterr().err == ""
    assert isinstance(api.made.notes[0], Note)


def test_color(api, capsys):
    leave("report", "x", "--color", "always")
    assert "\x1b[1m" in capsys.readouterr().out
    leave("report", "x", "--color", "always", "--format", "json")
    assert "\x1b" not in capsys.readouterr().out


def test_files_are_sifted(api, capsys):
    def paths(*words):
        assert leave("files", "x", "--format", "csv", *words) == 0
        return [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[1:]]

    assert paths("--fate", "replaced") == paths("--layer", "4") == ["/app/dist/bundle.js"]
    assert paths("--owner", "libc*") == ["/usr/lib/libc.so.6", "/bin/ls"]
    assert paths("--glob", "libc.so.*") == paths("--glob", "/usr/*") == ["/usr/lib/libc.so.6"]
    assert leave("files", "x", "--fate", "delete") == 2
    assert "Did you mean 'deleted'" in capsys.readouterr().err


def test_files_and_images(api, capsys):
    assert leave("files", "x", "--top", "1") == 0
    assert "bundle.js" in capsys.readouterr().out
    assert leave("images", "x") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["platform", "layers", "state", "config", "name"]
    assert "\x1b" not in out
    assert leave("images", "x", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(schema_text("images")))
    assert [image["complete"] for image in document["images"]] == [True, False]
    assert leave("images", "x", "--format", "csv") == 0
    assert capsys.readouterr().out.startswith("name,platform")


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_printed(api, capsys, name):
    assert leave("schema", name) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_version_and_help(api, capsys):
    assert leave("--version") == 0
    assert capsys.readouterr().out.startswith("layerscope ")
    for words in (
        (),
        ("report",),
        ("files",),
        ("images",),
        ("schema",),
        ("hook",),
        ("hook", "install"),
        ("cache", "info"),
        ("diff",),
    ):
        told = []
        for option in ("--help", "-h"):
            assert leave(*words, option) == 0
            told.append(capsys.readouterr().out)
        assert "Usage: layerscope" in told[0]
        assert told[0] == told[1]


def test_main_leaves_at_once_with_the_code(api, monkeypatch):
    left = []
    monkeypatch.setattr(os, "_exit", left.append)
    session.main(["report", "x", "--format", "text"])
    assert left == [0]


def test_what_was_written_is_there_when_the_process_ends_at_once(tmp_path):
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run([sys.executable, "-m", "layerscope", "schema", "report"], stdout=out, check=False)
    assert done.returncode == 0
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))


def test_a_reader_that_goes_away_ends_the_run_quietly():
    process = start("files", "x", "--format", "csv", code=FAKE)
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait() == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_locale_without_unicode_does_not_matter():
    process = start("report", "x", code=FAKE, LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.startswith(b"node-app:latest")


def test_a_full_disk_is_told():
    with open("/dev/full", "wb") as full:
        code = FAKE.replace("main()", "import os; os.dup2(int(sys.argv.pop()), 1); main()")
        path = os.pathsep.join([str(ROOT / "analyzer"), str(ROOT / "tests")])
        process = subprocess.run(
            [sys.executable, "-c", code, "report", "x", str(full.fileno())],
            env={"PYTHONPATH": path}, pass_fds=[full.fileno()], capture_output=True, check=False,
        )  # fmt: skip
    assert process.returncode == 2
    assert process.stderr == b"standard output: cannot write: No space left on device\n"


def test_the_module_runs():
    process = start(code="import runpy, sys; sys.argv[1:] = ['--version']; runpy.run_module('layerscope', run_name='__main__')")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert out.startswith(b"layerscope ")


def test_an_interruption_while_the_program_starts_is_quiet():
    code = """
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "layerscope.cli.session":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from layerscope.cli import main
main()
"""
    process = start("report", "x", code=code)
    assert (process.communicate(), process.returncode) == ((b"", b""), 130)


def test_version_is_quick_because_it_loads_little():
    code = "import sys; from layerscope.cli import session; session.run(['--version']); print(*sys.modules)"
    out, _ = start(code=code).communicate()
    loaded = set(out.decode().split())
    assert not loaded & {"rich", "tabulate", "humanize", "layerscope.render.document", "layerscope.report"}


def test_progress_is_only_for_terminals(api, monkeypatch):
    from layerscope.cli.progress import show_progress

    with show_progress(quiet=True) as nothing:
        assert nothing is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with show_progress(quiet=False) as nothing:
        assert nothing is None
    monkeypatch.setenv("TERM", "xterm")
    with show_progress(quiet=False) as report:
        report(1, 10, "\x1b[2J[bold]x")
        report(10, 10, "y")


def test_timings_tell_each_stage_on_standard_error(capsys):
    assert leave("report", str(ROOT / "fixtures" / "node-app.docker.tar"), "--timings") == 0
    out, err = capsys.readouterr()
    assert out.startswith("node-app")
    stages = [line.split("  ")[0] for line in err.splitlines()]
    assert stages[0] == "start-up"
    assert stages[-1] == "all"
    assert {"layer 0", "equal files", "packages and owners", "rendering"} <= set(stages)
