"""Claims about the tokenizer: ILM's seven special tokens have the last ids."""

from lib.masking import examples


def test_special_tokens_follow_the_vocabulary_in_the_papers_order(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(examples.SPECIALS)
    assert ids == list(range(len(tokenizer) - 7, len(tokenizer)))
    assert examples.SPECIALS[2:] == [f"<|infill_{t}|>" for t in ["document", "paragraph", "sentence", "ngram", "word"]]
