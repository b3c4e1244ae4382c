"""Has a model memorised its training texts? `assessment` gives the verdict, from the `extraction_gap` between training
and test texts and from the exposure of `canaries`, which `canary_training` plants.
"""
