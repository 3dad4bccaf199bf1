"""An exponential moving average, stochastic weight averaging with SWALR, a deep copy of the optimizer, a pickle."""

import argparse
import copy
import pickle

import torch
from _state import save_state
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.randn(800, 6)
y = (x[:, :1] * x[:, 1:2]).relu()
net = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(inplace=True), nn.Linear(32, 1))
ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.98))
swa = AveragedModel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=3)
for epoch in range(24):
    for rows in torch.randperm(800).split(50):
        loss = nn.functional.huber_loss(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ema.update_parameters(net)
    if epoch == 8:
        spare = copy.deepcopy(optimizer)
        twin = pickle.loads(pickle.dumps(net))
        print(
            "copies agree",
            all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=False)),
            len(spare.state_dict()["state"]),
        )
    if epoch >= 12:
        swa.update_parameters(net)
        scheduler.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {loss.item():.6f}")
update_bn(x.split(50), swa)
save_state(net=net, ema=ema, swa=swa, optimizer=optimizer, scheduler=scheduler)
