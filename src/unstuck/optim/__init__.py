"""Optimizers for PyTorch that torch itself does not have, and what their experiments need.

``unstuck.optim.Quickprop`` is Fahlman's second-order optimizer of 1988. ``fan_in_groups``, ``offset_sigmoid`` and
``atanh_error`` are the rest of his recipe.
"""

from __future__ import annotations

from unstuck.optim.fahlman import atanh_error as atanh_error
from unstuck.optim.fahlman import offset_sigmoid as offset_sigmoid
from unstuck.optim.fan_in import fan_in_groups as fan_in_groups
from unstuck.optim.quickprop import Quickprop as Quickprop
