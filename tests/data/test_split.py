"""The split: every class in both parts, and always the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foveal.data.split import stratified

LABELS = st.lists(st.integers(0, 5), max_size=60).map(lambda values: np.array(values, np.int64))


def names(count: int) -> list[str]:
    return [f"picture {number}" for number in range(count)]


@given(LABELS, st.floats(0, 0.999), st.integers(0, 10**6))
def test_each_class_is_split_by_the_share_and_keeps_one(
    labels: np.ndarray, share: float, seed: int
) -> None:
    train, validation = stratified(labels, names(len(labels)), share, seed)
    assert sorted([*train, *validation]) == list(range(len(labels)))
    assert list(train) == sorted(train)
    assert list(validation) == sorted(validation)
    for label in set(labels.tolist()):
        count = int((labels == label).sum())
        taken = int((labels[validation] == label).sum())
        assert taken < count
        if share > 0 and count >= 2:
            assert taken == min(max(round(count * share), 1), count - 1)
        else:
            assert taken == 0


def test_the_split_of_a_seed_never_changes() -> None:
    labels = np.arange(20) % 2
    first = stratified(labels, names(20), 0.2, 0)[1].tolist()
    assert first == stratified(labels, names(20), 0.2, 0)[1].tolist()
    assert first == [0, 3, 9, 16]
    assert first != stratified(labels, names(20), 0.2, 1)[1].tolist()


def test_the_order_of_the_files_does_not_matter() -> None:
    labels, named = np.arange(30) % 3, names(30)
    chosen = {named[place] for place in stratified(labels, named, 0.2, 7)[1]}
    order = np.random.default_rng(0).permutation(30)
    moved = [named[place] for place in order]
    again = {moved[place] for place in stratified(labels[order], moved, 0.2, 7)[1]}
    assert chosen == again
