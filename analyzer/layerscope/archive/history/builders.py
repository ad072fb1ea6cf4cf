"""What do builders without a Dockerfile write into the history, and how is it said to people?"""

from __future__ import annotations

import re
from collections.abc import Callable

from layerscope.frozen import frozen
from layerscope.regex import regex

# Comments that only tell who wrote a row.
MARKS = ("buildkit.", "buildkit ", "debuerreotype", "Created by")
_SHELL_ALONE = r"(?:/[\w./-]*/)?(?:ba|da|a|z|k)?sh"
_NAMED = 3


@frozen
class Builder:
    """How one builder writes rows.

    name     the builder's
    row      what `created_by` looks like, as a whole
    comment  what the comment looks like, as a whole; "" if there must be none, None if it may be anything
    said     what people read, from the groups of both
    """

    name: str
    row: re.Pattern[str]
    comment: re.Pattern[str] | None
    said: str | Callable[[dict[str, str]], str]

    def tell(self, row: str, comment: str) -> str | None:
        """Return a row of this builder for people, None if it is not its."""
        found = self.row.fullmatch(row)
        remark = self.comment.fullmatch(comment) if self.comment is not None else None
        if found is None or (self.comment is not None and remark is None):
            return None
        groups = {**found.groupdict(""), **(remark.groupdict("") if remark else {})}
        return self.said.format(**groups) if isinstance(self.said, str) else self.said(groups)


def _builder(name: str, row: str, comment: str | None, said: str | Callable[[dict[str, str]], str]) -> Builder:
    return Builder(name, regex(row, re.DOTALL), None if comment is None else regex(comment, re.DOTALL), said)


def _store_paths(groups: dict[str, str]) -> str:
    """Name the packages of a Nix layer by their store paths, without hashes."""
    paths = re.findall(r"/nix/store/[0-9a-z]{32}-([^\s'\",\]]+)", groups["paths"])
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return f"nix: {', '.join(paths[:_NAMED])}{more}" if paths else f"nix: {groups['paths']}"


def _lower(groups: dict[str, str]) -> str:
    return f"buildpacks: {groups['what'].lower().replace('bill-of-materials', 'bill of materials')}"


BUILDERS = (
    _builder("Nix", "", r"store paths: (?P<paths>\[.*)", _store_paths),
    _builder("apko", "apko", r"(?:This is an apko single-layer image)?", "apko: all packages in one layer"),
    _builder("apko", "apko", r"(?P<what>.+)", "apko: {what}"),
    _builder("bazel", r"bazel build \.\.\.", None, "bazel build"),
    _builder(
        "ko", r"ko (?:build|publish) (?:ko://)?(?P<what>\S+)", r"go build output, at (?P<path>.+)", "ko build {what}: {path}"
    ),
    _builder("ko", r"ko (?:build|publish) (?:ko://)?(?P<what>\S+)", r"kodata contents, at .*", "ko build {what}: kodata"),
    _builder("jib", r"(?P<tool>jib-[\w-]+):null", "", "{tool}"),
    _builder("jib", r"(?P<tool>jib-[\w-]+):(?P<version>\S+)", "", "{tool} {version}"),
    _builder("jib", r"(?P<tool>jib-[\w-]+):\S+", r"(?P<what>.+)", "{tool}: {what}"),
    _builder(
        "buildpacks",
        r"Layer: '(?P<layer>[^'\n]*)', Created by (?P<kind>buildpack|extension): (?P<who>\S+)",
        None,
        "{kind} {who}: {layer}",
    ),
    _builder("buildpacks", r"(?:Buildpacks )?(?P<what>Launcher Config|Application Launcher|Process Types)", None, _lower),
    _builder("buildpacks", r"(?P<what>Software Bill-of-Materials)", None, _lower),
    _builder("buildpacks", r"(?P<what>Application) Layer", None, _lower),
    _builder("buildpacks", r"(?P<what>Application Slice: \d+)", None, _lower),
    _builder("debuerreotype", r"# (?P<what>debian\.sh .*)", None, "{what}"),
    _builder("crane", r"crane flatten (?:\S+@)?sha256:(?P<id>[0-9a-f]{12})[0-9a-f]*", None, "crane flatten {id}"),
    _builder("docker build --squash", "", r"merge sha256:[0-9a-f]+ to sha256:[0-9a-f]+", "squash of the layers above"),
    _builder("docker build --squash", "", r"create new from sha256:[0-9a-f]+", "squash of all layers"),
    _builder("docker commit, buildah commit", rf"(?P<shell>{_SHELL_ALONE})", "", "commit of a container that ran {shell}"),
    _builder(
        "docker commit, buildah commit",
        rf"(?P<shell>{_SHELL_ALONE})",
        r"(?!FROM )(?P<what>.+)",
        "commit of a container that ran {shell}: {what}",
    ),
    _builder("buildah", rf"(?P<shell>{_SHELL_ALONE})", r"(?P<base>FROM .+)", "commit of a container that ran {shell}, {base}"),
)
