"""From corpus files of any shape to texts that can answer the question (01_extract). `reading` opens files, each kind
by its module in formats/; `column_mapping` finds columns and joins files, `levels` and `learners` guess nothing,
`damage` looks for signs of it, `cleaning` drops what cannot be used, `near_duplicates` and `split` decide who is in
which part.
"""
