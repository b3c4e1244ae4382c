"""A module for each kind of file that holds a corpus. Each has `parts`: for every table of a file its sheet or None,
its header and its rows, as a stream; `notes` holds what was met on the way.
"""
