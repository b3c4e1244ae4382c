"""What a training begins with: first weights, examples step by step, and the valid texts that say when to stop."""

from transformers import set_seed

from lib.evaluation import scoring
from lib.masking.examples import first_special_of, level_tokens
from lib.models import initialization
from lib.training.dataset import Steps
from lib.training.trainer import infill_loss


def first_step_loss(settings, drawing, tokenizer, rows, seed, base=None):
    """(steps, network) as they are before the first step of a seed, from which all chance follows from here on.

    settings: Train, drawing: Masks parameters; rows: of the index, with level: the training texts; base: as
    `initialization.model` takes it.
    """
    set_seed(seed)
    told = _told(settings, tokenizer, rows)
    steps = Steps(rows, drawing, settings, seed, first_special_of(tokenizer), told)
    return steps, initialization.initial_model(settings, tokenizer, drawing.max_length, base)


def validation_set(settings, tokenizer, rows, frozen):
    """Examples of frozen masks as `loop.train` takes them: (keys, tokens, roles). rows: as above, the valid texts."""
    return scoring.frozen_examples(rows, frozen, first_special_of(tokenizer), _told(settings, tokenizer, rows))


def _told(settings, tokenizer, rows):
    return level_tokens(tokenizer, rows["level"]) if settings.level_prefix else None


def validation_loss(network, valid):
    """The loss by which training stops, in nats a token, of a network at this moment. valid: as of `validation`."""
    return infill_loss(scoring.score(network, *valid))
