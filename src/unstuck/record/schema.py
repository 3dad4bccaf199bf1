"""The run folder's format, version 1: what each line of ``rank<N>.jsonl`` holds.

A line is one JSON object with a ``kind``. Numbers that JSON cannot hold are the strings ``"NaN"``, ``"Infinity"`` and
``"-Infinity"``. Unknown kinds and keys are skipped by readers, so a later version may add some.

``start``      pid, rank, world_size, torch, device, threads, time (UTC, ISO 8601)
``layers``     layers: list of {name, type, kind, shape, units, activation, parameters, file, line}, in forward order
``optimizer``  optimizer (index), class, parameters (tensors), elements, groups (hyper-parameters), file, line,
               step_file, step_line (where ``step()`` was called)
``pulse``      optimizer, and the columns step, time, loss, lr, grad_norm, clipped_norm, wait (equal lengths, null where
               nothing was seen). ``time`` is seconds since ``start``; a row may stand for ``every`` steps (their mean)
``probe``      optimizer, step, time, cost (seconds), replay {ok, why, error, backwards, batch}, m (measurements by
               name), failed (measurement -> reason)
``event``      name, step, plus free keys: ``first_step``, ``not_finite``, ``evaluation``, ...
``error``      where, step, traceback: a fault of unstuck itself; that probe is off from there on
``overhead``   seconds, fraction: cumulative, the last line counts
``end``        reason (``exit``, ``exception``), exception (type and message), steps, time
"""

from __future__ import annotations

VERSION = 1
PULSE_COLUMNS = ("step", "time", "loss", "lr", "grad_norm", "clipped_norm", "wait")

# What ``m`` of a probe holds (each entry is there where it could be measured; ``failed`` says why where it could not):
#
# loss          float: the replayed loss of this step's batch
# layers        {layer name: {
#                 delta         norm of the mean gradient with respect to the pre-activation (= the bias gradient)
#                 delta_units   list of at most 64 numbers: each unit's part of delta, absolute
#                 weight, grad, update   norms of the layer's parameters, their gradient, their change in this step
#                 update_ratio  update / weight
#                 slope         root mean square slope of the activation, as a share of its largest slope
#                 slope_factor, weight_factor   how much the activation, the weights, shrink or grow the backward signal
#                 saturated     share of activations that are flat (None where the activation cannot saturate)
#                 dead          share of units that give 0 for every example of the batch (None unless a rectifier)
#                 pre_mean, pre_std, spread     of the pre-activations; spread: over examples, RMS over units
#               }} in forward order
# sharpness     {largest, limit, ratio, preconditioned, rule, residual, products}
# curvature     {largest, smallest, along_gradient, gradient_norm, residual, products, raw_smallest}: the spectrum's
#               ends of the Hessian of the objective with decay; raw_smallest without it
# held_out      {curvature}: this batch's curvature along the direction of smallest of an earlier probe
# along_update  {slope, curvature, optimum, loss_before, loss_after, scales, losses}: loss along the actual update on
#               the same batch; optimum: best multiple of the step by the quadratic; losses: at the multiples scales
# baseline      {loss_kind, constant, classes, counts}: loss of the best constant prediction
# inputs        {mean, std, min, max, feature_std_min, feature_std_max, offset, features}
# decay         per layer {pull, push}: rate of shrinkage by decay, rate of growth by the gradient
# leak          {leaks, largest, example, norms, examples, file, line}: does an output depend on another example's input
# overfit       {start, end, constant, lowest, steps, rate, gained, fitted, still_falling, known, other_terms, examples,
#               elements}: this batch learned by heart on a copy of the weights (both under "unstuck check" only)
# parameters    {held, reached, outside, frozen, unreached, unchanged, no_gradient, ... with _count and _elements; cut:
#               {what, how, file, line, names, count, elements} where the graph is cut; frozen_used_elements; loaded;
#               stale_norm, raw_norm, used_norm: gradients before and after backward, and at the step}
# task          {heads: [{kind, file, line, prediction, target, broadcast, activations, outside, ...}], places}: where
#               outputs meet targets
# modes         {norms: {training, evaluating, fresh}, dropouts: {on, off}, file, line}
# precision     {dtypes, autocast, low, lost_updates, zero_gradients, largest}
# targets       {score, moved, examples, same, groups}: dependence of inputs and targets
# gradient_check {layers: {name: {error, kink, ratio}}, wrong, worst, error, functions, forwards}: once, where the
#               program has custom functions or hooks; always under "unstuck check"
# not_finite    {where, layer, kind, file, line}: where the first non-finite value arose
