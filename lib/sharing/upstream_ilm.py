"""To and from upstream ILM (github.com/chrisdonahue/ilm): model folders, texts and masks in its formats."""

import io
import pickle
import re
import shutil
from pathlib import Path

import pandas as pd

from lib.design import LEVELS
from lib.errors import MissingResult, UpstreamFormatError
from lib.experiment.files import atomic_write, read_json, write_json, write_table
from lib.experiment.folders import existing_experiment
from lib.masking.segmentation import TYPES

BETWEEN = "\n\n\n"  # what parts two documents in a text file of upstream's
_RUN = re.compile(r"(?:\r\n|\r|\n){3,}")  # upstream reads each of these line ends as \n
READ_BY_ALL = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


def export_model(folder, to):
    """Copy a model folder into `to` and add what upstream reads: pytorch_model.bin, additional_ids_to_tokens.pkl.

    Both are in formats as old as upstream: torch's before zip files, pickle's protocol 2. Upstream's own tokenizer is
    GPT-2's, so its notebook as it stands is for models with that vocabulary. Raises UpstreamFormatError unless it is a
    GPT-2.
    """
    import torch  # here, since texts and masks need neither
    from transformers import AutoTokenizer

    from lib.masking.examples import SPECIALS
    from lib.models import loading

    folder, to = Path(folder), Path(to)
    config = read_json(folder / "config.json")
    if config["model_type"] != "gpt2":
        raise UpstreamFormatError(f"{folder} holds a {config['model_type']} model. Upstream ILM knows gpt2 only.")
    model, tokenizer = loading.load_model(folder), AutoTokenizer.from_pretrained(folder)
    added = dict(zip(tokenizer.convert_tokens_to_ids(SPECIALS), SPECIALS))
    to.mkdir(parents=True, exist_ok=True)
    for name in [*READ_BY_ALL, "README.md"]:
        with atomic_write(to / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    same_function = {"activation_function": "gelu_new", "n_ctx": config["n_positions"]}  # under names of its time
    write_json(config | same_function, to / "config.json")
    with atomic_write(to / "pytorch_model.bin") as temporary:
        weights = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
        torch.save(weights, temporary, _use_new_zipfile_serialization=False)
    with atomic_write(to / "additional_ids_to_tokens.pkl") as temporary:
        temporary.write_bytes(pickle.dumps(added, protocol=2))


def document(text):
    """A text as one document of upstream's format, and how many runs of line ends were cut to two in it."""
    return _RUN.subn("\n\n", text.strip())


def export_texts(texts, to):
    """Write <level>/ and all/, each with train.txt, valid.txt and test.txt, and evaluation.csv of the test texts.

    texts: a frame with text_id, level, l1, split, text. Returns {file: {documents, runs_cut}}, also in report.json.
    """
    to, report = Path(to), {}
    for level in [*LEVELS, "all"]:
        own = texts if level == "all" else texts[texts["level"] == level]
        for part in ["train", "valid", "test"]:
            documents = [document(text) for text in own.loc[own["split"] == part, "text"]]
            file = f"{level.lower()}/{part}.txt"
            with atomic_write(to / file) as temporary:
                temporary.write_bytes(BETWEEN.join(text for text, _ in documents).encode())
            report[file] = {"documents": len(documents), "runs_cut": sum(n for _, n in documents)}
    test = texts[texts["split"] == "test"]
    names = {"text_id": "id", "text": "text", "level": "cefr_label", "l1": "l1"}
    write_table(test[list(names)].rename(columns=names), to / "evaluation.csv")
    write_json(report, to / "report.json")
    return report


def _type(value):
    """Stands in for upstream's class of mask types: its values are our numbers of them."""
    if value not in range(len(TYPES)):
        raise UpstreamFormatError(f"a mask of type {value!r}; known are 0 to {len(TYPES) - 1}, {', '.join(TYPES)}")
    return value


class _MasksOnly(pickle.Unpickler):
    """Makes lists, tuples, texts, numbers and mask types; whatever else a pickle asks for is refused, not looked up."""

    def find_class(self, module, name):
        if (module, name) == ("ilm.mask.hierarchical", "MaskHierarchicalType"):
            return _type
        raise UpstreamFormatError(
            f"it asks for {module}.{name}; a mask file needs only ilm.mask.hierarchical's mask types"
        )

    def persistent_load(self, pid):
        raise UpstreamFormatError("it refers to something outside of itself")


def import_masks(file):
    """Texts and masks of a file that upstream's create_ilm_examples wrote. Nothing in it can run.

    Returns (texts, masks): text_id (the place in the file), text; and text_id, mask_set, span_type, char_offset,
    char_length as in masks/test.parquet, one row a span; masks without spans have none. Raises UpstreamFormatError.
    """
    content = Path(file).read_bytes()
    try:
        found = _MasksOnly(io.BytesIO(content)).load()
        rows = [row for place, one in enumerate(_a(list, found)) for row in _rows(place, one)]
    except UpstreamFormatError as error:
        raise UpstreamFormatError(f"{file} is no mask file of upstream ILM: {error}. Nothing of it was used.") from None
    except Exception as error:  # a damaged pickle fails in as many ways as there are opcodes
        raise UpstreamFormatError(
            f"{file} is no mask file of upstream ILM, or a damaged one: {type(error).__name__}, {error}. Expected: "
            "what its create_ilm_examples.py writes, a pickled list of (text, masks)."
        ) from None
    texts = pd.DataFrame({"text_id": range(len(found)), "text": [text for text, _ in found]})
    return texts, pd.DataFrame(rows, columns=["text_id", "mask_set", "span_type", "char_offset", "char_length"])


def _rows(place, one):
    text, masks = _a(tuple, one)
    _a(str, text)
    for mask_set, mask in enumerate(_a(list, masks)):
        end = 0
        for kind, offset, length in map(tuple, _a(list, mask)):
            inside = end <= _a(int, offset) < offset + _a(int, length) <= len(text)
            if not inside:
                raise UpstreamFormatError(
                    f"mask {mask_set} of text {place}: a span at {offset}, {length} long, out of it"
                )
            end = offset + length
            yield place, mask_set, _a(int, kind), offset, length


def _a(kind, found):
    if type(found) is not kind:
        raise UpstreamFormatError(f"there is a {type(found).__name__} where a {kind.__name__} should be")
    return found


def model_to(model, to):
    """`export_model`, told in a sentence. Raises MissingResult where that is no model's folder."""
    absent = [name for name in ("config.json", "model.safetensors") if not (Path(model) / name).exists()]
    if absent:
        raise MissingResult(f"{model} lacks {' and '.join(absent)}. Expected: a model's folder, such as "
                      "runs/demo/models/a1/seed0, which 03_train leaves.")  # fmt: skip
    export_model(model, to)
    print(f"{to}: opens with transformers, and in upstream ILM's inference.ipynb. The licence of the corpus "
          "decides whether weights may leave this machine.")  # fmt: skip


def texts_to(experiment, to):
    """`export_texts` of an experiment, told in sentences."""
    run = existing_experiment(experiment)
    texts = pd.read_parquet(run.require(run.texts, "01_extract"))
    report = export_texts(texts, to)
    print(f"{to}: {report['all/train.txt']['documents']:,} training texts for upstream ILM, in all and by level; "
          f"{sum(own['runs_cut'] for own in report.values()) // 2:,} runs of empty lines cut to one. "
          "These are texts of the corpus: they stay on this machine.")  # fmt: skip


def masks_to(file, to):
    """`import_masks` as texts.csv and masks.csv in a folder."""
    if not Path(file).exists():
        raise MissingResult(f"There is no {file}. Expected: a pickle of upstream's create_ilm_examples.py.")
    texts, masks = import_masks(file)
    write_table(texts, Path(to) / "texts.csv")
    write_table(masks.assign(span_type=masks["span_type"].map(dict(enumerate(TYPES)))), Path(to) / "masks.csv")
    print(f"{to}: {len(texts):,} texts, {len(masks):,} spans")
