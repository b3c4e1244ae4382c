"""Upstream ILM (github.com/chrisdonahue/ilm): its own code, loaded from a checkout, and its way of training.

Upstream was written for transformers 2.7. What it imports from there is not needed here and stands in as a name; its
sentence splitter is NLTK's punkt, whose data NLTK must find (python -m nltk.downloader punkt_tab, or NLTK_DATA).
"""

import json
import sys
import types
from pathlib import Path

import torch
from tokenizers import AddedToken
from torch.nn.functional import cross_entropy
from transformers import GPT2Tokenizer

from lib.masking.examples import CONTEXT, INFILL, INFILL_SPECIAL, SPECIALS, token_roles

LENGTH, BATCH, ACCUMULATION = 256, 8, 3  # upstream's defaults: tokens of a padded row, rows a batch, batches a step


_loaded = []  # for processes forked later


def align(masked):
    """`Upstream.examples_of` as a pool of processes takes it."""
    return _loaded[-1].examples_of(masked)


class Upstream:
    """Upstream's modules. folder: a checkout of its repository."""

    def __init__(self, folder):
        sys.path.insert(0, str(folder))
        present, absent = sys.modules["transformers"], types.ModuleType("transformers")
        for name in ["GPT2Config", "GPT2LMHeadModel", "AdamW", "CONFIG_NAME", "WEIGHTS_NAME"]:
            setattr(absent, name, object)
        sys.modules["transformers"] = absent
        import create_ilm_examples
        import ilm.infer
        import ilm.string_util
        import ilm.tokenize_util
        import train_ilm
        from ilm.mask.hierarchical import MaskHierarchical, MaskHierarchicalType

        sys.modules["transformers"] = present
        self.folder, self.train, self.create, self.infer = Path(folder), train_ilm, create_ilm_examples, ilm.infer
        self.strings, self.tokens = ilm.string_util, ilm.tokenize_util
        self.masker, self.types = MaskHierarchical(), list(MaskHierarchicalType)
        self.gpt2 = self._tokenizer()
        _loaded.append(self)

    def _tokenizer(self):
        """GPT-2's tokenizer with ILM's special tokens, from the two files that upstream carries."""
        files = self.folder / "ilm/official_gpt2_encoder"
        vocabulary = json.loads((files / "encoder.json").read_text(encoding="utf-8"))
        lines = (files / "vocab.bpe").read_text(encoding="utf-8").split("\n")[1:-1]
        ours = GPT2Tokenizer(vocab=vocabulary, merges=[tuple(line.split()) for line in lines])
        ours.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
        self.first = len(vocabulary)
        theirs = self.tokens.Tokenizer.GPT2
        self.tokens.update_tokenizer({self.first + i: token for i, token in enumerate(SPECIALS)}, theirs)
        return ours

    def forget(self):
        """Empty the caches that would let a second round skip work of the first."""
        self.strings.doc_to_hierarchical_offsets.cache_clear()
        self.tokens._tokens_offsets_and_residuals_memoized.cache_clear()

    def masks(self, texts):
        """16 masks of each text, as its create_ilm_examples draws them: [(text, [mask, ...]), ...]."""
        return self.create.randomly_mask_dataset(texts, self.masker, 16, 16)[0]

    def examples_of(self, masked, length=LENGTH):
        """Its padded examples of a (text, masks): inputs uint16 and roles uint8 [masks, length]."""
        text, masks = masked
        type_ids = {kind: self.first + 2 + i for i, kind in enumerate(self.types)}
        return self.train.doc_and_char_masks_to_input_and_tt(
            text, masks, self.tokens.Tokenizer.GPT2, self.first, self.first + 1, type_ids,
            self.train.Task.ILM, length, False,
        )  # fmt: skip


def padded(tokens, roles, length=LENGTH):
    """Examples cut or padded to upstream's rows: int64 inputs and roles [examples, length]."""
    rows = torch.zeros(2, len(tokens), length, dtype=torch.long)
    for i, both in enumerate(zip(tokens, roles)):
        for row, one in zip(rows[:, i], both):
            row[: len(one)] = torch.as_tensor(one[:length].astype("int64"))
    return rows[0], rows[1]


def losses(model, inputs, roles):
    """Upstream's two means over a padded batch, from logits of every position: (answers, context)."""
    logits = model(inputs).logits[:, :-1].contiguous().view(-1, model.config.vocab_size)
    means = []
    for wanted in [token_roles(INFILL, INFILL_SPECIAL), token_roles(CONTEXT)]:
        labels = torch.where(torch.as_tensor(wanted, device=inputs.device)[roles], inputs, -1)[:, 1:]
        means.append(cross_entropy(logits, labels.contiguous().view(-1), ignore_index=-1))
    return means


def step(model, optimiser, inputs, roles):
    """One optimiser step of upstream's: batches of 8, their losses looked at, gradients added up and clipped."""
    for first in range(0, len(inputs), BATCH):
        answers, context = losses(model, inputs[first : first + BATCH], roles[first : first + BATCH])
        answers.item(), context.item()
        ((answers + context) / (len(inputs) / BATCH)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()


@torch.no_grad()
def evaluate(model, inputs, roles):
    """Upstream's evaluation of one set of masks: whole batches of 8 only, three means from the logits of all positions.

    Returns {tag: (sum of -ln p, number of tokens)}, tags as upstream calls them.
    """
    tags = {"context": [CONTEXT], "infill": [INFILL, INFILL_SPECIAL], "infill_textonly": [INFILL]}
    sums = dict.fromkeys(tags, (0.0, 0))
    for first in range(0, len(inputs) - BATCH + 1, BATCH):
        here = slice(first, first + BATCH)
        logits = model(inputs[here]).logits[:, :-1].contiguous().view(-1, model.config.vocab_size)
        for tag, kinds in tags.items():
            labels = torch.where(torch.as_tensor(token_roles(*kinds))[roles[here]], inputs[here], -1)[:, 1:]
            count = int((labels != -1).sum())
            mean = cross_entropy(logits, labels.contiguous().view(-1), ignore_index=-1).item()
            sums[tag] = sums[tag][0] + (mean * count if count else 0.0), sums[tag][1] + count
    return sums
