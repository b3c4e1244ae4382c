"""Corpora that nobody wrote: `demo_corpus` for the demo, `known_answers` whose true answer is known."""
