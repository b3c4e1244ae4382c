"""From contrasts to answers (06_compare, 07_hypotheses). `decision_rules` has H1, H2 and H3, `validity` their
preconditions, `robustness` the alternative analyses, `minimum_detectable` the gains that a sample can show.
`recommendation` names the system to use. `comparison_text`, `verdict_text` and `expectations` put results into words.
"""
