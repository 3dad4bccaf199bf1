"""XOR with a 2-4-1 network, the smallest problem that a perceptron cannot learn."""

import argparse

import torch
from _state import save_state

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--scale", type=float, default=1.0, help="standard deviation of the first weights")
args = parser.parse_args()
torch.manual_seed(args.seed)

X = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
Y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
for p in net.parameters():
    torch.nn.init.normal_(p, std=args.scale)
opt = torch.optim.SGD(net.parameters(), lr=0.2)
bce = torch.nn.BCEWithLogitsLoss()
for i in range(3000):
    opt.zero_grad()
    loss = bce(net(X), Y)
    loss.backward()
    opt.step()
    if i % 500 == 499:
        print("iteration", i + 1, "loss", loss.item())
print("predictions", torch.sigmoid(net(X)).detach().flatten().tolist())
save_state(net=net, opt=opt)
