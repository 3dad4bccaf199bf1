"""torch.func: eight small networks trained at once with stack_module_state, vmap, grad and functional_call."""

import argparse
import copy

import torch
from _state import save_state
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--optimizer", action="store_true", help="let Adam take the step instead of a rule of one's own")
args = parser.parse_args()
torch.manual_seed(args.seed)
models = [nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1)) for _ in range(8)]
params, buffers = stack_module_state(models)
skeleton = copy.deepcopy(models[0]).to("meta")
x = torch.rand(256, 2) * 4 - 2
y = (x[:, :1] * x[:, 1:]).sin()


def loss_of(params, buffers, x, y):
    return nn.functional.mse_loss(functional_call(skeleton, (params, buffers), (x,)), y)


gradients = vmap(grad_and_value(loss_of), in_dims=(0, 0, None, None))
optimizer = torch.optim.Adam(params.values(), lr=0.01)
for step in range(400):
    rows = torch.randint(256, (64,))
    grads, losses = gradients(params, buffers, x[rows], y[rows])
    if args.optimizer:
        for name, parameter in params.items():
            parameter.grad = grads[name]
        optimizer.step()
    else:
        params = {name: (p - 0.1 * grads[name]).detach() for name, p in params.items()}
    if step % 80 == 79:
        print(f"step {step + 1}", " ".join(f"{loss:.4f}" for loss in losses.tolist()))
save_state(params={name: p.detach() for name, p in params.items()}, optimizer=optimizer)
