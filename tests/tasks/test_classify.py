import json
from math import isclose, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from foveal.checks import Real
from foveal.errors import DataError, FovealError, SpecError
from foveal.tasks import TASKS, find_task
from foveal.tasks.classify import (
    BINS,
    NAME,
    UNSURE_BELOW,
    Sure,
    calibration_error,
    decode,
    evaluate,
    wilson_interval,
)


def answers(num_classes=5, count=400, dtype=np.float64):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, num_classes, count)
    scores = rng.normal(size=(count, num_classes))
    scores[np.arange(count), labels] += 1.0
    powers = np.exp(scores)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(dtype), labels


def evaluated(probabilities, labels, num_classes=None, part="test"):
    classes = [f"class {i}" for i in range(num_classes or probabilities.shape[1])]
    names = [f"{i}.png" for i in range(len(labels))]
    return evaluate(probabilities, labels, names, classes, part)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_equal_those_of_scikit_learn(dtype):
    probabilities, labels = answers(dtype=dtype)
    result = evaluated(probabilities, labels)
    named = probabilities.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(labels, named)
    assert result.accuracy == metrics.accuracy_score(labels, named)
    assert isclose(result.loss, metrics.log_loss(labels, probabilities), rel_tol=1e-6)
    assert np.array_equal(result.confusion, metrics.confusion_matrix(labels, named))
    assert np.allclose([score.precision for score in result.per_class], precision, rtol=1e-12)
    assert np.allclose([score.recall for score in result.per_class], recall, rtol=1e-12)
    assert np.allclose([score.f1 for score in result.per_class], f1, rtol=1e-12)
    assert [score.support for score in result.per_class] == support.tolist()


def test_a_share_that_would_divide_by_zero_is_none_where_scikit_learn_says_nan():
    probabilities = np.array([[0.8, 0.1, 0.1, 0.0], [0.7, 0.2, 0.1, 0.0], [0.1, 0.2, 0.7, 0.0]])
    labels = np.array([0, 1, 0])
    result = evaluated(probabilities, labels)
    expected = metrics.precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(4), zero_division=np.nan
    )
    for position, field in enumerate(("precision", "recall", "f1")):
        ours = [getattr(score, field) for score in result.per_class]
        assert np.array_equal(np.array(ours, dtype=float), expected[position], equal_nan=True)
    assert result.per_class[3].recall is None
    assert result.per_class[3].f1 is None


def test_the_baseline_is_the_biggest_class_of_the_part():
    labels = np.array([2, 2, 2, 1, 0])
    result = evaluated(np.eye(3)[labels], labels)
    assert (result.baseline.name, result.baseline.accuracy) == ("class 2", 0.6)


def test_wrong_answers_come_most_confident_first_and_equal_ones_in_their_order():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    result = evaluated(probabilities, np.array([1, 1, 1, 1, 0]))
    assert [wrong.file for wrong in result.wrong] == ["1.png", "4.png", "0.png", "3.png"]
    first = result.wrong[0]
    assert (first.truth, first.answer) == ("class 1", "class 0")
    assert (first.probability, first.probability_of_truth) == (0.9, 0.1)
    assert result.num_right == 1


def test_many_equally_confident_mistakes_keep_their_order():
    probabilities = np.tile([0.75, 0.25], (200, 1))
    probabilities[::3] = [0.5, 0.5]
    files = [wrong.file for wrong in evaluated(probabilities, np.ones(200, dtype=int)).wrong]
    surer = [f"{i}.png" for i in range(200) if i % 3]
    assert files == surer + [f"{i}.png" for i in range(0, 200, 3)]


def test_of_equal_probabilities_the_first_class_is_the_answer():
    assert evaluated(np.full((1, 4), 0.25), np.array([0])).accuracy == 1.0


def test_a_truth_held_impossible_costs_a_finite_loss():
    sure = np.array([[1.0, 0.0]], dtype=np.float32)
    result = evaluated(sure, np.array([1]))
    assert isclose(result.loss, -log(np.finfo(np.float32).eps), rel_tol=1e-6)


def test_guessing_costs_the_logarithm_of_the_number_of_classes():
    probabilities = np.full((7, 10), 0.1)
    assert isclose(evaluated(probabilities, np.arange(7)).loss, log(10), rel_tol=1e-12)


