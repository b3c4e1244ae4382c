"""Where an experiment keeps its files and what certifies them. `notebook` is how each notebook begins, `folders` knows
every path, `parameters` and `schemas` check the settings, `manifest` says how a result was made and if it is stale,
`code_hashes` notices changed code, `lock` allows one run at a time, and `files` writes complete files.
"""
