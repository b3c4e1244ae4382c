"""Texts as learners write them, in which much goes wrong that a program must not stumble over."""

SENTENCE = "She ate leftover pasta for lunch."
LEARNER_LIKE = [
    SENTENCE,
    "Hi Anna,\nmy sister have a cat. He is very funny.I like him so much!\nBye, Marta",
    "Yesterday I go to the “big” market and I buyed tomatoes, chesse... It's was good 😀",
    "He say \"I don't know\" and ''maybe''. We was very surprise because he always know all.",
    "In my opinion the people should to work less. Firstly, because the life is short. Secondly, it is more healthy.",
    "I am work in a office in the center. Every day I take the bus at 8 o'clock and I arrive at 9 a.m. with my boss.",
]
