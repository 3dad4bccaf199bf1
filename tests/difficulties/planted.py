"""One record per difficulty that has it, and its twin: the same record with the fault's numbers sound."""

from __future__ import annotations

from tests.difficulties.records import Record, breaks, falls, leaps, learns, stack, stays

NAN = float("nan")


def _every(layers: list[dict], **numbers) -> dict:
    return {described["name"]: dict(numbers) for described in layers}


_STUCK = Record(loss=stays())
_DEEP = Record(loss=stays(), layers=stack(6, activation="sigmoid"))
_FADING = {f"fc{i + 1}": {"slope_factor": 0.25, "weight_factor": 0.6, "delta": 0.1 * 0.15 ** (5 - i)} for i in range(6)}
_GROWING = {f"fc{i + 1}": {"slope_factor": 1.0, "weight_factor": 6.0, "delta": 0.1 * 6.0 ** (5 - i)} for i in range(6)}
_SWINGING = {
    f"fc{i + 1}": {
        "slope_factor": 1.0,
        "weight_factor": 8.0 if i % 2 else 0.1,
        "grad": 0.001 if i % 2 else 4.0,
        "delta": 0.1,
    }
    for i in range(6)
}
_TINY = {"losses": [2.3 - 1e-5 * s for s in (0.5, 1, 2, 4, 64, 1024)], "scales": [0.5, 1, 2, 4, 64, 1024]}
_FULL = {"inputs": {"sum": 1248.0}}


def head(kind: str, outputs: list[int], targets: list[int], *links: str, **more) -> dict:
    """Return the task of a probe: one place where outputs meet targets."""
    moments = {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.4}
    about = {
        "kind": kind,
        "file": "train.py",
        "line": 27,
        "prediction": {"shape": outputs, **moments},
        "target": {"shape": targets, "kind": "real", "distinct": 64, "classes": None, **moments, **more.pop("of", {})},
        "broadcast": None,
        "activations": [
            {"name": name, "dim": 1 if "softmax" in name else None, "direct": True, "file": "train.py", "line": 14}
            for name in links
        ],
        "outside": None,
        "unreachable": None,
        "normalised": None,
        "single": False,
        "factor": 1.0,
        **more,
    }
    return {"task": {"heads": [about], "places": 1}}


_CUT = {"what": "weights", "how": "detach", "file": "train.py", "line": 16, "names": ["fc1.weight"], "count": 2}
_MODES = {"norms": {"training": 0, "evaluating": 3, "fresh": 3}, "dropouts": {"on": 0, "off": 0}}
_SORTED = [[64 if c == k else 0 for c in range(10)] for k in range(10)]


def _classes(number: int) -> dict:
    return head("cross_entropy", [64, 10], [64], of={"kind": "classes", "classes": _SORTED[number % 10]})


def _mixed(_: int) -> dict:
    return head("cross_entropy", [64, 10], [64], of={"kind": "classes", "classes": [6, 7, 6, 7, 6, 7, 6, 7, 6, 6]})


