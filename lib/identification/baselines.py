"""What identifies a level without any language model: the most frequent level, length alone, and words (TF-IDF)."""

import numpy as np
import pandas as pd

from lib.identification import classifiers

STRENGTHS = [1, 10, 100]  # C of the TF-IDF classifier, chosen on the validation texts
MAX_TERMS = 200_000  # words and pairs of words


def majority(train, test):
    """The most frequent level of the training texts, for each test text. train, test: frames of texts with level."""
    return np.full(len(test), train["level"].mode().iloc[0], object)


def length(train, test):
    """The level by the number of words alone: a logistic regression on its logarithm."""
    if train["level"].nunique() < 2:
        raise ValueError("the training texts are of one level only")
    classifier = classifiers.fit(_log_words(train), train["level"])
    return classifiers.most_probable(classifier, _log_words(test))


def _log_words(texts):
    """float [texts, 1]"""
    return np.log1p(texts["text"].str.count(r"\S+").to_numpy(float))[:, None]


def tfidf(train, valid, test):
    """The level by words and pairs of words: TF-IDF and a logistic regression.

    The penalty is that with which most validation texts are right. Raises ValueError where no word occurs in two
    training texts, or all of them are of one level.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if train["level"].nunique() < 2:
        raise ValueError("the training texts are of one level only")
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=MAX_TERMS)
    try:
        words = vectorizer.fit_transform(train["text"])
    except ValueError:
        raise ValueError("no word of two letters or more occurs in two training texts") from None
    best, highest = None, -1.0
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000).fit(words, train["level"])
        right = model.score(vectorizer.transform(valid["text"]), valid["level"]) if len(valid) else 0.0
        if right > highest:
            best, highest = model, right
    return best.predict(vectorizer.transform(test["text"]))


def sample_per_level(texts, most, seed):
    """At most `most` texts of each level, drawn at random; the others are left out. The order of rows stays."""
    shuffled = texts.sample(frac=1, random_state=seed)
    kept = shuffled.groupby("level").head(most)
    return texts.loc[texts.index.isin(pd.Index(kept.index))]
