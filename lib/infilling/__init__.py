"""What a model writes into blanks (05_infill). `decoding` searches and samples, `kv_cache` stores what was read of each
prompt, `queries` compares all models on one text, `level_query` gives its level where make identify has been run,
`explorer` does both interactively.
"""
