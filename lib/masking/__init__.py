"""From texts to masked examples (02_mask). `segmentation` finds units, `masks` draws spans over them, `frozen_masks`
keeps those that every model is tested on, `tokenization` and `token_index` place tokens, `examples` builds what a
model reads.
"""
