from __future__ import annotations

import numpy as np
import pytest

from unstuck.report.pictures.series import smoothed, spread_out, thinned


def test_thinned_keeps_every_spike_and_no_more_than_asked():
    xs = np.arange(100_000.0)
    ys = np.sin(xs / 1000)
    ys[[5, 77_777]] = 50, -50
    thin_x, thin_y = thinned(xs, ys, 600)
    assert len(thin_x) <= 600
    assert (np.diff(thin_x) > 0).all()
    assert {50.0, -50.0} <= set(thin_y)


def test_thinned_leaves_gaps_open():
    ys = np.ones(5000)
    ys[2000:3000] = np.nan
    _, thin = thinned(np.arange(5000.0), ys, 600)
    assert np.isnan(thin).sum() >= 50


def test_smoothed_agrees_with_the_obvious_mean_in_the_middle_and_keeps_a_straight_line():
    rng = np.random.default_rng(0)
    ys = rng.normal(size=200)
    ys[50] = np.nan
    slow = [np.nanmean(ys[i - 10 : i + 11]) for i in range(20, 180) if i != 50]
    fast = np.delete(smoothed(ys, 20)[20:180], 30)
    assert fast == pytest.approx(slow)
    assert np.isnan(smoothed(ys, 20)[50])
    line = np.arange(300.0)
    assert smoothed(line, 6) == pytest.approx(line)


@pytest.mark.parametrize(("count", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (300, 8), (9, 1)])
def test_spread_out_has_both_ends(count, most):
    chosen = spread_out(count, most)
    assert len(chosen) == min(count, most)
    assert len(set(chosen)) == len(chosen)
    if count and most > 1:
        assert (chosen[0], chosen[-1]) == (0, count - 1)
