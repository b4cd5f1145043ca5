"""The drawing of a learning curve: whole, safe, the same each time."""

from __future__ import annotations

from xml.etree import ElementTree

from foveal.report.curve import BOTTOM, LEFT, RIGHT, TOP, Band, Measured, draw_bands

NAME = "{http://www.w3.org/2000/svg}"
BAND = Band(
    "<b> & co",
    (Measured(5, 0.5, 0.4, 0.6), Measured(10, 0.6, 0.55, 0.65), Measured(20, 0.65, 0.6, 0.7)),
    ((40, 0.68), (100, 0.72)),
)


def places(element: ElementTree.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in element.attrib["points"].split()]


def test_it_is_one_document_and_the_same_each_time() -> None:
    drawn = draw_bands("Curve", [BAND])
    assert drawn == draw_bands("Curve", [BAND])
    assert ElementTree.fromstring(drawn).tag == f"{NAME}svg"


def test_steps_are_multiplications_and_accuracy_goes_up() -> None:
    root = ElementTree.fromstring(draw_bands("Curve", [BAND]))
    curve, beyond = root.findall(f"{NAME}polyline")
    (a, high), (b, middle), (c, low) = places(curve)
    assert abs((b - a) - (c - b)) < 0.2
    assert high > middle > low
    assert places(beyond)[0] == (c, low)
    assert abs(places(beyond)[-1][0] - RIGHT) < 0.1
    assert "stroke-dasharray" in beyond.attrib


def test_the_band_goes_along_the_upper_bounds_and_back_along_the_lower() -> None:
    root = ElementTree.fromstring(draw_bands("Curve", [BAND]))
    (band,) = root.findall(f"{NAME}polygon")
    found = places(band)
    upper, lower = found[:3], found[:2:-1]
    assert [along for along, _ in upper] == [along for along, _ in lower]
    assert all(high < low for (_, high), (_, low) in zip(upper, lower, strict=True))
    assert all(LEFT <= along <= RIGHT for along, _ in found)
    assert all(TOP <= down <= BOTTOM for _, down in found)


def test_names_are_text_and_the_description_has_the_numbers() -> None:
    drawn = draw_bands("A & B", [BAND])
    assert "<b>" not in drawn
    root = ElementTree.fromstring(drawn)
    assert root.findtext(f"{NAME}title") == "A & B"
    assert root.findtext(f"{NAME}desc") == "<b> & co: 50.0 % with 5, 60.0 % with 10, 65.0 % with 20"


def test_a_single_point_has_a_place() -> None:
    root = ElementTree.fromstring(draw_bands("Curve", [Band("a", (Measured(7, 1.0, 0.9, 1.0),))]))
    (dot,) = root.findall(f"{NAME}circle")
    assert float(dot.attrib["cx"]) == (LEFT + RIGHT) / 2


def test_numbers_below_the_axis_do_not_run_into_each_other() -> None:
    points = tuple(Measured(n, 0.5, 0.4, 0.6) for n in (100, 101, 102, 1000))
    drawn = draw_bands("Curve", [Band("a", points)])
    assert ">100<" in drawn
    assert ">101<" not in drawn
    assert ">1,000<" in drawn
