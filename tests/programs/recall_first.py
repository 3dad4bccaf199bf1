"""Remember the first symbol over ten distracting ones: a GRU cell stepped by hand, RMSprop."""

import argparse

import torch
import torch.nn.functional as F
from _state import save_state
from torch import nn

SYMBOLS, LENGTH = 6, 10


class Memory(nn.Module):
    def __init__(self, hidden, keep_graph):
        super().__init__()
        self.hidden, self.keep_graph = hidden, keep_graph
        self.cell = nn.GRUCell(SYMBOLS, hidden)
        self.answer = nn.Linear(hidden, SYMBOLS)

    def forward(self, sequence):
        state = torch.zeros(len(sequence), self.hidden)
        for t in range(sequence.shape[1]):
            state = self.cell(F.one_hot(sequence[:, t], SYMBOLS).float(), state)
            if not self.keep_graph and t < LENGTH - 1:
                state = state.detach()
        return self.answer(state)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", action="store_true", help="detach the state after every time step")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Memory(32, keep_graph=not args.fault)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-3)
    right = seen = 0
    for iteration in range(1, 601):
        sequence = torch.randint(0, SYMBOLS, (48, LENGTH))
        logits = model(sequence)
        loss = F.cross_entropy(logits, sequence[:, 0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right, seen = right + (logits.argmax(1) == sequence[:, 0]).sum().item(), seen + len(sequence)
        if iteration % 100 == 0:
            print(f"iteration {iteration} loss {loss.item():.4f} recalled {right / seen:.3f}")
            right = seen = 0
    save_state(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
