"""The count model gives probabilities, and those of its formula worked out piece by piece."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from midiaug.counting import CountModel

SEQUENCES = [[0, 1, 2, 1, 2, 3], [0, 1, 2, 2], [0, 3], [0], []]


def flat(sequences):
    tokens = np.array([token for row in sequences for token in row], np.int64)
    return tokens, np.concatenate([[0], np.cumsum([len(row) for row in sequences])])


def reference(context, token, vocabulary, order):
    """Witten and Bell's formula, from the longest context down, with dictionaries."""
    after = defaultdict(Counter)
    for row in SEQUENCES:
        for place in range(1, len(row)):
            for length in range(min(place, order - 1) + 1):
                after[tuple(row[place - length : place])][row[place]] += 1
    likely = 1 / vocabulary
    for length in range(min(len(context), order - 1) + 1):
        seen = after[tuple(context[len(context) - length :])]
        if seen:
            likely = (seen[token] + len(seen) * likely) / (seen.total() + len(seen))
    return likely


@pytest.mark.parametrize("order", [1, 2, 3, 7])
def test_the_probabilities_are_those_of_the_formula_and_add_up_to_one(order):
    model = CountModel.of(*flat(SEQUENCES), vocabulary=5, order=order)
    for context in ([0], [0, 1], [0, 1, 2], [4], [2, 4, 1], [0, 1, 2, 1, 2, 3, 0, 1]):
        nats = model.nats(*flat([[*context, token] for token in range(5)]))
        likely = np.exp(-nats[len(context) :: len(context) + 1])
        assert likely == pytest.approx([reference(context, token, 5, order) for token in range(5)])
        assert likely.sum() == pytest.approx(1)


def test_a_sequence_is_judged_alone_and_its_first_token_costs_nothing():
    model = CountModel.of(*flat(SEQUENCES), vocabulary=5)
    together = model.nats(*flat([[0, 1, 2], [2, 1], [3]]))
    apart = [model.nats(*flat([row])) for row in ([0, 1, 2], [2, 1], [3])]
    assert together == pytest.approx(np.concatenate(apart))
    assert together[[0, 3, 5]].tolist() == [0, 0, 0]
    assert (together[[1, 2, 4]] > 0).all()


def test_what_was_counted_often_costs_little_and_what_never_came_costs_much():
    model = CountModel.of(*flat([[0, 1, 2] * 50]), vocabulary=5)
    known, unknown = model.nats(*flat([[0, 1, 2] * 5])), model.nats(*flat([[4, 3] * 5]))
    assert known[3:].max() < 0.1
    assert unknown[1:].min() > 2
