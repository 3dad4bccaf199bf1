"""Fahlman's procedure in plain NumPy, one trial at a time: slow and obvious, to compare the engine with.

After his public-domain program of 11/90. Sigmoids and targets are from -1/2 to 1/2; candidates' mean value is that of
the same epoch, as in the paper.
"""

from __future__ import annotations

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z)) - 0.5


def quickprop(weights, steps, before, slopes, rate, decay, mu):
    """Return new weights, and what becomes steps and before."""
    s, p, d = slopes + decay * weights, before, steps
    shrink = mu / (1 + mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        parabola = d * s / (p - s)
    down = np.where(s > 0, -rate * s, 0) + np.where(s >= shrink * p, mu * d, parabola)
    up = np.where(s < 0, -rate * s, 0) + np.where(s <= shrink * p, mu * d, parabola)
    step = np.where(d < 0, down, np.where(d > 0, up, -rate * s))
    return weights + step, step, s


def cascade(inputs, targets, settings, generator, trace=None):
    """Return hidden weights, output weights, epochs, and whether all is right.

    ``inputs`` ``[n, i]``, ``targets`` ``[n, o]`` at +-1/2. ``trace`` gets start and end of each phase.
    """
    n, outputs = targets.shape
    values = np.hstack([np.ones((n, 1)), inputs])
    weights = generator.uniform(-settings.weight_range, settings.weight_range, (outputs, values.shape[1])).T
    steps, before = np.zeros_like(weights), np.zeros_like(weights)
    hidden, epochs = [], 0
    while True:
        start, began = (weights, steps, before), epochs
        last, quit_epoch = None, epochs + settings.output_patience
        for _ in range(settings.output_epochs):
            out = sigmoid(values @ weights)
            difference = out - targets
            error = difference * (settings.offset + 0.25 - out**2)
            if (np.abs(difference) < settings.threshold).all():
                return hidden, weights.T, epochs, True
            true_error = (difference**2).sum()
            slopes = values.T @ error
            weights, steps, before = quickprop(
                weights, steps, before, slopes, settings.output_rate / n, settings.output_decay, settings.mu
            )
            epochs += 1
            if last is None:
                last = true_error
            elif abs(true_error - last) > last * settings.output_change:
                last, quit_epoch = true_error, epochs + settings.output_patience
            elif epochs >= quit_epoch:
                break
        if trace is not None:
            trace.append(("outputs", values, start, (weights, steps, before, error, epochs - began)))
        if len(hidden) == settings.max_hidden:
            return hidden, weights.T, epochs, False

        units = values.shape[1]
        pool = generator.uniform(-settings.weight_range, settings.weight_range, (settings.candidates, units)).T
        first, began = pool, epochs
        pool_steps, pool_before = np.zeros_like(pool), np.zeros_like(pool)
        mean, squares = error.mean(0), (error**2).sum()
        cor = sigmoid(values @ pool).T @ (error - mean) / squares
        epochs += 1
        last, quit_epoch = None, settings.candidate_epochs
        for i in range(settings.candidate_epochs):
            out = sigmoid(values @ pool)
            push = (error - mean) / squares @ np.where(cor < 0, -1, 1).T
            slopes = -values.T @ ((0.25 - out**2) * push)
            cor = out.T @ (error - mean) / squares
            rate = settings.candidate_rate / (n * units)
            pool, pool_steps, pool_before = quickprop(
                pool, pool_steps, pool_before, slopes, rate, settings.candidate_decay, settings.mu
            )
            scores = np.abs(cor).sum(1)
            score = scores.max()
            epochs += 1
            if last is None:
                last = score
            elif abs(score - last) > last * settings.candidate_change:
                last, quit_epoch = score, i + settings.candidate_patience
            elif i >= quit_epoch:
                break
        best = scores.argmax()
        hidden.append(pool[:, best])
        if trace is not None:
            trace.append(("candidates", values, (first, error), (pool[:, best], cor[best], epochs - began)))
        values = np.hstack([values, sigmoid(values @ pool[:, best])[:, None]])
        weights = np.vstack([weights, -cor[best]])
        steps, before = (np.vstack([a, np.zeros((1, outputs))]) for a in (steps, before))
