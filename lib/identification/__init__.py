"""The level of a text from its perplexities (make identify): each level's model is one artificial learner.
`text_scores` gives a text's perplexity under each model, `classifiers` and `baselines` a level, `measures` how often it
is the right one, with `intervals` over learners; `other_corpus` prepares texts of another corpus, `systems` identifies
them in every way, `command` does it all.
"""
