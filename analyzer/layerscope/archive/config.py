"""What does the image's config say? (OCI image-spec, config.md.)"""

from __future__ import annotations

from layerscope.archive.documents import Json, cased, mapping, rows, string_map, text, texts
from layerscope.archive.history.golang import write_duration, write_healthcheck
from layerscope.archive.history.instructions import for_people
from layerscope.archive.notebook import Notebook
from layerscope.frozen import frozen
from layerscope.model import Config, HistoryRow

CREATED_BY_LIMIT = 1 << 16


@frozen
class ConfigDocument:
    """A config as read: what a runtime is told, the diff IDs (None: no word of them), the history not yet joined to layers."""

    config: Config
    diff_ids: tuple[str | None, ...] | None
    history: tuple[Json, ...]


def read_config(document: Json, notes: Notebook) -> ConfigDocument:
    """Read a config; every field may be null or absent (B08)."""
    document = cased(document, ("config", "rootfs", "history", "os", "architecture"), "the config", notes)
    told = mapping(document.get("config"))
    rootfs = mapping(document.get("rootfs"))
    kind = rootfs.get("type")
    if kind not in (None, "", "layers"):
        notes.fail("B09", f"the config's rootfs is of type {text(kind)!r}, not 'layers'")
    config = Config(
        architecture=text(document.get("architecture")) or None,
        os=text(document.get("os")) or None,
        variant=text(document.get("variant")) or None,
        os_version=text(document.get("os.version")) or None,
        created=text(document.get("created")) or None,
        author=text(document.get("author")) or None,
        user=text(told.get("User")) or None,
        workdir=text(told.get("WorkingDir")) or None,
        entrypoint=texts(told.get("Entrypoint")),
        cmd=texts(told.get("Cmd")),
        env=texts(told.get("Env")),
        labels=string_map(told.get("Labels")),
        ports=tuple(filter(None, map(text, mapping(told.get("ExposedPorts"))))),
        volumes=tuple(filter(None, map(text, mapping(told.get("Volumes"))))),
        healthcheck=_healthcheck(mapping(told.get("Healthcheck"))),
        stop_signal=text(told.get("StopSignal")) or None,
        shell=texts(told.get("Shell")),
        onbuild=texts(told.get("OnBuild")),
    )
    listed = rows(rootfs.get("diff_ids"), "diff_ids in the config", notes)
    diff_ids = tuple(map(text, listed)) if "rootfs" in document else None
    history = tuple(mapping(row) for row in rows(document.get("history"), "the config's history", notes))
    return ConfigDocument(config, diff_ids, history)


def _healthcheck(told: Json) -> str | None:
    """Return a health check as a Dockerfile says it; times are nanoseconds."""
    test = texts(told.get("Test"))
    if not test or not test[0]:
        return None
    times = {
        name: told.get(key) for key, name in (("Interval", "interval"), ("Timeout", "timeout"), ("StartPeriod", "start-period"))
    }
    flags = [f"--{name}={write_duration(value)}" for name, value in times.items() if isinstance(value, int) and value > 0]
    retries = told.get("Retries")
    flags += [f"--retries={retries}"] if isinstance(retries, int) and retries > 0 else []
    return write_healthcheck(test, flags)


def align_history(history: tuple[Json, ...], layers: int, notes: Notebook) -> tuple[HistoryRow, ...]:
    """Join history rows to layers from the front, by the `empty_layer` flag alone (B01 to B04)."""
    rows = []
    position = 0
    for row in history:
        empty = row.get("empty_layer") is True
        layer = None
        if not empty and position < layers:
            layer, position = position, position + 1
        elif not empty:
            position += 1
        created_by = text(row.get("created_by"))
        if created_by is not None and len(created_by) > CREATED_BY_LIMIT:
            created_by = created_by[:CREATED_BY_LIMIT] + " ... (cut)"
        comment = text(row.get("comment"))
        rows.append(HistoryRow(created_by, for_people(created_by, comment), text(row.get("created")), comment, empty, layer))
    if history and position > layers:
        notes.warn("B03", f"the history has rows for {position} layer{'s' * (position != 1)}, the image has {layers}")
    elif history and position < layers:
        notes.warn("B02", f"the history has rows for {position} of the image's {layers} layers: the last ones have none")
    elif not history and layers:
        notes.info("B01", "the image has no history")
    return tuple(rows)
