"""Experiment trackers write nothing during a trial, or write into its folder: a trial is none of the user's runs."""

from __future__ import annotations

import os
from pathlib import Path

#: Variables that switch a tracker off, or off the network, by its own documentation.
_OFF = {
    "WANDB_MODE": "disabled",
    "WANDB_SILENT": "true",
    "COMET_MODE": "DISABLED",  # read by transformers
    "COMET_START_ONLINE": "0",  # read by comet_ml.start
    "COMET_DISABLE_AUTO_LOGGING": "1",
    "NEPTUNE_MODE": "debug",
    "CLEARML_OFFLINE_MODE": "1",
    "TRAINS_OFFLINE_MODE": "1",
    "SWANLAB_MODE": "disabled",
    "POLYAXON_NO_OP": "true",
    "DVCLIVE_TEST": "true",  # no commits, no experiments, no uploads
    "DVC_NO_ANALYTICS": "true",
}

#: Variables that name the folder that a tracker writes to.
_FOLDERS = {
    "WANDB_DIR": "wandb",
    "COMET_OFFLINE_DIRECTORY": "comet",
    "TRACKIO_DIR": "trackio",
    "SWANLAB_LOG_DIR": "swanlog",
    "__AIM_REPO_NAME__": "aim",
}


def turn_off(folder: Path) -> None:
    """Set the environment of this process, which its children inherit, so that trackers stay silent.

    A program that names a server in its own code, such as by ``mlflow.set_tracking_uri``, is believed over the
    environment by its tracker. Uploads to the Hugging Face Hub have no switch but ``HF_HUB_OFFLINE``, which would also
    keep the program from loading its model, so it stays as it is.

    Args:
        folder: The trial's folder.
    """
    there = folder.resolve() / "trackers"
    os.environ.update(_OFF)
    os.environ.update({variable: str(there / name) for variable, name in _FOLDERS.items()})
    os.environ["MLFLOW_TRACKING_URI"] = (there / "mlruns").as_uri()
    for name in _FOLDERS.values():  # some trackers insist that their folder is there
        (there / name).mkdir(parents=True, exist_ok=True)
