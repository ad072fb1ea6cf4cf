"""What lies in the base image is told apart."""

from __future__ import annotations

from build import File
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
    share = report.base_share()
    assert (share.layers, share.content_bytes, share.reclaimable_bytes) == (2, 30, 30)
    assert share.pull_bytes == sum(row.pull_bytes for row in report.books.layers[:2])
    assert report.without_base().base_share() == share
    assert report_document(report)["image"]["base"] == {"name": None, "digest": None, "layers": 2, "how": "told"}


def test_what_a_security_review_is_told_of_the_base_can_be_left_out():
    trees = ({"bin/su": File(b"s", mode=0o4755)}, {"bin/my": File(b"m", mode=0o4755)})
    report = api.analyze(image(*trees, history=[BASE, "RUN a"]))
    assert [one.path for one in report.exposures if one.id == "setuid-file"] == [b"bin/su", b"bin/my"]
    left = report.without_base()
    assert [one.path for one in left.exposures if one.id == "setuid-file"] == [b"bin/my"]
    assert [one.path for one in left.aside.exposures] == [b"bin/su"]
    assert report_document(left)["base_share"] | {"pull_bytes": 0} == {
        "layers": 1, "content_bytes": 1, "pull_bytes": 0, "reclaimable_bytes": 0, "causes": 0, "security": 1, "left_out": True,
    }  # fmt: skip


def test_without_a_base_nothing_is_left_out():
    report = api.analyze(image(*LAYERS))
    assert report.base_share() is None
    assert report.without_base() is report
    assert report_document(report)["base_share"] is None
