"""From corpus files in any format to texts that can answer the question (01_extract). `reading` opens files, each kind
with its module in formats/. `column_mapping` finds columns and joins files, `levels` and `learners` guess nothing.
`damage` counts signs of damage, `cleaning` drops what cannot be used. `near_duplicates` and `split` assign each text to
training, validation or test. What is said about a corpus is in report/.
"""
