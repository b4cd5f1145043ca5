"""foveal filter: what it prints, what it writes, and what it never overwrites."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foveal.cli import main
from foveal.cli.filter import PARAMETERS, RULES
from foveal.filtering import RULES as ALL_RULES
from foveal.filtering import apply, given, to_levels
from foveal.net.filters import FILTERS
from foveal.net.kernels import CONSTRAINTS
from foveal.net.notation import parse

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
PATCH = np.array([[0, 157, 0], [155, 164, 159], [0, 157, 0]], np.uint8)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PICTURE).save("photo.png")
    Image.fromarray(PATCH).save("patch.png")
    return tmp_path


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_picture_is_filtered_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("photo.png").read_bytes()
    assert main(["filter", "sobel_x", "photo.png", "-o", "out.png"]) == 0
    made = to_levels(apply(given("sobel_x"), PICTURE), "signed")
    assert capsys.readouterr() == (f"photo.png -> out.png  {made.sentence()}\n", "")
    assert np.array_equal(pixels("out.png"), made.pixels)
    assert Path("photo.png").read_bytes() == before


def test_without_a_name_for_it_the_file_is_called_after_the_filter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["filter", "sharpen", "patch.png"]) == 0
    assert capsys.readouterr().out == (
        "patch.png -> patch-sharpen.png  values -316 … 472; clip: black is 0, white 255, "
        "88.89% beyond\n"
    )
    assert pixels("patch-sharpen.png")[1, 1] == 192


def test_an_existing_file_is_replaced() -> None:
    Path("out.png").write_text("old")
    assert main(["filter", "identity", "photo.png", "-o", "out.png"]) == 0
    assert np.array_equal(pixels("out.png"), PICTURE)


@pytest.mark.parametrize("target", ["photo.png", "link.png", "./photo.png"])
def test_the_picture_is_never_overwritten(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("link.png").symlink_to("photo.png")
    before = Path("photo.png").read_bytes()
    assert main(["filter", "box", "photo.png", "-o", target]) == 2
    assert capsys.readouterr() == (
        "",
        f"SpecError: {Path(target)}: is a picture that is read\n"
        "  fix:      -o another.png, or -o folder/\n",
    )
    assert Path("photo.png").read_bytes() == before


def test_a_folder_keeps_its_folders(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("in/a/1.png", "in/b/1.png"):
        Path(name).parent.mkdir(parents=True)
        Image.fromarray(PICTURE).save(name)
    assert main(["filter", "box", "in", "-o", "out/", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["output"] for line in lines] == [
        str(Path("out/a/1.png")),
        str(Path("out/b/1.png")),
    ]
    assert all(Path(line["output"]).is_file() for line in lines)


def test_one_broken_picture_is_a_finding_and_all_of_them_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bad.png").write_text("no picture")
    assert main(["filter", "box", "bad.png", "photo.png", "-o", "out/", "--json"]) == 1
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == "DataError: bad.png: not a picture of a known format"
    first, second = map(json.loads, out.splitlines())
    assert first == {"file": "bad.png", "error": "not a picture of a known format"}
    assert second["file"] == "photo.png"
    assert main(["filter", "box", "bad.png"]) == 2
    assert not Path("bad-box.png").exists()


def test_json_says_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "sharpen", "patch.png", "--padding", "valid", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": "patch.png",
        "output": "patch-sharpen.png",
        "height": 1,
        "width": 1,
        "filter": "sharpen",
        "net": "depthwise 3 no bias shared init sharpen frozen",
        "range": "clip",
        "low": 192.0,
        "high": 192.0,
        "black": 0.0,
        "white": 255.0,
        "cut": 0,
    }


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_may_be_chosen(rule: str) -> None:
    assert main(["filter", "edges", "photo.png", "-o", "out.png", "--range", rule]) == 0
    assert np.array_equal(pixels("out.png"), to_levels(apply(given("edges"), PICTURE), rule).pixels)


def test_options_are_those_of_the_library() -> None:
    assert tuple(ALL_RULES) == RULES
    assert tuple(CONSTRAINTS) == PARAMETERS


def test_a_kernel_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    kernel = "0 -1 0 / -1 5 -1 / 0 -1 0"
    assert main(["filter", "--kernel", kernel, "photo.png", "--net", "--true"]) == 0
    net, line = capsys.readouterr().out.splitlines()
    assert net == (
        "depthwise 3 same no bias replicate flip shared init 0,-1,0,-1,5,-1,0,-1,0 frozen"
    )
    assert line.startswith("photo.png -> photo-kernel.png  values ")
    made = to_levels(apply(given("sharpen"), PICTURE), "clip").pixels
    assert np.array_equal(pixels("photo-kernel.png"), made)


def test_options_reach_the_net(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "3", "--normalise", "--true", "--padding", "12"]
    assert main(["filter", "box", "--net", *options]) == 0
    net = parse(capsys.readouterr().out)
    ninth = ",".join(["0.1111111111111111"] * 9)
    assert net == parse(
        f"depthwise 3 same no bias fill 12 flip shared unit_sum init {ninth} frozen"
    )


def test_grey_gives_one_channel() -> None:
    assert main(["filter", "box", "photo.png", "-o", "out.png", "--gray"]) == 0
    assert pixels("out.png").shape == (12, 16)


def test_16_bits_are_read_as_everywhere() -> None:
    deep = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    Image.fromarray(deep).save("deep.png")
    assert main(["filter", "identity", "deep.png", "-o", "out.png"]) == 0
    assert pixels("out.png").tolist() == [[0, 1, 128, 255]]


def test_all_filters_make_a_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "all", "photo.png", "-o", "sheet.png", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["filter"] == "all"
    assert [one["filter"] for one in facts["filters"]] == list(FILTERS)
    assert pixels("sheet.png").shape == (facts["height"], facts["width"], 3)
    assert main(["filter", "lines", "photo.png"]) == 0
    assert capsys.readouterr().out == "photo.png -> photo-lines.png  4 filters\n"


def test_nets_of_a_family_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "reliefs", "--net"]) == 0
    assert capsys.readouterr().out == (
        "emboss      depthwise 3 same no bias replicate shared init emboss frozen\n"
        "emboss_135  depthwise 3 same no bias replicate shared init emboss_135 frozen\n"
    )


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "--list"]) == 0
    out = capsys.readouterr().out
    listed, _, rest = out.partition("\n\n")
    assert [line.split()[0] for line in listed.splitlines() if line[0] == " "] == list(FILTERS)
    assert "  sobel_x             3x3   Brighter to the right\n" in listed
    assert rest == (
        "Made to measure: box has --size; gaussian has --size, --sigma; gabor has --size, --sigma, "
        "--wavelength, --angle, --phase\n"
        "The name of a family, or all, makes a contact sheet.\n"
    )


def test_the_list_of_one_has_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "--list", "gaussian"]) == 0
    assert capsys.readouterr().out == (
        "gaussian: Soft mean of 3x3\nBurt & Adelson 1983, doi:10.1109/TCOM.1983.1095851\n"
        "3x3 / 16\n  1 2 1\n  2 4 2\n  1 2 1\n"
    )
    assert main(["filter", "--list", "lines"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "--list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["filters"]
    assert [one["filter"] for one in found] == list(FILTERS)
    assert main(["filter", "--list", "--json", "sharpen"]) == 0
    assert json.loads(capsys.readouterr().out)["filters"] == [
        {
            "filter": "sharpen",
            "family": "sharpeners",
            "about": "Sharper: a pixel against its four",
            "source": "the articles (docs/articles.md)",
            "parameters": [],
            "kernel": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        }
    ]


SMALL = "  fix:      --padding replicate, which fits every picture\n"
HELP = "  help:     foveal filter --help\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], f"UsageError: Missing argument 'NAME'.\n{HELP}"),
        (["box"], f"UsageError: Missing argument 'PICTURES...'.\n{HELP}"),
        (
            ["--kernel", "1", "--size", "3", "photo.png"],
            f"UsageError: --kernel and --size exclude each other\n{HELP}",
        ),
        (
            ["sharpenn", "photo.png"],
            "SpecError: sharpenn: is not a filter\n  fix:      did you mean 'sharpen'?\n",
        ),
        (
            ["photo.png", "box"],
            "SpecError: photo.png: is not a filter\n"
            "  fix:      the filter comes first: foveal filter sharpen photo.png\n",
        ),
        (
            ["--list", "zzz"],
            "SpecError: zzz: is not a filter\n  fix:      foveal filter --list shows them\n",
        ),
        (
            ["blurs", "--sigma", "2", "photo.png"],
            "SpecError: blurs: are several filters, and --sigma is for one\n"
            "  fix:      one of those made to measure: box, gaussian or gabor\n",
        ),
        (["box", "absent.png"], "DataError: absent.png: there is no such file or folder\n"),
        (
            ["gabor", "--padding", "reflect", "patch.png"],
            "DataError: patch.png: the picture is too small: reflect padding of 7:7 needs more "
            f"than 3 positions\n{SMALL}",
        ),
        (
            ["gabor", "--padding", "valid", "patch.png"],
            "DataError: patch.png: the picture is too small: kernel 15x15 does not fit into 3x3\n"
            + SMALL,
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.iterdir())
    assert main(["filter", *arguments]) == 2
    assert capsys.readouterr() == ("", message)
    assert sorted(here.iterdir()) == before


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filter", "box", "photo.png", "-o", "absent/out.png"]) == 3
    first, _, fix = capsys.readouterr().err.splitlines()
    assert first == (
        f"MachineError: {Path('absent/out.png')}: cannot be saved: No such file or directory"
    )
    assert fix == "  fix:      make that folder first"
