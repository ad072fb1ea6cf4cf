"""Package managers of languages beside pip and npm, and what no manager put there."""

import pytest
from layerscope.packages.database import View
from layerscope.packages.databases import COMPOSER, DOTNET, GEMS, PERL, PYTHON, RLANG, RUNTIMES, YARN
from layerscope.packages.ownership import own
from layerscope.packages.patterns import Patterns

from packages.images import layer, stack
from packages.installations import GEMS as HOME
from packages.installations import LANGUAGES


def seen(database, prefix=""):
    asked = Patterns((*database.patterns, *database.places))
    files = {path.encode(): text.encode() for path, text in LANGUAGES.items() if path.startswith(prefix)}
    view = View({path: text for path, text in files.items() if asked(path)})
    return {package.name: package for package in database.read(view)}, view.notes


def test_gems():
    found, notes = seen(GEMS)
    rake = found["rake"]
    assert (rake.version, rake.license, rake.requires) == ("13.1.0", "MIT, Ruby", ("json",))
    assert rake.trees == tuple(
        f"{HOME}/{folder}".encode()
        for folder in ("gems/rake-13.1.0", "doc/rake-13.1.0", "extensions/x86_64-linux/3.3.0/rake-13.1.0")
    )
    assert found["json"].version == "2.7.1"
    assert found["json"].paths[-2:] == (b"usr/local/lib/ruby/3.3.0/json.rb", b"usr/local/lib/ruby/3.3.0/json/common.rb")
    assert [note.path for note in notes] == [f"{HOME}/specifications/bad-1.gemspec".encode()]


def test_composer():
    found, notes = seen(COMPOSER)
    assert {name: package.reason for name, package in found.items()} == {
        "monolog/monolog": "asked", "psr/log": "dependency", "phpunit/phpunit": "dev", "evil/climb": "dependency", "a/b": None,
    }  # fmt: skip
    assert found["monolog/monolog"].trees == (b"srv/vendor/monolog/monolog",)
    assert found["monolog/monolog"].requires == ("psr/log",)
    assert found["evil/climb"].trees == ()
    assert found["a/b"].trees == (b"old/vendor/a/b",)
    assert found["psr/log"].purl == "pkg:composer/psr/log@3.0.0"
    assert len(notes) == 2


def test_dotnet():
    found, notes = seen(DOTNET)
    assert {name: package.reason for name, package in found.items()} == {
        "Shop": "root", "Dapper": "asked", "System.Data": "dependency"
    }  # fmt: skip
    assert found["Dapper"].paths == (b"app/Dapper.dll", b"app/Dapper.resources.dll", b"app/de/Dapper.resources.dll")
    assert b"app/Shop.dll" in found["Shop"].paths
    assert found["Dapper"].purl == "pkg:nuget/Dapper@2.1.35"
    assert len(notes) == 1


def test_r():
    found, _ = seen(RLANG)
    assert found.keys() == {"jsonlite", "methods"}
    assert found["jsonlite"].requires == ("methods", "rlang")
    assert found["methods"].reason == "base"


def test_perl():
    found, _ = seen(PERL)
    assert found["JSON-XS"].version == "4.03"
    assert found["JSON-XS"].paths[1:] == (
        b"usr/local/bin/json_xs", b"usr/local/lib/perl5/site_perl/5.38/JSON/XS.pm"
    )  # fmt: skip


def test_yarn():
    found, _ = seen(YARN)
    assert {name: package.version for name, package in found.items()} == {"@babel/core": "7.23.9", "lodash": "4.17.21"}
    assert found["@babel/core"].purl == "pkg:npm/%40babel/core@7.23.9"


def test_runtimes():
    found, _ = seen(RUNTIMES)
    assert {name: package.version for name, package in found.items()} == {
        "node": "20.11.1", "python": "3.12.2", "openjdk": "21.0.2+13-LTS"
    }  # fmt: skip


def test_a_runtime_owns_what_it_installs_and_its_packages_what_is_theirs():
    site = "usr/local/lib/python3.12/site-packages/six"
    index = layer(
        *((path, LANGUAGES[path]) for path in ("usr/local/include/python3.12/patchlevel.h",)),
        ("usr/local/bin/python3.12", 1000), ("usr/local/lib/python3.12/os.py", 100), ("usr/local/bin/other", 7),
        (f"{site}-1.dist-info/METADATA", "Name: six\nVersion: 1\n"), (f"{site}-1.dist-info/RECORD", "six.py,,\n"),
        (f"{site}.py", 10),
    )  # fmt: skip
    result = own([index], [None], stack([index]))
    shares = {share.package.name: share.bytes for share in result.packages}
    assert shares == {"python": 1100 + index.sizes[0], "six": 10 + index.sizes[4] + index.sizes[5]}


def test_a_distribution_from_an_address_says_so():
    folder = b"lib/a-1.dist-info/"
    files = {folder + b"METADATA": b"Name: a\nVersion: 1\n", folder + b"REQUESTED": b"",
             folder + b"direct_url.json": b'{"url": "https://example.org/a.git"}'}  # fmt: skip
    (package,) = PYTHON.read(View(files))
    assert package.evidence == "REQUESTED beside its METADATA, from https://example.org/a.git"


@pytest.mark.parametrize("database", [COMPOSER, DOTNET], ids=lambda database: database.name)
@pytest.mark.parametrize("content", [b"[" * 200_000, b"{}", b"7", b'{"packages": 7, "libraries": [], "targets": 3}', b"\xff"])
def test_hostile_json(database, content):
    for path in (b"a/vendor/composer/installed.json", b"a/b.deps.json"):
        list(database.read(View({path: content})))
