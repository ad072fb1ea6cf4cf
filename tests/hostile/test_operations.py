"""What can go wrong around a run: pipes, disks, homes, locales, signals, and input that changes (E30 to E32)."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import build
import pytest
from build import Image
from layerscope import api
from layerscope.errors import ArchiveError

from hostile.tools import environment, errors, run

LAYER = build.layer({"etc/motd": b"hello", "caf\u00e9": b"x" * 3000, "data": bytes(200_000)})
DATA = build.docker_save(Image([LAYER, build.layer({"b": b"b" * 100_000})]))


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "image.tar"
    path.write_bytes(DATA)
    return path


def shell(script, *words, **more):
    """Run a shell script in which $L is the program."""
    env = environment(L=f"{sys.executable} -m layerscope", **more)
    return subprocess.run(["bash", "-c", script, "x", *map(str, words)], env=env, capture_output=True, timeout=60, check=False)


# --- streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.case("E32")
@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_a_pipe_that_closes_early_is_quiet(place, form):
    done = shell('$L files "$1" --format "$2" | head -c 1; echo "${PIPESTATUS[0]}"', place, form)
    assert done.stderr == b""
    assert done.stdout[1:] in (b"0\n", b"141\n")
    done = shell('$L files "$1" --format "$2" | true; exit "${PIPESTATUS[0]}"', place, form)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.case("E32")
def test_closed_streams(place):
    assert shell('$L report "$1" >&-', place).returncode == 2
    assert b"standard output is closed" in shell('$L report "$1" >&-', place).stderr
    done = shell('$L report "$1" 2>&-', place)
    assert (done.returncode, done.stdout[:10]) == (0, b"app:latest")
    done = shell("$L report - <&-")
    assert done.returncode == 2
    assert b"standard input is closed" in done.stderr
    assert shell('$L report "$1" <&-', place).returncode == 0
    assert shell("$L report missing >&- 2>&- <&-").returncode == 2


@pytest.mark.case("E31", "E32")
def test_standard_input_that_is_a_terminal_is_refused():
    for command in ("report", "files", "images"):
        parent, child = pty.openpty()
        try:
            done = run(command, "-", stdin=child)
        finally:
            os.close(parent)
            os.close(child)
        assert done.returncode == 2
        assert b"terminal" in done.stderr


@pytest.mark.case("E31")
def test_standard_input_of_other_kinds(tmp_path):
    for data in (b"", bytes(511), bytes(512), b"\x1f\x8b", DATA[:700]):
        done = run("report", "-", stdin=None, input=data)
        assert done.returncode == 3, data
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1
    with open(tmp_path / "w", "wb") as stream:
        done = run("report", "-", stdin=stream)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr


# --- where output goes ------------------------------------------------------------------------------------------------


@pytest.mark.case("E30")
def test_a_full_disk_leaves_nothing(place, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if (
        not mounted
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", full], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs root, to mount a tiny disk")
    try:
        done = run("report", place, "-o", full / "r.json")
        assert done.returncode == 2
        assert done.stderr == f"{full}/r.json: cannot write: No space left on device\n".encode()
        assert os.listdir(full) == []
        (full / "r.json").write_text("old")
        assert run("report", place, "-o", full / "r.json").returncode == 2
        assert (full / "r.json").read_text() == "old"
    finally:
        subprocess.run(["umount", full], check=True)


@pytest.mark.case("E30")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_that_is_full(place):
    done = shell('$L report "$1" > /dev/full', place)
    assert (done.returncode, done.stderr) == (2, b"standard output: cannot write: No space left on device\n")
    done = shell('ln -s /dev/full "$2"; $L report "$1" -o "$2"', place, place.parent / "r.json")
    assert done.returncode == 2
    assert b"No space left on device" in done.stderr


@pytest.mark.case("E30")
def test_output_where_none_can_be_written(place, tmp_path):
    for path in (tmp_path / "no" / "r.json", Path("/proc/r.json"), tmp_path / ("n" * 300 + ".json")):
        done = run("report", place, "-o", path)
        assert done.returncode == 2, done
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1


@pytest.mark.case("E30")
@pytest.mark.parametrize(
    "env",
    [
        {},
        {"HOME": "/nowhere"},
        {"HOME": "/proc"},
        {"HOME": ""},
        {"TMPDIR": "/nowhere"},
        {"XDG_CACHE_HOME": "/proc/x"},
        {"XDG_CACHE_HOME": ""},
    ],
    ids=str,
)
def test_no_home_and_no_temporary_folder_are_needed(place, env):
    done = run("report", place, env=environment(**env))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"app:latest")


@pytest.mark.case("E30")
def test_no_temporary_file_is_ever_made(place, monkeypatch):
    for name in (
        "mkstemp",
        "mkdtemp",
        "NamedTemporaryFile",
        "TemporaryFile",
        "SpooledTemporaryFile",
        "TemporaryDirectory",
        "gettempdir",
    ):
        monkeypatch.setattr(tempfile, name, lambda *_, **__: pytest.fail("asked for a temporary file"))
    real = os.open

    def reads_only(path, flags, *rest, **more):
        assert not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT), path
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", reads_only)
    before = sorted(os.listdir(place.parent))
    api.analyze(api.load(str(place)))
    assert sorted(os.listdir(place.parent)) == before


# --- locales ----------------------------------------------------------------------------------------------------------


@pytest.mark.case("E32")
@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "de_DE.ISO-8859-1", "nonsense"])
@pytest.mark.parametrize("name", ["caf\u00e9.tar", "\u6f22.tar", "b\udce9d.tar"])
def test_any_locale_and_any_file_name(tmp_path, locale, name):
    env = environment(LANG=locale, LC_ALL=locale, PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    place = tmp_path / name
    place.write_bytes(DATA)
    done = run("files", place, env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "caf\u00e9".encode() in done.stdout
    place.write_bytes(b"nothing")
    done = run("report", place, env=env)
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr


# --- what is no file --------------------------------------------------------------------------------------------------


@pytest.mark.case("E31")
@pytest.mark.parametrize(
    "path", ["/dev/zero", "/dev/null", "/dev/tty", "/dev/urandom", "/proc/self/mem", "/", "/proc", "/etc/passwd", "/dev/stdin"]
)
def test_what_is_no_image_is_refused_soon(path):
    if not os.path.lexists(path) or path == "/":
        path = "/etc"
    done = run("report", path, timeout=20)
    assert done.returncode in (2, 3), done
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    assert done.stderr.count(b"\n") == 1


def feed(path, pieces):
    def write():
        try:
            with open(path, "wb", buffering=0) as stream:
                stream.writelines(pieces)
        except BrokenPipeError:
            return

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    return writer


@pytest.mark.case("E31")
@pytest.mark.parametrize("what", ["zeros", "entries", "gzip", "one file"])
def test_a_pipe_that_never_ends_is_stopped(tmp_path, what):
    piece = {
        "zeros": bytes(1 << 16),
        "entries": build.entry("f", b"x") * 100,
        "gzip": build.gz(build.entry("f", bytes(100_000))),
        "one file": build.entry("f", size=1 << 60) + bytes(1 << 16),
    }[what]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = feed(pipe, iter(lambda: piece, None))
    done = run("report", pipe, "--limit", "archive_bytes=5MB", "--limit", "entries=5000", timeout=40)
    assert done.returncode == 3
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    writer.join(10)
    assert not writer.is_alive()


@pytest.mark.case("E31")
def test_a_pipe_is_read(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    feed(pipe, [DATA])
    assert run("report", pipe).returncode == 0


@pytest.mark.case("E31")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_what_may_not_be_read(place):
    place.chmod(0)
    env = environment()
    good = place.with_name("good.tar")
    good.write_bytes(DATA)
    code = "import os, sys; from layerscope.cli import main, session\nfor form in ('json', 'text'): "
    code += "session.run(['report', sys.argv[1], '-f', form])\n"  # whatever is to be imported is imported as root
    code += "sys.stdout.flush(); os.lseek(1, 0, 0); os.ftruncate(1, 0); os.setuid(65534); del sys.argv[1]; main()"
    words = [sys.executable, "-c", code, str(good)]
    for parent in place.parents[:4]:
        if parent != Path("/tmp"):
            parent.chmod(0o755)
    with (place.parent / "said").open("w+b") as said:
        done = subprocess.run([*words, "report", str(place)], env=env, stdout=said, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (2, f"{place}: Permission denied\n".encode())
    folder = build.oci_layout(place.parent / "layout", Image([LAYER]))
    blob = next(path for path in (folder / "blobs/sha256").iterdir() if path.read_bytes()[:2] == b"\x1f\x8b")
    blob.chmod(0)
    with (place.parent / "said").open("w+b") as said:
        words += ["report", str(folder), "--format", "json"]
        done = subprocess.run(words, env=env, stdout=said, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3, done.stderr
    assert "Permission denied" in json.dumps(json.loads((place.parent / "said").read_bytes().lstrip(b"\0"))["notes"])


# --- input that changes -----------------------------------------------------------------------------------------------


def cut(path):
    os.truncate(path, 6000)


def empty(path):
    os.truncate(path, 0)


def grow(path):
    with path.open("ab") as stream:
        stream.write(bytes(512))


def touch(path):
    os.utime(path, ns=(1, 1))


def overwrite(path):
    with path.open("r+b") as stream:
        stream.write(b"x" * 512)


def replace(path):
    other = path.with_name("other")
    other.write_bytes(DATA)
    os.replace(other, path)


def remove(path):
    path.unlink()


def become_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


CHANGES = (cut, empty, grow, touch, overwrite, replace, remove, become_a_pipe)


@pytest.mark.case("E31")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_changes_while_it_is_read_is_an_error(place, change, packed):
    if packed:
        place.write_bytes(build.gz(DATA))
    done = []

    def progress(*_):
        if not done:
            done.append(True)
            change(place)

    image = api.load(str(place), progress=progress)
    if not done:
        pytest.skip("nothing to change in between")
    report = api.analyze(image)
    assert "E31" in errors(report)
    assert not report.complete


@pytest.mark.case("E31")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("when", [0, 1, 2])
def test_a_folder_that_changes_while_it_is_read_is_an_error(tmp_path, change, when):
    folder = build.oci_layout(tmp_path / "layout", Image([LAYER, build.layer({"b": b"b" * 9000})], codec="none"))
    calls = []

    def progress(*_):
        calls.append(True)
        if len(calls) == 1:
            blobs = sorted((folder / "blobs/sha256").iterdir(), key=lambda path: -path.stat().st_size)
            change(blobs[when])

    try:
        report = api.analyze(api.load(str(folder), progress=progress))
    except ArchiveError as error:
        assert error.id == "E31"  # noqa: PT017
    else:
        assert "E31" in errors(report)


@pytest.mark.case("E31")
def test_a_change_that_breaks_the_reading_is_named(place, monkeypatch):
    from layerscope.archive.layouts import discovery

    real = discovery.discover

    def late(container):
        overwrite(place)
        os.truncate(place, 512)
        return real(container)

    monkeypatch.setattr(discovery, "discover", late)
    with pytest.raises(ArchiveError, match="was changed while it was read") as caught:
        api.load(str(place))
    assert caught.value.id == "E31"


# --- signals ----------------------------------------------------------------------------------------------------------

PHASES = {
    "commands": "typer.main.get_command",
    "opening": "layerscope.archive.container.opening.open_container:layerscope.api.open_container",
    "outer tar": "layerscope.archive.tar.reader.read_tar:layerscope.archive.container.inplace.read_tar",
    "layers": "layerscope.archive.scan.scan_place:layerscope.archive.container.inplace.scan_place",
    "analysis": "layerscope.examination.analyze",
    "rendering": "json.dumps",
    "writing": "os.replace",
    "ending": "layerscope.cli.session.deliver",
}
SIGNALLED = """
import importlib, os, signal, sys, time
number, target = int(sys.argv.pop(1)), sys.argv.pop(1)
def find(name):
    module, _, attribute = name.rpartition(".")
    return importlib.import_module(module), attribute
