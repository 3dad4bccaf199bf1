"""Metrics in the lines that programs print, as people print them."""

from __future__ import annotations

import json
import math

import pytest

from unstuck.trials.metrics import higher_is_better, read_metrics

LINES = {
    "val_acc: 0.93": {"val acc": 0.93},
    "accuracy 93.5%": {"accuracy": 0.935},
    "Epoch 3: 9123 / 10000": {"correct": 0.9123},
    "test accuracy = 0.97": {"test accuracy": 0.97},
    "loss=0.31 acc=0.8": {"loss": 0.31, "acc": 0.8},
    "Test set: Average loss: 0.05, Accuracy: 9832/10000 (98%)": {"test loss": 0.05, "test accuracy": 0.9832},
    "Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.300812": {"train loss": 2.300812},
    "Accuracy of the network on the 10000 test images: 50 %": {"test accuracy": 0.5},
    "[1,  2000] loss: 2.173": {"loss": 2.173},
    "Epoch [3/10], Step [100/600], Loss: 0.1234": {"loss": 0.1234},
    "{'loss': 0.6931, 'learning_rate': 5e-05, 'epoch': 1.0}": {"loss": 0.6931},
    "{'eval_accuracy': 0.81, 'eval_runtime': 3.2, 'eval_samples_per_second': 20.1}": {"eval accuracy": 0.81},
    "step 250: train loss 2.4, val loss 2.5": {"train loss": 2.4, "val loss": 2.5},
    "iter 100: loss 3.2, time 12.3ms, mfu 5.4%": {"loss": 3.2},
    "Epoch 5/10 - loss: 0.25 - val_loss: 0.3": {"loss": 0.25, "val loss": 0.3},
    "Epoch: 5 | Train Loss: 0.123 | Train Acc: 95.0%": {"train loss": 0.123, "train acc": 0.95},
    "F1 score: 0.91 AUC: 0.95": {"f1 score": 0.91, "auc": 0.95},
    "episode 10 return 200.5": {"return": 200.5},
    "episode reward: -1.5e2": {"episode reward": -150.0},
    " * Acc@1 71.3 Acc@5 90.1": {"acc1": 71.3, "acc5": 90.1},
    "top-1 acc: 71.3 top-5 acc: 90.2": {"top1 acc": 71.3, "top5 acc": 90.2},
    "Epoch 00: loss = tensor(0.6931)": {"loss": 0.6931},
    "loss after 100 steps: 0.5": {"loss": 0.5},
    "Using device cuda:0": {},
    "epoch 3 val_acc 0.5 lr: 0.1": {"val acc": 0.5},
    "Time: 10:32:11, lr: 0.001, 12 epochs": {},
    "loading 60000 images from 3 files": {},
}


def read(tmp_path, *lines):
    file = tmp_path / "printed.jsonl"
    file.write_text("".join(json.dumps({"step": step, "text": text}) + "\n" for step, text in lines))
    return read_metrics(file)


@pytest.mark.parametrize("line", LINES)
def test_a_line_says(tmp_path, line):
    found = {name: values for name, (_, values) in read(tmp_path, (7, line)).items()}
    assert found == {name: [pytest.approx(value)] for name, value in LINES[line].items()}


def test_lines_make_series_by_name(tmp_path):
    series = read(tmp_path, (100, "val_acc: 0.5"), (200, "Val acc: 60%"), (200, "loss: nan"))
    assert series["val acc"] == ([100, 200], [0.5, 0.6])
    steps, (value,) = series["loss"]
    assert steps == [200]
    assert math.isnan(value)


def test_what_counts_the_batches_of_an_epoch_is_no_metric(tmp_path):
    assert read(tmp_path, (1, "Epoch 0: 10 / 30"), (2, "Epoch 0: 20 / 30")) == {}
    assert read(tmp_path, (1, "Epoch 0: 10 / 30"), (2, "Epoch 1: 20 / 30"))["correct"][0] == [1, 2]


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("val acc", True),
        ("top5 acc", True),
        ("f1 score", True),
        ("map50", True),
        ("test loss", False),
        ("error rate", False),
        ("top1 err", False),
        ("val_MSE", False),
        ("temperature", None),
    ],
)
def test_what_is_better(name, higher):
    assert higher_is_better(name) is higher
