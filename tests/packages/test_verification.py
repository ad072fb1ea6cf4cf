"""Files against the digests of their packages: which are as they were shipped, and which are not."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode, urlsafe_b64encode

import build
import pytest
from audit.secrets_specimens import pem
from layerscope import api
from layerscope.secrets import inspector

from packages.images import corpus
from packages.test_rpm import database, header

CONTENT, OTHER = "as it was shipped\n", "as somebody left it\n"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def deb(*packages):
    """The database of dpkg: (name, {path: content as shipped}, {path of settings: content})."""
    tree = {"var/lib/dpkg/status": ""}
    for name, shipped, *rest in packages:
        settings = rest[0] if rest else {}
        lines = "".join(f"\n /{path} {md5(text)}" for path, text in settings.items())
        tree["var/lib/dpkg/status"] += (
            f"Package: {name}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n"
            + (f"Conffiles:{lines}\n" if settings else "")
            + "\n"
        )
        info = f"var/lib/dpkg/info/{name}"
        tree[f"{info}.list"] = "/.\n" + "".join(f"/{path}\n" for path in (*shipped, *settings))
        tree[f"{info}.md5sums"] = "".join(f"{md5(text)}  {path}\n" for path, text in shipped.items())
    return tree


def apk(name, shipped):
    lines = [f"P:{name}", "V:1", "A:x86_64"]
    for path, text in shipped.items():
        folder, _, last = path.rpartition("/")
        digest = b64encode(hashlib.sha1(text.encode()).digest()).decode()
        lines += [f"F:{folder}", f"R:{last}", f"Z:Q1{digest}"]
    return {"lib/apk/db/installed": "\n".join(lines) + "\n\n"}


def wheel(name, shipped, **more):
    info = f"usr/lib/python3/site-packages/{name}-1.dist-info"
    rows = [
        f"{path},sha256={urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in shipped.items()
    ]
    files = {f"usr/lib/python3/site-packages/{path}": text for path, text in shipped.items()}
    return files | {
        f"{info}/METADATA": f"Name: {name}\nVersion: 1\n\n",
        f"{info}/RECORD": "\n".join([*rows, f"{name}-1.dist-info/RECORD,,", "../../bin/x,,\n"]),
        **{f"{info}/{key}": text for key, text in more.items()},
    }


def rpm(name, shipped, algorithm=8, **lists):
    hashes = {1: hashlib.md5, 8: hashlib.sha256}
    parts = [path.rpartition("/") for path in shipped]
    lists = {"modes": [0o100644] * len(parts), "flags": [0] * len(parts), "verify": [0xFFFFFFFF] * len(parts)} | lists
    lists.setdefault("digests", [hashes[algorithm](text.encode()).hexdigest() for text in shipped.values()])
    blob = header(
        name,
        basenames=[last for _, _, last in parts],
        dirnames=[f"/{folder}/" for folder, _, _ in parts],
        dirindexes=list(range(len(parts))),
        algorithm=[algorithm],
        **lists,
    )
    return {"var/lib/rpm/rpmdb.sqlite": database(blob)}


@pytest.fixture(params=["none", "gzip"])
def look(request, tmp_path):
    """Read and analyse an image of trees or tars, in place and as it passes."""

    def read(*layers, **options):
        made = build.Image([one if isinstance(one, bytes) else build.layer(one, parents=True) for one in layers])
        data = build.docker_save(made)
        (tmp_path / "a").write_bytes(gzip.compress(data, 1) if request.param == "gzip" else data)
        return api.analyze(api.load(str(tmp_path / "a"), sums=True, **options))

    return read


def changed(report):
    return {
        (fact.path.decode(), fact.layer, fact.package, fact.state)
        for fact in report.exposures
        if fact.id == "vendor-file-changed"
    }


DATABASES = {
    "deb:x": lambda shipped: deb(("x", shipped)),
    "apk:x": lambda shipped: apk("x", shipped),
    "rpm:x": lambda shipped: rpm("x", shipped),
    "rpm:y": lambda shipped: rpm("y", shipped, algorithm=1),
}


@pytest.mark.parametrize("package", DATABASES)
def test_a_changed_file_is_told_with_both_states(look, package):
    shipped = {"usr/bin/a": CONTENT, "usr/bin/b": CONTENT, "usr/bin/empty": ""}
    base = shipped | DATABASES[package](shipped)
    assert not changed(look(base))
    assert look(base).verification.verified == 3
    report = look(base, {"usr/bin/a": OTHER})
    assert changed(report) == {("usr/bin/a", 1, package, "visible")}
    (fact,) = [fact for fact in report.exposures if fact.id == "vendor-file-changed"]
    algorithm = {"deb:x": "md5", "apk:x": "sha1", "rpm:x": "sha256", "rpm:y": "md5"}[package]
    found, expected = (hashlib.new(algorithm, text.encode()).hexdigest()[:12] for text in (OTHER, CONTENT))
    assert fact.detail == f"{algorithm} {found}..., shipped as {expected}...; unchanged in layer 0"
    assert report.verification.verified == 3


def test_python_distributions(look):
    shipped = {"x/__init__.py": CONTENT, "x/a.py": CONTENT, "x/__pycache__/a.cpython-311.pyc": CONTENT}
    site = "usr/lib/python3/site-packages/"
    assert look(wheel("x", shipped)).verification.verified == 3
    news = {site + path: OTHER for path in shipped if not path.endswith("a.py")}
    report = look(wheel("x", shipped), news)
    assert changed(report) == {(site + "x/__init__.py", 1, "pypi:x", "visible")}  # what is compiled may be compiled again


def test_nobody_asked(tmp_path):
    (tmp_path / "a").write_bytes(build.docker_save(build.Image([build.layer({"a": OTHER, **deb(("x", {"a": CONTENT}))})])))
    report = api.analyze(api.load(str(tmp_path / "a")))
    assert report.verification is None
    assert not changed(report)


def test_settings_may_be_changed(look):
    settings = {"etc/x.conf": CONTENT}
    base = settings | {"usr/a": CONTENT} | deb(("x", {"usr/a": CONTENT}, settings))
    assert look(base).verification.verified == 2
    assert not changed(look(base, {"etc/x.conf": OTHER}))
    assert not changed(look({"etc/a": OTHER, **apk("x", {"etc/a": CONTENT})}))
    assert not changed(look({"etc/a": OTHER, **rpm("x", {"etc/a": CONTENT}, flags=[1])}))


def test_what_rpm_does_not_verify(look):
    for lists in ({"verify": [0]}, {"flags": [64]}, {"modes": [0o120777]}, {"states": [1]}):
        report = look({"usr/a": OTHER, **rpm("x", {"usr/a": CONTENT}, **lists)})
        assert not changed(report)
        assert report.verification.verified == 0


def test_another_package_may_take_a_file_over(look):
    # By the list: dpkg takes a path that another package replaces out of it, and leaves the checksums alone.
    taken = deb(("x", {"usr/a": CONTENT}), ("y", {"usr/a": OTHER}))
    taken["var/lib/dpkg/info/x.list"] = "/.\n"
    assert not changed(look({"usr/a": OTHER, **taken}))
    # Also where both still list it.
    assert not changed(look({"usr/a": OTHER, **deb(("x", {"usr/a": CONTENT}), ("y", {"usr/a": OTHER}))}))


def test_diversions(look):
    tree = deb(("x", {"usr/a": CONTENT}), ("y", {"usr/a": OTHER}))
    tree["var/lib/dpkg/diversions"] = "/usr/a\n/usr/a.x\ny\n"
    assert not changed(look({"usr/a.x": CONTENT, "usr/a": OTHER, **tree}))
    assert changed(look({"usr/a.x": "third", "usr/a": OTHER, **tree})) == {("usr/a.x", 0, "deb:x", "visible")}


def test_folders_that_are_links(look):
    tree = {"usr/bin/a": CONTENT, "bin": build.Symlink("usr/bin"), **deb(("x", {"bin/a": CONTENT}))}
    assert look(tree).verification.verified == 1
    assert changed(look(tree, {"usr/bin/a": OTHER})) == {("usr/bin/a", 1, "deb:x", "visible")}


def test_a_hard_link_has_the_content_of_its_file(look):
    links = build.tar(build.entry("usr/evil", OTHER.encode()), build.entry("usr/a", type=b"1", link="usr/evil"))
    assert changed(look({"usr/a": CONTENT, **deb(("x", {"usr/a": CONTENT}))}, links)) == {("usr/a", 1, "deb:x", "visible")}


def test_an_upgrade_is_no_change(look):
    old = {"usr/a": CONTENT} | deb(("x", {"usr/a": CONTENT}))
    new = {"usr/a": OTHER} | deb(("x", {"usr/a": OTHER}))
    report = look(old, new)
    assert not changed(report)
    assert report.verification.verified == 2
    # The file may come a layer before its database; what comes behind it may not.
    assert not changed(look({"usr/a": OTHER}, deb(("x", {"usr/a": OTHER}))))
    assert changed(look(old, {"usr/a": OTHER}, {"usr/a": CONTENT})) == {("usr/a", 1, "deb:x", "replaced")}
    # Back to an older version behind the database's back: one that may have a hole in it.
    assert changed(look(old, new, {"usr/a": CONTENT})) == {("usr/a", 2, "deb:x", "visible")}


def test_a_secret_that_a_package_brings_is_no_secret(look):
    key, files = pem(), {}
    for name in ("a", "b", "c"):
        files[f"usr/{name}.pem"] = key
    tree = files | deb(("x", {"usr/a.pem": key, "usr/b.pem": CONTENT}))
    tree |= wheel("pub", {"pub/k.py": f"KEY = '''{key}'''\n"})
    tree |= wheel("own", {"own/k.py": f"KEY = '''{key}'''\n"}, **{"direct_url.json": '{"url": "file:///src"}'})
    report = look(tree, inspectors=[inspector()])
    facts = {fact.path.decode(): fact for fact in report.exposures if fact.id == "private-key"}
    levels = {path.removeprefix("usr/lib/python3/site-packages/"): fact.level for path, fact in facts.items()}
    assert levels == {
        "usr/a.pem": "info", "usr/b.pem": "error", "usr/c.pem": "error", "pub/k.py": "info", "own/k.py": "warning"
    }  # fmt: skip
    assert facts["usr/a.pem"].detail.endswith("; as deb:x ships it")


def test_hostile_databases(look):
    many = deb(*((f"p{number}", {"usr/a": CONTENT}) for number in range(200)))
    assert look({"usr/a": CONTENT, **many}).verification.verified == 1
    broken = deb(("x", {"usr/a": CONTENT}))
    for text in ("zz  usr/a\n", "\xff\n", "00  usr/a\n", f"{md5(CONTENT)}\n", " \n  \n"):
        broken["var/lib/dpkg/info/x.md5sums"] = text
        assert not changed(look({"usr/a": CONTENT, **broken}))
    for line in ("Z:Q1====", "Z:Q1", "Z:Q9abcd", "Z:"):
        look({"usr/a": CONTENT, "lib/apk/db/installed": f"P:x\nV:1\nF:usr\nR:a\n{line}\n\n"})
    for row in ("a,sha256=!!!,1", "a,sha256=,", "a,sha256=" + "A" * 9999, '"'):
        tree = wheel("x", {"a": CONTENT})
        tree["usr/lib/python3/site-packages/x-1.dist-info/RECORD"] = row
        look(tree)
    look({"usr/a": CONTENT, **rpm("x", {"usr/a": CONTENT}, digests=["zz" * 32])})


@pytest.mark.parametrize(
    ("name", "verified"), [("imagesync__alpine.tar", 74), ("trivy__alpine-311.tar.gz", 61), ("kaniko__integration_tar.tar", 53)]
)
def test_real_images_are_as_they_were_shipped(name, verified):
    report = api.analyze(api.load(str(corpus("images") / name), sums=True))
    assert report.verification.verified == verified
    assert not changed(report)
