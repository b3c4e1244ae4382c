"""What may be shared outside the corpus holder's machine. `report`, `notebook_pages` and `paper` present results;
`aggregates`, `small_cells` and, for make identify, `identified_levels` leave out small cells; `bundle` builds the
folder to share, with `weights` if they are cleared; `leak_check` looks for learners' words in it; `upstream_ilm`
exports to upstream's format.
"""
