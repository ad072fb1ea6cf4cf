import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerscope.model import Release
from layerscope.packages.purl import distribution, purl
from packageurl import PackageURL

word = st.text(st.characters(codec="ascii", categories=["L", "N"]) | st.sampled_from("+-._~:@"), min_size=1, max_size=12)


TYPES = [
    "alpm",
    "apk",
    "cargo",
    "composer",
    "conda",
    "cran",
    "deb",
    "ebuild",
    "gem",
    "generic",
    "golang",
    "maven",
    "nix",
    "npm",
    "nuget",
    "pypi",
    "rpm",
]


@given(st.sampled_from(TYPES), st.none() | word, word, word, st.text("abc.-+ é1&=", max_size=5))
def test_package_urls_are_those_of_the_library(type_, namespace, name, version, arch):
    name = name.lower().replace("@", "").replace("+", "-")
    name = name.replace(":", "") or "x"
    namespace = namespace and namespace.lower()
    arch = arch.strip()
    expected = PackageURL(type_, namespace, name, version, {"arch": arch} if arch else None).to_string()
    assert purl(type_, namespace, name, version, (("arch", arch),)) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            distribution("apk", Release("alpine", "3.20.1", None), "busybox", "1.36.1-r2", "x86_64"),
            "pkg:apk/alpine/busybox@1.36.1-r2?arch=x86_64&distro=alpine-3.20.1",
        ),
        (
            distribution("deb", Release("debian", "12", None), "libstdc++6", "12.2.0-14", "amd64"),
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12",
        ),
        (distribution("deb", None, "a", "1:2.3-4", None), "pkg:deb/a@1:2.3-4"),
        (purl("npm", "@angular", "core", "1.0.0"), "pkg:npm/%40angular/core@1.0.0"),
        (purl("pypi", None, "Django_X", "5.0"), "pkg:pypi/django-x@5.0"),
    ],
)
def test_known_package_urls(made, expected):
    assert made == expected
    assert PackageURL.from_string(made).to_string() == expected
