"""A module for each kind of file that holds a corpus. Each has `open_tables`, which gives a list or stream of (sheet or
None, header, stream of rows). `detection` recognises the kind, `notes` holds what was met on the way.
"""
