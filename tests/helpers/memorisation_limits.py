"""The limits of params/memorisation.yaml, for canaries of which there are few."""

from pathlib import Path

import yaml

from lib.experiment import parameters
from lib.memorisation import assessment

FILE = Path("params/memorisation.yaml")
FEW = {"planted": 16, "repeats": [4, 16], "candidates": 200}
LIMITS = parameters.validate(assessment.Limits, yaml.safe_load(FILE.read_text(encoding="utf-8")) | FEW, FILE)
