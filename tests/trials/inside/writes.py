"""A program that uses the files of its folder in all the ways that training programs do; see ``test_files.py``.

Prints ``seen`` and the program's own view of its files, as JSON, at its end.
"""

# ruff: noqa: PTH101, PTH102, PTH103, PTH104, PTH105, PTH106, PTH107, PTH110, PTH114, PTH116, PTH118, PTH123, PTH201, PTH202, PTH207, PTH208
# ruff: noqa: PTH211, SIM115, UP020

from __future__ import annotations

import glob
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from unstuck.trials.inside import files

files.redirect(Path(sys.argv[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.package import PackageExporter, PackageImporter  # noqa: E402

files.redirect_torch()

seen: dict[str, object] = {}
elsewhere = Path(sys.argv[2])

# New files, by all ways there are.
torch.save({"weight": torch.arange(3)}, "model.pt")
torch.save(torch.ones(2), Path("model.pt"))  # over the user's
warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)  # deprecated, and in use
torch.jit.trace(torch.nn.Identity(), torch.ones(1)).save("traced.pt")
torch.export.save(torch.export.export(torch.nn.Linear(2, 1), (torch.ones(1, 2),)), "exported.pt2")
with PackageExporter("package.pt") as package:
    package.save_text("notes", "notes.txt", "packed")
with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
    torch.ones(2).sum()
profiler.export_chrome_trace("trace.json")
with open("log.txt", "w") as file:
    file.write("new\n")
with open("history.csv", "a") as file:
    file.write("3,0.1\n")
with open("weights.bin", "r+b") as file:
    file.seek(1)
    file.write(b"X")
np.save("array.npy", np.arange(4))
np.savez("arrays.npz", a=np.arange(2))
np.savetxt("table.txt", np.eye(2))
np.arange(3, dtype=np.int64).tofile("raw.bin")
mapped = np.memmap("mapped.bin", dtype=np.uint8, mode="r+")
mapped[0] = 9
mapped.flush()
Path("runs/one").mkdir(parents=True)
Path("runs/one/notes.md").write_text("hello")
(elsewhere / "out.txt").write_text("far")
descriptor = os.open("descriptor.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.write(descriptor, b"by number")
os.close(descriptor)
with open(b"bytes.txt", "w") as file:
    file.write("bytes")
with tempfile.NamedTemporaryFile(dir=".") as temporary:
    temporary.write(b"gone")
with sqlite3.connect("runs.db") as base:
    base.execute("INSERT INTO runs VALUES (2)")
    seen["rows"] = [row[0] for row in base.execute("SELECT n FROM runs ORDER BY n")]
base.close()

# The atomic save, and other moves.
with open("checkpoint.tmp", "wb") as file:
    file.write(b"second")
os.replace("checkpoint.tmp", "checkpoint.pt")
os.rename("old.txt", "runs/older.txt")
shutil.move("folder_b", "folder_c")
shutil.copy("config.json", "runs/config.json")
shutil.copytree("folder_d", "folder_e")
os.remove("unwanted.txt")
shutil.rmtree("folder_a")
os.makedirs("folder_a")
Path("folder_a/fresh.txt").write_text("fresh")
os.utime("config.json", (1, 1))
os.chmod("config.json", 0o600)
os.truncate("long.txt", 2)
os.link("config.json", "linked.json")
with open("linked.json", "a") as file:
    file.write(" ")
os.symlink("config.json", "latest")
os.symlink("folder_d", "data")
Path("latest").write_text("through a link")
Path("data/inside.txt").write_text("through a folder's link")
for refuse in (
    lambda: open("log.txt", "x"),
    lambda: open("config.json", "x"),
    lambda: os.mkdir("folder_d"),
    lambda: os.rmdir("folder_d"),
    lambda: os.remove("unwanted.txt"),
    lambda: open("unwanted.txt"),
    lambda: open("nowhere/x.txt", "w"),
    lambda: os.rename("folder_c", "folder_d"),
    lambda: open("folder_d", "w"),
):
    try:
        refuse()
    except OSError as error:
        seen.setdefault("refused", []).append(type(error).__name__)  # type: ignore[attr-defined]
os.makedirs("runs/two/deep", exist_ok=True)
os.chdir("runs/two")
Path("here.txt").write_text("in a new folder")
seen["cwd"] = Path.cwd().name
seen["up"] = Path("../../config.json").exists()
os.chdir("../..")

# What the program sees of all that.
seen["model"] = torch.load("model.pt").tolist()
seen["traced"] = torch.jit.load("traced.pt")(torch.ones(1)).item()
seen["exported"] = list(torch.export.load("exported.pt2").module()(torch.ones(1, 2)).shape)
seen["package"] = PackageImporter("package.pt").load_text("notes", "notes.txt")
seen["trace"] = "traceEvents" in json.loads(Path("trace.json").read_text())
seen["log"] = Path("log.txt").read_text()
seen["history"] = Path("history.csv").read_text()
seen["weights"] = Path("weights.bin").read_bytes().decode()
seen["array"] = np.load("array.npy").tolist()
seen["raw"] = np.fromfile("raw.bin", dtype=np.int64).tolist()
seen["mapped"] = int(np.memmap("mapped.bin", dtype=np.uint8, mode="r")[0])
with io.open("checkpoint.pt") as file:
    seen["checkpoint"] = file.read()
seen["exists"] = {n: os.path.exists(n) for n in ("old.txt", "runs/older.txt", "unwanted.txt", "folder_b", "folder_a")}
seen["folder_a"] = os.listdir("folder_a")
seen["folder_c"] = sorted(os.listdir("folder_c"))
seen["folder_d"] = sorted(entry.name for entry in os.scandir("folder_d"))
seen["folder_e"] = sorted(path.name for path in Path("folder_e").iterdir())
seen["walk"] = sorted(os.path.join(top, name) for top, _, names in os.walk("runs") for name in names)
seen["glob"] = sorted(glob.glob("*.txt")) + sorted(str(path) for path in Path(".").glob("runs/*/*.txt"))
seen["size"] = os.path.getsize("long.txt")
seen["latest"] = [Path("latest").read_text(), Path("config.json").read_text(), os.path.islink("latest")]
seen["data"] = sorted(os.listdir("data"))
seen["far"] = (elsewhere / "out.txt").read_text()
seen["bytes"] = os.listdir(b".").count(b"bytes.txt")
with open(os.devnull, "w") as file:
    seen["device"] = file.write("x")
seen["time"] = int(os.stat("config.json").st_mtime) > 1

# Other processes of the program: a fork, and one that starts elsewhere.
child = (
    "from pathlib import Path; import sys; sys.path.insert(0, sys.argv[3]); from unstuck.trials.inside import files; "
)
child += "files.redirect(Path(sys.argv[1])); Path('child.txt').write_text(Path(sys.argv[2]).read_text() + ' child')"
source = str(Path(files.__file__).parents[3])
there = Path("folder_d").resolve()
subprocess.run(
    [sys.executable, "-c", child, sys.argv[1], str(Path("log.txt").resolve()), source], cwd=there, check=True
)
seen["child"] = Path("folder_d/child.txt").read_text()
if os.fork() == 0:
    Path("forked.txt").write_text("fork")
    os._exit(0)
os.wait()
seen["forked"] = Path("forked.txt").read_text()
print("seen" + json.dumps(seen))
