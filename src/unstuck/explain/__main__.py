"""``python -m unstuck.explain --docs DIR``: write the pages of the documentation. For those who maintain them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from unstuck.explain.docs import write


def main() -> int:
    """Write the files and say how many."""
    parser = argparse.ArgumentParser(prog="python -m unstuck.explain", description="Write the difficulties' pages.")
    parser.add_argument("--docs", metavar="DIR", type=Path, required=True, help="folder, such as docs/difficulties")
    folder = parser.parse_args().docs
    print(f"{len(write(folder))} files written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