FAULTY: dict[str, Record] = {
    "shape-broadcast": _STUCK.but(measured=head("mse_loss", [64, 1], [64], broadcast=[64, 64])),
    "double-softmax": _STUCK.but(measured=head("cross_entropy", [64, 10], [64], "softmax")),
    "wrong-output-activation": _STUCK.but(
        measured=head("mse_loss", [64, 3], [64, 3], "sigmoid", outside=0.6, unreachable=0.7)
    ),
    "wrong-loss": _STUCK.but(measured=head("nll_loss", [64, 10], [64], normalised=14.0)),
    "detached-graph": _STUCK.but(measured={"parameters": {"cut": {**_CUT, "elements": 9000}}}),
    "wrong-mode": _STUCK.but(measured={"modes": {**_MODES, "file": "train.py", "line": 12}}),
    "wrong-gradient": _STUCK.but(
        measured={
            "gradient_check": lambda i: (
                {
                    "layers": {
                        f"fc{k}": {"error": 2.0 if k < 3 else 1e-9, "kink": False, "ratio": -1.0} for k in (1, 2, 3)
                    },
                    "wrong": ["fc1", "fc2"],
                    "worst": "fc1",
                    "error": 2.0,
                    "functions": [
                        {
                            "name": "Swish",
                            "file": "train.py",
                            "line": 7,
                            "error": 2.0,
                            "argument": "x",
                            "factor": -1.0,
                            "flat": False,
                            "identity": False,
                            "backward_file": "train.py",
                            "backward_line": 31,
                        }
                    ],
                }
                if i == 1
                else None
            )
        }
    ),
    "low-precision": _STUCK.but(
        measured={
            "precision": {
                "dtypes": {"bfloat16": 26_122},
                "autocast": None,
                "low": True,
                "lost_updates": 0.93,
                "zero_gradients": 0.1,
            }
        }
    ),
    "unshuffled-batches": _STUCK.but(measured={"task": lambda i: _classes(i)["task"]}),
    "targets-misaligned": _STUCK.but(
        measured={"targets": {"score": 0.2, "moved": 0.4, "examples": 64, "same": None, "groups": 10}}
    ),
    "gradients-not-zeroed": _STUCK.but(
        measured={"parameters": {"stale_norm": lambda i: 0.3 * i or None, "raw_norm": lambda i: 0.3 * i + 0.1}}
    ),
    "parameters-not-trained": _STUCK.but(
        measured={
            "parameters": {
                "held": 4,
                "reached": 4,
                "outside": ["fc2.weight", "fc2.bias"],
                "outside_count": 2,
                "outside_elements": 9000,
            }
        }
    ),
    "unscaled-inputs": Record(
        loss=leaps(),
        changes={
            "inputs": {
                "mean": 60.0,
                "std": 220.0,
                "rms": 229.0,
                "feature_std_min": 0.002,
                "feature_std_max": 539.0,
                "feature_rms_max": 880.0,
                "feature_rms_median": 0.3,
                "offset": 9.0,
            },
            "sharpness": {"ratio": 11.0},
        },
    ),
    "bad-initialisation": _STUCK.but(
        measured={"layers": {"fc1": {"gain": 0.0, "distinct": 0.0}, "fc2": {"gain": 0.0, "distinct": 0.0}}}
    ),
    "unstable-gradient": Record(loss=stays(), layers=stack(6), changes={"layers": _SWINGING}),
    "exploding-gradient": Record(loss=stays(), layers=stack(6), changes={"layers": _GROWING}),
    "saddle": _STUCK.but(
        loss=stays(noise=1e-5),
        lr=0.01,
        measured={
            **_FULL,
            "curvature": {"largest": 1.0, "smallest": -0.3, "raw_smallest": -0.3},
            "sharpness": {"ratio": 0.01},
        },
    ),
    "weight-decay-too-strong": _STUCK.but(
        group={"weight_decay": 0.3},
        measured={
            "decay": {f"fc{i}": {"pull": 0.3, "push": 0.01, "share": 1.1} for i in (1, 2, 3)},
            "norms": {"weight": lambda i: 9.5 * 0.6**i},
        },
    ),
    "step-too-large": Record(
        loss=leaps(),
        lr=5.0,
        changes={"sharpness": {"ratio": lambda i: 12.0 if i < 4 else 0.3}},
    ),
    "saturated-units": Record(
        loss=stays(),
        layers=stack(3, activation="tanh"),
        changes={"layers": {"fc2": {"saturated": 0.92, "slope": 0.04, "pre_std": 14.0, "gain": 9.0}}},
    ),
    "dead-units": _STUCK.but(measured={"layers": {"fc2": {"dead": 0.97, "pre_mean": -6.0, "pre_std": 1.0}}}),
    "vanishing-gradient": _DEEP.but(measured={"layers": _FADING}),
    "flat-region": _STUCK.but(
        measured={
            "norms": {"gradient": 1e-7, "weight": 9.5},
            "curvature": {"largest": 1e-6, "smallest": -1e-7, "raw_smallest": -1e-7},
        }
    ),
    "step-too-small": _STUCK.but(
        lr=0.0005,
        measured={
            "norms": {"update_ratio": 1.7e-5},
            "along_update": {"loss_before": 2.3, "loss_after": 2.29999, **_TINY},
            "sharpness": {"ratio": 0.0002},
        },
    ),
    "not-finite": Record(
        loss=breaks(),
        probed=(0, 1, 2, 4, 8, 16, 32, 40),
        changes={
            "not_finite": {
                "where": lambda i: "activation" if i == 7 else None,
                "layer": lambda i: "fc2" if i == 7 else None,
                "kind": lambda i: "nan" if i == 7 else None,
            }
        },
    ),
    "converged": Record(loss=learns()),
    "still-improving": Record(loss=falls()),
}