def test_an_evaluation_goes_through_json():
    probabilities, labels = answers(count=20)
    document = evaluated(probabilities, labels, part="validation").to_json()
    read = json.loads(json.dumps(document, allow_nan=False))
    assert read["part"] == "validation"
    assert read["n"] == 20
    assert len(read["confusion"]) == 5
    assert set(read["wrong"][0]) == {
        "file",
        "truth",
        "answer",
        "probability",
        "probability_of_truth",
    }


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_between_none_and_all(case):
    right, count = case
    low, high = wilson_interval(right, count)
    assert 0 <= low <= right / count <= high <= 1
    assert high > low


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_the_interval_is_the_published_one(right, count, low, high):
    assert np.allclose(wilson_interval(right, count), (low, high), atol=5e-5)


def test_every_task_is_found_under_its_name():
    assert [find_task(name).NAME for name in TASKS] == list(TASKS)
    assert NAME in TASKS


def test_an_unknown_task_is_refused():
    with pytest.raises(SpecError) as caught:
        find_task("clasify")
    assert str(caught.value) == (
        "task: there is no task 'clasify'\n  fix:      did you mean 'classify'?"
    )


def test_an_unknown_part_is_refused():
    with pytest.raises(SpecError) as caught:
        evaluated(np.eye(2), np.arange(2), part="train")
    assert str(caught.value) == ("part: there is no part 'train'\n  expected: test or validation")


def test_nothing_to_evaluate_is_refused():
    with pytest.raises(DataError) as caught:
        evaluated(np.empty((0, 2)), np.empty(0, dtype=int))
    assert str(caught.value) == "the test part: there is no picture to evaluate"


def test_answers_that_do_not_fit_are_refused():
    with pytest.raises(SpecError) as caught:
        evaluated(np.eye(3), np.arange(3), num_classes=2)
    assert str(caught.value) == (
        "the answers do not fit the pictures and classes\n"
        "  arrives:  probabilities 3x3, 3 labels\n"
        "  expected: probabilities 3x2, 3 labels"
    )


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_is_refused(label):
    with pytest.raises(DataError) as caught:
        evaluated(np.eye(3), np.array([0, label, 2]))
    assert str(caught.value) == f"1.png: label {label} is no class\n  expected: 0 to 2"


def test_a_net_that_answers_nan_is_refused():
    probabilities = np.eye(3)
    probabilities[1:, 0] = np.nan
    with pytest.raises(FovealError) as caught:
        evaluated(probabilities, np.arange(3))
    assert str(caught.value) == (
        "1.png: the net gives no finite answer for 2 of 3 pictures\n"
        "  fix:      train again with a smaller learning rate"
    )


def test_the_calibration_error_compares_probabilities_with_what_came_true():
    right = np.array([True, False, True, True, False, False])
    assert calibration_error(np.array([0.9, 0.9, 0.9, 0.9, 0.25, 0.25]), right) == pytest.approx(
        (4 * abs(0.9 - 0.75) + 2 * abs(0.25 - 0)) / 6
    )
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0
    assert calibration_error(np.full(4, 0.0), np.ones(4, bool)) == 1
    edge = 5 / BINS  # belongs to the bin that it closes
    apart = calibration_error(np.array([edge, edge + 0.01]), np.array([True, False]))
    assert apart == pytest.approx((1 - edge + edge + 0.01) / 2)


def test_what_is_sure_is_counted():
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.5, 0.5]])
    labels, names, classes = np.array([0, 1, 1, 0]), list("abcd"), ["x", "y"]
    for threshold, n, right in ((0.5, 4, 3), (0.6, 3, 2), (0.61, 2, 2), (1, 0, 0)):
        found = evaluate(probabilities, labels, names, classes, "test", unsure_below=threshold)
        assert found.sure == Sure(threshold, n, right)
    assert evaluate(probabilities, labels, names, classes, "test").sure.threshold == UNSURE_BELOW


@pytest.mark.parametrize("threshold", Real(0, 1).bad_values())
def test_a_threshold_is_a_probability(threshold):
    with pytest.raises(SpecError) as caught:
        evaluate(np.eye(2), np.arange(2), ["a", "b"], ["x", "y"], "test", unsure_below=threshold)
    assert str(caught.value) == (
        f"answer unsure_below: must be a number from 0 to 1, not {threshold!r}"
    )


def test_an_answer_below_the_threshold_is_unsure():
    probabilities = np.array([[0.4, 0.35, 0.25], [0.5, 0.25, 0.25]])
    for threshold, unsure in ((UNSURE_BELOW, [True, False]), (0.6, [True, True]), (0, [False] * 2)):
        answers = decode(probabilities, ["a", "b"], ["x", "y", "z"], unsure_below=threshold)
        assert [answer.unsure for answer in answers] == unsure
