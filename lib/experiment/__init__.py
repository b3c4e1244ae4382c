"""Where an experiment keeps its files and what vouches for them. `notebook` is how each notebook begins, `folders`
knows every path, `parameters` and `schemas` check what is asked, `manifest` says what made a result and what makes it
stale, `lock` lets one run at a time write.
"""
