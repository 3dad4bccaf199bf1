"""Fahlman's 10-5-10 encoder: Quickprop needs a fraction of the epochs of back-propagation.

``python -m benchmarks.encoder`` has the whole table.
"""

from __future__ import annotations

from benchmarks.encoder import with_descent, with_quickprop


def test_quickprop_learns_the_encoder_in_a_fifth_of_the_epochs_of_back_propagation():
    fast = with_quickprop(2.0, seeds=10, limit=60)
    slow = with_descent(2.0, offset=0.0, seeds=10, limit=150)  # its best rate; the limit is in its favour
    assert (fast < 60).all()
    assert 12 <= fast.float().mean() <= 20
    assert slow.float().mean() >= 5 * fast.float().mean()
