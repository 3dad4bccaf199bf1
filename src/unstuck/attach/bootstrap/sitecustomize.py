"""Runs at the start of every Python process of a watched command, and waits there for PyTorch.

``unstuck run`` puts this folder first on ``PYTHONPATH``; Python's ``site`` module then imports this file as
``sitecustomize``. It leaves things as it found them: its folder is taken off ``sys.path``, the environment's own
``sitecustomize`` is run in its place, and all that remains is one finder on ``sys.meta_path``, until ``torch`` has been
imported. Then ``unstuck.attach.install`` is called. Whatever goes wrong in here is written to the run folder; the
program never sees it.

Only built-in modules are imported, because every process of the command pays for it.
"""

# os.path on purpose: pathlib would cost every process some milliseconds.
# ruff: noqa: PTH100, PTH112, PTH118, PTH120, PTH123

from __future__ import annotations

import os
import sys
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(_HERE)))  # the folder that holds the package "unstuck"
_RUN_DIR = os.environ.get("UNSTUCK_RUN_DIR", "")
_TRIAL = os.environ.get("UNSTUCK_TRIAL") == "1"


def _find(
    name: str, path: Sequence[str] | None = None, target: ModuleType | None = None, skip: object = None
) -> ModuleSpec | None:
    """Return the spec that the other finders have for a module."""
    for finder in list(sys.meta_path):
        find = None if finder is skip else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(name, path, target) if find else None
        if spec is not None:
            return spec
    return None


class _Watch:
    """Finder that offers this very ``unstuck`` to the program, and calls ``install`` once ``torch`` is there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for ``unstuck`` itself; for ``torch``, give the other finders' answer with a trip wire in it."""
        if name == "unstuck":
            from importlib.machinery import PathFinder

            return PathFinder.find_spec(name, [_PACKAGES])
        if name != "torch" or path is not None:
            return None
        spec = _find(name, path, target, skip=self)
        if spec is not None and spec.loader is not None:
            _guarded(self._lay, spec.loader)
        return spec

    def _lay(self, loader: Loader) -> None:
        """Make ``loader`` call us after it has executed torch; the wire is gone before torch's first line runs."""
        execute = loader.exec_module

        def execute_and_attach(module: ModuleType) -> None:
            if module.__name__ != "torch":  # some loaders are one object for many modules
                execute(module)
                return
            loader.__dict__.pop("exec_module", None)
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                _guarded(_attach, self)

        loader.exec_module = execute_and_attach  # type: ignore[method-assign]


def _attach(watch: _Watch) -> None:
    began = perf_counter()
    _note("torch")
    sys.meta_path.insert(0, watch)  # while unstuck is imported, it must be ours, even beside an installed one
    try:
        from unstuck.attach import install
        from unstuck.settings import Settings
    finally:
        sys.meta_path.remove(watch)
    settings = Settings.from_environment()
    if settings is None:
        return
    attachment = install(settings, began)
    if settings.trial:
        from unstuck.trials.inside import treat

        treat(attachment.session)


def _note(kind: str) -> None:
    """Append to the run's list of processes, so that a run without training can be explained."""
    line = f'{{"kind":"{kind}","pid":{os.getpid()},"python":"{sys.version.split()[0]}"}}\n'
    descriptor = os.open(os.path.join(_RUN_DIR, "processes.jsonl"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _guarded(function: Callable[..., object], *arguments: object) -> None:
    """Call; an error of ours goes to a file in the run folder and nowhere else. A trial ends with it."""
    try:
        function(*arguments)
    except Exception:
        try:
            import traceback

            with open(os.path.join(_RUN_DIR, f"attach-error-{os.getpid()}.txt"), "a") as file:
                file.write(traceback.format_exc())
        except Exception:  # the folder is gone or full: there is nobody left to tell
            pass
        if _TRIAL:
            os._exit(1)  # the program would run on without protection, and write to the user's files


def _start() -> None:
    if not os.path.isdir(_RUN_DIR):
        return
    if sys.version_info < (3, 10):  # noqa: UP036  (the program's Python, not ours)
        raise RuntimeError(f"unstuck watches programs on Python 3.10 or newer; this one is {sys.version.split()[0]}")
    _note("python")
    watch = _Watch()
    sys.meta_path.insert(0, watch)
    if _TRIAL:
        from unstuck.trials.inside import protect

        protect(_RUN_DIR)
    if "torch" in sys.modules:  # a .pth file was faster
        sys.meta_path.remove(watch)
        _attach(watch)


def _run_the_real_one() -> None:
    """Run the ``sitecustomize`` that Python would have run without us; where there is none, say what Python would.

    Raises:
        ImportError: There is none; ``site`` expects just that, and this module vanishes from ``sys.modules``.
    """
    spec = _find("sitecustomize")
    if spec is None or spec.loader is None:
        raise ImportError("No module named 'sitecustomize'", name="sitecustomize")
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _HERE]
sys.path_importer_cache.pop(_HERE, None)
_guarded(_start)
_run_the_real_one()
