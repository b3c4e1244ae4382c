"""What a model card is told of a model."""

FACTS = {
    "model": "a1", "seed": 0, "levels": ["A1"], "split_id": "5eed", "mask_hash": "f00d", "learners_known": True,
    "init_from": "scratch", "examples_seen": 2400, "valid_perplexity": 28.7, "start_perplexity": 1757.0,
    "parameters_total": 1000,
}  # fmt: skip
