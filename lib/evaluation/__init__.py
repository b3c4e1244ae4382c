"""How surprised a model is (04_evaluate), and how two compare (06_compare). `scoring` sums -ln p over answers,
`statistics` makes perplexities, contrasts and intervals with learners as the unit, `lexical_metrics` describes the
words that models write.
"""
