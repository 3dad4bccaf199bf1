"""Every program ends as it does without ``unstuck run``: same exit code, same output, same end by a signal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import stat
import subprocess
import sys
import termios
import time
from functools import partial
from pathlib import Path

import pytest

from tests.cli.runner import UNSTUCK, environment, finish, only_run, plain, start, watched
from unstuck.attach import launcher
from unstuck.errors import UnstuckError
from unstuck.record import manifest
from unstuck.settings import Settings

PYTHON = sys.executable

#: Small programs, none of which trains: name -> the file's text.
PROGRAMS = {
    "raises": "print('before')\nraise ValueError('mine')",
    "exits": "import sys; sys.exit(3)",
    "exits-with-words": "import sys; sys.exit('some words')",
    "binary": "import sys; sys.stdout.buffer.write(bytes(range(256)) * 500)",
    "stdin": "import sys; data = sys.stdin.buffer.read(); print(len(data)); sys.stdout.buffer.write(data[::-1])",
    "chdir": "import os; os.chdir('/'); print(os.getcwd())",
    "stderr": "import sys; print('to stderr', file=sys.stderr); print('to stdout')",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "terminated": "import os; os.kill(os.getpid(), 15)",
    "aborted": "import os; os.abort()",
    "forks": "import os, sys\nif os.fork() == 0: print('child', flush=True); os._exit(0)\nprint(os.wait()[1])",
    "spawns": "import multiprocessing as m\nif __name__ == '__main__':\n"
    "    with m.get_context('spawn').Pool(2) as pool: print(pool.map(abs, [-1, -2, 3]))",
    "starts-python": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; print(sys.path)'])",
    "itself": "import sys, beside\nprint(sys.argv, __file__, __name__, sys.path, sys.flags, beside.__file__)",
    "signals": "import signal as s\nprint([s.getsignal(n) for n in s.valid_signals()], s.pthread_sigmask(0, []))",
    "group": "import os, sys; print(os.getpgrp(), os.getsid(0), os.isatty(0))",
    "descriptors": "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd')))",
    "own-unstuck-name": "import sys; print('unstuck' in sys.modules)",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "beside.py").write_text("")
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import sys; from . import part; print(sys.argv, __package__, sys.path[0])")
    (package / "part.py").write_text("")
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text + "\n")
    tool = tmp_path / "tool"
    tool.write_text(f"#!{PYTHON}\nimport sys; print(sys.argv)\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    shebangless = tmp_path / "shebangless"
    shebangless.write_text('echo shell "$1"\n')
    shebangless.chmod(0o755)
    return tmp_path


def same(command: list[str], folder: Path, stdin: bytes = b"", **options) -> subprocess.CompletedProcess[bytes]:
    without = plain(command, folder, stdin, **options)
    with_unstuck = watched(command, folder, stdin, **options)
    assert with_unstuck.returncode == without.returncode
    assert with_unstuck.stdout == without.stdout
    assert with_unstuck.stderr.startswith(without.stderr)
    said = with_unstuck.stderr[len(without.stderr) :].decode()
    assert said.startswith("unstuck: ")
    assert said.count("\n") == 1, "one sentence and no more"
    return with_unstuck


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_as_without_us(folder, name):
    if name == "descriptors" and not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    same([PYTHON, f"{name}.py"], folder, stdin=b"\x00\xff line\n" * 1000)


@pytest.mark.parametrize(
    "command",
    [
        [PYTHON, "-m", "package", "--flag", "a b"],
        [PYTHON, "-c", "import sys; print(sys.argv)", "--", "-x", "--", "ä ö", "", "*", "$HOME", "a\nb"],
        [PYTHON, "-u", "itself.py", os.fsdecode(b"\xff\xfe")],
        [PYTHON, "-I", "-c", "import sys; print(sys.path)"],
        [PYTHON, "-W", "error", "-X", "dev", "-c", "print(1)"],
        ["./tool", "x"],
        ["sh", "-c", "echo out; echo err >&2; exit 7"],
        ["sh", "-c", "exit 255"],
        ["env", "-i", PYTHON, "-c", "print(1)"],
        ["true"],
        ["cat"],
    ],
    ids=lambda command: " ".join(command)[-40:].encode("ascii", "replace").decode(),
)
def test_a_command_runs_as_without_us(folder, command):
    same(command, folder, stdin=b"some input")


def test_a_script_without_an_interpreter_line_is_run_by_sh_as_a_shell_does(folder):
    assert watched(["./shebangless", "x y"], folder).stdout == b"shell x y\n"


def test_open_files_of_the_shell_reach_the_program(folder):
    same(["sh", "-c", f"{PYTHON} -c 'import os; print(os.read(3, 9))' 3<beside.py"], folder)
    reader, writer = os.pipe()
    os.write(writer, b"through")
    os.close(writer)
    done = watched(["cat", f"/dev/fd/{reader}"], folder, pass_fds=(reader,))
    os.close(reader)
    assert done.stdout == b"through"


def test_the_environment_is_the_programs_plus_ours(folder):
    code = "import os, json; print(json.dumps(dict(os.environ)))"
    without, within = (eval(run([PYTHON, "-c", code], folder).stdout) for run in (plain, watched))
    added = {name for name in within if name not in without}
    names = ("RUN_DIR", "BUDGET", "FLOOR", "PROBES", "FAULT", "CHECK", "TRIAL", "PRINTED")
    assert added == {f"UNSTUCK_{name}" for name in names}
    assert {name for name in without if within.get(name) != without[name]} == {"PYTHONPATH"}
    assert within["PYTHONPATH"] == os.pathsep.join([str(launcher.BOOTSTRAP.absolute()), without["PYTHONPATH"]])


@pytest.mark.parametrize("before", [None, "", "/a", ":/a", "/a:"])
def test_pythonpath_keeps_its_meaning(tmp_path, before):
    env = {} if before is None else {"PYTHONPATH": before}
    path = launcher.program_environment(Settings(tmp_path), env)["PYTHONPATH"]
    ours = str(launcher.BOOTSTRAP.absolute())
    assert path == (f"{ours}:{before}" if before else ours)  # an empty entry would be the current folder


def test_an_outer_bootstrap_makes_way(tmp_path):
    env = {"PYTHONPATH": "/elsewhere/unstuck/attach/bootstrap:/a"}
    path = launcher.program_environment(Settings(tmp_path), env)["PYTHONPATH"]
    assert path == f"{launcher.BOOTSTRAP.absolute()}:/a"


def test_a_run_inside_a_run_has_its_own_folder_and_the_outer_one_says_so(folder):
    done = watched([*UNSTUCK, "run", "--dir", "inner", "--", PYTHON, "exits.py"], folder)
    (inner,) = folder.glob("inner/*/manifest.json")
    assert done.returncode == 3
    assert only_run(folder) != inner.parent
    assert f"the inner run was watched: {inner.parent}" in done.stderr.decode()


def test_the_manifest_tells_how_it_began_and_ended(folder):
    watched([PYTHON, "exits.py", "a b"], folder, flags=["--budget", "0.5", "--floor", "7", "--no-probes"])
    about = manifest.read(only_run(folder))
    assert about["command"] == [PYTHON, "exits.py", "a b"]
    assert (about["cwd"], about["program"]) == (str(folder), "exits")
    assert (about["budget"], about["floor"], about["probes"]) == (0.5, 7.0, False)
    assert (about["exit_code"], about["signal"]) == (3, None)
    assert 0 < about["seconds"] < 60


def test_the_manifest_names_the_signal(folder):
    done = watched([PYTHON, "killed.py"], folder)
    about = manifest.read(only_run(folder))
    assert done.returncode == -signal.SIGKILL
    assert (about["exit_code"], about["signal"]) == (137, "SIGKILL")


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("no-such-command", launcher.NotFound, "command not found: no-such-command"),
        ("./nothing", launcher.NotFound, "command not found: ./nothing"),
        ("./beside.py", launcher.NotExecutable, "'unstuck run -- python ./beside.py' runs it"),
        ("beside.py", launcher.NotExecutable, "'unstuck run -- python beside.py' runs it"),
        ("./package", launcher.NotExecutable, "./package is a folder"),
        ("package/part", launcher.NotFound, "command not found"),
    ],
)
def test_what_cannot_be_run_is_refused_like_in_a_shell(folder, monkeypatch, word, error, message):
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=message):
        launcher.check_command([word])
    assert (launcher.NotFound.exit_code, launcher.NotExecutable.exit_code) == (127, 126)
    assert issubclass(error, UnstuckError)


def test_a_script_whose_interpreter_is_missing_is_not_found(folder):
    script = folder / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    done = watched(["./script"], folder)
    assert done.returncode == 127
    assert b"the interpreter in its first line, was not found" in done.stderr
    assert manifest.read(only_run(folder))["exit_code"] == 127


HANDLER = """
import signal, sys, time
got = []
def handle(number, _):
    got.append(number)
    if len(got) == {count}:
        print(got, flush=True)
        sys.exit(5)
