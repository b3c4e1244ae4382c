"""Does a model know its training texts better than others like them? `assessment` gives the verdict, from the
`extraction_gap` and from `canaries`, which `canary_training` plants.
"""
