"""Every figure and sortable table. `result_figures` and `corpus_figures` draw, `titles` says what a figure shows,
`style` is common to all, `tables` lets a column's header sort.
"""
