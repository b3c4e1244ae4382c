"""The caption of each figure, for report and paper."""

CAPTIONS = {
    "h1_gains": "Gain of each level's own model: by how many per cent the general model's perplexity is higher on the "
    "same blanks, with 95 % intervals over learners and training seeds. The band is the margin of 10 %.",
    "h2_general_vs_best": "The general model beside the best of the level models, which was chosen on valid texts. "
    "Inside the band the two are as good as equal.",
    "h3_transfer": "Perplexity of the level's own, the general and the transfer model on the level's test texts (log "
    "scale, lower is better). Intervals are each model's own, for these weights; verdicts rest on paired differences.",
    "matrix": "Perplexity of every model (row) on the test texts of every level (column). Compare within a column "
    "only: texts of another level are easier or harder for every model.",
    "by_type": "Gain of the own model by what is blanked: the mix used in training, single words, runs of words, "
    "sentences, whole texts.",
    "by_l1": "Gain of the own model by first language, where a group is large enough.",
    "needed_sample": "Measured gains beside the least true gains that a sample like this one would show in nine of ten "
    "studies: to be above zero, and above the margin of H1, with Holm's strictest correction.",
    "learning_curves": "Perplexity on valid texts during training. Thin lines are seeds, thick ones their mean.",
}
