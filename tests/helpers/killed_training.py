"""Two trainings held against each other."""


def equal(one, other):
    return one[0] == other[0] and one[1].equals(other[1])
