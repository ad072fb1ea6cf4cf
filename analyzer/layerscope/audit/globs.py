"""Which names and paths does a glob of a policy mean?"""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=1024)
def compile_glob(glob: str) -> re.Pattern[bytes]:
    """Return a glob as a pattern: `**` any path, `*` and `?` within one name, `[...]` a set; no leading slash, any folder."""
    text = glob if glob.startswith(("/", "**")) else f"**/{glob}"
    parts, at = [], 0
    while at < len(text):
        letter = text[at]
        if text.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
            continue
        if text.startswith("**", at):
            parts.append(".*")
            at += 2
            continue
        end = text.find("]", at + 2) if letter == "[" else -1
        if end > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("&&", "&\\&")
            parts.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
            at = end + 1
            continue
        parts.append({"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter))
        at += 1
    try:
        return re.compile("".join(parts).encode("utf-8", "surrogateescape"), re.DOTALL)
    except re.error:
        return re.compile(re.escape(glob.encode("utf-8", "surrogateescape")))


def path_matches(path: bytes, glob: str) -> bool:
    """Whether a path of the image, without its leading slash, is meant."""
    return compile_glob(glob).fullmatch(b"/" + path) is not None


def name_matches(name: str, glob: str) -> bool:
    """Whether a name is meant: `deb:gcc-*`."""
    if "*" not in glob and "?" not in glob and "[" not in glob:
        return name == glob
    data = name.encode("utf-8", "surrogateescape").replace(b"/", b"\x00")
    return compile_glob("/" + glob.replace("/", "\x00")).fullmatch(b"/" + data) is not None
