"""The caption of each figure, for report and paper: captions.yaml."""

from pathlib import Path

import yaml

CAPTIONS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