signal.signal(signal.{name}, handle)
print("ready", flush=True)
while True: time.sleep(0.01)
"""


def started(code: str, folder: Path, **options) -> subprocess.Popen[bytes]:
    """Start a watched program and wait for its first line."""
    process = start([*UNSTUCK, "run", "--", PYTHON, "-c", code], folder, **options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGINT", "SIGQUIT"])
def test_a_signal_to_the_launcher_reaches_the_program(folder, name):
    # No terminal here: nobody but the launcher got SIGINT, so it passes that on as well.
    number = getattr(signal, name)
    heard = partial(
        signal.signal, number, signal.SIG_DFL
    )  # what the tests' own surroundings ignore (nohup) is heard here
    process = started(HANDLER.format(name=name, count=1), folder, start_new_session=True, preexec_fn=heard)
    process.send_signal(number)
    done = finish(process)
    assert done.stdout == f"[{int(getattr(signal, name))}]\n".encode()
    assert done.returncode == 5


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_program_ended_by_a_signal_ends_the_launcher_by_the_same(folder, name):
    code = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "print('ready', flush=True); print(os.getpid(), flush=True); time.sleep(60)"
    )
    process = started(code, folder)
    assert process.stdout is not None
    os.kill(int(process.stdout.readline()), getattr(signal, name))
    assert finish(process).returncode == -getattr(signal, name)
    assert manifest.read(only_run(folder))["signal"] == name


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_what_the_launcher_ignores_the_program_ignores(folder, name):
    code = f"import signal; print(repr(signal.getsignal(signal.{name})))"
    shell = f"trap '' {name[3:]}; exec \"$@\""
    command = ["sh", "-c", shell, "sh", PYTHON, "-c", code]
    without = plain(command, folder)
    with_unstuck = plain(["sh", "-c", shell, "sh", *UNSTUCK, "run", "--", PYTHON, "-c", code], folder)
    assert with_unstuck.stdout == without.stdout
    assert b"SIG_IGN" in without.stdout


def state(pid: int) -> str:
    """State of a process as /proc has it: R, S, T (stopped), ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("name", ["SIGTSTP", "SIGSTOP"])
