import re
from math import nan
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foveal.report.svg import MARKED, SHADES, Series, count_map, line_chart, share_scale, ticks
from foveal.report.words import number


def chart(*values, unit="", within=None):
    points = tuple(enumerate(values, start=1))
    return line_chart("k", "Loss", [Series("training", "train", points)], number, unit, within)


def labels(drawing):
    return [element.text for element in ElementTree.fromstring(drawing).iter("text")]


def coordinates(drawing):
    runs = [line.get("points") for line in ElementTree.fromstring(drawing).iter("polyline")]
    return [[tuple(map(float, p.split(","))) for p in run.split()] for run in runs]


finite = st.floats(-1e6, 1e6, allow_nan=False)


@given(finite, finite)
def test_ticks_are_few_round_and_span_what_is_drawn(one, other):
    low, high = sorted((one, other))
    marks = ticks(low, high)
    slack = 1e-6 * max(1e-9, marks[-1] - marks[0])
    assert 2 <= len(marks) <= 8
    assert marks[0] <= low + slack
    assert marks[-1] >= high - slack
    assert marks == sorted(set(marks))


def test_one_epoch_is_a_dot_and_five_hundred_a_line():
    one = ElementTree.fromstring(chart(0.5))
    assert len(list(one.iter("circle"))) == 1
    many = ElementTree.fromstring(chart(*(1 / i for i in range(1, 501))))
    assert len(list(many.iter("circle"))) == 1
    assert len(list(many.iter("text"))) < 20
    few = ElementTree.fromstring(chart(*[1.0] * MARKED))
    assert len(list(few.iter("circle"))) == MARKED


@pytest.mark.parametrize(
    "values", [(0.0,), (0.0, 0.0), (5.0, 5.0), (-1.0, 2.0), (1e-9, 2e-9), (1e9, 1.0), (2.3, 0.01)]
)
def test_every_curve_stays_inside_its_frame(values):
    for across, down in (point for run in coordinates(chart(*values)) for point in run):
        assert 54 <= across <= 466
        assert 44 <= down <= 246


def test_smaller_values_are_drawn_lower_and_later_ones_further_right():
    ((first, second),) = coordinates(chart(2.0, 1.0))
    assert first[0] < second[0]
    assert first[1] < second[1]


def test_a_value_that_is_missing_or_not_finite_is_a_gap():
    for gap in (None, nan, float("inf")):
        assert [len(run) for run in coordinates(chart(3.0, 2.0, gap, 1.0))] == [2, 1]


def test_nothing_measured_is_said():
    assert chart(None, nan) == '<p class="none">Loss: nothing was measured.</p>'


def test_the_first_and_last_epoch_are_labelled_and_numbers_carry_their_unit():
    shown = labels(chart(*range(80, 100), unit="%", within=(0, 100)))
    assert {"1", "20", "80%", "100%", "epoch", "training"} <= set(shown)
    assert "120%" not in shown


def test_the_drawing_says_what_it_shows():
    drawing = ElementTree.fromstring(chart(2.0, 0.25))
    assert drawing.get("role") == "img"
    assert drawing.find("title").text == "Loss"
    assert drawing.find("desc").text == "training: from 2.00 at epoch 1 to 0.25 at epoch 2"


@pytest.mark.parametrize(("share", "baseline"), [(0.0, 0.0), (1.0, 1.0), (0.5, 0.9)])
def test_the_scale_marks_result_and_baseline(share, baseline):
    drawing = ElementTree.fromstring(share_scale("s", share, (share, share), baseline, "said"))
    (dot,) = drawing.iter("circle")
    assert float(dot.get("cx")) == 10 + share * 580
    (mark,) = (path for path in drawing.iter("path") if path.get("class") == "base")
    assert mark.get("d").startswith(f"M{10 + baseline * 580} ")


def test_the_map_has_a_square_per_pair_that_happened_shaded_by_its_share_of_the_row():
    drawing = count_map("m", [[9, 1, 0], [0, 0, 0], [4, 0, 4]], "said")
    squares = dict(re.findall(r'<path class="(\w+ shade\d)" d="([^"]+)"', drawing))
    assert squares == {
        f"right shade{SHADES}": "M0 0h1v1h-1z",
        "wrong shade1": "M1 0h1v1h-1z",
        f"wrong shade{SHADES // 2}": "M0 2h1v1h-1z",
        f"right shade{SHADES // 2}": "M2 2h1v1h-1z",
    }
