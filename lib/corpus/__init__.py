"""From corpus files of any shape to texts that can answer the question (01_extract). `reading` opens files,
`column_mapping` finds columns and joins files, `cleaning` drops what cannot be used, `near_duplicates` and `split`
decide who is in which part.
"""
