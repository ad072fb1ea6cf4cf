"""Does what a builder wrote into the history read like what a person wrote into a Dockerfile?"""

from __future__ import annotations

import time

import pytest
from layerscope.archive.history.builders import BUILDERS
from layerscope.archive.history.golang import list_items, read_healthcheck
from layerscope.archive.history.instructions import VERBS, for_people, join_lines, peel

H = "0123456789abcdef" * 4
NIX = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz"

SHAPES = {
    "BuildKit": [
        ("RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit", "RUN apt-get update && apt-get install -y x"),
        ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"),
        ("RUN |2 A=b c D= /bin/sh -c make # buildkit", "RUN make"),
        ("RUN |1 A=b make install # buildkit", "RUN make install"),
        ("RUN /bin/bash -o pipefail -c x | y # buildkit", "RUN x | y"),
        ("RUN /bin/bash -euxo pipefail -c x # buildkit", "RUN x"),
        ("RUN /bin/sh -c set -e\napk add x\n# why\nmake \\\n  all\n # buildkit", "RUN set -e; apk add x; make all"),
        ("RUN /bin/sh -c if true; then\n  a\nfi\n # buildkit", "RUN if true; then a; fi"),
        ("RUN /bin/sh -c cat <<EOF > /x\na\nEOF # buildkit", "RUN cat <<EOF > /x a EOF"),
        ("RUN /bin/sh -c <<EOF (a...) # buildkit", "RUN <<EOF (a...)"),
        ("RUN /dev/pipes/EOF # buildkit", "RUN /dev/pipes/EOF"),
        ("RUN apk add x # buildkit", "RUN apk add x"),
        ("RUN cmd /S /C dir # buildkit", "RUN dir"),
        ("RUN powershell -Command $ErrorActionPreference = 'Stop'; Get-Item x # buildkit", "RUN Get-Item x"),
        ("COPY --chown=node:node --link a b # buildkit", "COPY --chown=node:node --link a b"),
        ("COPY <<EOF /x # buildkit", "COPY <<EOF /x"),
        ("ADD busybox.tar.xz / # buildkit", "ADD busybox.tar.xz /"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("EXPOSE map[443/tcp:{} 80/tcp:{}]", "EXPOSE 443/tcp 80/tcp"),
        ("EXPOSE [8080/tcp]", "EXPOSE 8080/tcp"),
        ("VOLUME [/data /log]", "VOLUME /data /log"),
        ('CMD ["/bin/sh" "-c" "echo \\"a\\" \\x1b"]', 'CMD ["/bin/sh", "-c", "echo \\"a\\" \\u001b"]'),
        ("CMD []", "CMD []"),
        ("SHELL [/bin/bash -o pipefail -c]", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'),
        (
            "HEALTHCHECK {Test:[CMD-SHELL curl -f http://x || exit 1] Interval:30s Timeout:0s StartPeriod:5s StartInterval:0s Retries:3}",
            "HEALTHCHECK --interval=30s --start-period=5s --retries=3 CMD curl -f http://x || exit 1",
        ),
        ("ONBUILD RUN make", "ONBUILD RUN make"),
        ("ENV A=b c D=e", "ENV A=b c D=e"),
    ],
    "Docker's classic builder": [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ('/bin/bash -o pipefail -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("/bin/bash --login -c #(nop)  ARG uid=1000", "ARG uid=1000"),
        ("cmd /S /C #(nop) COPY file:" + H + " in C:\\ ", "COPY file:0123456789ab in C:\\"),
        ("powershell -Command $ErrorActionPreference = 'Stop'; #(nop)  ENV A=b", "ENV A=b"),
        (f"/bin/sh -c #(nop) COPY --chown=1:1 dir:{H} in /app ", "COPY --chown=1:1 dir:0123456789ab in /app"),
        (f"/bin/sh -c #(nop) ADD multi:{H} in / ", "ADD multi:0123456789ab in /"),
        ("/bin/sh -c set -eux; make", "RUN set -eux; make"),
        ("|2 A=1 B=2 /bin/sh -c x", "RUN x"),
        ("|1 A=1 /bin/ash -eo pipefail -c x", "RUN x"),
        ("/bin/echo world", "RUN /bin/echo world"),
        ('/bin/sh -c #(nop) ENTRYPOINT &{["/pause"]}', 'ENTRYPOINT ["/pause"]'),
        (
            '/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "curl x || exit 1"] "1m0s" "5s" "0s" \'\\x03\'}',
            "HEALTHCHECK --interval=1m0s --timeout=5s --retries=3 CMD curl x || exit 1",
        ),
        (
            '/bin/sh -c #(nop)  HEALTHCHECK &{["CMD" "/bin/true"] "0s" "0s" "0s" "0s" \'\\n\'}',
            'HEALTHCHECK --retries=10 CMD ["/bin/true"]',
        ),
        ('/bin/sh -c #(nop)  HEALTHCHECK &{["NONE"] "0s" "0s" "0s" \'\\x00\'}', "HEALTHCHECK NONE"),
        ("/bin/sh -c #(nop)  MAINTAINER Me <me@x>", "MAINTAINER Me <me@x>"),
        ("/bin/sh", "commit of a container that ran /bin/sh"),
        ("bash", "commit of a container that ran bash"),
        ("/bin/bash ## installed by hand", "commit of a container that ran /bin/bash: installed by hand"),
        (" ## merge sha256:ab to sha256:cd", "squash of the layers above"),
        (" ## Imported from -", "Imported from -"),
        (" ## ", "(no history)"),
    ],
    "buildah": [
        ("/bin/sh -c --mount=type=bind,target=/x make:" + H, "RUN --mount=type=bind,target=/x make"),
        ("/bin/sh -c echo sha256:" + H, "RUN echo sha256:" + H),
        ("/bin/sh -c make|unsetLabel=a|force-mtime=0", "RUN make"),
        ("/bin/sh -c a | grep b|clamp-mtime=7", "RUN a | grep b"),
        (f"/bin/sh -c #(nop) COPY --link file:{H} in /x |inheritLabels=false", "COPY --link file:0123456789ab in /x"),
        ("/bin/sh -c a\nb", "RUN a; b"),
        ("/bin/sh -c #(nop) USER node ## FROM docker.io/library/node:20", "USER node"),
        ("/bin/sh ## FROM docker.io/library/node:20", "commit of a container that ran /bin/sh, FROM docker.io/library/node:20"),
    ],
    "kaniko": [
        ("COPY --from=build --chown=1:1 /a /b", "COPY --from=build --chown=1:1 /a /b"),
        ("RUN --mount=type=cache,target=/x make", "RUN --mount=type=cache,target=/x make"),
        ("copy a b", "COPY a b"),
    ],
    "BuildKit without a Dockerfile": [
        ("mount / from exec /bin/sh -c apk add x ## buildkit.exporter.image.v0", "RUN apk add x"),
        ("[2/3] RUN apk add x ## buildkit.exporter.image.v0", "RUN apk add x"),
        ("[build 2/3] COPY a b ## buildkit.exporter.image.v0", "COPY a b"),
        (f"pulled from docker.io/library/x@sha256:{H} ## buildkit.exporter.image.v0", f"FROM docker.io/library/x@sha256:{H}"),
        (" ## buildkit.exporter.image.v0", "(no history)"),
    ],
    "others": [
        (f" ## store paths: ['{NIX}-glibc-2.39']", "nix: glibc-2.39"),
        (" ## store paths: [" + ", ".join(f"'{NIX}-p{n}'" for n in range(5)) + "]", "nix: p0, p1, p2 and 2 more"),
        (" ## store paths: ['elsewhere']", "nix: ['elsewhere']"),
        ("apko ## This is an apko single-layer image", "apko: all packages in one layer"),
        ("apko ## static by Chainguard", "apko: static by Chainguard"),
        ("bazel build ...", "bazel build"),
        ("ko build ko://github.com/a/b ## go build output, at /ko-app/b", "ko build github.com/a/b: /ko-app/b"),
        ("ko publish ko://github.com/a/b ## kodata contents, at $KO_DATA_PATH", "ko build github.com/a/b: kodata"),
        ("jib-gradle-plugin:1.4.1 ## classes", "jib-gradle-plugin: classes"),
        ("jib-maven-plugin:3.4", "jib-maven-plugin 3.4"),
        ("jib-core:null", "jib-core"),
        ("Layer: 'jre', Created by buildpack: paketo-buildpacks/x@1.2", "buildpack paketo-buildpacks/x@1.2: jre"),
        ("Buildpacks Launcher Config", "buildpacks: launcher config"),
        ("Application Layer", "buildpacks: application"),
        ("Application Slice: 1", "buildpacks: application slice: 1"),
        (" ## create new from sha256:ab", "squash of all layers"),
        ("Software Bill-of-Materials", "buildpacks: software bill of materials"),
        ("# debian.sh --arch 'amd64' out/ 'trixie' '@1' ## debuerreotype 0.15", "debian.sh --arch 'amd64' out/ 'trixie' '@1'"),
        (f"crane flatten sha256:{H}", "crane flatten 0123456789ab"),
        ("Apply image 10.0.17763.1-amd64", "Apply image 10.0.17763.1-amd64"),
        ("BusyBox 1.37.0 (glibc), Debian 12", "BusyBox 1.37.0 (glibc), Debian 12"),
        ("run-parts of x", "run-parts of x"),
    ],
}  # fmt: skip


ROWS = [(raw.partition(" ## ")[::2], shown) for pairs in SHAPES.values() for raw, shown in pairs]


@pytest.mark.case("B05", "B07")
@pytest.mark.parametrize(("row", "shown"), ROWS, ids=[shown[:40] for _, shown in ROWS])
def test_every_builder_reads_well(row, shown):
    assert for_people(*row) == shown


def test_every_builder_has_a_row():
    for builder in BUILDERS:
        assert any(builder.tell(row.strip(), comment.strip()) is not None for (row, comment), _ in ROWS), builder


def test_a_heredoc_keeps_its_lines_until_people_read_it():
    assert peel("RUN |1 A=b /bin/sh -c set -e\nmake\n # buildkit") == "RUN set -e\nmake"
    assert join_lines("a &&\nb\n\n  c") == "a && b; c"


@pytest.mark.parametrize("text", ["", "[", '["a', '["a"x"b"]', "x", '["a"', '["a\\"]'])
def test_what_is_no_list_is_none(text):
    assert list_items(text) is None


def test_lists():
    assert list_items("[]") == []
    assert list_items('["a" "b\\n" "\\x00\\U0001f600"]') == ['"a"', '"b\\n"', '"\\u0000\U0001f600"']
    assert list_items('["\\q"]') == ['"\\\\q"']
    assert read_healthcheck("&{x}") is None


HOSTILE = [
    " " * 65_000 + "x",
    "RUN |1 " + "/" * 65_000,
    "|1 " + "/a b" * 16_000,
    "RUN |1 " + "sh -c" * 13_000,
    "sh " + "-a " * 22_000,
    "x" + "|force-mtime=1" * 4_600 + "|",
    "x --mount=" + (":" + H) * 1_000 + "!",
    'CMD ["' + '\\"' * 32_000 + "]",
    "HEALTHCHECK &{[" + '"] "1s" "1s" "1s" ' * 3_600 + "}",
    "HEALTHCHECK {Test:[" + "] Interval:" * 6_000,
    "powershell " + "-a b " * 13_000,
    "powershell " + "$a = 'b'; " * 6_500,
    "EXPOSE map[" + "[" * 65_000,
    "RUN a\\\n" + "\\\n" * 30_000,
    "ADD " + "file:" * 13_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:12].strip() for text in HOSTILE])
def test_a_long_row_takes_no_time(text):
    begin = time.process_time()
    assert "\n" not in for_people(text)
    for_people(None, "store paths: [" + text)
    assert time.process_time() - begin < 0.5


def test_verbs_are_those_of_the_reference():
    assert len(VERBS) == 18
