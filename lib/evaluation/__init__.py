"""How well a model predicts texts (04_evaluate), and how models compare (06_compare). `scoring` sums -ln p over
answers, `statistics` estimates perplexities with learners as the unit, `contrasts` paired differences with intervals,
`comparisons` says which models and groups of texts are compared, `costs` what each model took to train,
`lexical_metrics` describes the words that models write.
"""
