"""Exchange with upstream ILM (github.com/chrisdonahue/ilm): model folders, texts and masks in its formats."""

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

SEPARATOR = "\n\n\n"  # between two documents in upstream's text files
_LINE_ENDS = re.compile(r"(?:\r\n|\r|\n){3,}")  # upstream reads each of these line ends as \n
MODEL_FILES = ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


def export_model(folder, to):
    """Copy a model folder to `to` and add what upstream reads: pytorch_model.bin and additional_ids_to_tokens.pkl.

    Both are in formats of upstream's time: torch's before zip files, pickle's protocol 2. Upstream uses GPT-2's
    tokenizer, so its notebook runs unchanged only for models with that vocabulary. Raises UpstreamFormatError for a
    model that is no GPT-2.
    """
    import torch  # imported here, because texts and masks do not need it
    from transformers import AutoTokenizer

    from lib.masking.examples import SPECIALS
    from lib.models import loading

    folder, to = Path(folder), Path(to)
    config = read_json(folder / "config.json")
    if config["model_type"] != "gpt2":
        raise UpstreamFormatError(f"{folder} contains a {config['model_type']} model. Upstream ILM reads gpt2 only.")
    model = loading.load_model(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    special_tokens = dict(zip(tokenizer.convert_tokens_to_ids(SPECIALS), SPECIALS))
    to.mkdir(parents=True, exist_ok=True)
    for name in [*MODEL_FILES, "README.md"]:
        with atomic_write(to / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    old_names = {"activation_function": "gelu_new", "n_ctx": config["n_positions"]}  # the same, as it was called then
    write_json(config | old_names, to / "config.json")
    with atomic_write(to / "pytorch_model.bin") as temporary:
        weights = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
        torch.save(weights, temporary, _use_new_zipfile_serialization=False)
    with atomic_write(to / "additional_ids_to_tokens.pkl") as temporary:
        temporary.write_bytes(pickle.dumps(special_tokens, protocol=2))


def document(text):
    """A text as one document of upstream's format, and the number of places where line ends were reduced to two."""
    return _LINE_ENDS.subn("\n\n", text.strip())


def export_texts(texts, to):
    """Write <level>/ and all/, each with train.txt, valid.txt and test.txt, and evaluation.csv of the test texts.

    texts: a frame with text_id, level, l1, split, text. Returns {file: {documents, runs_cut}}, also in report.json.
    """
    to, report = Path(to), {}
    for level in [*LEVELS, "all"]:
        in_level = texts if level == "all" else texts[texts["level"] == level]
        for split in ["train", "valid", "test"]:
            documents = [document(text) for text in in_level.loc[in_level["split"] == split, "text"]]
            file = f"{level.lower()}/{split}.txt"
            with atomic_write(to / file) as temporary:
                temporary.write_bytes(SEPARATOR.join(text for text, _ in documents).encode())
            report[file] = {"documents": len(documents), "runs_cut": sum(n for _, n in documents)}
    test = texts[texts["split"] == "test"]
    names = {"text_id": "id", "text": "text", "level": "cefr_label", "l1": "l1"}
    write_table(test[list(names)].rename(columns=names), to / "evaluation.csv")
    write_json(report, to / "report.json")
    return report


def _type(value):
    """Replaces upstream's class of mask types, whose values are our numbers of span types."""
    if value not in range(len(TYPES)):
        raise UpstreamFormatError(f"a mask of type {value!r}; known are 0 to {len(TYPES) - 1}, {', '.join(TYPES)}")
    return value


class _MasksOnly(pickle.Unpickler):
    """Unpickles lists, tuples, texts, numbers and mask types, and refuses all other classes without looking them up."""

    def find_class(self, module, name):
        if (module, name) == ("ilm.mask.hierarchical", "MaskHierarchicalType"):
            return _type
        raise UpstreamFormatError(
            f"it refers to {module}.{name}; a mask file needs only ilm.mask.hierarchical's mask types"
        )

    def persistent_load(self, pid):
        raise UpstreamFormatError("it refers to something outside of itself")


def import_masks(file):
    """Texts and masks of a file that upstream's create_ilm_examples wrote. No code in it is run.

    Returns (texts, masks): text_id (the position in the file), text; and text_id, mask_set, span_type, char_offset,
    char_length as in masks/test.parquet, one row a span; masks without spans have none. Raises UpstreamFormatError.
    """
    content = Path(file).read_bytes()
    try:
        found = _MasksOnly(io.BytesIO(content)).load()
        rows = [row for text_id, example in enumerate(_typed(list, found)) for row in _rows(text_id, example)]
    except UpstreamFormatError as error:
        raise UpstreamFormatError(f"{file} is no mask file of upstream ILM: {error}. It was not used.") from None
    except Exception as error:  # a damaged pickle fails in as many ways as there are opcodes
        raise UpstreamFormatError(
            f"{file} is no mask file of upstream ILM, or a damaged one: {type(error).__name__}, {error}. Expected: "
            "what its create_ilm_examples.py writes, a pickled list of (text, masks)."
        ) from None
    texts = pd.DataFrame({"text_id": range(len(found)), "text": [text for text, _ in found]})
    return texts, pd.DataFrame(rows, columns=["text_id", "mask_set", "span_type", "char_offset", "char_length"])


def _rows(text_id, example):
    """Yield a row for each span of an example."""
    text, masks = _typed(tuple, example)
    _typed(str, text)
    for mask_set, mask in enumerate(_typed(list, masks)):
        end = 0
        for span_type, offset, length in map(tuple, _typed(list, mask)):
            if not end <= _typed(int, offset) < offset + _typed(int, length) <= len(text):
                raise UpstreamFormatError(
                    f"mask {mask_set} of text {text_id}: a span at {offset} of length {length} is outside of the text"
                )
            end = offset + length
            yield text_id, mask_set, _typed(int, span_type), offset, length


def _typed(expected, value):
    """value, if it has exactly the expected type. Raises UpstreamFormatError."""
    if type(value) is not expected:
        raise UpstreamFormatError(f"it contains a {type(value).__name__} where a {expected.__name__} is expected")
    return value


def model_to(model, to):
    """`export_model`, with a report of one sentence. Raises MissingResult where `model` is no model's folder."""
    missing = [name for name in ("config.json", "model.safetensors") if not (Path(model) / name).exists()]
    if missing:
        raise MissingResult(
            f"{model} lacks {' and '.join(missing)}. Expected: a model's folder, such as runs/demo/models/a1/seed0, "
            "which 03_train writes."
        )
    export_model(model, to)
    print(
        f"{to}: can be loaded with transformers, and in upstream ILM's inference.ipynb. The licence of the corpus "
        "decides whether weights may be shared."
    )


def texts_to(experiment, to):
    """`export_texts` of an experiment, with a report in sentences."""
    run = existing_experiment(experiment)
    texts = pd.read_parquet(run.require(run.texts, "01_extract"))
    report = export_texts(texts, to)
    shortened = sum(file["runs_cut"] for file in report.values()) // 2  # each text is in two files
    print(
        f"{to}: {report['all/train.txt']['documents']:,} training texts for upstream ILM, in all and by level; "
        f"{shortened:,} runs of empty lines reduced to one. These are texts of the corpus: keep them on this machine."
    )


def masks_to(file, to):
    """Write the result of `import_masks` to texts.csv and masks.csv in a folder."""
    if not Path(file).exists():
        raise MissingResult(f"There is no {file}. Expected: a pickle of upstream's create_ilm_examples.py.")
    texts, masks = import_masks(file)
    write_table(texts, Path(to) / "texts.csv")
    write_table(masks.assign(span_type=masks["span_type"].map(dict(enumerate(TYPES)))), Path(to) / "masks.csv")
    print(f"{to}: {len(texts):,} texts, {len(masks):,} spans")
