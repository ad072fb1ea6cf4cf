from hypothesis import given
from hypothesis import strategies as st
from layerscope.packages.paragraphs import read_fields, read_list


@given(st.lists(st.sampled_from(["/", "\n", "\n/", "a", ".", "/a", " "])).map("".join))
def test_a_list_has_the_paths_that_no_path_inside_follows(content):
    lines = [line[1:] for line in content.split("\n") if line.startswith("/")]
    expected = [
        line for line, behind in zip(lines, [*lines, ""][1:], strict=True) if line != "." and not behind.startswith(f"{line}/")
    ]
    assert read_list(content.encode(), []) == tuple(line.encode() for line in expected)


@given(st.lists(st.sampled_from(["package", "Depends", "Other", ":", " ", "\t", "\n", "\n ", "x"])).map("".join))
def test_fields_are_lines_and_what_is_indented_below_them(content):
    expected, name = {}, None
    for line in content.split("\n"):
        if line[:1] in {" ", "\t"} and line[:1]:
            if name is not None:
                expected[name] += f"\n{line}"
            continue
        word, colon, value = line.partition(":")
        name = word.rstrip(" \t").lower() if colon else None
        if name in {"package", "depends"}:
            expected[name] = value.lstrip(" \t")
        else:
            name = None
    assert read_fields(content.encode()) == {name.encode(): value.encode() for name, value in expected.items()}
