"""A model: what it refuses to be, and that it answers the same however it is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.models import (
    CLASSES,
    light_or_dark,
    light_probability,
    shade,
    shades,
    write_shades,
)
from support.runs import run_python

import foveal
from foveal import data
from foveal.errors import DataError, FovealError, ShapeError, SpecError
from foveal.model import Model
from foveal.model.model import BATCH
from foveal.net.notation import parse
from foveal.tasks.classify import Prediction

PICTURE = "input uint8 -> normalise -> flatten -> "


def fresh(text: str, input: tuple[int, ...] = (1, 8, 8), classes: tuple[str, ...] = CLASSES):
    return Model.fresh(parse(text), input, classes)


@pytest.mark.parametrize("level", [0, 90, 128, 255])
def test_the_answer_is_what_the_weights_say(level: int) -> None:
    answer = light_or_dark().predict(np.full((8, 8, 1), level, np.uint8))
    wanted = light_probability(level)
    assert answer.probabilities["light"] == pytest.approx(wanted, abs=1e-6)
    assert answer.probabilities["dark"] == pytest.approx(1 - wanted, abs=1e-6)
    assert answer.label == ("light" if wanted > 0.5 else "dark")
    assert answer.probability == max(answer.probabilities.values())


REFUSED = [
    (
        PICTURE + "dense 2 -> softmax",
        (4, 8, 8),
        CLASSES,
        "input 4x8x8: is no picture\n  expected: 1xHxW or 3xHxW",
    ),
    (
        "flatten -> dense 2 -> softmax",
        (1, 8, 8),
        CLASSES,
        "net: does not lead from bytes to probabilities\n"
        "  expected: input uint8 as its first step, softmax as its last",
    ),
    (
        PICTURE + "dense 2",
        (1, 8, 8),
        CLASSES,
        "net: does not lead from bytes to probabilities\n"
        "  expected: input uint8 as its first step, softmax as its last",
    ),
    (
        PICTURE + "dense 3 -> softmax",
        (1, 8, 8),
        CLASSES,
        "net: does not give one answer for each class\n  arrives:  3\n  expected: 2",
    ),
    (
        PICTURE + "dense 2 -> softmax",
        (1, 8, 8),
        ("a", "a"),
        "classes: are not all different",
    ),
]


@pytest.mark.parametrize(("text", "input", "classes", "sentence"), REFUSED)
def test_a_net_that_is_no_classifier_is_refused(text, input, classes, sentence) -> None:
    with pytest.raises(SpecError) as caught:
        fresh(text, input, classes)
    assert str(caught.value) == sentence


def test_a_file_and_its_array_give_the_same_answer(tmp_path: Path) -> None:
    pixels = shade(100, noise=90, size=(13, 21))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    model = light_or_dark()
    answers = [
        model.predict(picture) for picture in (tmp_path / "a.png", pixels, pixels[..., None])
    ]
    assert answers[0].file == str(tmp_path / "a.png")
    assert [answer.file for answer in answers[1:]] == ["", ""]
    assert answers[0].probabilities == answers[1].probabilities == answers[2].probabilities


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (
            np.zeros((8, 8, 1)),
            "array: is no picture that the model reads\n"
            "  arrives:  float64 8x8x1\n  expected: uint8 HxWx1",
        ),
        (
            np.zeros((8, 8, 3), np.uint8),
            "array: is no picture that the model reads\n"
            "  arrives:  uint8 8x8x3\n  expected: uint8 HxWx1",
        ),
        (
            np.zeros((2, 8, 8, 1), np.uint8),
            "array: is no picture that the model reads\n"
            "  arrives:  uint8 2x8x8x1\n  expected: uint8 HxWx1",
        ),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        light_or_dark().predict(array)
    assert str(caught.value) == sentence


def test_a_picture_that_nothing_resizes_must_have_the_size(tmp_path: Path) -> None:
    (path,) = write_shades(tmp_path, 60, 1)
    model = fresh(PICTURE + "dense 2 -> softmax", (1, 9, 9))
    sentence = (
        "picture: the picture does not fit the net\n  arrives:  1x8x8\n  expected: 1x9x9\n"
        "  fix:      a net that begins with: input uint8 -> resize 9x9"
    )
    with pytest.raises(ShapeError) as caught:
        model.predict(path)
    assert str(caught.value) == sentence
    ((file, error),) = model.predict_all([path])
    assert (file, str(error)) == (str(path), sentence.replace("picture", str(path), 1))


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, 2 * BATCH + 3])
def test_many_at_once_are_the_same_as_one_by_one_and_in_order(count: int, tmp_path: Path) -> None:
    paths = []
    for number in range(count):
        path = tmp_path / f"{number}.png"
        Image.fromarray(shade(number * 3, noise=30, size=(9, 11))).save(path)
        paths.append(path)
    model = light_or_dark()
    answers = list(model.predict_all(iter(paths)))
    assert [answer.file for answer in answers] == [str(path) for path in paths]
    for answer in answers:
        assert isinstance(answer, Prediction)
        alone = model.predict(answer.file)
        assert alone.label == answer.label
        for name, probability in alone.probabilities.items():
            assert answer.probabilities[name] == pytest.approx(probability, abs=1e-6)


def test_a_broken_file_among_good_ones_leaves_the_others(tmp_path: Path) -> None:
    good = write_shades(tmp_path, 60, BATCH + 2)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    files = [good[0], broken, *good[1:], tmp_path / "absent.png"]
    answers = list(light_or_dark().predict_all(files))
    wrong = [place for place, answer in enumerate(answers) if isinstance(answer, tuple)]
    assert wrong == [1, len(files) - 1]
    assert answers[1][0] == str(broken)
    assert str(answers[1][1]).splitlines()[0] == f"{broken}: not a picture of a known format"
    assert str(answers[-1][1]) == (
        f"{tmp_path / 'absent.png'}: cannot be opened: No such file or directory"
    )


def test_an_overflowing_net_gives_an_error_and_no_nan(tmp_path: Path) -> None:
    (path,) = write_shades(tmp_path, 250, 1)
    net = parse("input uint8 -> normalise std 1e-30 -> globalavgpool -> scores: dense 2 -> softmax")
    huge = {"scores.weight": np.full((2, 1), 3e38, np.float32), "scores.bias": np.zeros(2)}
    model = Model(net, (1, 8, 8), huge, CLASSES)
    sentence = (
        f"{path}: the net gives no finite answer\n"
        "  fix:      train again with a smaller learning rate"
    )
    with pytest.raises(FovealError) as caught:
        model.predict(path)
    assert str(caught.value) == sentence
    ((file, error),) = model.predict_all([path])
    assert (file, str(error)) == (str(path), sentence)


def test_a_long_prediction_may_be_left_in_the_middle(tmp_path: Path) -> None:
    answers = light_or_dark().predict_all(write_shades(tmp_path, 60, 3 * BATCH))
    next(answers)
    answers.close()


def test_a_turned_picture_is_predicted_as_the_upright_one(tmp_path: Path) -> None:
    upright = np.zeros((20, 30), np.uint8)
    upright[:, :10] = 255
    turned = Image.fromarray(np.rot90(upright).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(upright).save(tmp_path / "upright.png")
    # Only the left third counts, so that a picture left lying would answer otherwise.
    net = parse(
        "input uint8 -> resize 20x30 -> normalise -> crop 20x2 -> flatten -> dense 2 -> softmax"
    )
    model = Model.fresh(net, (1, 20, 30), CLASSES, seed=3)
    first, second = (model.predict(tmp_path / f"{name}.png") for name in ("upright", "turned"))
    assert first.probabilities == second.probabilities


def test_a_16_bit_picture_is_predicted_as_its_8_bit_twin(tmp_path: Path) -> None:
    pixels = shade(120, noise=100)
    Image.fromarray(pixels).save(tmp_path / "8.png")
    Image.fromarray(pixels.astype(np.uint16) * 257).save(tmp_path / "16.png")
    model = light_or_dark()
    assert (
        model.predict(tmp_path / "8.png").probabilities
        == model.predict(tmp_path / "16.png").probabilities
    )


def test_probabilities_of_no_picture_are_none() -> None:
    made = light_or_dark().probabilities(np.empty((0, 8, 8, 1), np.uint8))
    assert made.shape == (0, 2)


def test_evaluate_takes_a_path_or_a_data_set(tmp_path: Path) -> None:
    root = shades(tmp_path / "photos")
    (root / "dark" / "0.png").replace(root / "light" / "99.png")
    evaluation = light_or_dark().evaluate(root)
    assert (evaluation.n, evaluation.num_right, evaluation.part) == (24, 23, "test")
    assert [wrong.file for wrong in evaluation.wrong] == ["light/99.png"]
    assert light_or_dark().evaluate(data.open(root, validation=0)) == evaluation


def test_the_test_part_is_measured_where_there_is_one(tmp_path: Path) -> None:
    shades(tmp_path / "train")
    shades(tmp_path / "test", each=2)
    assert light_or_dark().evaluate(tmp_path).n == 4


def test_on_its_own_data_a_model_is_measured_on_what_was_kept_aside(tmp_path: Path) -> None:
    root = shades(tmp_path / "photos")
    opened = data.open(root, seed=5)
    about = {"data": {"fingerprint": opened.fingerprint}, "recipe": {"seed": 5}}
    evaluation = light_or_dark(about=about).evaluate(root)
    assert (evaluation.n, evaluation.part) == (len(opened.validation), "validation")
    assert light_or_dark(about={"data": 3, "recipe": []}).evaluate(root).n == 24


def test_scenes_that_were_kept_aside_are_kept_aside_again(tmp_path: Path) -> None:
    root = shades(tmp_path / "photos")
    rule = r"name:(\d)"
    opened = data.open(root, seed=5, group_by=rule)
    known = {"fingerprint": opened.fingerprint, "group_by": rule}
    model = light_or_dark(about={"data": known, "recipe": {"seed": 5}})
    evaluation = model.evaluate(root)
    assert (evaluation.n, evaluation.part) == (len(opened.validation), "validation")
    assert evaluation.n != len(data.open(root, seed=5).validation)
    other = {"fingerprint": opened.fingerprint, "group_by": r"name:(\d+)"}
    with pytest.raises(DataError) as caught:
        light_or_dark(about={"data": other, "recipe": {"seed": 5}}).evaluate(root)
    assert str(caught.value) == (
        f"{root}: the groups of these pictures are others than when the model learned\n"
        "  arrives:  group_by name:(\\d+)\n"
        "  expected: unchanged names, folders, and dates where those were used\n"
        "  fix:      measure on pictures that the model did not learn from"
    )
    for path in root.rglob("*.png"):  # other pictures, of which the rule says nothing
        path.rename(path.with_name(f"x{path.name}"))
    assert (model.evaluate(root).n, model.evaluate(root).part) == (24, "test")


@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_however_it_is_asked_it_is_unsure_below_the_same(threshold: float, tmp_path: Path) -> None:
    path = tmp_path / "dusk.png"
    Image.fromarray(np.full((8, 8), 130, np.uint8)).save(path)
    model = light_or_dark()
    one = model.predict(path, unsure_below=threshold)
    (other,) = model.predict_all([path], unsure_below=threshold)
    assert one.unsure == other.unsure == (threshold == 0.9)
    with pytest.raises(SpecError, match=r"^answer unsure_below: must be a number from 0 to 1"):
        model.predict(path, unsure_below=2)


def test_a_class_that_the_model_does_not_know_is_named(tmp_path: Path) -> None:
    shades(tmp_path)
    write_shades(tmp_path / "grey", 128, 2)
    with pytest.raises(DataError) as caught:
        light_or_dark().evaluate(tmp_path)
    assert str(caught.value) == (
        "the model does not know the class 'grey'\n"
        "  expected: classes among dark, light\n"
        "  fix:      name the folders as they were named when the model was trained"
    )


def test_a_model_knows_more_classes_than_it_is_measured_on(tmp_path: Path) -> None:
    shades(tmp_path)
    net = parse("input uint8 -> resize 8 -> crop 8 -> normalise -> flatten -> dense 3 -> softmax")
    evaluation = Model.fresh(net, (1, 8, 8), ("light", "grey", "dark")).evaluate(tmp_path)
    assert [sum(row) for row in evaluation.confusion] == [12, 0, 12]


def test_saved_and_loaded_by_its_own_verbs(tmp_path: Path) -> None:
    model, path = light_or_dark(), tmp_path / "m.safetensors"
    digest = model.save(str(path))
    assert len(digest) == 64
    loaded = foveal.load(str(path))
    pixels = shade(77)
    assert loaded.predict(pixels) == model.predict(pixels)
    agreements = loaded.export(str(tmp_path / "m.onnx"))
    assert agreements
    assert (tmp_path / "m.onnx").stat().st_size > 0


def test_nothing_heavy_is_needed_to_predict(tmp_path: Path) -> None:
    light_or_dark().save(tmp_path / "m.safetensors")
    (picture,) = write_shades(tmp_path, 60, 1)
    code = (
        "import sys\n"
        "for name in ('torch', 'sklearn', 'matplotlib', 'rich', 'onnx', 'safetensors'):\n"
        "    sys.modules[name] = None\n"
        "import foveal\n"
        "model = foveal.load(sys.argv[1])\n"
        "print(model.predict(sys.argv[2]).label, model.evaluate is not None)\n"
    )
    run = run_python(code, tmp_path / "m.safetensors", picture)
    assert (run.returncode, run.stdout, run.stderr) == (0, "dark True\n", "")


def test_loading_reads_only_what_a_prediction_needs(tmp_path: Path) -> None:
    light_or_dark().save(tmp_path / "m.safetensors")
    (picture,) = write_shades(tmp_path, 60, 1)
    code = (
        "import sys, foveal\n"
        "foveal.load(sys.argv[1]).predict(sys.argv[2])\n"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'rich', 'onnx', 'scipy', 'foveal.zoo',\n"
        "         'foveal.engines.reference', 'foveal.net.arithmetic', 'foveal.data.dataset'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = run_python(code, tmp_path / "m.safetensors", picture)
    assert (run.returncode, run.stdout, run.stderr) == (0, "[]\n", "")
