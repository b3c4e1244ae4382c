"""The caption of each figure, for report and paper: {name of the figure: its caption}, from captions.yaml."""

from pathlib import Path

from lib.experiment.files import read_yaml

CAPTIONS = read_yaml(Path(__file__).with_suffix(".yaml"))
