from __future__ import annotations

from tests.report import fakes
from unstuck.record.writer import Writer
from unstuck.report.live import status_line


def test_line_of_an_ended_run(stuck):
    run, _ = stuck
    assert status_line(run.path) == "step 500   loss 2.3   lr 0.1   6.0 s   83.3 steps/s   ended"


def test_nothing_seen_yet(tmp_path):
    assert status_line(tmp_path) == "no optimizer step seen yet"
    (tmp_path / "rank0.jsonl").write_text('{"kind":"start"')
    assert status_line(str(tmp_path)) == "no optimizer step seen yet"


def test_torn_last_line_and_a_long_probe_after_the_pulse(tmp_path):
    writer = Writer(tmp_path, 0)
    columns = {"lr": [0.1, 0.2], "grad_norm": [None] * 2, "clipped_norm": [None] * 2, "wait": [0.0] * 2}
    writer.write("pulse", optimizer=0, step=[0, 1], time=[1.0, 1.5], loss=[2.0, None], **columns)
    writer.write("probe", filler="x" * 200_000)
    writer.close()
    with (tmp_path / "rank0.jsonl").open("a") as file:
        file.write('{"kind":"pulse","optimizer":0,"step":[')
    assert status_line(tmp_path) == "step 2   loss 2   lr 0.2   1.5 s   2 steps/s"


def test_every_made_up_run(case):
    run, _ = case
    line = status_line(run.path)
    assert "\n" not in line
    assert 0 < len(line) <= 100
    assert fakes.EVIL not in line
