"""What a training begins with: initial weights, examples of each step, and the validation set for early stopping."""

from transformers import set_seed

from lib.evaluation import scoring
from lib.masking import text_sample
from lib.masking.examples import first_special_of, level_tokens
from lib.models import initialization
from lib.training.dataset import Steps
from lib.training.trainer import infill_loss


def prepare_training(settings, mask_settings, tokenizer, rows, seed, base=None):
    """(steps, model) of one seed before its first step. Sets the seed of all random numbers.

    settings: Train parameters; mask_settings: Masks parameters; rows: of the index, with level and learner_id, for
    training, of which a control takes a sample; base: the folder or name of the model to start from, as
    `initialization.initial_model` takes it.
    """
    set_seed(seed)
    rows = text_sample.training_texts(rows, settings, seed)
    prefix = _level_prefix(settings, tokenizer, rows)
    steps = Steps(rows, mask_settings, settings, seed, first_special_of(tokenizer), prefix)
    return steps, initialization.initial_model(settings, tokenizer, mask_settings.max_length, base)


def validation_set(settings, tokenizer, rows, frozen):
    """Examples of frozen masks as `loop.train` takes them: (keys, tokens, roles).

    rows: of the index, with level, the validation texts; frozen: their frozen masks.
    """
    prefix = _level_prefix(settings, tokenizer, rows)
    return scoring.frozen_examples(rows, frozen, first_special_of(tokenizer), prefix)


def _level_prefix(settings, tokenizer, rows):
    return level_tokens(tokenizer, rows["level"]) if settings.level_prefix else None


def validation_loss(model, valid):
    """The loss that early stopping watches, in nats a token. valid: as `validation_set` returns it."""
    return infill_loss(scoring.score(model, *valid))
