"""Which instruction was it? Turns what builders write into a history row back into a line of a Dockerfile, for people."""

from __future__ import annotations

import re

SHELL = r"(?:/[\w./-]*/)?(?:ba|da|a|z|k)?sh -\w*c\w* "
NOP = re.compile(r"^/bin/sh -c #\(nop\)\s+")
RUN = re.compile(rf"^(?:RUN )?(?:\|\d+ (?P<args>.*?) )?(?P<shell>{SHELL})", re.DOTALL)
VERB = re.compile(
    r"^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\b"
)
DIGEST = re.compile(r"\b(file|dir|multi):([0-9a-f]{12})[0-9a-f]{20,}")


def for_people(created_by: str | None, comment: str | None = None) -> str:
    """Return the instruction in one line: no shell prefix, no `#(nop)`, no builder's mark, white space folded (B05, B07)."""
    raw = created_by if created_by and created_by.strip() else comment or ""
    text = raw.strip().removesuffix("# buildkit").strip()
    if NOP.match(text):
        text = NOP.sub("", text)
    else:
        found = RUN.match(text)
        if found:
            text = "RUN " + text[found.end() :].lstrip()
        elif text.startswith("RUN |"):
            text = "RUN " + text.partition(" ")[2]
    text = DIGEST.sub(r"\1:\2", text)
    text = " ".join(text.split())
    if VERB.match(text) is None and found_command(text):
        text = "RUN " + text
    return text or "(no history)"


def found_command(text: str) -> bool:
    """Whether a line without a verb reads like a command: kaniko and old docker write them bare."""
    return bool(re.match(r"^(?:set -|apt-get |apk |yum |dnf |pip |npm |cd |mkdir |rm |chmod |chown )", text))
