"""The catalogue of whole training programs: which file, with which arguments, and what a correct diagnosis says of it.

Four lists. ``HEALTHY``: nothing is wrong. ``PLANTED``: pairs of a faulty program and the same program without the
fault. ``LOOKALIKES``: programs that show the sign of a difficulty but do not suffer from it. ``IDENTITY``: programs
that stretch how training can be written, for the proof that watching changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).resolve().parent
Kind = Literal["healthy", "planted", "repaired", "lookalike", "identity"]


@dataclass(frozen=True)
class Program:
    """One training program.

    Attributes:
        name: Unique in the catalogue.
        file: File in this folder.
        args: Arguments for the program; ``--seed N`` may be added.
        kind: What the program is in the catalogue for.
        expect: For ``planted``, the difficulty that is its root cause; for ``repaired`` and ``lookalike``, the
            difficulty that must not be accused; else empty.
        also: For ``planted``, other names of the same cause that a correct diagnosis may use instead.
    """

    name: str
    file: str
    args: tuple[str, ...]
    kind: Kind
    expect: str = ""
    also: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Path of the program's file."""
        return FOLDER / self.file


def _named(stem: str, args: str) -> str:
    return " ".join([stem, *args.split()])


def _healthy(stem: str, args: str = "") -> Program:
    return Program(_named(stem, args), f"{stem}.py", tuple(args.split()), "healthy")


def _pair(difficulty: str, stem: str, faulty: str = "--fault", sound: str = "", also: str = "") -> tuple[Program, Program]:
    file = f"{stem}.py"
    return (
        Program(f"{difficulty}: {_named(stem, faulty)}", file, tuple(faulty.split()), "planted", difficulty, tuple(also.split())),
        Program(f"not {difficulty}: {_named(stem, sound)}", file, tuple(sound.split()), "repaired", difficulty),
    )


def _like(difficulty: str, stem: str, args: str = "") -> Program:
    return Program(f"like {difficulty}: {_named(stem, args)}", f"{stem}.py", tuple(args.split()), "lookalike", difficulty)


def _identity(stem: str, args: str = "") -> Program:
    return Program(f"same: {_named(stem, args)}", f"{stem}.py", tuple(args.split()), "identity")


HEALTHY: tuple[Program, ...] = (
    _healthy("digits_mlp_plain"),
    _healthy("digits_mlp_trainer"),
    _healthy("digits_deep"),
    _healthy("digits_cnn"),
    _healthy("shapes_cnn_bn"),
    _healthy("char_gpt"),
    _healthy("majority_lstm"),
    _healthy("diabetes_regression"),
    _healthy("cancer_bce"),
    _healthy("wine_softmax"),
    _healthy("sine_tanh"),
    _healthy("adding_irnn"),
    _healthy("residual_tower"),
    _healthy("char_rnn"),
    _healthy("digits_autoencoder"),
    _healthy("xor_tiny"),
    _healthy("matrix_factorisation"),
    _healthy("deep_linear"),
    _healthy("peak_fit"),
    _healthy("sentiment_bag"),
    _healthy("transformer_classifier"),
    _healthy("stripes_deep_cnn"),
    _healthy("spiral_deep_tanh"),
    _healthy("blobs_numpy_style"),
    _healthy("moons_threshold"),
    _healthy("rhythm_cnn1d"),
    _healthy("forecast_gru"),
    _healthy("sigmoid_mse"),
    _healthy("rbf_network"),
)

PLANTED: tuple[tuple[Program, Program], ...] = (
    _pair("step-too-large", "digits_mlp_plain", "--fault step-too-large"),
    _pair("step-too-large", "digits_cnn", "--lr 0.3"),
    _pair("step-too-large", "diabetes_regression", "--lr 1.0"),
    _pair("step-too-small", "digits_mlp_plain", "--fault step-too-small"),
    _pair("step-too-small", "majority_lstm", "--lr 1e-6"),
    _pair("step-too-small", "char_gpt", "--lr 1e-6"),
    _pair("vanishing-gradient", "digits_deep", "--activation sigmoid"),
    _pair("bad-initialisation", "digits_cnn", "--fault bad-initialisation", also="saddle"),
    _pair("parameters-not-trained", "digits_cnn", "--fault parameters-not-trained"),
    _pair("weight-decay-too-strong", "digits_mlp_trainer", "--weight-decay 1.0"),
    _pair("weight-decay-too-strong", "shapes_cnn_bn", "--weight-decay 0.3"),
    _pair("unscaled-inputs", "cancer_bce"),
    _pair("gradients-not-zeroed", "digits_mlp_plain", "--fault gradients-not-zeroed"),
    _pair("unscaled-inputs", "wine_softmax", "--raw", also="step-too-large"),
    _pair("saturated-units", "sine_tanh", "--spread 100", also="bad-initialisation"),
    _pair("exploding-gradient", "adding_irnn", "--recurrent-scale 1.5", also="bad-initialisation"),
    _pair("exploding-gradient", "residual_tower", "--branch-scale 1.0", also="bad-initialisation"),
    _pair("exploding-gradient", "char_rnn", "--recurrent-gain 4", also="bad-initialisation"),
    _pair("step-too-large", "transformer_classifier", "--lr 0.2"),
    _pair("step-too-small", "digits_autoencoder", "--lr 1e-6"),
    _pair("saddle", "xor_tiny", "--scale 1e-4", also="bad-initialisation flat-region"),
    _pair("saddle", "matrix_factorisation", "--start 1e-8", also="bad-initialisation flat-region"),
    _pair("saddle", "deep_linear", "--std 0.02", also="bad-initialisation flat-region"),
    _pair("flat-region", "peak_fit", "--guess -25 30"),
    _pair("weight-decay-too-strong", "sentiment_bag", "--weight-decay 0.5"),
    _pair("vanishing-gradient", "stripes_deep_cnn", "--nonlinearity sigmoid"),
    _pair("vanishing-gradient", "spiral_deep_tanh", "--no-skip"),
    _pair("bad-initialisation", "blobs_numpy_style", "--fault symmetric", also="saddle"),
    _pair("dead-units", "blobs_numpy_style", "--hidden-bias -12", also="bad-initialisation"),
    _pair("dead-units", "moons_threshold", "--shift 5"),
    _pair("dead-units", "rhythm_cnn1d", "--bias -5", also="bad-initialisation"),
    _pair("unscaled-inputs", "forecast_gru", "--offset 500", also="saturated-units"),
    _pair("saturated-units", "forecast_gru", "--gain 100", also="bad-initialisation"),
    _pair("saturated-units", "sigmoid_mse", "--hidden-gain 200", also="bad-initialisation"),
    _pair("flat-region", "sigmoid_mse", "--output-bias -20", also="saturated-units bad-initialisation"),
    _pair("flat-region", "rbf_network", "--shift 12", also="bad-initialisation"),
    _pair("weight-decay-too-strong", "digits_autoencoder", "--weight-decay 30"),
)

LOOKALIKES: tuple[Program, ...] = ()

IDENTITY: tuple[Program, ...] = ()

ALL: tuple[Program, ...] = tuple(
    {p.name: p for p in (*HEALTHY, *(p for pair in PLANTED for p in pair), *LOOKALIKES, *IDENTITY)}.values()
)
