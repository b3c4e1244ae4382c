"""Who wrote a text, as far as the corpus says."""


def known(texts):
    """Does the corpus name any learner?"""
    return bool((texts["learner_id"] != "").any())


def of(texts):
    """The learner of each text, a Series; a text without learner id is a learner of its own."""
    return texts["learner_id"].where(texts["learner_id"] != "", "text " + texts["text_id"].astype(str))
