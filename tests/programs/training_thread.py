"""Training in a thread of its own while the main thread waits; ends cleanly on Ctrl-C; sys.exit at the end."""

import argparse
import queue
import sys
import threading

import torch
from _state import save_state
from torch import nn


def work(net, optimizer, results):
    generator = torch.Generator().manual_seed(7)
    try:
        for step in range(300):
            x = torch.randn(32, 5, generator=generator)
            loss = nn.functional.mse_loss(net(x), x.abs().sum(1, keepdim=True))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 60 == 59:
                results.put((step + 1, loss.item()))
    except KeyboardInterrupt:
        print("stopped early")
    finally:
        results.put(None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, amsgrad=True)
    results = queue.Queue()
    thread = threading.Thread(target=work, args=(net, optimizer, results))
    thread.start()
    while (item := results.get()) is not None:
        print(f"step {item[0]} loss {item[1]:.6f}")
    thread.join()
    save_state(net=net, optimizer=optimizer)
    sys.exit(0)
