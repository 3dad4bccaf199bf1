"""Nodes of a graph by their neighbours: two graph convolutions with a dense matrix, all nodes at once."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn


class GraphConvolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, nodes, adjacency):
        return adjacency @ (nodes @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        self.first = GraphConvolution(features, hidden)
        self.second = GraphConvolution(hidden, classes)

    def forward(self, nodes, adjacency):
        hidden = F.dropout(F.relu(self.first(nodes, adjacency)), 0.3, training=self.training)
        return F.log_softmax(self.second(hidden, adjacency), dim=1)


def citations(count, classes):
    """Papers cite mostly their own field; the words of a paper tell little of it."""
    field = torch.randint(classes, (count,))
    chance = torch.where(field[:, None] == field, 0.04, 0.004)
    edges = torch.triu((torch.rand(count, count) < chance).float(), 1)
    adjacency = edges + edges.t() + torch.eye(count)
    degree = adjacency.sum(1).rsqrt()
    words = torch.randn(count, 32) + 0.6 * torch.randn(classes, 32)[field]
    return words, degree[:, None] * adjacency * degree, field


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    words, adjacency, field = citations(600, 5)
    known = torch.rand(600) < 0.3
    model = GCN(32, 24, 5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=5e-4)
    for epoch in range(1, 201):
        model.train()
        optimizer.zero_grad()
        loss = F.nll_loss(model(words, adjacency)[known], field[known])
        loss.backward()
        optimizer.step()
        if epoch % 20 == 0:
            model.eval()
            right = (model(words, adjacency).argmax(1) == field)[~known].float().mean().item()
            print(f"epoch {epoch} loss {loss.item():.4f} accuracy on the others {right:.3f}")
    save_state(model=model, optimizer=optimizer)
