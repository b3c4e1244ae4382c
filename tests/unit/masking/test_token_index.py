"""Claims about the index: tokens decode to the text, and names of special tokens are plain characters."""

from hypothesis import given

from lib.masking import token_index
from lib.masking.token_index import encode
from tests.helpers.any_text import TEXTS, quickly


@quickly
@given(TEXTS)
def test_tokens_of_any_text_are_that_text(tokenizer, text):
    ids, _, _ = token_index.encode(tokenizer, text)
    assert tokenizer.decode(ids) == text


def test_a_special_tokens_name_in_a_text_stays_plain_characters(tokenizer):
    text = "I write <|endofinfill|> and <|endoftext|> here"
    ids = encode(tokenizer, text)[0]
    assert ids.max() < len(tokenizer) - 7 and tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids) == text
