"""Which row of the history made which layer, and what became of what the others set?"""

from __future__ import annotations

import pytest
from layerscope import api
from layerscope.analysis.base import Base, find_base
from layerscope.analysis.history import SURPLUS, UNTOLD, Effect, assignments, tell_steps

from analysis.make import image

BASE = "/bin/sh -c #(nop) ADD file:" + "0" * 64 + " in / "
A, B = {"a": b"x" * 10}, {"b": b"x" * 20}


def effects(*history, base=None, **config):
    made = image(A, history=["RUN x", *history], **config)
    return [step.effects for step in tell_steps(made, base or Base())][1:]


def test_rows_and_layers_stand_side_by_side():
    steps = tell_steps(image(A, B, history=["#ENV A=b", "RUN a", "#USER x", "RUN b", "#CMD x"]), Base())
    assert [(step.index, step.layer, step.note) for step in steps] == [
        (0, None, None), (1, 0, None), (2, None, None), (3, 1, None), (4, None, None),
    ]  # fmt: skip


@pytest.mark.case("B02", "B03")
def test_rows_too_few_and_too_many():
    steps = tell_steps(image(A, B, history=["RUN a"]), Base())
    assert [(step.index, step.layer, step.note) for step in steps] == [(0, 0, None), (None, 1, UNTOLD)]
    steps = tell_steps(image(A, history=["RUN a", "RUN b", "#CMD x"]), Base())
    assert [(step.index, step.layer, step.note) for step in steps] == [(0, 0, None), (1, None, SURPLUS), (2, None, None)]
    steps = tell_steps(image(A, B, history=["#ENV a"]), Base())
    assert [step.note for step in steps] == [None, UNTOLD, UNTOLD]


def test_what_a_later_row_sets_anew_is_replaced():
    found = effects('#CMD ["a"]', "#ENV A=1 B=2", "#ENV A=3", '#CMD ["b"]', Cmd=["b"], Env=["A=3", "B=2"])
    assert found == [
        (Effect("CMD", "replaced", 4),),
        (Effect("ENV A", "replaced", 3), Effect("ENV B", "in force")),
        (Effect("ENV A", "in force"),),
        (Effect("CMD", "in force"),),
    ]


def test_what_the_config_does_not_have_is_gone():
    assert effects("#USER x", "#LABEL a=b", "#ENV A=b", "#EXPOSE map[80/tcp:{}]", "#VOLUME [/x]") == [
        (Effect(what, "gone"),) for what in ("USER", "LABEL a", "ENV A", "EXPOSE 80/tcp", "VOLUME /x")
    ]


def test_an_entrypoint_takes_the_command_of_the_base_with_it():
    found = effects('#CMD ["a"]', '#ENTRYPOINT ["b"]', Entrypoint=["b"])
    assert found == [(Effect("CMD", "replaced", 2),), (Effect("ENTRYPOINT", "in force"),)]


def test_ports_and_volumes_count_one_by_one():
    found = effects("#EXPOSE 80 53/udp", "#VOLUME [/x /y]", ExposedPorts={"80/tcp": {}}, Volumes={"/y": {}})
    assert found == [
        (Effect("EXPOSE 80", "in force"), Effect("EXPOSE 53/udp", "gone")),
        (Effect("VOLUME /x", "gone"), Effect("VOLUME /y", "in force")),
    ]


def test_arguments_are_for_the_build_only():
    assert effects("#ARG A=b", "#ARG =", "#ONBUILD RUN x") == [
        (Effect("ARG A", "build only"),),
        (Effect("ARG ", "build only"),),
        (),
    ]


@pytest.mark.parametrize(
    ("values", "known", "found"),
    [
        ("A=b", (), [("A", "b")]),
        ("A=b c D=e", (), [("A", "b c D=e")]),
        ("A=b c D=e", ("D",), [("A", "b c"), ("D", "e")]),
        ("A b c", (), [("A", "b c")]),
        ("A=", (), [("A", "")]),
        ("O=-Xa=b -Xc=d", ("Xc",), [("O", "-Xa=b -Xc=d")]),
        ("", (), []),
        ("=", (), [("=", "")]),
        ("a b=c d=e", ("a b", "d"), [("a b", "c"), ("d", "e")]),
        ('"a.b"=c', (), [("a.b", "c")]),
    ],
)
def test_assignments_without_quotes(values, known, found):
    assert assignments(values, known) == found


def test_the_bases_rows():
    made = image(A, B, history=[BASE, '#CMD ["sh"]', "#ENV A=b", "RUN b"])
    assert [step.in_base for step in tell_steps(made, find_base(made))] == [True, True, False, False]
    assert [step.in_base for step in tell_steps(made, find_base(made, 2))] == [True, True, True, True]
    given = image(A, history=[BASE, '#CMD ["sh"]', "#ENV A=b"])
    assert [step.in_base for step in tell_steps(made, find_base(made, given=given))] == [True, True, True, False]
    other = image(A, history=[BASE, '#CMD ["bash"]'])
    assert [step.in_base for step in tell_steps(made, find_base(made, given=other))] == [True, False, False, False]


def test_the_numbers_are_the_reports():
    made = image(A, {"a": b"y" * 5}, history=["RUN a", "RUN b"])
    told = api.history(made)
    assert told.books == api.analyze(made).books
    assert [book.hidden_bytes for book in told.books.layers] == [10, 0]
