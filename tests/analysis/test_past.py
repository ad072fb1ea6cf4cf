"""What happened to a path, layer after layer?"""

from __future__ import annotations

import json

from build import Hardlink, layer, tar, whiteout
from layerscope import api
from layerscope.render.options import Options
from layerscope.render.why import WHY_FORMATS

from analysis.make import dpkg, image


def events(made, subject):
    """Return layer, event and bytes of each thing that happened."""
    told = json.loads(WHY_FORMATS["json"](made, api.why(made, subject), Options()))
    return told["layer"], told["owner"], [(event["layer"], event["event"], event["bytes"]) for event in told["history"]]


def test_a_layer_that_is_listed_again_puts_a_path_again():
    twice = layer({"etc/a": b"a" * 300, "etc/b": Hardlink("etc/a")} | dpkg(("pkg", "", "", {"etc/a": b"a" * 300})))
    made = image(twice, tar(whiteout("etc/a")), twice)
    told = [(0, "added", 300), (1, "deleted", None), (2, "added", 300)]
    assert events(made, "/etc/a") == (2, "pkg", told)
    assert events(image(twice, {"c": b"c"}, twice, tar(whiteout("etc"))), "/etc/a")[2] == [
        (0, "added", 300),
        (2, "replaced", None),
        (2, "added", 300),
        (3, "deleted", None),
    ]
    text = WHY_FORMATS["text"](made, api.why(made, "/etc/b"), Options())
    assert text.count("the same file as /etc/a") == 1


def test_a_name_goes_while_its_file_stays():
    made = image({"a": b"a" * 300, "b": Hardlink("a")}, tar(whiteout("a")))
    assert events(made, "/a")[2] == [(0, "added", 300), (1, "deleted", None)]
    assert json.loads(WHY_FORMATS["json"](made, api.why(made, "/a"), Options()))["state"] == "deleted"
    assert events(made, "/b")[2] == [(0, "added", 0)]
