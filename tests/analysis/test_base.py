"""What lies in the base image is told apart."""

from __future__ import annotations

from layerscope import api
from layerscope.analysis.base import find_base
from layerscope.render.document import report_document

from analysis.make import image

BASE = "ADD file:" + "0" * 64 + " in /"
LAYERS = ({"usr/share/doc/a": b"x" * 10}, {"usr/share/doc/b": b"x" * 20}, {"usr/share/doc/c": b"x" * 40})


def test_how_it_is_known():
    rows = [BASE, "RUN a", "RUN b"]
    made = image(*LAYERS, history=rows)
    assert (find_base(made).layers, find_base(made).how) == (1, "history")
    assert (find_base(made, 2).layers, find_base(made, 9).layers, find_base(made, 2).how) == (2, 3, "told")
    given = image(*LAYERS[:2], history=rows[:2])
    assert (find_base(made, given=given).layers, find_base(made, given=given).how) == (2, "image")
    assert find_base(made, given=given).name == "app:latest"
    taller = image(*LAYERS, {"z": b"1"}, history=[*rows, "RUN c"])
    assert (find_base(made, given=taller).layers, find_base(made, given=taller).name) == (3, None)
    other = image({"z": b"1"}, history=rows[:1])
    assert find_base(made, given=other).layers == 0
    assert find_base(image(*LAYERS)).layers is None
    labelled = find_base(image(*LAYERS, Labels={"org.opencontainers.image.base.name": "debian:12"}))
    assert (labelled.name, labelled.layers, labelled.how) == ("debian:12", None, "label")


def test_causes_tell_and_can_be_left_out():
    report = api.analyze(image(*LAYERS, history=[BASE, "RUN a", "RUN b"]), base_layers=2)
    assert [(cause.layer, cause.in_base) for cause in report.causes] == [(2, False), (1, True), (0, True)]
    assert report.reclaimable_bytes() == 70
    assert report.without_base().reclaimable_bytes() == 40
    assert report_document(report)["image"]["base"] == {"name": None, "digest": None, "layers": 2, "how": "told"}
