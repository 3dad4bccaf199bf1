"""Circuits for parity, and the networks that are trained for it."""

from __future__ import annotations

import numpy as np
import pytest

from unstuck.lab.circuit_training import deep, shallow
from unstuck.lab.circuits import Circuit, cases, counting, shortest_term, terms, tree


def test_cases_are_all_inputs_with_their_parity():
    bits, parity = cases(3)
    assert len({tuple(row) for row in bits}) == 8
    assert parity.tolist() == [row.tolist().count(1.0) % 2 for row in bits]


@pytest.mark.parametrize(
    ("circuit", "bits", "units", "depth"),
    [(terms(5), 5, 17, 2), (counting(5), 5, 6, 2), (tree(2), 2, 3, 2), (tree(8), 8, 21, 6)],
)
def test_a_circuit_is_right_on_all_inputs(circuit, bits, units, depth):
    inputs, parity = cases(bits)
    assert circuit.outputs(inputs).tolist() == parity.tolist()
    assert circuit.outputs(inputs, gain=40.0) == pytest.approx(parity, abs=1e-3)
    assert (circuit.units, circuit.depth) == (units, depth)


def test_outputs_are_those_of_one_unit_after_the_other():
    circuit = Circuit(
        ((np.array([[1.0, -2.0], [0.5, 0.5]]), np.array([0.1, -0.2])), (np.ones((1, 2)), np.array([-1.5])))
    )
    for a, b in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)):
        hidden = (a - 2 * b + 0.1 > 0) + (0.5 * a + 0.5 * b - 0.2 > 0)
        assert circuit.outputs(np.array([[a, b]])).tolist() == [float(hidden - 1.5 > 0)]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_no_term_of_parity_leaves_a_bit_out(n):
    assert shortest_term(n) == n


@pytest.mark.parametrize("n", [0, 1, 6])
def test_a_tree_wants_a_power_of_two(n):
    with pytest.raises(ValueError, match=f"got {n}"):
        tree(n)


def test_one_hidden_unit_never_learns_exclusive_or_and_three_mostly_do():
    alone, three = shallow(2, [1, 3], 8, 300, 0)
    assert alone == 0
    assert three >= 0.5


def test_a_tree_learns_exclusive_or_and_follows_the_seed():
    found = deep(2, 8, 300, 0)
    assert set(found) <= {0.0, 1.0}
    assert found.mean() > 0
    assert deep(4, 3, 5, 1).tolist() == deep(4, 3, 5, 1).tolist()
