"""One graph, several backward calls: a shared trunk, two heads, retain_graph, and a manual sum of gradients."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
trunk = nn.Sequential(nn.Linear(8, 32), nn.Tanh())
classify, regress = nn.Linear(32, 3), nn.Linear(32, 1)
everything = nn.ModuleDict({"trunk": trunk, "classify": classify, "regress": regress})
optimizer = torch.optim.Adam(everything.parameters(), lr=3e-3)
x = torch.randn(900, 8)
label, value = x[:, :3].argmax(1), x[:, 3:5].sum(1, keepdim=True)
for step in range(400):
    rows = torch.randint(900, (60,))
    shared = trunk(x[rows])
    loss_one = nn.functional.cross_entropy(classify(shared), label[rows])
    loss_two = nn.functional.mse_loss(regress(shared), value[rows])
    optimizer.zero_grad(set_to_none=False)
    loss_one.backward(retain_graph=True)
    loss_two.backward(retain_graph=True)
    (0.1 * loss_one * loss_two).backward(inputs=list(trunk.parameters()))
    optimizer.step()
    if step % 80 == 79:
        print(f"step {step + 1}: {loss_one.item():.5f} {loss_two.item():.5f}")
save_state(everything=everything, optimizer=optimizer)