SOUND: dict[str, Record] = {
    "wrong-gradient": _STUCK,
    "shape-broadcast": _STUCK.but(measured=head("mse_loss", [64, 1], [64, 1])),
    "double-softmax": _STUCK.but(measured=head("cross_entropy", [64, 10], [64], "log_softmax")),
    "wrong-output-activation": _STUCK.but(
        measured=head("mse_loss", [64, 3], [64, 3], "sigmoid", outside=0.0, unreachable=0.0)
    ),
    "wrong-loss": _STUCK.but(measured=head("nll_loss", [64, 10], [64], "log_softmax", normalised=1.0)),
    "detached-graph": _STUCK.but(measured={"parameters": {"cut": None}}),
    "wrong-mode": _STUCK.but(
        measured={
            "modes": {**_MODES, "norms": {"training": 3, "evaluating": 0, "fresh": 0}, "file": None, "line": None}
        }
    ),
    "low-precision": _STUCK.but(
        measured={
            "precision": {
                "dtypes": {"float32": 26_122},
                "autocast": None,
                "low": False,
                "lost_updates": 0.01,
                "zero_gradients": 0.1,
            }
        }
    ),
    "unshuffled-batches": _STUCK.but(measured={"task": lambda i: _mixed(i)["task"]}),
    "targets-misaligned": _STUCK.but(
        measured={"targets": {"score": 9.0, "moved": 0.4, "examples": 64, "same": None, "groups": 10}}
    ),
    "gradients-not-zeroed": _STUCK,
    "parameters-not-trained": _STUCK,
    "unscaled-inputs": Record(loss=leaps(), changes={"sharpness": {"ratio": 11.0}}),
    "bad-initialisation": _STUCK,
    "unstable-gradient": Record(loss=stays(), layers=stack(6)),
    "exploding-gradient": Record(loss=stays(), layers=stack(6)),
    "saddle": FAULTY["saddle"].but(measured={"curvature": {"smallest": -1e-5, "raw_smallest": -1e-5}}),
    "weight-decay-too-strong": FAULTY["weight-decay-too-strong"].but(
        group={"weight_decay": 1e-4},
        measured={
            "decay": {f"fc{i}": {"pull": 1e-4, "push": 0.01, "share": 0.001} for i in (1, 2, 3)},
            "norms": {"weight": 9.5},
        },
    ),
    "step-too-large": Record(loss=stays(), lr=5.0, changes={"sharpness": {"ratio": 0.3}}),
    "saturated-units": Record(loss=stays(), layers=stack(3, activation="tanh")),
    "dead-units": _STUCK,
    "vanishing-gradient": _DEEP,
    "flat-region": _STUCK,
    "step-too-small": _STUCK.but(lr=0.0005, measured={"norms": {"update_ratio": 1.7e-5}}),
    "not-finite": Record(loss=learns()),
    "converged": Record(loss=falls()),
    "still-improving": Record(loss=learns()),
}
