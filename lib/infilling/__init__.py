"""What a model writes into blanks (05_infill). `decoding` searches and samples, `kv_cache` reads each prompt once,
`queries` puts one text to all models, `explorer` does so by mouse and keyboard.
"""