import layerscope.api, layerscope.cli.verbs
module, attribute = find(target.split(":")[0])
real = getattr(module, attribute)
def struck(*words, **more):
    os.kill(os.getpid(), number)
    time.sleep(5)
    return real(*words, **more)
for name in target.split(":"):
    setattr(*find(name), struck)
from layerscope.cli import main
main()
"""


@pytest.mark.case("E30", "E32")
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, b"interrupted\n"), (signal.SIGTERM, 143, b"")], ids=["INT", "TERM"]
)
def test_a_signal_ends_the_run_quietly(place, tmp_path, phase, number, code, said):
    out = tmp_path / "out"
    out.mkdir()
    words = [sys.executable, "-c", SIGNALLED, str(int(number)), PHASES[phase], "report", str(place), "-o", str(out / "r.json")]
    done = subprocess.run(words, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", said)
    assert os.listdir(out) == []


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase not in ("commands", "ending")])
def test_a_run_that_takes_too_long_is_given_up_wherever_it_is(place, tmp_path, phase):
    out = tmp_path / "out"
    out.mkdir()
    code = SIGNALLED.replace("os.kill(os.getpid(), number)", "pass")
    words = [
        sys.executable,
        "-c",
        code,
        "0",
        PHASES[phase],
        "report",
        str(place),
        "-o",
        str(out / "r.json"),
        "--limit",
        "seconds=1",
    ]
    done = subprocess.run(words, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    told = b"the run took more than 1 seconds (--limit seconds=VALUE raises the limit)\n"
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", told)
    assert os.listdir(out) == []


def test_the_time_of_a_push_does_not_count(place, tmp_path):
    push = tmp_path / "skopeo"
    push.write_text(f"#!/bin/sh\nsleep 3; touch {tmp_path}/pushed\n")
    push.chmod(0o755)
    policy = tmp_path / "p.toml"
    policy.write_text("")
    words = [
        "guard",
        "--policy",
        str(policy),
        "--limit",
        "seconds=2",
        "--",
        str(push),
        "copy",
        f"docker-archive:{place}",
        "dir:x",
    ]
    done = subprocess.run([sys.executable, "-m", "layerscope", *words], env=environment(), capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "pushed").exists()) == (0, True), done.stderr


@pytest.mark.case("E32")
def test_an_interrupt_while_waiting_for_input_is_quiet():
    words = [sys.executable, "-m", "layerscope", "report", "-"]
    process = subprocess.Popen(words, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(DATA[:512])
    process.stdin.flush()
    threading.Timer(3, process.send_signal, [signal.SIGINT]).start()
    out, err = process.stdout.read(), process.stderr.read()
    assert (process.wait(30), out, err) == (130, b"", b"interrupted\n")
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


# --- bugs -------------------------------------------------------------------------------------------------------------

BROKEN = """
import sys
import layerscope.api
def analyze(image, **options):
    raise {error}
layerscope.api.analyze = analyze
from layerscope.cli import main
main()
"""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("ValueError('\\x1b[2J ::error::')", 70, b"a bug in layerscope: ValueError"),
        ("RecursionError()", 70, b"a bug in layerscope: RecursionError"),
        ("MemoryError()", 3, b"not enough memory"),
        ("OSError(5, 'Input/output error')", 3, b"Input/output error"),
        ("AssertionError", 70, b"a bug in layerscope"),
    ],
)
def test_a_bug_is_told_as_one(place, error, code, said):
    words = [sys.executable, "-c", BROKEN.replace("{error}", error), "report", str(place)]
    done = subprocess.run(words, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code, b"")
    assert done.stderr.startswith(said)
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr


def test_files_that_are_written_are_as_open_as_the_mask_says(place, tmp_path):
    done = shell('umask 077; $L report "$1" -o "$2"', place, tmp_path / "r.json")
    assert done.returncode == 0
    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) == 0o600
