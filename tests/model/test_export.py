"""A model as ONNX: it answers as the model does, or nothing is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from support.models import CLASSES, light_or_dark, shade, write_shades

from foveal import engines
from foveal.engines.agreement import TOLERANCE
from foveal.engines.portable import Portable
from foveal.errors import DataError, DisagreementError, MachineError
from foveal.model import Model
from foveal.model.export import NUM_RANDOM, export
from foveal.net.notation import parse


def answers(path: Path, pictures: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (made,) = session.run(["probabilities"], {"picture": pictures})
    return made


def convolutional() -> Model:
    net = parse(
        "input uint8 -> resize 12 -> crop 12 -> normalise -> conv 4 3 no bias -> bn -> relu"
        " -> maxpool 2 -> flatten -> dense 3 -> softmax"
    )
    return Model.fresh(net, (3, 12, 12), ("a", "b", "c"), seed=2)


@pytest.mark.parametrize("model", [light_or_dark(), convolutional()])
def test_the_file_answers_as_the_model(model: Model, tmp_path: Path) -> None:
    export(model, tmp_path / "m.onnx")
    size = model.input[1]
    pictures = np.random.default_rng(0).integers(0, 256, (5, size, size, model.input[0]), np.uint8)
    made = answers(tmp_path / "m.onnx", pictures)
    np.testing.assert_allclose(made, model.probabilities(pictures), atol=TOLERANCE)


def test_the_file_takes_pictures_of_any_size(tmp_path: Path) -> None:
    model = light_or_dark()
    export(model, tmp_path / "m.onnx")
    picture = shade(120, size=(33, 50))
    made = answers(tmp_path / "m.onnx", picture[None, :, :, None])
    wanted = list(model.predict(picture).probabilities.values())
    np.testing.assert_allclose(made[0], wanted, atol=1e-3)


def test_classes_and_net_are_in_the_metadata(tmp_path: Path) -> None:
    model = light_or_dark()
    export(model, tmp_path / "m.onnx")
    graph = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(graph, full_check=True)
    facts = {entry.key: entry.value for entry in graph.metadata_props}
    assert json.loads(facts["classes"]) == list(CLASSES)
    assert (facts["foveal"], facts["task"]) == ("model", "classify")
    assert parse(facts["net"]) == model.net


def test_real_pictures_are_compared_too(tmp_path: Path) -> None:
    files = write_shades(tmp_path, 60, 3)
    found = export(light_or_dark(), tmp_path / "m.onnx", files)
    assert [agreement.engines for agreement in found] == [
        ("portable", "reference"),
        ("portable", "pytorch"),
    ]
    assert {agreement.num_inputs for agreement in found} == {NUM_RANDOM + 3}
    assert all(agreement.difference <= agreement.tolerance for agreement in found)


def test_a_picture_that_cannot_be_read_stops_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        export(light_or_dark(), tmp_path / "m.onnx", [tmp_path / "a.png"])
    assert str(caught.value) == f"{tmp_path / 'a.png'}: the file is empty"
    assert not (tmp_path / "m.onnx").exists()


def test_a_file_that_answers_otherwise_is_not_written(tmp_path, monkeypatch) -> None:
    portable = engines.module("portable")
    right = portable.write

    def wrong(program, weights, **options):
        return right(program, {path: array * 0.9 for path, array in weights.items()}, **options)

    monkeypatch.setattr(portable, "write", wrong)
    with pytest.raises(DisagreementError) as caught:
        export(light_or_dark(), tmp_path / "m.onnx")
    first, *rest = str(caught.value).splitlines()
    assert re.fullmatch(
        r"8 pictures: what would be written and the model differ by 2.\de-02", first
    )
    assert rest == [
        "  expected: at most 1e-05",
        "  fix:      do not use this net elsewhere, and please report it",
    ]
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_engines_that_disagree_stop_it(tmp_path, monkeypatch) -> None:
    right = Portable.run
    monkeypatch.setattr(
        Portable, "run", lambda self, x: {k: v * 1.01 for k, v in right(self, x).items()}
    )
    with pytest.raises(DisagreementError) as caught:
        export(light_or_dark(), tmp_path / "m.onnx")
    assert caught.value.headline() == (
        "8 inputs: portable and reference differ by 1.0e-02 of the largest output"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_no_place_to_write(tmp_path: Path) -> None:
    with pytest.raises(MachineError) as caught:
        export(light_or_dark(), tmp_path / "absent" / "m.onnx")
    assert caught.value.headline() == (
        f"{tmp_path / 'absent' / 'm.onnx'}: cannot be saved: No such file or directory"
    )
