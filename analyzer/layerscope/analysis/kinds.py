"""Which causes are there? Each is declared once: the report, JSON, `explain` and the README read it here."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from layerscope.analysis import remains
from layerscope.analysis.caches import CACHES
from layerscope.analysis.causes import Certainty
from layerscope.analysis.demand import Demand
from layerscope.analysis.traces import Trace
from layerscope.frozen import frozen

FACT, LIKELY, POSSIBLE = Certainty.FACT, Certainty.LIKELY, Certainty.POSSIBLE


@frozen
class CauseKind:
    """A kind of cause.

    group     place in the order in which kinds claim bytes; what an earlier one claims, no later one gets
    traces    known by their paths: one cause for each trace and layer
    packages  known by the package that has them: the numbers to claim
    """

    id: str
    group: int
    certainty: Certainty
    summary: str
    why: str
    fix: str
    traces: tuple[Trace, ...] = ()
    packages: Callable[[Demand], frozenset[int]] | None = None


KINDS: tuple[CauseKind, ...] = (
    CauseKind(
        "metadata-only-copy",
        1,
        FACT,
        "files stored again because only mode, owner, times or attributes changed",
        "A layer cannot change a file of a lower one: chown, chmod and touch store it whole again.",
        "Set owner and mode where the files come in: COPY --chown=... --chmod=..., or in the RUN that makes them.",
    ),
    CauseKind(
        "identical-rewrite",
        2,
        FACT,
        "files stored again with the same content and metadata",
        "A repeated COPY, or a hard link made in a later RUN, stores the file whole again.",
        "Copy each file once.",
    ),
    CauseKind(
        "deleted-later",
        3,
        FACT,
        "files that a later layer deletes",
        "A deletion is one more entry in a later layer; the file stays in the earlier one, and everybody can read it.",
        "Delete in the RUN that makes the files, do not copy them at all, or build in another stage.",
    ),
    CauseKind(
        "replaced-later",
        4,
        FACT,
        "files that a later layer replaces with other content",
        "The old content stays in the earlier layer.",
        "Write the final content once: join the steps, or copy the final file.",
    ),
    CauseKind(
        "package-manager-cache",
        5,
        FACT,
        "caches, lists and downloads of package managers",
        "They speed up the next install, which never happens in a finished image.",
        "RUN --mount=type=cache,target=..., the manager's option for no cache, or remove them in the same RUN.",
        traces=CACHES,
    ),
    CauseKind(
        "build-only-packages",
        6,
        LIKELY,
        "compilers, headers and build tools that nothing asked for at run time needs",
        "They were needed to build, and are pulled by every machine that runs the image.",
        "Build in a stage of its own and COPY --from it, or purge them in the RUN that installs them.",
        packages=attrgetter("build"),
    ),
    CauseKind(
        "development-dependencies",
        6,
        LIKELY,
        "packages that a lock file or manifest calls development dependencies",
        "Test runners, linters and type checkers are of no use to the running application.",
        "npm ci --omit=dev, yarn install --production, composer install --no-dev.",
        packages=attrgetter("development"),
    ),
    CauseKind(
        "recommended-only-packages",
        7,
        LIKELY,
        "packages that apt installed only because others recommend them",
        "apt installs recommendations unless told otherwise; nothing depends on them.",
        "apt-get install --no-install-recommends, naming those that you do want.",
        packages=attrgetter("recommended"),
    ),
    CauseKind(
        "documentation",
        7,
        LIKELY,
        "documentation, man and info pages (copyright files are left alone)",
        "Nobody reads man pages inside a container.",
        "dpkg: path-exclude=/usr/share/doc/* and /usr/share/man/*; dnf: --nodocs; or remove them in the same RUN.",
        traces=(remains.DOCUMENTATION,),
    ),
    CauseKind(
        "locales",
        7,
        LIKELY,
        "translations into languages that the image is not set to",
        "Messages in languages that LANG and LC_* do not name are never shown.",
        "dpkg: path-exclude=/usr/share/locale/*; or remove them in the RUN that installs them.",
        traces=(remains.LOCALES,),
    ),
    CauseKind(
        "bytecode",
        7,
        LIKELY,
        "compiled Python beside its source",
        "Python can make it again; without it the first start is slower.",
        "pip install --no-compile, or delete *.pyc in the RUN that installs; PYTHONDONTWRITEBYTECODE=1 for the steps after it.",
        traces=(remains.BYTECODE,),
    ),
    CauseKind(
        "debug-symbols",
        7,
        LIKELY,
        "debug symbols in files of their own",
        "Only a debugger reads them.",
        "Do not install -dbg packages; strip what you build.",
        traces=(remains.DEBUG_SYMBOLS,),
    ),
    CauseKind(
        "static-libraries",
        7,
        LIKELY,
        "static libraries in an image that has no compiler to link them",
        "They matter at link time only.",
        "Build with --disable-static, or delete *.a in the same RUN.",
        traces=(remains.STATIC_LIBRARIES,),
    ),
    CauseKind(
        "version-control",
        8,
        LIKELY,
        "version-control folders (.git, .hg, .svn)",
        "They hold the whole history of the source, deleted secrets included.",
        "Add .git to .dockerignore; fetch archives instead of clones.",
        traces=(remains.VERSION_CONTROL,),
    ),
    CauseKind(
        "dependency-tests",
        8,
        POSSIBLE,
        "test suites inside installed dependencies",
        "They test the dependency, not your application.",
        "Remove them in the RUN that installs the dependencies.",
        traces=(remains.DEPENDENCY_TESTS,),
    ),
    CauseKind(
        "logs",
        8,
        LIKELY,
        "logs of the build",
        "They tell of the build, and make builds differ.",
        "Remove them in the RUN that writes them.",
        traces=(remains.LOGS,),
    ),
    CauseKind(
        "temporary-files",
        8,
        LIKELY,
        "files in /tmp and /var/tmp",
        "Nothing cleans them up inside an image.",
        "Remove them in the RUN that writes them, or mount a tmpfs there.",
        traces=(remains.TEMPORARY,),
    ),
    CauseKind(
        "core-dumps",
        8,
        POSSIBLE,
        "memory dumps of crashed programs",
        "A program crashed during the build; its memory may hold secrets.",
        "Find out why it crashed, and remove the dump in the same RUN.",
        traces=(remains.CORE_DUMPS,),
    ),
    CauseKind(
        "unpacked-archives",
        8,
        POSSIBLE,
        "archives beside a folder of the same name",
        "What was unpacked is there; the archive is there as well.",
        "Unpack from a pipe, or delete the archive in the same RUN.",
        traces=(remains.UNPACKED,),
    ),
    CauseKind(
        "unstripped-binaries",
        8,
        LIKELY,
        "symbol tables and debug sections inside programs and libraries",
        "Only debuggers and linkers read them; measured from the section tables of files that no earlier cause claims.",
        "strip --strip-unneeded programs and shared libraries, strip --strip-debug static ones; go build -ldflags='-s -w'.",
    ),
    CauseKind(
        "duplicate-content",
        9,
        POSSIBLE,
        "live files with the same content",
        "Copies under other paths, or hard links that a later layer broke.",
        "Keep one and link to it; copy into one place only.",
    ),
)
KIND: dict[str, CauseKind] = {kind.id: kind for kind in KINDS}
