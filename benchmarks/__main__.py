"""The benchmarks: ``python -m benchmarks`` lists them, ``python -m benchmarks NAME ...`` and ``all`` run them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: In the order of their length.
BENCHMARKS = ("curvature", "equal_arms", "engines", "verdicts", "overhead")


def main(words: list[str]) -> int:
    """Run what the words name.

    Args:
        words: Nothing, ``all``, or a benchmark and its own options.

    Returns:
        The exit code.
    """
    if not words or words[0] in ("-h", "--help"):
        print("python -m benchmarks all, or one of these; NAME --help shows its options\n")
        for name in BENCHMARKS:
            print(f"  {name:11}{first_line(name)}")
        return 0
    if words[0] not in (*BENCHMARKS, "all"):
        print(f"there is no benchmark {words[0]!r}; there are: {', '.join(BENCHMARKS)}, all", file=sys.stderr)
        return 2
    codes = []
    for name in BENCHMARKS if words[0] == "all" else words[:1]:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *words[1:]]
        codes.append(subprocess.run(command, cwd=HERE.parent, check=False).returncode)
    return max(codes)


def first_line(name: str) -> str:
    """Return the first line of a benchmark's docstring; torch is not imported for it."""
    text = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
