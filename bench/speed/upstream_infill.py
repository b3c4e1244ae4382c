"""Does a model that we export fill blanks under upstream ILM's own code as it does under ours?

    git clone https://github.com/chrisdonahue/ilm /somewhere/ilm
    .venv/bin/python -m nltk.downloader punkt_tab
    .venv/bin/python bench/speed/upstream_infill.py /somewhere/ilm

A small GPT-2 with GPT-2's vocabulary learns from the embedded corpus, is saved, exported, and opened
as upstream's inference.ipynb opens one: pickle, pytorch_model.bin, its own tokenizer. Upstream's infill_with_ilm then
fills the blanks of 50 test texts, greedily, since a nucleus of next to nothing leaves the most probable token. None of
it is changed. Compared are the filled texts. Record: bench/records/upstream_infill.json.
"""

import pickle
import sys
import tempfile
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from bench.speed.upstream import Upstream
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.files import read_json, write_json
from lib.infilling import decoding
from lib.masking import frozen_masks, token_index
from lib.masking.examples import first_special_of
from lib.models import initialization, loading, packing
from lib.sharing import upstream_ilm
from lib.synthetic.demo_corpus import embedded_corpus
from lib.training.dataset import Steps

RECORD = Path(__file__).parents[1] / "records/upstream_infill.json"
DRAWING = parameters.load_file("params/demo/masks.yaml")
SETTINGS = parameters.load_file("params/demo/general.yaml").model_copy(update={"max_examples": 1600, "n_embd": 32})
TEXTS, ROOM, GREEDY = 50, 160, 1e-9  # ROOM: tokens of prompt and fillings together, in which most come to their end


def learned(index, gpt2, folder):
    """A model that has learned a little, in `folder` as 03_train leaves one; train.json holds what reading it needs."""
    torch.manual_seed(0)
    steps = Steps(index, DRAWING, SETTINGS, 0, first_special_of(gpt2))
    model = initialization.initial_model(SETTINGS, gpt2, DRAWING.max_length).train()
    adam = torch.optim.AdamW(model.parameters(), lr=SETTINGS.learning_rate, weight_decay=0.0)
    for step in range(len(steps)):
        with packing.packed_attention(model):
            packing.chunked_loss(model, packing.to_tensors(steps[step])).backward()
        adam.step()
        adam.zero_grad()
    model.save_pretrained(folder)
    gpt2.save_pretrained(folder)
    (folder / "README.md").write_text("A model of bench/speed/upstream_infill.py.\n", encoding="utf-8")
    write_json({"fingerprint": loading.fingerprint(model)}, folder / "train.json")


def theirs(up, folder, prompts):
    """Filled texts, as token ids, from the exported folder through upstream's code alone."""
    with open(folder / "additional_ids_to_tokens.pkl", "rb") as file:
        ids = {token: number for number, token in pickle.load(file).items()}
    assert ids == {token: up.first + i for i, token in enumerate(ids)}, "not the ids of its tokenizer"
    model = GPT2LMHeadModel.from_pretrained(folder, use_safetensors=False).eval()  # of its time: pytorch_model.bin
    return [up.infer.infill_with_ilm(model, ids, one, 1, ROOM, nucleus=GREEDY)[0] for one in prompts]


def ours(folder, gpt2, prompts):
    model = loading.load_model(folder)
    blanks = [
        [at for at, token in enumerate(one) if token > gpt2.convert_tokens_to_ids("<|endofinfill|>")] for one in prompts
    ]
    filled = []
    for one, places in zip(prompts, blanks):
        how = {"max_new_tokens": ROOM - len(one)}
        (fillings,), _ = decoding.sample_infills(model, gpt2, [torch.tensor(one).numpy()], [len(places)], **how)
        parts = [gpt2.decode(one[a + 1 : b]) for a, b in zip([-1, *places], [*places, len(one) - 1])]
        filled.append("".join(part + filling for part, filling in zip(parts, [*fillings, ""])))
    return filled


def main():
    loading.silence_transformers()
    up = Upstream(sys.argv[1])
    table = embedded_corpus(2000, seed=7).rename(columns={"writing_id": "text_id"})
    index = token_index.build_index(table, up.gpt2, "rules", DRAWING.max_length)
    train, test = index.iloc[TEXTS * 4 :], index.iloc[: TEXTS * 4]
    first = first_special_of(up.gpt2)
    _, tokens, roles = scoring.frozen_examples(test, frozen_masks.draw_frozen(test, DRAWING, "training_mix", 1), first)
    prompts = [decoding.build_prompt(*one).tolist() for one in zip(tokens, roles)]
    prompts = [one for one in prompts if len(one) < 100][:TEXTS]
    same_ids = sum(up.tokens.encode(text) == list(ids) for text, ids in zip(table["text"], index["ids"].head(200)))
    with tempfile.TemporaryDirectory() as folder:
        learned(train, up.gpt2, Path(folder) / "model")
        upstream_ilm.export_model(Path(folder) / "model", Path(folder) / "exported")
        both = [
            [up.gpt2.decode(one) for one in theirs(up, Path(folder) / "exported", prompts)],
            ours(Path(folder) / "model", up.gpt2, prompts),
        ]
    found = {
        "texts": len(prompts),
        "blanks": sum(token > first + 1 for one in prompts for token in one),
        "same_filled_text": sum(a == b for a, b in zip(*both)),
        "different_fillings": len(set(both[1])),
        "texts_with_upstreams_token_ids": f"{same_ids} of 200",
    }
    write_json(
        facts() | {"patched": "nothing in ilm/infer.py; imports of transformers 2.7 stand in as names"} | found, RECORD
    )
    print(read_json(RECORD))


if __name__ == "__main__":
    main()
