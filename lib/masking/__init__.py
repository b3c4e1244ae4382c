"""From texts to masked examples (02_mask). `segmentation` finds the units of a text. `masks` draws spans over them, and
`frozen_masks` draws those that all models are evaluated on. `tokenization` makes the tokenizer, and `token_index`
stores units and tokens of each text. `examples` builds what a model reads, with the loss weight of each token.
"""
