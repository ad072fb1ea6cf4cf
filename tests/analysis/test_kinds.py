"""Each kind of cause fires with exact bytes, and does not fire next door."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from build import File, Hardlink, Symlink, files, layer, tar, whiteout
from layerscope.analysis.kinds import KIND, KINDS
from layerscope.analysis.remedies import TESTS
from packages.test_programs import elf
from packages.test_rpm import database, header

from analysis.make import claims, dpkg, report

X = b"x" * 70
MODULE = json.dumps({"name": "jest", "version": "1.0.0"}).encode()
LOCK = {"node_modules/a": {"version": "1.0.0"}, "node_modules/jest": {"version": "1.0.0", "dev": True}}
NPM = {
    "app/package.json": b'{"name": "app", "version": "1.0.0", "dependencies": {"a": "1"}, "devDependencies": {"jest": "1"}}',
    "app/node_modules/.package-lock.json": json.dumps({"packages": LOCK}).encode(),
    "app/node_modules/jest/package.json": MODULE,
    "app/node_modules/jest/index.js": b"x" * (70 - len(MODULE)),
}
GCC = ("gcc", "", "", {"usr/bin/gcc": X})
DOCS = ("docs", "", "", {"usr/bin/docs": X})

CASES = [
    ("metadata-only-copy", ({"a": X}, {"a": File(X, uid=7)}), ({"a": X}, {"a": File(b"y" * 70, uid=7)})),
    ("identical-rewrite", ({"a": X}, {"a": X, "b": b""}), ({"a": X}, {"a": File(X, mode=0o600), "b": b""})),
    ("deleted-later", ({"a": X}, tar(whiteout("a"))), ({"a": X}, tar(whiteout("b")))),
    ("replaced-later", ({"a": X}, {"a": b""}), ({"a": X}, {"b": b""})),
    ("build-only-packages", (dpkg(GCC),), (dpkg(GCC, ("node-gyp", "gcc", "", {})),)),
    ("development-dependencies", (NPM,), (NPM | {"app/package.json": b'{"name": "app", "version": "1.0.0", "dependencies": {"jest": "1"}}', "app/node_modules/.package-lock.json": b"{}"},)),
    ("recommended-only-packages", (dpkg(("curl", "", "docs", {}), DOCS, automatic=["docs"]),), (dpkg(("curl", "docs", "", {}), DOCS, automatic=["docs"]),)),
    ("unstripped-binaries", ({"bin/a": File(elf({b".text": b"t", b".debug_info": X}), mode=0o755)},), ({"bin/a": File(elf({b".text": X}), mode=0o755)},)),
    ("duplicate-content", ({"app/a": X, "app/b": X},), ({"app/a": X, "app/b": b"y" * 70},)),
    ("package-manager-cache", ({"root/.npm/_cacache/a": X},), ({"root/.npmrc": X},)),
    ("package-manager-cache", ({"var/lib/dpkg/status-old": X},), ({"var/lib/other/status-old": X},)),
    ("package-manager-cache", ({"opt/miniconda3/pkgs/a": X},), ({"opt/other/pkgs/a": X},)),
    ("documentation", ({"usr/share/doc/a/README": X},), ({"usr/share/doc/a/copyright": X},)),
    ("documentation", ({"usr/share/man/man1/a.1.gz": X},), ({"usr/share/manual/a": X},)),
    ("locales", ({"usr/share/locale/de/LC_MESSAGES/a.mo": X},), ({"usr/lib/locale/C.utf8/a": X},)),
    ("bytecode", ({"app/__pycache__/a.cpython-311.pyc": X, "app/a.py": b""},), ({"app/__pycache__/a.cpython-311.pyc": X},)),
    ("debug-symbols", ({"usr/lib/debug/.build-id/aa/b.debug": X},), ({"usr/lib/debugger/b": X},)),
    ("static-libraries", ({"usr/lib/x86_64/liba.a": X},), ({"usr/share/data/liba.a": X},)),
    ("version-control", ({"srv/.git/objects/aa": X},), ({"srv/.gitignore": X},)),
    ("dependency-tests", ({"app/node_modules/a/test/b.js": X},), ({"app/test/b.js": X},)),
    ("dependency-tests", ({"app/node_modules/@a/b/test/b.js": X},), ({"app/node_modules/@playwright/test/b.js": X},)),
    ("dependency-tests", ({"node_modules/a/spec/b.js": X},), ({"node_modules/spec/b.js": X},)),
    ("dependency-tests", ({"usr/lib/python3/site-packages/a/tests/b.py": X},), ({"usr/lib/python3/test/b.py": X},)),
    ("dependency-tests", ({"usr/lib/gems/a-1/test/b.rb": X},), ({"usr/lib/gems/test-unit-3/lib/test/unit.rb": X},)),
    ("dependency-tests", ({"app/node_modules/test/x/test/b.js": b"y" * 9, "app/node_modules/a/spec/b.js": X},), ({"app/node_modules/@a/test/b.js": X},)),
    ("logs", ({"var/log/dpkg.log": X},), ({"app/log/a.txt": X},)),
    ("temporary-files", ({"tmp/a": X},), ({"app/tmp/a": X},)),
    ("core-dumps", ({"app/core.1234": X},), ({"app/core.js": X},)),
    ("unpacked-archives", ({"opt/a.tar.gz": X, "opt/a/b": b""},), ({"opt/a.tar.gz": X, "opt/ab/b": b""},)),
]  # fmt: skip


@pytest.mark.parametrize(("id_", "hit", "miss"), CASES)
def test_a_cause_fires_with_exact_bytes_and_not_next_door(id_, hit, miss):
    assert claims(report(*hit)) == {id_: 70}
    assert claims(report(*miss), id_) == 0


def test_every_cause_has_a_case():
    assert {id_ for id_, *_ in CASES} == set(KIND)


FOLDERS = [
    folder.replace("**/", "srv/x/")
    for kind in KINDS
    for trace in kind.traces
    for folder in trace.folders
    if kind.id != "locales"
]


@pytest.mark.parametrize("folder", sorted(set(FOLDERS)))
def test_every_folder_of_every_trace_and_none_beside_it(folder):
    (id_,) = claims(report({f"{folder}/a": X}))
    assert claims(report({f"{folder}/a": X, f"{folder}-x/a": b"y" * 70}), id_) == 70


def test_languages_that_the_image_speaks_stay():
    tree = {f"usr/share/locale/{name}/LC_MESSAGES/a.mo": b"%d" % n * 30 for n, name in enumerate(("de", "de_AT", "fr"), 1)}
    assert claims(report(tree), "locales") == 90
    assert claims(report(tree, Env=["LANG=de_DE.UTF-8"]), "locales") == 30


def test_the_languages_of_the_image_stay():
    tree, base = {"usr/share/locale/fr/LC_MESSAGES/a.mo": b"x" * 9}, "ADD file:" + "0" * 64 + " in /"
    keep = "keep them out before the install of layer 1: dpkg path-exclude=/usr/share/locale/*"
    find = "find /usr/share/locale -mindepth 1 -maxdepth 1 ! -name 'de*' -exec rm -r {} +"
    for step, language, fix in (
        ("RUN make", "C.UTF-8", "end the RUN of layer 1 with: && rm -rf /usr/share/locale"),
        ("RUN apt-get install -y git", "C", f"{keep}; or end its RUN with: && rm -rf /usr/share/locale"),
        ("RUN apt-get install -y git", "de", f"{keep} path-include=/usr/share/locale/de*; or end its RUN with: && {find}"),
    ):
        made = report({}, tree, history=[base, step], Env=[f"LANG={language}"])
        assert [cause.fix for cause in made.causes] == [fix]


def test_a_hard_link_elsewhere_keeps_its_bytes():
    assert claims(report({"tmp/a": b"x" * 70, "app/a": Hardlink("tmp/a")})) == {}
    assert claims(report({"tmp/a": b"x" * 70, "tmp/b": Hardlink("tmp/a")})) == {"temporary-files": 70}


BUILD = (
    ("curl", "libc6", "ca-certificates, docs", {"usr/bin/curl": b"c" * 10}),
    ("libc6", "", "", {"usr/lib/libc.so.6": b"l" * 20}),
    ("build-essential", "gcc, make", "", {"usr/share/build": b"b" * 1}),
    ("gcc", "libc6, libisl23", "", {"usr/bin/gcc": b"g" * 40}),
    ("make", "libc6", "", {"usr/bin/make": b"m" * 80}),
    ("libisl23", "libc6", "", {"usr/lib/libisl.so": b"i" * 160}),
    ("ca-certificates", "", "", {"etc/ssl/certs/a.pem": b"p" * 320}),
    ("docs", "libdocs", "", {"usr/bin/docs": b"d" * 640}),
    ("libdocs", "", "", {"usr/lib/libdocs": b"D" * 1280}),
)
AUTOMATIC = ("libc6", "gcc", "make", "libisl23", "ca-certificates", "docs", "libdocs")


def test_packages_by_what_they_are_for():
    made = report(dpkg(*BUILD, automatic=AUTOMATIC), history=["RUN apt-get install -y curl build-essential"])
    assert claims(made) == {"build-only-packages": 281, "recommended-only-packages": 1920}
    fixes = {cause.id: cause.fix for cause in made.causes}
    assert fixes["build-only-packages"].endswith("&& apt-get purge -y --auto-remove build-essential")
    assert "--no-install-recommends in layer 0" in fixes["recommended-only-packages"]


@pytest.mark.parametrize(
    ("command", "build"),
    [(["make", "serve"], 201), (["/bin/sh", "-c", "cd / && exec /usr/bin/gcc x.c"], 81), (["curl"], 281), (["docs"], 281)],
)
def test_what_the_container_runs_stays(command, build):
    made = report(dpkg(*BUILD, automatic=AUTOMATIC), Cmd=command)
    assert claims(made, "build-only-packages") == build
    assert claims(made, "recommended-only-packages") == (0 if command == ["docs"] else 1920)


def test_a_compiler_that_something_needs_stays_and_so_do_static_libraries():
    needs = ("node-gyp", "gcc", "", {"usr/bin/node-gyp": b"n"})
    tree = dpkg(*BUILD, needs, automatic=AUTOMATIC) | {"usr/local/lib/liba.a": b"a" * 5}
    assert claims(report(tree)) == {"build-only-packages": 81, "recommended-only-packages": 1920}


def test_development_dependencies():
    def package(name, **more):
        return json.dumps({"name": name, "version": "1.0.0"} | more).encode()

    lock = {"packages": {"node_modules/a": {"version": "1.0.0"}, "node_modules/jest": {"version": "1.0.0", "dev": True}}}
    tree = {
        "app/package.json": package("app", dependencies={"a": "1"}, devDependencies={"jest": "1"}),
        "app/node_modules/.package-lock.json": json.dumps(lock).encode(),
        "app/node_modules/a/package.json": package("a"),
        "app/node_modules/jest/package.json": package("jest"),
        "app/node_modules/jest/index.js": b"j" * 500,
    }
    made = report({}, tree, history=["ADD file:%s in /" % ("0" * 64), "RUN npm install"])
    assert claims(made) == {"development-dependencies": 500 + len(package("jest"))}
    assert made.causes[0].fix == "npm install --omit=dev in layer 1"
    made = report({}, tree, history=["ADD file:%s in /" % ("0" * 64), "RUN npm install -g npm && npm ci"])
    assert made.causes[0].fix == "npm ci --omit=dev in layer 1"
    assert claims(report(tree, WorkingDir="/app", Cmd=["jest"])) == claims(made)  # no such program there


@pytest.mark.parametrize(("dev", "freed"), [(["a/test"], 900), ([], 0)])
def test_development_dependencies_of_composer(dev, freed):
    packages = [
        {"name": "a/test", "version": "1", "install-path": "../a/test"},
        {"name": "b/run", "version": "1", "install-path": "../b/run"},
    ]
    installed = json.dumps({"packages": packages, "dev-package-names": dev}).encode()
    made = report(
        {
            "app/composer.json": b'{"require": {"b/run": "1"}}',
            "app/vendor/composer/installed.json": installed,
            "app/vendor/a/test/a.php": b"t" * 900,
            "app/vendor/b/run/b.php": b"r" * 500,
        },
        WorkingDir="/app",
    )
    assert claims(made, "development-dependencies") == freed
    assert sum(cause.tar_bytes for cause in made.causes if cause.id == "development-dependencies") == (1536 if freed else 0)


@pytest.mark.parametrize(("needs", "freed"), [("", 3000), ("D:gcc\n", 0)])
def test_a_compiler_of_apk_goes_unless_something_needs_it(needs, freed):
    gcc = "P:gcc\nV:13\nA:x86_64\nF:usr/bin\nR:gcc\n\n"
    app = f"P:app\nV:1\nA:x86_64\n{needs}F:usr/bin\nR:app\n\n"
    made = report(
        {
            "etc/apk/world": b"app\ngcc\n",
            "lib/apk/db/installed": (gcc + app).encode(),
            "usr/bin/gcc": b"g" * 3000,
            "usr/bin/app": b"a" * 100,
        },
        Cmd=["/usr/bin/app"],
    )
    assert claims(made, "build-only-packages") == freed


@pytest.mark.parametrize(("requires", "freed"), [([], 2000), (["gcc"], 0)])
def test_a_compiler_of_rpm_goes_unless_something_needs_it(requires, freed):
    def package(name, *needed):
        paths = {"basenames": [name], "dirnames": ["/usr/bin/"], "dirindexes": [0]}
        return header(name, provides=[name], **paths, **({"requires": list(needed)} if needed else {}))

    made = report(
        {
            "var/lib/rpm/rpmdb.sqlite": database(package("gcc"), package("app", *requires)),
            "usr/bin/gcc": b"g" * 2000,
            "usr/bin/app": b"a" * 100,
        },
        Cmd=["/usr/bin/app"],
    )
    assert claims(made, "build-only-packages") == freed
    assert sum(cause.tar_bytes for cause in made.causes if cause.id == "build-only-packages") == (2560 if freed else 0)


def test_duplicates_only_of_what_nothing_else_claims():
    made = report({"app/a": b"x" * 70, "app/b": b"x" * 70, "tmp/c": b"x" * 70})
    assert claims(made) == {"temporary-files": 70, "duplicate-content": 70}


def test_hidden_bytes():
    made = report(
        {"a": b"1" * 10, "b": b"2" * 20, "c": b"3" * 40, "d": b"4" * 80},
        layer({"a": File(b"1" * 10, mode=0o600), "b": b"2" * 20, "c": b"x"}),
        tar(whiteout("d")),
    )
    assert claims(made) == {"metadata-only-copy": 10, "identical-rewrite": 20, "replaced-later": 40, "deleted-later": 80}


FIXES = [
    ("COPY . /app", "RUN chown -R app:app /app", "COPY --chown=app:app in layer 1, and drop the step of layer 2"),
    ("RUN make x", "RUN useradd app && chown -R app:app /app", "end the RUN of layer 1 with: && chown -R app:app /app (make the user before); or put USER app before it"),
    ("RUN make x", "RUN chown -R a:b /app /srv && ls", "end the RUN of layer 1 with: && chown -R a:b /app /srv; or put USER a before it"),
    ("RUN make x", "RUN find /app -exec chown a {} +", "end the RUN of layer 1 with: && chown -R a ...; or put USER a before it"),
    ("COPY . /app", "RUN useradd app && chown -R app:app /app", "COPY --chown=app:app in layer 1 (make the user before), and drop the chown of layer 2"),
    ("RUN make x", "RUN chown app", "end the RUN of layer 1 with: && chown -R app ...; or put USER app before it"),
    ("COPY x /app", "COPY x /app", "copy these files once: layer 2 stores again what layer 1 has"),
]  # fmt: skip


@pytest.mark.parametrize(("adds", "hides", "fix"), FIXES)
def test_fixes_of_a_changed_owner(adds, hides, fix):
    base = "ADD file:" + "0" * 64 + " in /"
    made = report({}, {"app/a": b"x" * 9}, {"app/a": File(b"x" * 9, uid=7)}, history=[base, adds, hides])
    assert [cause.fix for cause in made.causes] == [fix]


def test_a_fix_makes_all_that_changed():
    base = "ADD file:" + "0" * 64 + " in /"
    changed = {"app/a": File(b"x" * 9, uid=7, mode=0o664)}
    both = "RUN chown -R app:app /app && chmod -R g+w /app /srv"
    for adds, fix in (
        ("RUN make x", "end the RUN of layer 1 with: && chown -R app:app /app && chmod -R g+w /app /srv"),
        ("COPY . /app", "COPY --chown=app:app --chmod=664 in layer 1, and drop the step of layer 2"),
    ):
        made = report({}, {"app/a": b"x" * 9}, changed, history=[base, adds, both])
        assert [cause.fix for cause in made.causes] == [fix]
    several = {name: File(b"x" * 9, uid=7, mode=0o664) for name in ("app/a", "app/b")}
    made = report({}, {"app/a": b"x" * 9, "app/b": b"x" * 9}, several, history=[base, "COPY . /app", both])
    assert made.causes[0].fix == "COPY --chown=app:app --chmod=g+w in layer 1, and drop the step of layer 2"
    linked = {"app/a": b"x" * 9, "app/b": Hardlink("app/a")}
    made = report({}, {"app/a": b"x" * 9}, linked, history=[base, "COPY . /app", "RUN ln /app/a /app/b"])
    assert [cause.fix for cause in made.causes] == ["ln -s in layer 2: a hard link to what layer 1 has stores it again"]


FIND = "find /usr/lib/python3/dist-packages -xdev -path '*/__pycache__/*.pyc' -delete (first start gets slower)"
DOCS = "end its RUN with: && find /usr/share/doc -type f ! -name copyright -delete"
WAYS = [
    ("RUN apt-get install -y python3-pip", f"end the RUN of layer 1 with: && {FIND}"),
    ("RUN python3 -m compileall -q /x", f"leave compileall out of layer 1; or end its RUN with: && {FIND}"),
    ("RUN python3 x.py", f"ENV PYTHONDONTWRITEBYTECODE=1 before layer 1; or end its RUN with: && {FIND}"),
    (
        "RUN apt-get install -y python3-pip && pip3 install x",
        f"ENV PYTHONDONTWRITEBYTECODE=1 before layer 1, and in it pip install --no-compile; or end its RUN with: && {FIND}",
    ),
]


@pytest.mark.parametrize(("step", "fix"), WAYS)
def test_bytecode_is_kept_out_by_who_wrote_it(step, fix):
    python = "usr/lib/python3/dist-packages"
    tree = {f"{python}/a.py": b"a", f"{python}/__pycache__/a.cpython-311.pyc": b"b" * 90}
    made = report({}, tree, history=["ADD file:%s in /" % ("0" * 64), step])
    assert [cause.fix for cause in made.causes if cause.id == "bytecode"] == [fix]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("root/.npm/_cacache/a", "/root/.npm"),
        ("home/node/.npm/_cacache/a", "/home/node/.npm"),
        ("go/pkg/mod/cache/a", "/go/pkg/mod/cache"),
        ("root/.cache/go-build/a", "/root/.cache/go-build"),
        ("var/cache/yum/a", "/var/cache/yum"),
        ("var/lib/apt/lists/a", "/var/lib/apt/lists"),
        ("opt/miniconda3/pkgs/a", "/opt/miniconda3/pkgs"),
    ],
)
def test_a_cache_is_mounted_where_it_lies(path, target):
    made = report({}, {path: b"x" * 9}, history=["ADD file:%s in /" % ("0" * 64), "RUN x"])
    assert made.causes[0].fix.startswith(f"RUN --mount=type=cache,target={target} in layer 1, or end it with: && ")


@pytest.mark.parametrize(
    ("path", "find"),
    [
        ("opt/lib/site-packages/numpy/core/tests/a.py", "find /opt/lib/site-packages -mindepth 2 -type d -name tests"),
        (
            "app/node_modules/a/test/b.js",
            f"find /app/node_modules -mindepth 2 -type d {TESTS}",
        ),
    ],
)
def test_no_module_is_taken_for_a_test_suite(path, find):
    made = report({}, {path.replace("/core/", "/lib/"): b"x" * 9}, history=["ADD file:%s in /" % ("0" * 64), "RUN x"])
    assert [cause.fix for cause in made.causes] == [f"end the RUN of layer 1 with: && {find} -prune -exec rm -r {{}} +"]


def test_what_no_dockerfile_made_has_steps():
    lists, docs, text = {"var/lib/apt/lists/a": b"x" * 9}, {"usr/share/doc/a": b"d" * 8}, b"y" * 7
    made = report(lists, docs, {"b": text}, {"b": File(text, mode=0o600)}, history=["imported", *["bazel"] * 3])
    keep = "keep them out before the install of layer 1: dpkg path-exclude, dnf --nodocs"
    assert {cause.fix for cause in made.causes} == {
        "end the step of layer 0 with: rm -rf /var/lib/apt/lists/*",
        f"{keep}; or end that step with: {DOCS.partition('&& ')[2]}",
        "make the change of mode in the step that makes the files (layer 2): a later one copies each whole",
    }


def test_documentation_is_kept_out_by_who_installs_it():
    for step, way in (
        ("RUN apt-get install -y git", "keep them out before the install of layer 1: dpkg path-exclude=/usr/share/doc/*"),
        ("RUN dnf install -y git", "dnf --nodocs in layer 1"),
    ):
        made = report({}, {"usr/share/doc/a": b"x" * 9}, history=["ADD file:%s in /" % ("0" * 64), step])
        assert [cause.fix for cause in made.causes] == [f"{way}; or {DOCS}"]


def test_hard_links_that_a_later_layer_broke():
    base, linked = "ADD file:" + "0" * 64 + " in /", {"app/a": b"x" * 9, "app/b": Hardlink("app/a")}
    broken = {"app/a": File(b"x" * 9, mode=0o700), "app/b": File(b"x" * 9, mode=0o700)}
    made = report({}, linked, broken, history=[base, "RUN ln", "RUN chmod -R 700 /app"])
    assert {cause.id: cause.fix for cause in made.causes}["duplicate-content"] == (
        "layer 2 stores hard links of layer 1 as files of their own: make its change where the links are made"
    )


def test_copies_name_the_layers_that_hold_them():
    made = report({"a": b"x" * 9}, {"b": b"y" * 7}, {"c": b"x" * 9, "d": b"y" * 7, "e": b"z", "f": b"z"})
    assert [cause.title for cause in made.causes] == ["3 copies of files that layers 0, 1 and 2 hold already"]


BIND = "RUN --mount=type=bind in layer 2, which needs them, instead of the COPY of layer 1"
JOIN = "do the work of layer 2, which needs them, in the RUN of layer 1, and delete them there"
NOT_COPIED = "do not copy them in layer 1 (.dockerignore, or a narrower COPY): deleting later frees nothing"
NEEDED = [
    ("COPY app.tar.gz /tmp/", ["RUN tar xzf /tmp/app.tar.gz -C /srv && rm /tmp/app.tar.gz"], BIND),
    ("COPY app.tar.gz /tmp/", ["RUN cd /tmp && tar xzf app.tar.gz", "RUN rm -rf /tmp/*"], BIND),
    ("RUN curl -o /tmp/app.tar.gz x", ["RUN tar xzf /tmp/app.tar.gz", "RUN rm /tmp/app.tar.gz"], JOIN),
    ("COPY app.tar.gz /tmp/", ["RUN rm -rf /tmp/app.tar.gz && cat /tmp/"], NOT_COPIED),
    ("COPY app.tar.gz /tmp/", ["RUN cd /tmp/x && make", "RUN rm -rf /tmp/*"], NOT_COPIED),
    ("COPY app.tar.gz /tmp/", ["RUN tar xzf /tmp/app.tar.gz.old /tmp/my-app.tar.gz", "RUN rm -rf /tmp/*"], NOT_COPIED),
    ("COPY app.tar.gz /tmp/", ["RUN mv /tmp/app.tar.gz /srv"], "COPY them in layer 1 to where layer 2 moves them"),
    ("RUN curl -O x", ["RUN mv /tmp/app.tar.gz /srv"], "put them in the RUN of layer 1 where layer 2 moves them"),
    (
        "ADD https://x/app.tar.gz /tmp/",
        ["RUN tar xzf /tmp/app.tar.gz", "RUN rm /tmp/app.tar.gz"],
        "fetch them in the RUN of layer 2, which needs them, and delete them there, instead of the ADD",
    ),
    (
        "RUN curl -o /tmp/app.tar.gz x",
        ["RUN rm /tmp/app.tar.gz"],
        "delete them in the RUN that makes them (layer 1); a later layer frees nothing",
    ),
]


@pytest.mark.parametrize(("adds", "later", "fix"), NEEDED)
def test_what_is_needed_before_it_is_deleted(adds, later, fix):
    layers = [{}, {"tmp/app.tar.gz": b"x" * 9}, *({"srv/a": b""} for _ in later[1:]), tar(whiteout("tmp/app.tar.gz"))]
    made = report(*layers, history=["ADD file:%s in /" % ("0" * 64), adds, *later])
    assert [cause.fix for cause in made.causes] == [fix]


def test_a_folder_is_needed_that_goes_whole():
    for left, fix in (({}, BIND), ({"src/b": b"b"}, NOT_COPIED)):
        steps = ["ADD file:%s in /" % ("0" * 64), "COPY . /src", "RUN cd /src && make && rm -r /src/*"]
        made = report({}, {"src/a": b"x" * 9} | left, tar(whiteout("src/a") if left else whiteout("src")), history=steps)
        assert [cause.fix for cause in made.causes] == [fix]


def test_what_was_copied_and_stored_again_is_not_copied():
    steps = ["ADD file:%s in /" % ("0" * 64), "COPY . /app", "RUN chown -R 7 /app", "RUN rm -r /app/test"]
    copied = {"app/test/a": File(b"x" * 9, uid=7)}
    made = report({}, {"app/test/a": b"x" * 9}, copied, tar(whiteout("app/test")), history=steps)
    assert {cause.id: cause.fix for cause in made.causes}["deleted-later"] == (
        "do not copy them in layer 1 (.dockerignore, or a narrower COPY): layer 2 stores them again"
    )


def test_nobody_is_told_to_change_the_base_image():
    base = "ADD file:" + "0" * 64 + " in /"
    made = report({"usr/share/doc/a": b"x" * 9, "etc/a": b"x" * 5}, {"etc/a": b"y"}, history=[base, "RUN x"])
    assert [cause.fix for cause in made.causes] == [
        "comes with the base image (layer 0): choose a slimmer base, or remove them and squash",
        "layer 0 is the base image's: do without the change of layer 1, or squash",
    ]

    twice = report({"a": b"x" * 900, "b": b"x" * 900}, {"c": b"y"}, history=[base, "RUN x"])
    assert [cause.fix for cause in twice.causes] == [
        "comes with the base image (layer 0): choose a slimmer base, or link them and squash"
    ]


def test_what_a_layer_stores_again_of_the_base_cannot_be_deleted_there():
    base = "ADD file:" + "0" * 64 + " in /"
    steps = [base, "RUN chown -R 7 /etc", "RUN rm /etc/a"]
    made = report({"etc/a": b"x" * 5}, {"etc/a": File(b"x" * 5, uid=7)}, tar(whiteout("etc/a")), history=steps)
    assert {cause.id: cause.fix for cause in made.causes}["deleted-later"] == (
        "layer 0 is the base image's, and layer 1 stores them again: do without that, or squash"
    )


def test_what_a_layer_hides_of_its_own():
    made = report(tar(files({"d/a": b"x" * 5, "b": b"y" * 9, "d": Symlink("b")}), files({"b": b"z"})))
    assert {cause.id: cause.fix for cause in made.causes} == {
        "deleted-later": "layer 0 puts something else where their folder is: let its builder leave them out",
        "replaced-later": "layer 0 stores these paths twice: let its builder write each path once",
    }


def test_what_is_copied_is_ignored():
    base = "ADD file:" + "0" * 64 + " in /"
    made = report({}, {"app/.git/a": b"x" * 9}, history=[base, "COPY . /app"])
    assert made.causes[0].fix == "add .git to .dockerignore, so that layer 1 does not copy it"
    made = report(
        {}, {"app/node_modules/a": b"x" * 9}, {"app/node_modules/a": b"y"}, history=[base, "COPY . /app", "RUN npm ci"]
    )
    assert made.causes[0].fix == "add node_modules to .dockerignore: layer 2 writes anew what layer 1 copies"


def test_the_fix_for_bytecode_leaves_modules_without_a_source():
    made = report({"opt/a/__pycache__/b.cpython-311.pyc": b"x" * 9, "opt/a/b.py": b"", "opt/c.pyc": b"x"}, history=["RUN make"])
    (cause,) = made.causes
    assert (cause.id, cause.bytes) == ("bytecode", 9)
    assert " && find / -xdev -path '*/__pycache__/*.pyc' -delete " in cause.fix


@pytest.mark.skipif(not shutil.which("find") or os.name == "nt", reason="the fix is a command of a Unix shell")
def test_the_fix_for_test_suites_takes_them_and_no_package(tmp_path):
    tests = {"node_modules/a/test/b.js", "node_modules/@s/c/tests/d/e.js", "node_modules/a/node_modules/b/__tests__/x.js"}
    stays = {
        "node_modules/test-exclude/index.js", "node_modules/test/index.js", "node_modules/a/testing/x.js", "node_modules/a/x.js",
    }  # fmt: skip
    made = report({f"app/{path}": b"x" for path in tests | stays}, history=["RUN npm ci"])
    fix = next(cause.fix for cause in made.causes if cause.id == "dependency-tests")
    command = fix.partition(" && ")[2]
    assert command.startswith("find /app/node_modules ")
    for path in tests | stays:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    subprocess.run(["/bin/sh", "-c", command.replace("/app/", f"{tmp_path}/")], check=True)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == stays


def test_the_table_is_whole():
    assert [kind.group for kind in KINDS] == sorted(kind.group for kind in KINDS)
    assert len(KIND) == len(KINDS)
    assert {kind.group for kind in KINDS} == set(range(1, 10))
    assert all(kind.summary and kind.why and kind.fix for kind in KINDS)