def test_it_can_be_stopped_and_continued(folder, name):
    code = "import os, sys; print('ready', flush=True); print(os.getpid(), flush=True); print(sys.stdin.readline())"
    process = started(code, folder, preexec_fn=os.setpgrp)
    assert process.stdout is not None
    program = int(process.stdout.readline())
    # SIGSTOP cannot be caught: it goes to the program, and the launcher follows it.
    os.kill(process.pid if name == "SIGTSTP" else program, getattr(signal, name))
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == getattr(signal, name)
    assert state(program) == "T"
    os.kill(process.pid, signal.SIGCONT)
    assert finish(process, b"goes on\n").stdout == b"goes on\n\n"
    assert process.returncode == 0


class Terminal:
    """A terminal with a watched program in its foreground."""

    def __init__(self, code: str, folder: Path, flags: tuple[str, ...] = (), **env: str) -> None:
        self.master, slave = pty.openpty()
        command = [*UNSTUCK, "run", *flags, "--", PYTHON, "-c", code]
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        around = environment(TERM="xterm-256color")
        around.pop("NO_COLOR", None)
        self.process = start(command, folder, env={**around, **env}, preexec_fn=lambda: self._take(slave), **streams)
        os.close(slave)
        self.seen = b""

    @staticmethod
    def _take(slave: int) -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    def read_until(self, text: bytes) -> bytes:
        """Read until ``text`` was seen, or to the end of the program."""
        end = time.monotonic() + 30
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.master, 4096)
                except OSError:  # the last process has closed the terminal
                    break
        return self.seen

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def close(self) -> int:
        self.read_until(b"never seen \x00")
        os.close(self.master)
        return self.process.wait(30)


def test_control_c_reaches_the_program_once(folder):
    code = (
        "import signal, time\ngot = []\nsignal.signal(signal.SIGINT, lambda *_: got.append(1))\n"
        "print('ready', flush=True)\nend = time.monotonic() + 0.7\n"
        "while time.monotonic() < end: time.sleep(0.01)\nprint('interrupts:', len(got))"
    )
    terminal = Terminal(code, folder)
    terminal.read_until(b"ready")
    terminal.press(b"\x03")
    assert terminal.close() == 0
    assert b"interrupts: 1\r\n" in terminal.seen
    assert b"unstuck: no training was seen" in terminal.seen


SLOW = "import time; print('ready', flush=True); time.sleep(2.8)"


def test_the_title_tells_the_state_and_is_given_back(folder):
    terminal = Terminal(SLOW, folder)
    assert terminal.close() == 0
    before, _, rest = terminal.seen.partition(b"\x1b[22;2t\x1b]2;no optimizer step seen yet\x07")
    assert before.endswith(b"ready\r\n")
    assert rest.count(b"\x1b]2;") >= 1
    assert rest.index(b"\x1b[23;2t") < rest.index(b"unstuck: no training")


@pytest.mark.parametrize(
    ("flags", "env"),
    [(("--quiet",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), ((), {"UNSTUCK_QUIET": "1"})],
)
def test_the_title_can_be_switched_off(folder, flags, env):
    terminal = Terminal(SLOW.replace("2.8", "1.5"), folder, flags, **env)
    assert terminal.close() == 0
    assert b"unstuck: no training" in terminal.seen
    assert b"\x1b" not in terminal.seen


def test_the_launcher_is_quick_and_imports_nothing_heavy(folder):
    code = (
        "import sys\nfrom unstuck.cli import main\ncode = main(['run', '--', 'true'])\n"
        "print(code, [name for name in ('torch', 'numpy', 'rich', 'jinja2') if name in sys.modules])"
    )
    assert plain([PYTHON, "-c", code], folder).stdout == b"0 []\n"
    fastest = min(_seconds(["true"], folder) for _ in range(3))
    assert fastest < 0.5


def _seconds(command: list[str], folder: Path) -> float:
    begin = time.perf_counter()
    watched(command, folder)
    return time.perf_counter() - begin
