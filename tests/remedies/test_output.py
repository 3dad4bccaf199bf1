"""An activation of the outputs taken away."""

from __future__ import annotations

import inspect

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.remedies.training import IMPORTS, batch, run_of, same, staged, train
from unstuck.attach.sources import shown
from unstuck.remedies.output import DropActivation

FILE = shown(__file__)


def sgd(parameters):
    return torch.optim.SGD(parameters, 0.5)


def layers():
    torch.manual_seed(0)
    return nn.Linear(4, 6), nn.Linear(6, 3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = layers()


class ByFunction(Net):
    def forward(self, x):
        x = torch.sigmoid(self.one(x))
        return F.softmax(self.two(x), dim=1)


class ByMethodOnOneLine(Net):
    def forward(self, x):
        return self.two(self.one(x).sigmoid()).sigmoid()


class Right(Net):
    def forward(self, x):
        return self.two(torch.sigmoid(self.one(x)))


def last_line(function):
    source, first = inspect.getsourcelines(function)
    return first + len(source) - 1


def made():
    one, two = layers()
    return nn.Sequential(one, nn.Sigmoid(), two, nn.Sigmoid())


CASES = {
    "function": (ByFunction, last_line(ByFunction), "softmax"),
    "whatever is there": (ByFunction, last_line(ByFunction), ""),
    "several on the line": (ByMethodOnOneLine, last_line(ByMethodOnOneLine), "sigmoid"),
    "module": (made, last_line(made), "sigmoid"),
}


@pytest.mark.parametrize(("make", "line", "name"), CASES.values(), ids=CASES)
def test_it_equals_the_network_without_it(make, line, name):
    with staged(DropActivation(FILE, line, name)) as stage:
        treated = train(sgd, net=make())
    assert stage.applied == {"output-activation"}
    assert same(treated, train(sgd, net=Right()))
    assert not same(treated, train(sgd, net=make()))


def outside(soft):
    """Train with an activation in the loop; return the losses."""
    net = Right()
    optimizer = sgd(net.parameters())
    losses = []
    for step in range(4):
        inputs, targets = batch(step)
        outputs = net(inputs)
        loss = F.cross_entropy(soft(outputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def softened(outputs):
    return outputs.softmax(1)


def test_one_that_the_training_loop_calls_goes_too():
    with staged(DropActivation(FILE, last_line(softened), "softmax")) as stage:
        treated = outside(softened)
    assert treated == outside(lambda outputs: outputs)
    assert stage.applied == {"output-activation"}


def soft_module():
    return nn.Softmax(1)


def test_and_so_does_a_module_of_the_loop():
    with staged(DropActivation(FILE, last_line(soft_module), "softmax")) as stage:
        treated = outside(soft_module())
    assert treated == outside(lambda outputs: outputs)
    assert stage.applied == {"output-activation"}


def test_another_line_is_left_alone():
    with staged(DropActivation(FILE, 1, "softmax")) as stage:
        treated = train(sgd, net=ByFunction())
    assert same(treated, train(sgd, net=ByFunction()))
    assert stage.applied == set()
    assert stage.why_not == {"output-activation": f"no softmax is called at {FILE}:1"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return F.softmax(self.fc(x), dim=1)", "return self.fc(x)"),
        ("return torch.softmax(self.fc(x), 1)", "return self.fc(x)"),
        ("return self.fc(x).softmax(1)", "return self.fc(x)"),
        ("return x.softmax(1)", "return x"),
        ("return 2 * F.softmax(x + 1, dim=1)", "return 2 * (x + 1)"),
    ],
)
def test_the_edit_takes_the_call_away(tmp_path, before, after):
    run = run_of(f"def forward(self, x):\n    {before}\n{IMPORTS}", tmp_path)
    edit = DropActivation("train.py", 2, "softmax").edit(run)
    assert edit.sentence == "delete the softmax at train.py:2: the outputs go to the loss as they are"
    assert f"-    {before}\n+    {after}\n" in edit.diff


def test_a_module_whose_use_is_not_seen_is_not_edited(tmp_path):
    run = run_of("self.out = nn.Softmax(dim=1)\n", tmp_path)
    edit = DropActivation("train.py", 1, "softmax").edit(run)
    assert edit.diff == ""
    assert (edit.file, edit.line) == ("train.py", 1)
    assert DropActivation("train.py", 1).label == "without the activation of the outputs"
