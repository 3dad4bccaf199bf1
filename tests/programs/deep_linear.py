"""A deep linear network learns a linear map, as in the theory papers: four weight matrices, no activation, SGD."""

import argparse

import torch
import torch.nn as nn
from _state import save_state


def build(std):
    layers = [nn.Linear(16, 16, bias=False) for _ in range(4)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=std)
    return nn.Sequential(*layers)


def train(net, inputs, targets, lr, epochs):
    opt = torch.optim.SGD(net.parameters(), lr=lr)
    for epoch in range(epochs):
        for i in torch.randperm(len(inputs)).split(128):
            loss = 0.5 * (net(inputs[i]) - targets[i]).pow(2).sum(1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}: loss = {loss.item():.5f}")
    return opt


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--std", type=float, default=0.25)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    inputs = torch.randn(1024, 16)
    mapping = torch.linalg.qr(torch.randn(16, 16)).Q
    net = build(args.std)
    opt = train(net, inputs, inputs @ mapping, lr=0.05, epochs=200)
    save_state(net=net, opt=opt)
