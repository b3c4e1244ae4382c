"""Every figure and sortable table. `result_figures` and `corpus_figures` draw, `titles` states what a figure shows,
`captions` explains it, `style` is common to all, `tables` sorts by a click on a column's header.
"""
