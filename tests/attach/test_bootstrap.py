"""The bootstrap with stand-ins for torch and ``unstuck``, in every Python that is here: what it does, and no more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unstuck.attach.launcher import BOOTSTRAP


def pythons() -> list[str]:
    """This interpreter and, where they are installed, the other versions that a program may run on."""
    names = [f"python3.{minor}" for minor in range(10, 16)]
    paths = [path for name in names if (path := shutil.which(name))]
    paths += sorted(str(path) for name in names for path in Path.home().glob(f".pyenv/versions/*/bin/{name}"))
    found = {sys.version_info[:2]: sys.executable}
    for path in paths:
        code = "import sys; print(*sys.version_info[:2])"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0:  # the shims of pyenv are there for versions that are switched off, too
            major, minor = done.stdout.split()
            found.setdefault((int(major), int(minor)), path)
    return list(found.values())


PYTHONS = pythons()


class World:
    """A folder with a copy of the bootstrap, a package ``unstuck`` that only notes calls, and a package ``torch``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run_dir = root / "run"
        self.run_dir.mkdir()
        self.bootstrap = root / "site" / "unstuck" / "attach" / "bootstrap"
        shutil.copytree(BOOTSTRAP, self.bootstrap, ignore=shutil.ignore_patterns("__pycache__"))
        self.install(
            "import sys, torch, unstuck\n"
            "assert torch.complete\n"
            "with open(settings.run_dir + '/installed', 'a') as file: file.write(unstuck.__file__ + '\\n')\n"
        )
        package = root / "site" / "unstuck"
        (package / "__init__.py").write_text("")
        (package / "settings.py").write_text(
            "import os\nclass Settings:\n    run_dir = os.environ['UNSTUCK_RUN_DIR']\n"
            "    trial = os.environ.get('UNSTUCK_TRIAL') == '1'\n"
            "    @classmethod\n    def from_environment(cls): return cls()\n"
        )
        (root / "site" / "neighbour.py").write_text("")
        self.write("lib/torch/__init__.py", "complete = False\nimport torch.optim\ncomplete = True\n")
        self.write("lib/torch/optim.py", "")

    def install(self, body: str) -> None:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        (self.bootstrap.parent / "__init__.py").write_text(f"def install(settings, began):\n{lines}")

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(
        self,
        code: str,
        *,
        python: str = sys.executable,
        watched: bool = True,
        flags: tuple[str, ...] = (),
        trial: bool = False,
        ends: int = 0,
    ) -> str:
        """Run a program and return what it prints; it must end as told and print nothing on standard error."""
        path = [str(self.bootstrap)] if watched else []
        env = {name: value for name, value in os.environ.items() if not name.startswith(("UNSTUCK_", "PYTHON"))}
        env["PYTHONPATH"] = os.pathsep.join([*path, str(self.root / "lib")])
        if watched:
            env["UNSTUCK_RUN_DIR"] = str(self.run_dir)
        if trial:
            env["UNSTUCK_TRIAL"] = "1"
        program = self.write("program.py", code)
        done = subprocess.run([python, *flags, str(program)], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (ends, "")
        return done.stdout

    @property
    def installed(self) -> list[str]:
        file = self.run_dir / "installed"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def errors(self) -> str:
        return "".join(file.read_text() for file in self.run_dir.glob("attach-error-*.txt"))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.mark.parametrize("python", PYTHONS)
def test_install_is_called_once_when_torch_is_complete(world, python):
    assert world.run("import torch\nimport torch.optim\nprint(torch.complete)", python=python) == "True\n"
    assert world.installed == [str(world.root / "site" / "unstuck" / "__init__.py")]
    assert world.errors == ""


STATE = """
import sys
print(sys.path)
print([getattr(finder, '__name__', type(finder).__name__) for finder in sys.meta_path])
print(sorted(sys.modules))
print(sys.path_importer_cache.keys())
try:
    import sitecustomize
    print(vars(sitecustomize).keys())
except ImportError as error:
    print(error, error.name)
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_is_left_before_torch_is_one_finder(world, python):
    plain = world.run(STATE, python=python, watched=False).splitlines()
    watched = world.run(STATE, python=python).splitlines()
    plain[1] = plain[1].replace("[", "['_Watch', ", 1)
    watched[2] = watched[2].replace("'__future__', ", "")
    assert watched == plain


def test_after_torch_nothing_is_left(world):
    code = (
        "import sys, torch\n"
        "print(sys.meta_path)\n"
        "print(torch.__spec__, sorted(vars(torch.__spec__).items(), key=str))\n"
        "print(type(torch.__loader__), torch.__loader__ is torch.__spec__.loader, vars(torch.__loader__))\n"
    )

    def without_addresses(text: str) -> str:
        return re.sub(r"0x[0-9a-f]+", "0x", text)

    assert without_addresses(world.run(code)) == without_addresses(world.run(code, watched=False))
    assert len(world.installed) == 1


def test_without_torch_nothing_is_installed(world):
    world.run("import json")
    assert world.installed == []
    assert '"kind":"python"' in (world.run_dir / "processes.jsonl").read_text()


def test_asking_for_torch_without_importing_it_installs_nothing(world):
    assert "SourceFileLoader" in world.run("import importlib.util as u; print(u.find_spec('torch').loader)")
    assert world.installed == []


def test_a_torch_that_fails_to_import_is_tried_again(world):
    world.write("lib/torch/optim.py", "import os\nif not os.environ.pop('OK', 0): raise ImportError('no libcuda')\n")
    code = (
        "import os\n"
        "try: import torch\n"
        "except ImportError as error: print(error)\n"
        "os.environ['OK'] = '1'\n"
        "import torch; print(torch.complete)"
    )
    assert world.run(code) == "no libcuda\nTrue\n"
    assert len(world.installed) == 1


def test_ours_wins_over_an_installed_unstuck_and_brings_nothing_else(world):
    world.write("lib/unstuck/__init__.py", "wrong = True")
    code = (
        "import unstuck, torch\n"
        "print(unstuck.__file__)\n"
        "try: import neighbour\n"
        "except ImportError as error: print(error)"
    )
    ours = world.root / "site" / "unstuck" / "__init__.py"
    assert world.run(code) == f"{ours}\nNo module named 'neighbour'\n"


def test_an_error_in_install_goes_to_the_run_folder_only(world):
    world.install("raise ValueError('too odd')")
    assert world.run("import torch; print(torch.complete)") == "True\n"
    assert world.errors.endswith("ValueError: too odd\n")


def test_a_run_folder_that_has_gone_makes_it_inert(world):
    shutil.rmtree(world.run_dir)
    world.run("import torch")
    assert not world.run_dir.exists()


def test_a_run_folder_that_goes_meanwhile_does_no_harm(world):
    assert world.run(f"import shutil; shutil.rmtree({str(world.run_dir)!r}); import torch; print(1)") == "1\n"


def test_the_environments_own_sitecustomize_runs_as_itself(world):
    world.write(
        "lib/sitecustomize.py", "import sys; print(__name__, __file__, __spec__.name, 'torch' in sys.modules)\n"
    )
    code = "import sys; m = sys.modules['sitecustomize']; print(m.__file__, m.__spec__.origin, sorted(vars(m)))"
    assert world.run(code) == world.run(code, watched=False)
    assert world.run("").startswith("sitecustomize ")


def test_an_error_of_the_environments_own_sitecustomize_is_reported_as_ever(world):
    world.write("lib/sitecustomize.py", "raise ValueError('theirs')\n")
    env = {**os.environ, "UNSTUCK_RUN_DIR": str(world.run_dir)}
    outcomes = []
    for path in ([], [str(world.bootstrap)]):
        env["PYTHONPATH"] = os.pathsep.join([*path, str(world.root / "lib")])
        done = subprocess.run([sys.executable, "-c", "print(1)"], env=env, capture_output=True, text=True, check=False)
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[0] == outcomes[1]
    assert "ValueError: theirs" in outcomes[0][2]
    assert world.errors == ""


@pytest.mark.parametrize("flag", ["-I", "-E", "-S"])
def test_a_python_that_shuts_us_out_is_left_alone(world, flag):
    assert world.run("print(1)", flags=(flag,)) == "1\n"
    assert not (world.run_dir / "processes.jsonl").exists()


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_every_process_that_imports_torch_gets_its_own_install(world, method):
    code = f"""
import multiprocessing
def work(number):
    import torch
    return number + 1
if __name__ == "__main__":
    with multiprocessing.get_context({method!r}).Pool(1) as pool:
        print(pool.map(work, [1, 2]))
"""
    assert world.run(code) == "[2, 3]\n"
    assert len(world.installed) == 1  # the worker's: the parent never imported it
    assert world.errors == ""


def test_a_torch_that_was_there_first_is_attached_to(world):
    # A .pth file in a site folder runs before sitecustomize.
    code = "import runpy, sys; import torch; runpy.run_path(sys.argv[1])"
    env = {**os.environ, "PYTHONPATH": str(world.root / "lib"), "UNSTUCK_RUN_DIR": str(world.run_dir)}
    command = [sys.executable, "-c", code, str(world.bootstrap / "sitecustomize.py")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "No module named 'sitecustomize'" in done.stderr  # what site expects where there is no other
    assert len(world.installed) == 1


@pytest.mark.parametrize("fault", ["raise RuntimeError('no')", "import nothing_of_that_name"])
def test_a_trial_that_cannot_be_protected_ends_before_the_program_does_anything(world, fault):
    world.write("site/unstuck/trials/__init__.py", "")
    world.write("site/unstuck/trials/inside/__init__.py", f"def protect(folder): {fault}")
    written = world.root / "written"
    code = f"open({str(written)!r}, 'w')"
    assert world.run(code, trial=True, ends=1) == ""
    assert not written.exists()
    assert "no" in world.errors
    world.run(code)
    assert written.exists()


def test_a_trial_whose_remedies_cannot_be_applied_ends_before_its_first_step(world):
    world.write("site/unstuck/trials/__init__.py", "")
    world.write("site/unstuck/trials/inside/__init__.py", "def protect(folder): pass")
    assert world.run("import torch\nprint('trains')", trial=True, ends=1) == ""
    assert "treat" in world.errors
