"""From contrasts to answers (07_hypotheses). `decision_rules` holds H1, H2 and H3, `validity` their preconditions,
`verdict_text` and `expectations` their words, `recommendation` which model to use.
"""
