"""What is installed is whole: the wheel holds every file of the package, and the version is one."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

import unstuck

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "unstuck"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("unstuck-*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    sources = {
        path.relative_to(ROOT / "src").as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"unstuck/py.typed", "unstuck/attach/bootstrap/sitecustomize.py"} <= sources
    assert {Path(name).suffix for name in sources} >= {".py", ".css", ".j2"}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == sources


def test_the_wheel_has_the_command_the_licence_and_the_version(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    commands = ConfigParser()
    commands.read_string(texts["entry_points.txt"])
    assert dict(commands["console_scripts"]) == {"unstuck": "unstuck.cli:main"}
    assert texts["LICENSE"].startswith("MIT License")
    assert f"\nVersion: {unstuck.__version__}\n" in texts["METADATA"]


def test_the_public_names_are_frozen() -> None:
    classes = "Diagnosis Finding FixResult LoadedRun Run TrialArm UnstuckError UsageError Verdict Watch".split()
    functions = "fix load watch".split()
    assert sorted(unstuck._PUBLIC) == [*classes, *functions]
    assert all(isinstance(getattr(unstuck, name), type) for name in classes)
    assert all(getattr(unstuck, name).__name__ == name for name in functions)


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(unstuck.__version__)}\]", changelog, re.MULTILINE)


def test_every_requirement_is_pinned() -> None:
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.split(r"[^A-Za-z0-9_-]", need)[0].lower()
        for need in project["dependencies"] + [need for group in extras.values() for need in group]
    }
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    assert {"torch", "pytest", "ruff", "pandas"} <= wanted
    assert wanted <= pinned
