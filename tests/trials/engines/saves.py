"""A training program that saves in all the ways that training programs do, into files that are there; see its test.

The first word is the folder that it saves to besides its own. It says ``saved`` after the first step, when it has.
"""

# ruff: noqa: PTH101, PTH103, PTH104, PTH105, PTH107, PTH110, PTH123, PTH211

from __future__ import annotations

import csv
import gzip
import json
import logging
import multiprocessing
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from concurrent.futures import ProcessPoolExecutor
from logging.handlers import RotatingFileHandler
from pathlib import Path

import helper  # a module of the user's, in the folder

ELSEWHERE = Path(sys.argv[1])
CHILD = "open('child.txt', 'a').write('child\\n'); import numpy; numpy.save('child.npy', numpy.ones(2))"


def by_torch(model, optimizer):
    import torch

    torch.save(model.state_dict(), "model.pt")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, ELSEWHERE / "checkpoint.pt")
    with open("buffer.pt", "wb") as file:
        torch.save(torch.ones(3), file)
    # The atomic save, with the one before it kept; and the last three.
    torch.save(model.state_dict(), "best.tmp")
    if os.path.exists("best.pt"):
        os.replace("best.pt", "best.old.pt")
    os.rename("best.tmp", "best.pt")
    number = len(list(Path("last").glob("*.pt")))
    torch.save(model.state_dict(), f"last/{number}.pt")
    for old in sorted(Path("last").glob("*.pt"))[:-3]:
        old.unlink()


def by_libraries(loss):
    import numpy as np
    import pandas as pd

    np.save("array.npy", np.full(4, loss))
    np.savez_compressed("arrays.npz", loss=np.full(4, loss))
    np.savetxt("table.txt", np.full((2, 2), loss))
    np.full(4, loss).tofile("raw.bin")
    mapped = np.memmap("mapped.bin", dtype=np.float64, mode="r+", shape=(4,))
    mapped[:] = loss
    mapped.flush()
    frame = pd.DataFrame({"loss": [loss]})
    frame.to_csv("frame.csv", index=False)
    frame.to_csv("history.csv", mode="a", header=False)
    frame.to_json("frame.json")
    frame.to_pickle(ELSEWHERE / "frame.pkl")
    with sqlite3.connect("runs.db") as base:
        base.execute("CREATE TABLE IF NOT EXISTS runs (loss)")
        base.execute("INSERT INTO runs VALUES (?)", (loss,))
        frame.to_sql("frames", base, if_exists="append")
    base.close()
    try:
        from safetensors.torch import save_file
    except ImportError:
        return
    import torch

    save_file({"weight": torch.full((2,), loss)}, "model.safetensors")


def by_hand(loss):
    with open("log.txt", "a") as file:
        print("loss", loss, file=file)
    with open("log.csv", "a", newline="") as file:
        csv.writer(file).writerow([loss])
    Path("config.json").write_text(json.dumps({"loss": loss}))
    (ELSEWHERE / "notes.md").write_text(str(loss))
    with open("state.pkl", "wb") as file:
        pickle.dump(loss, file)
    with gzip.open("log.gz", "at") as file:
        file.write(f"{loss}\n")
    with zipfile.ZipFile("files.zip", "a") as archive:
        archive.writestr(str(loss), "loss")
    with tarfile.open("files.tar", "a") as archive:
        archive.add("config.json")
    with open("weights.bin", "r+b") as file:
        file.write(b"new")
    with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
        file.write(str(loss))
    os.replace(file.name, "atomic.txt")
    shutil.move("config.json", "config.moved.json")
    shutil.copy2("config.moved.json", "config.json")
    shutil.copytree("last", "copied", dirs_exist_ok=True)
    shutil.rmtree("scratch")
    os.makedirs("scratch/deep")
    Path("scratch/deep/file.txt").touch()
    Path("weights.bin").touch()
    os.chmod("weights.bin", 0o600)
    os.utime("weights.bin", (1, 1))
    os.truncate("long.txt", 3)
    os.remove("unwanted.txt")
    Path("unwanted.txt").write_text("again")
    Path("latest").unlink(missing_ok=True)
    os.symlink("model.pt", "latest")
    number = os.open("number.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(number, b"more\n")
    os.close(number)


def by_others():
    subprocess.run([sys.executable, "-c", CHILD], check=True)
    subprocess.run([sys.executable, "-c", CHILD], check=True, cwd=ELSEWHERE)
    thread = threading.Thread(target=helper.append, args=("thread.txt",))
    thread.start()
    thread.join()
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        process = context.Process(target=helper.append, args=(f"{method}.txt",))
        process.start()
        process.join()
        assert process.exitcode == 0
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        pool.submit(helper.append, ELSEWHERE / "pool.txt").result()


def main():
    import torch  # here, so that a process that is spawned starts at once
    from torch import nn

    rotating = RotatingFileHandler("rotating.log", maxBytes=40, backupCount=2)
    logging.basicConfig(level=logging.INFO, handlers=[logging.FileHandler("run.log"), rotating])
    torch.manual_seed(0)
    x = torch.randn(640, 8)
    y = (x @ torch.randn(8, 3)).argmax(1)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(60):
        rows = torch.randint(640, (64,))
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            by_torch(model, optimizer)
            by_libraries(loss.item())
            by_hand(loss.item())
            by_others()
            print("saved", flush=True)
        logging.info("step %d", step)
    torch.save(model.state_dict(), "final.pt")


if __name__ == "__main__":
    main()
