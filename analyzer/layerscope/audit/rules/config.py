"""Which words of the config and the history should not be there?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from layerscope.analysis.exposure import Exposure
from layerscope.audit.rules.rule import Look, Rule, exposed
from layerscope.model import HistoryRow
from layerscope.regex import regex
from layerscope.report import Report

_ADD = regex(r"^ADD (?:--\S+ )*(?P<sources>.+)$")
_URL = regex(r"(?:https?|ftp)://|\bgit@")
_UPDATE = regex(r"\b(?:apt-get|apt|apk|yum|dnf|zypper)(?: -\S+)* (?:update|makecache|refresh)\b")
_INSTALL = regex(
    r"\b(?:apt-get|apt|apk|yum|dnf|zypper|microdnf)(?: -\S+)* (?:install|add|in|upgrade|dist-upgrade|full-upgrade)\b"
)
_UPGRADE = regex(r"\b(?:apt-get|apt)(?: -\S+)* (?:dist-upgrade|full-upgrade)\b")
_SUDO = regex(r"(?:^RUN |[;&|(] ?)sudo ")
_SENSITIVE = regex(r"^/(?:|boot|dev|etc|lib|proc|sys|usr)/?$|docker\.sock$")


def _history(id_: str, level: str, title: str, says: Callable[[HistoryRow], str | None]) -> Look:
    """Return a check that finds rows of the history; `says` returns what a row has that it should not."""

    def look(report: Report) -> Iterator[Exposure]:
        for row in report.image.history:
            detail = says(row)
            if detail is not None:
                yield Exposure(id_, level, title, None, row.layer, "config", detail=detail)

    return look


def _add_url(row: HistoryRow) -> str | None:
    found = _ADD.match(row.instruction)
    return _cut(row.instruction) if found and _URL.search(found["sources"]) else None


def _update_alone(row: HistoryRow) -> str | None:
    text = row.instruction
    return _cut(text) if _UPDATE.search(text) and not _INSTALL.search(text) else None


def _dist_upgrade(row: HistoryRow) -> str | None:
    return _cut(row.instruction) if _UPGRADE.search(row.instruction) else None


def _sudo(row: HistoryRow) -> str | None:
    return _cut(row.instruction) if _SUDO.search(row.instruction) else None


def _cut(text: str) -> str:
    """Return the head of an instruction, without what an assignment or an address may hide."""
    text = re.sub(r"(?<=://)[^/\s@]*@", "***@", text)
    text = re.sub(r"=\S+", "=...", re.sub(r"\?\S+", "?...", text))
    return text if len(text) <= 100 else f"{text[:97]}..."


def _latest(report: Report) -> Iterator[Exposure]:
    for name in report.image.names:
        tag = name.rpartition("/")[2].partition("@")[0].rpartition(":")
        if "@" not in name and (not tag[1] or tag[2] == "latest"):
            yield Exposure("latest-tag", "warning", "the tag says nothing", None, None, "config", detail=name)


def _healthcheck(report: Report) -> Iterator[Exposure]:
    if not report.image.config.has_healthcheck:
        yield Exposure("missing-healthcheck", "info", "nothing tells whether the container works", None, None, "config")


def _volumes(report: Report) -> Iterator[Exposure]:
    for volume in report.image.config.volumes:
        if _SENSITIVE.search(volume):
            title = "a folder of the system as a volume"
            yield Exposure("sensitive-volume", "warning", title, None, None, "config", detail=volume)


CONFIG: tuple[Rule, ...] = (
    Rule(
        id="secret-env",
        level="error",
        title="secret in the environment",
        why="Everybody who can pull the image reads it with docker inspect, and every process of every container has it.",
        fix="Take it out of ENV; hand it over when the container starts (--env-file, a secret). Make a new one: this is known.",
        check=exposed("secret-env"),
        references=("https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/",),
        counterparts=("CIS-DI-0010", "CIS 4.10"),
        severity=8.5,
    ),
    Rule(
        id="secret-label",
        level="error",
        title="secret in a label",
        why="Labels are copied into every registry, inventory and log.",
        fix="Take it out of LABEL, and make a new one: this is known.",
        check=exposed("secret-label"),
        counterparts=("CIS-DI-0010", "CIS 4.10"),
        severity=8.5,
    ),
    Rule(
        id="secret-history",
        level="error",
        title="secret in the history",
        why="Build arguments and commands are written into the image as they were; docker history shows them.",
        fix="RUN --mount=type=secret,id=NAME instead of ARG; then make a new one: this is known.",
        check=exposed("secret-history"),
        references=("https://docs.docker.com/build/building/secrets/",),
        counterparts=("CIS-DI-0010", "CIS 4.10"),
        severity=8.5,
    ),
    Rule(
        id="root-user",
        level="warning",
        title="the container runs as root",
        why="Who breaks out of the process is root in the container, and close to root on the host.",
        fix="RUN useradd --system app, then USER app as the last instruction before CMD.",
        check=exposed("root-user"),
        references=("https://docs.docker.com/build/building/best-practices/#user",),
        counterparts=("CIS-DI-0001", "CIS 4.1"),
        severity=5.0,
        raises=True,
    ),
    Rule(
        id="latest-tag",
        level="warning",
        title="the tag `latest`, or none",
        why="Tomorrow it is another image, and nobody can tell which one ran today.",
        fix="Tag with a version or a commit: app:1.4.2.",
        check=_latest,
        counterparts=("DKL-DI-0006",),
        severity=1.0,
    ),
    Rule(
        id="missing-healthcheck",
        level="info",
        title="no HEALTHCHECK",
        why="Docker cannot tell a container that hangs from one that works. Kubernetes does not ask for it.",
        fix="HEALTHCHECK CMD wget -qO- http://localhost:8080/health || exit 1",
        check=_healthcheck,
        counterparts=("CIS-DI-0006", "CIS 4.6"),
        severity=0.5,
    ),
    Rule(
        id="add-url",
        level="warning",
        title="ADD with an address",
        why="What the address holds on the day of the build gets into the image, unchecked.",
        fix="ADD --checksum=sha256:..., or RUN curl -fsSLO URL && echo 'SHA256  FILE' | sha256sum -c.",
        check=_history("add-url", "warning", "gets a file from an address, unchecked", _add_url),
        references=("https://docs.docker.com/reference/dockerfile/#add---checksum",),
        counterparts=("CIS-DI-0009", "CIS 4.9"),
        severity=4.0,
    ),
    Rule(
        id="update-alone",
        level="info",
        title="package lists fetched in an instruction of their own",
        why="A cached layer keeps old lists: a later install gets old, vulnerable versions. And the lists stay in the image.",
        fix="RUN apt-get update && apt-get install -y ... && rm -rf /var/lib/apt/lists/*",
        check=_history("update-alone", "info", "updates package lists, and installs nothing", _update_alone),
        counterparts=("CIS-DI-0007", "CIS 4.7"),
        severity=1.0,
    ),
    Rule(
        id="dist-upgrade",
        level="info",
        title="upgrade of the whole distribution",
        why="It replaces what the base image brought: those bytes are stored twice, and no tag says what is in there.",
        fix="Build on a newer base image.",
        check=_history("dist-upgrade", "info", "upgrades the distribution", _dist_upgrade),
        counterparts=("DKL-DI-0003",),
        severity=1.0,
    ),
    Rule(
        id="sudo-in-build",
        level="info",
        title="sudo in an instruction",
        why="A build is root already, or says USER; sudo in it means that sudo is in the image.",
        fix="USER root before, USER app after.",
        check=_history("sudo-in-build", "info", "runs sudo", _sudo),
        counterparts=("DKL-DI-0001",),
        severity=1.0,
    ),
    Rule(
        id="sensitive-volume",
        level="warning",
        title="folder of the system as a volume",
        why="A volume there keeps or shows what belongs to the host or to the image's own system.",
        fix="VOLUME a folder of the application: /var/lib/app.",
        check=_volumes,
        counterparts=("DKL-DI-0002",),
        severity=5.0,
    ),
)
