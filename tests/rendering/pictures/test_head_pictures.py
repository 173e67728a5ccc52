"""What shows a head model: `units`, `turntable` and the expressions they take."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.rendering import PORTRAIT_ZOOM, load_builtin_head, portrait_zoom, render
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures import units
from jaxreact.rendering.pictures.expression import parse_expression, upright
from jaxreact.rendering.pictures.sheet import MARK, PAGE, Cell, draw_sheet
from jaxreact.rendering.pictures.turntable import Turntable, angles, as_one, turn
from jaxreact.rendering.pictures.units import Units, unit_cells
from tests.rendering.files import plate
from tests.rendering.pictures.test_panels import read

SMALL, MEDIUM = Drawing(size=32), Drawing(size=96)


def picture(value: int) -> np.ndarray:
    return np.full((40, 40, 3), value, np.uint8)


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """Of the built-in head at weight 1."""
    return list(unit_cells(load_builtin_head(), 1.0, MEDIUM))


def test_every_unit_has_its_picture_after_the_face_at_rest(cells, pose):
    assert len(cells) == 53
    assert cells[0].name == "neutral"
    shown = {
        "browDownLeft": pose(browDownLeft=1),
        "tongueOut": pose(tongueOut=1),
        "mouthClose": pose(mouthClose=1, jawOpen=1),
    }
    rest, *expected = render(np.concatenate([pose(), *shown.values()]), size=96, zoom=1.0)
    np.testing.assert_array_equal(cells[0].picture, rest)
    for name, picture in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(cells[1 + INDEX[name]].picture, picture)
    names = [cell.name for cell in cells[1:]]
    names[INDEX["mouthClose"]] = names[INDEX["mouthClose"]].removesuffix(" + jawOpen")
    assert names == list(EXPRESSIONS)


def test_all_units_of_the_builtin_head_are_seen(cells):
    assert [cell.name for cell in cells if cell.remark] == []


def test_units_that_do_nothing_are_named_and_marked(tmp_path, monkeypatch, capsys):
    head = plate(tongueOut=0, jawLeft=0.01)
    monkeypatch.setattr(units.Drawing, "load", lambda self: head)
    out = tmp_path / "new" / "units.png"
    Units(out, drawing=SMALL).run()
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "jawLeft: moves, but nothing is seen",
        "tongueOut: nothing moves",
        str(out),
    ]
    whole = (np.asarray(Image.open(out)) == MARK).all(axis=2).sum()
    monkeypatch.setattr(units.Drawing, "load", lambda self: plate())
    Units(out, drawing=SMALL).run()
    assert capsys.readouterr().out == f"{out}\n"
    assert (np.asarray(Image.open(out)) == MARK).all(axis=2).sum() == 0 < whole


@pytest.mark.parametrize(
    ("needs_jaw", "name"), [(True, "mouthClose + jawOpen"), (False, "mouthClose")]
)
def test_mouth_close_is_shown_with_the_jaw_where_it_needs_it(needs_jaw, name):
    head = replace(plate(mouthClose=0), lips_need_jaw=needs_jaw)
    cell = list(unit_cells(head, 1.0, SMALL))[1 + INDEX["mouthClose"]]
    assert cell.name == name
    assert cell.remark == "nothing moves"  # held against the open jaw, not against the rest


def test_sheet_has_pictures_in_rows_names_below_and_frames_around_the_marked():
    cells = [Cell("one", picture(10)), Cell("two", picture(20)), Cell("three", picture(30), "bad")]
    sheet = draw_sheet(cells, 2, "a title")
    high, wide = sheet.shape[:2]
    places = [np.argwhere((sheet == value).all(axis=2)) for value in (10, 20, 30)]
    (one, two, three) = (place.min(axis=0) for place in places)
    assert one[0] == two[0] < three[0]
    assert one[1] == three[1] < two[1]
    assert len(places[0]) == len(places[1]) == 1600
    assert len(places[2]) < 1600  # the remark stands in it
    below = sheet[one[0] + 41 : one[0] + 60, one[1] : one[1] + 40]
    assert (below < 100).any()
    assert (sheet[three[0] - 1, three[1] : three[1] + 40] == MARK).all()
    assert (sheet[one[0] - 1, one[1] : one[1] + 40] == PAGE).all()
    assert (sheet[: one[0]] < 100).any()
    assert high > three[0] + 40
    assert wide > two[1] + 40


def test_long_names_keep_to_their_picture():
    cells = [Cell("a" * 40, picture(10)), Cell("", picture(10))]
    sheet = draw_sheet(cells, 2, "")
    second = sheet[:, sheet.shape[1] // 2 + 4 :]
    assert set(np.unique(second)) <= {10, *PAGE}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": float("nan")}, "--weight"),
        ({"weight": 9.0}, "--weight"),
        ({"columns": 0}, "--columns 0"),
        ({"columns": 60}, "--columns 60"),
        ({"out": "sheet.jpg"}, "png"),
    ],
)
def test_units_refuses_and_writes_nothing(tmp_path, change: dict, message: str):
    out = tmp_path / change.pop("out", "units.png")
    with pytest.raises(UserError, match=message):
        Units(out, drawing=SMALL, **change).run()
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_a_side_sets_both():
    weights = parse_expression(" mouthSmile=0.8, jawOpen = .3,browDownLeft=1,")
    expected = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "jawOpen": 0.3, "browDownLeft": 1}
    found = {name: weights[INDEX[name]] for name in EXPRESSIONS if weights[INDEX[name]]}
    assert found == pytest.approx(expected)
    assert not parse_expression("").any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mouthSmlie=1", "did you mean mouthSmile"),
        ("smile=1", "did you mean mouthSmileLeft or mouthSmileRight"),
        ("xyz=1", "'xyz' is no unit"),
        ("jawOpen", "'jawOpen'"),
        ("jawOpen=wide", "'jawOpen=wide'"),
        ("jawOpen=nan", "'jawOpen=nan'"),
        ("=1", "no unit"),
    ],
)
def test_expressions_that_are_none_are_named(text, message):
    with pytest.raises(UserError, match=message) as caught:
        parse_expression(text)
    assert "\n" not in str(caught.value)


def test_a_head_without_shoulders_fills_the_picture():
    assert portrait_zoom(load_builtin_head()) == PORTRAIT_ZOOM
    assert portrait_zoom(plate()) == 1


def test_a_turn_goes_round_once_without_a_seam():
    found = angles(8)
    np.testing.assert_allclose(np.diff(found), 2 * np.pi / 8)
    assert found[0] == 0
    swung = np.rad2deg(angles(8, 30.0))
    assert swung.max() == pytest.approx(30)
    assert swung.min() == pytest.approx(-30)


def test_the_whole_mesh_turns_about_its_own_middle():
    head = as_one(load_builtin_head())
    z = head.neutral[:, 2]
    start, *others = np.asarray(head.vertices(turn(head, angles(5))))
    np.testing.assert_allclose(start, np.asarray(head.vertices(upright(1)))[0], atol=1e-5)
    middle = np.array([0, 0, 1.84 - (z.min() + z.max()) / 2])
    radius = np.linalg.norm((start - middle)[:, [0, 2]], axis=1)
    for turned in others:
        np.testing.assert_allclose(turned[:, 1], start[:, 1], atol=1e-5)
        np.testing.assert_allclose(
            np.linalg.norm((turned - middle)[:, [0, 2]], axis=1), radius, atol=1e-4
        )
    nose = start[:, 2].argmax()
    assert others[0][nose, 0] > 0.2  # to image right at first


def test_turntable_begins_with_the_expression_seen_from_the_front(tmp_path, pose, capsys):
    out = tmp_path / "turn.mp4"
    Turntable(out, "jawOpen=1", seconds=0.4, drawing=Drawing(size=64)).run()
    pictures, codecs = read(out)
    assert pictures.shape == (10, 64, 64, 3)
    assert codecs == ["h264"]
    front = render(
        pose(jawOpen=1), as_one(load_builtin_head()), size=64, zoom=0.88 * PORTRAIT_ZOOM
    )[0]
    assert np.abs(pictures[0] - front.astype(int)).mean() < 6
    face, back = pictures[0, 24, 32], pictures[5, 24, 32]
    assert face[0] > 150
    assert back[0] < 110  # hair
    assert capsys.readouterr().out == f"{out}\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": 0.0}, "--seconds 0"),
        ({"seconds": float("nan")}, "--seconds"),
        ({"swing": 0.0}, "--swing 0"),
        ({"swing": 200.0}, "--swing 200"),
        ({"expression": "smile"}, "--expression"),
        ({"out": "turn.gif"}, "mp4"),
    ],
)
def test_turntable_refuses_and_writes_nothing(tmp_path, change: dict, message: str):
    out = tmp_path / change.pop("out", "turn.mp4")
    with pytest.raises(UserError, match=message):
        Turntable(out, drawing=SMALL, **change).run()
    assert list(tmp_path.iterdir()) == []
