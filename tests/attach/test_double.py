"""A captured step in double precision: what it computes, what cannot be had, and the gradient check on programs."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.attach.trainings import REPLAYED
from tests.attach.watching import Watched, watch
from unstuck.attach import probe
from unstuck.attach.budget import Budget
from unstuck.measure import Evaluation, Measurement, gradient_check


@pytest.fixture(autouse=True)
def fresh_compiler():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own
        yield
        torch._dynamo.reset()


def measuring(
    train: Callable[[], Any],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    function: Callable[[Evaluation], dict[str, Any]] = gradient_check.measure,
    cadence: Any = "every",
) -> Watched:
    """Watch a training with one measurement, while the program waits."""

    def training() -> Any:
        monkeypatch.setattr(probe, "MEASUREMENTS", (Measurement("gradient_check", function, cadence, 1),))
        return train()

    return watch(training, tmp_path / "run", monkeypatch)


def checks(seen: Watched) -> list[dict[str, Any]]:
    assert seen.run.errors == []
    return [p.m["gradient_check"] for p in seen.run.probes if "gradient_check" in p.m]


def train(forward: Callable[[nn.ModuleDict], Tensor], steps: int = 6, **parts: nn.Module) -> Callable[[], None]:
    """A training of some parts of a network."""

    def training() -> None:
        torch.manual_seed(0)
        model = nn.ModuleDict(parts)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(steps):
            optimizer.zero_grad()
            forward(model).backward()
            optimizer.step()

    return training


def two(between: Callable[[Tensor], Tensor]) -> Callable[[], None]:
    """A training of two layers with something between them."""
    x, y = torch.randn(20, 6), torch.randint(3, (20,))
    forward = lambda m: F.cross_entropy(m["last"](between(m["first"](x))), y)  # noqa: E731
    return train(forward, first=nn.Linear(6, 8), last=nn.Linear(8, 3))


@pytest.mark.parametrize("name", REPLAYED)
def test_no_training_has_a_wrong_gradient(name: str, tmp_path, monkeypatch):
    found = checks(measuring(REPLAYED[name], tmp_path, monkeypatch))
    assert len(found) >= 2
    for check in found:
        assert check["wrong"] == []
        assert check["error"] < 1e-5
        assert not any(entry["error"] is None for entry in check["layers"].values())


def _casts(h: Tensor) -> Tensor:
    h = h.half().float() + h.to(torch.bfloat16).float() + h.to(dtype=torch.float16).type_as(h)
    h = h.type(torch.FloatTensor) + h.bfloat16().type("torch.FloatTensor") + h.to("cpu", torch.float16).to(h)
    return h + h.softmax(1, dtype=torch.float32) + h.sum(1, keepdim=True, dtype=torch.float32)


def _autocast(h: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return (h @ torch.eye(8)).float().tanh()


@pytest.mark.parametrize("between", [_casts, _autocast])
def test_casts_and_autocast_play_no_part(between, tmp_path, monkeypatch):
    values = []

    def compare(evaluation: Evaluation) -> dict[str, Any]:
        exact = evaluation.step.exact()
        assert {p.dtype for p in exact.params} == {torch.float64}
        loss = exact.loss(exact.params)
        assert loss.dtype == torch.float64
        values.append((float(loss), evaluation.loss))
        return gradient_check.measure(evaluation)

    found = checks(measuring(two(between), tmp_path, monkeypatch, compare))
    assert all(exact != rough and abs(exact - rough) < 0.05 for exact, rough in values)
    assert values
    assert all(max(entry["error"] for entry in check["layers"].values()) < 1e-7 for check in found)


def test_what_torch_leaves_out_of_a_gradient_on_purpose_is_no_fault(tmp_path, monkeypatch):
    tokens = torch.tensor([[0, 1, 2, 0], [3, 3, 1, 0]])
    training = train(
        lambda m: m["head"](m["table"](tokens) + m["other"](tokens)).square().mean(),
        table=nn.Embedding(5, 4, padding_idx=0),
        other=nn.Embedding(5, 4, scale_grad_by_freq=True),
        head=nn.Linear(4, 2),
    )
    found = checks(measuring(training, tmp_path, monkeypatch))
    assert found
    assert all(check["wrong"] == [] for check in found)


class Only32(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x.float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return 2 * grad


class Refuses(Only32):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        if x.dtype != torch.float32:
            raise TypeError("expected float32.")
        return 2 * x


class Half(torch.autograd.Function):
    """Its gradient is half as large as it ought to be."""

    @staticmethod
    def forward(x: Tensor, power: int) -> Tensor:
        return x**power * torch.rand(1)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        x, power = inputs
        ctx.power = power
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, output = ctx.saved_tensors
        return 0.5 * ctx.power * output / x * grad, None


@pytest.mark.parametrize(
    ("function", "clause"),
    [
        (Only32, r"Only32 at .*test_double.py:\d+ gives float32 though it is given double precision"),
        (Refuses, r"Refuses at .*test_double.py:\d+ does not run in double precision: expected float32"),
    ],
)
def test_a_function_that_insists_on_single_precision_is_named(function, clause, tmp_path, monkeypatch):
    seen = measuring(two(lambda h: function.apply(h)), tmp_path, monkeypatch)
    assert checks(seen) == []
    why = seen.run.probes[0].failed["gradient_check"]
    assert re.fullmatch(clause, why)


half = Half.apply


@pytest.mark.parametrize("apply", [lambda h: half(h, 3), lambda h: Half.apply(h, 3)], ids=["kept name", "class"])
def test_a_wrong_function_is_named_at_its_line(apply, tmp_path, monkeypatch):
    found = checks(measuring(two(lambda h: apply(h) + h), tmp_path, monkeypatch))
    assert len(found) >= 2
    for check in found:
        assert check["wrong"] == ["first"]
        (entry,) = check["functions"]
        assert (entry["name"], entry["argument"]) == ("Half", "x")
        assert entry["factor"] == pytest.approx(0.5)
        assert entry["line"] == inspect.getsourcelines(apply)[1]
        assert entry["file"].endswith("test_double.py")
        assert entry["backward_line"] == inspect.getsourcelines(Half.backward)[1]


def test_the_program_does_not_notice(tmp_path, monkeypatch):
    def training() -> list[Tensor]:
        torch.manual_seed(0)
        layer = nn.Linear(6, 8)
        x = torch.randn(20, 6)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
        for _ in range(6):
            optimizer.zero_grad()
            F.dropout(half(layer(x), 3), 0.5).mean().backward()
            optimizer.step()
        return [*layer.parameters(), torch.get_rng_state()]

    expected = training()
    seen = measuring(training, tmp_path, monkeypatch)
    assert len(checks(seen)) >= 2
    assert all(torch.equal(a, b) for a, b in zip(seen.result, expected, strict=True))
    assert "apply" not in vars(torch.autograd.function._SingleLevelFunction)


# ------------------------------------------------------------------------------------------------- hooks


def _hooked(hook: Callable[[Tensor], Any]) -> Callable[[Tensor], Tensor]:
    def between(h: Tensor) -> Tensor:
        h = h.tanh()
        h.register_hook(hook)
        return h

    return between


def flip(grad: Tensor) -> Tensor:
    return -grad


def test_a_hook_that_changes_gradients_is_named(tmp_path, monkeypatch):
    seen = measuring(two(_hooked(flip)), tmp_path, monkeypatch)
    found = checks(seen)
    assert len(found) >= 2
    line = inspect.getsourcelines(_hooked)[1] + 3
    assert all(f"the hook flip of tests/attach/test_double.py:{line} may change it" in why for why in seen.whys)
    for check in found:
        assert check["wrong"] == ["first"]
        assert check["layers"]["first"]["ratio"] == pytest.approx(-1, rel=1e-4)
        assert check["layers"]["last"]["error"] < 1e-4
        assert check["hooks"][0] == {"name": "flip", "file": "tests/attach/test_double.py", "line": line}


def test_a_hook_that_clips_changes_gradients_but_is_no_fault(tmp_path, monkeypatch):
    found = checks(measuring(two(_hooked(lambda grad: grad.clamp(-0.01, 0.01))), tmp_path, monkeypatch))
    assert found
    assert all((check["wrong"], check["changed"]) == ([], ["first"]) for check in found)


def test_a_hook_that_looks_on_is_no_fault(tmp_path, monkeypatch):
    kept: list[Tensor] = []
    seen = measuring(two(_hooked(kept.append)), tmp_path, monkeypatch)
    assert seen.whys == []
    assert len(kept) == 6  # as often as without us


def test_a_hook_on_a_parameter_is_named_where_it_is_written(tmp_path, monkeypatch):
    def training() -> None:
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))
        model[2].weight.register_hook(flip)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(6, 5)).square().mean().backward()
            optimizer.step()

    found = checks(measuring(training, tmp_path, monkeypatch))
    assert found
    assert {name for check in found for name in check["wrong"]} == {"2"}
    assert found[0]["hooks"][0]["line"] == inspect.getsourcelines(flip)[1]


# ------------------------------------------------------------------------------------------- when it is due


def test_it_is_made_once_and_not_at_the_first_probe(tmp_path, monkeypatch):
    seen = measuring(two(lambda h: half(h, 3)), tmp_path, monkeypatch, cadence="once")
    assert len(seen.run.probes) >= 3
    assert [i for i, p in enumerate(seen.run.probes) if "gradient_check" in p.m] == [1]


def test_without_a_custom_function_it_is_neither_made_nor_missed(tmp_path, monkeypatch):
    seen = measuring(two(torch.tanh), tmp_path, monkeypatch, cadence="once")
    assert checks(seen) == []
    assert all("gradient_check" not in p.failed for p in seen.run.probes)


def test_what_could_not_be_paid_for_is_made_later(tmp_path, monkeypatch):
    answers = iter([False] + [True] * 100)
    monkeypatch.setattr(Budget, "affords", lambda *_: next(answers))
    seen = measuring(two(lambda h: half(h, 3)), tmp_path, monkeypatch, cadence="once")
    assert "it would take about" in seen.run.probes[1].failed["gradient_check"]
    assert [i for i, p in enumerate(seen.run.probes) if "gradient_check" in p.m] == [2]


@pytest.mark.parametrize(
    ("name", "layers"), [("modules", ["0", "2"]), ("tied weights", ["0"]), ("recurrent cells", ["0", "1"])]
)
def test_layers_are_in_forward_order_with_each_parameter_once(name, layers, tmp_path, monkeypatch):
    def keep(evaluation: Evaluation) -> dict[str, Any]:
        layers = evaluation.step.exact().layers
        assert sorted(i for _, indices in layers for i in indices) == list(range(len(evaluation.step.params)))
        return {"names": [name for name, _ in layers]}

    found = checks(measuring(REPLAYED[name], tmp_path, monkeypatch, keep))
    assert found
    assert all(check["names"] == layers for check in found)
