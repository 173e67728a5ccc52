"""Plain values out of YAML, as a YAML library reads them; the rest is refused."""

import pytest

from jaxreact.errors import UserError
from jaxreact.torch_files.yaml_block import block_text, read_block

TEXT = """\
# a comment
---
arch:
  type: Name  # and another
  args:
    size: 5
    other: -12
    rate: 1.0e-05
    half: .5
    yes_or_no: true
    neither: False
    nothing: null
    empty:
    word: a/b_c-1.pth
    quoted: 'true'
    widths:
    - 10
    - 9
    deeper:
      - 1.5
      - x
    flow: [64, 64]
    none_of_it: []
    nested:
      size: 6
      list:
        - - 1
loss:
- size: 7
  strange: !!python/object:os.system &x *y
size: 8
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "x.yaml").write_text(TEXT)
    return tmp_path / "x.yaml"


EXPECTED = {
    "size": 5,
    "other": -12,
    "rate": 1e-5,
    "half": 0.5,
    "yes_or_no": True,
    "neither": False,
    "nothing": None,
    "empty": None,
    "word": "a/b_c-1.pth",
    "quoted": "true",
    "widths": [10, 9],
    "deeper": [1.5, "x"],
    "flow": [64, 64],
    "none_of_it": [],
}


def test_a_block(file):
    assert read_block(file, ("arch", "args")) == EXPECTED
    assert read_block(file, ("arch",)) == {"type": "Name"}
    assert read_block(file, ("arch", "args", "nested"))["size"] == 6
    assert read_block(file, ("elsewhere",)) == {}


def test_the_same_as_a_library_reads():
    yaml = pytest.importorskip("yaml")
    text = TEXT.replace("!!python/object:os.system &x *y", "x")
    theirs = yaml.safe_load(text)["arch"]["args"]
    assert {k: v for k, v in theirs.items() if k != "nested"} | {"rate": 1e-5} == EXPECTED


@pytest.mark.parametrize(
    "line",
    [
        "size: &a 5",
        "size: *a",
        "size: !!int 5",
        "size: {a: 1}",
        "size: |",
        "size: [[1], 2]",
        "size: [1",
        "size: 'a",
        "size: 'a\\'b'",
        "size 5",
        "size: 5\n    - 6",
        "size: 5\n    size: 6",
        "- 5",
    ],
)
def test_more_than_plain_values_are_refused(tmp_path, line):
    path = tmp_path / "x.yaml"
    path.write_text(f"arch:\n  args:\n    {line}\n")
    with pytest.raises(UserError, match=r"x\.yaml: line [34]") as caught:
        read_block(path, ("arch", "args"))
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_block(tmp_path / "x.yaml")
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match="not a readable YAML file"):
        read_block(tmp_path / "x.yaml")


def test_what_is_written_is_read_again(tmp_path):
    values = {
        "size": 5,
        "rate": 1e-5,
        "huge": 1e300,
        "half": -0.5,
        "online": True,
        "nothing": None,
        "word": "a/b_c-1.pth",
        "quoted": "true",
        "path": "/a b/c: d#.pth",
        "number": "12",
        "widths": [64, 64],
        "words": ["x", "y z"],
        "logical": [False, True],
        "it": "it's",
    }
    text = block_text({"arch": {"type": "Name", "args": values}, "loss": {"rate": 2}})
    (tmp_path / "x.yaml").write_text(text)
    assert read_block(tmp_path / "x.yaml", ("arch", "args")) == values
    assert read_block(tmp_path / "x.yaml", ("loss",)) == {"rate": 2}
    library = pytest.importorskip("yaml", reason="to read it as others do")
    assert library.safe_load(text)["arch"]["args"] == values
