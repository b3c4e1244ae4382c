"""How a leak is found: `letter_search` looks up runs of a corpus' words in other texts, `public_texts` are those that
everybody can read already.
"""
