"""Corpora that nobody wrote: `demo_corpus` for the demo, `known_answers` whose true answer is known, `optimal_model`
what the best possible model would pay on them.
"""
