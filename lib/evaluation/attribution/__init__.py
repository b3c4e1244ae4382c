"""Why a specialist gains or loses: how much is the training budget, how much the amount of distinct text, and how much
the exposure to the level; how the gain depends on the number of examples; and which verdicts the budgets limit."""
