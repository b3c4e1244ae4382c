"""What is said about a corpus in words: in notebook 01 (`corpus_report`), and by `make inspect` (`inspection`, with the
columns and levels that `proposals` suggests).
"""
