"""A small stand-in for GPT-2: `.venv/bin/python bench/base_model.py FOLDER STEPS FILE...`

Trains a byte-level BPE and a GPT-2 of 2 layers on plain English text that is not the study's, as GPT-2 was, and leaves
both in FOLDER, for `init_from:` and `tokenizer:`. What a study with models that start from one base does can then be
tried where GPT-2's weights cannot be had.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import ByteLevelBPETokenizer
from tqdm import trange
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, set_seed

VOCABULARY, LENGTH, ROWS = 4096, 1024, 4
SIZES = {"n_layer": 2, "n_head": 4, "n_embd": 192}
END = "<|endoftext|>"


def tokenizer(texts):
    coder = ByteLevelBPETokenizer()
    coder.train_from_iterator(texts, vocab_size=VOCABULARY, special_tokens=[END])
    return PreTrainedTokenizerFast(tokenizer_object=coder._tokenizer, bos_token=END, eos_token=END, unk_token=END)


def train(model, tokens, steps):
    """Next-token loss on rows from anywhere in `tokens`; the rate rises for 50 steps and falls to zero."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=min(0.5, 50 / steps))
    chosen = np.random.default_rng(0)
    for _ in (bar := trange(steps, mininterval=10)):
        starts = chosen.integers(0, len(tokens) - LENGTH, ROWS)
        rows = torch.stack([tokens[start : start + LENGTH] for start in starts])
        loss = model(input_ids=rows, labels=rows).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        rate.step()
        bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)


def main(folder, steps, *files):
    set_seed(0)
    texts = [Path(file).read_text() for file in files]
    coder = tokenizer(texts)
    ids = [coder(text)["input_ids"] + [coder.eos_token_id] for text in texts]
    config = GPT2Config(vocab_size=len(coder), n_positions=LENGTH, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
                        bos_token_id=coder.eos_token_id, eos_token_id=coder.eos_token_id, **SIZES)  # fmt: skip
    model = GPT2LMHeadModel(config)
    tokens = torch.tensor(sum(ids, []))
    print(f"{sum(map(len, texts)):,} characters, {len(tokens):,} tokens, {model.num_parameters():,} weights")
    train(model, tokens, int(steps))
    model.save_pretrained(folder)
    coder.save_pretrained(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
