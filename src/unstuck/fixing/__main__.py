"""``python -m unstuck.fixing FILE`` runs a function that ``unstuck.fix`` has packed: the watched run and each trial."""

import sys

from unstuck.fixing.child import run

if __name__ == "__main__":
    run(sys.argv[1])
