"""What may leave the corpus holder's machine. `report`, `notebook_pages` and `paper` show results, `aggregates` leaves
out small cells, `bundle` builds the folder to share, `leak_check` and `text_extraction` look for learners' words in
it, `upstream_ilm` exports to upstream's format.
"""
