"""From the perplexities of a text to its level: the level of the least perplexed model, or a calibrated classifier.

The calibrated one is a multinomial logistic regression, fitted on validation texts. A classifier is a dict that JSON
can hold, so that it can be used without scikit-learn.
"""

import numpy as np

FILE = "classifier.json"  # of the study's own texts, for the explorer
STRENGTH = 1.0  # C of scikit-learn's L2 penalty, its default; on the demo .1 to 100 differ by less than a point


def least_perplexed(log_ppl):
    """The level whose model has the lowest perplexity of each text; where several have, the lowest of their levels.

    log_ppl: a frame, texts x levels in the order of LEVELS, of ln perplexity.
    """
    levels = np.array(log_ppl.columns)
    return levels[log_ppl.to_numpy(float).argmin(axis=1)]


def features(log_ppl):
    """float [texts, models + 1]: each model's ln perplexity less the mean over models, and this mean.

    Perplexities of one text are highly correlated over models, and the small differences are what matters. As columns
    of their own they are not shrunk with the rest.
    """
    values = np.asarray(log_ppl, float)
    mean = values.mean(axis=1, keepdims=True)
    return np.hstack([values - mean, mean])


def fit(inputs, levels):
    """A multinomial logistic regression as a dict: levels, mean, scale, weights [levels, inputs], bias [levels].

    inputs: float [texts, inputs]; levels: of the texts, two different ones at least.
    """
    from sklearn.linear_model import LogisticRegression  # here, since scikit-learn takes seconds to import
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=STRENGTH, max_iter=10_000).fit(scaler.transform(inputs), levels)
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps the second level only
        weights, bias = np.vstack([0 * weights, weights]), np.append(0, bias)
    return {
        "levels": list(map(str, model.classes_)),
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "weights": weights.tolist(),
        "bias": bias.tolist(),
    }


def calibrate(log_ppl, levels):
    """`fit` on the features of perplexities. log_ppl: a frame, texts x levels of the models; levels: of the texts."""
    return fit(features(log_ppl), levels) | {"models": list(log_ppl.columns)}


def probabilities(classifier, inputs):
    """float [texts, levels of the classifier]"""
    scaled = (np.asarray(inputs, float) - classifier["mean"]) / classifier["scale"]
    scores = scaled @ np.array(classifier["weights"]).T + classifier["bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def most_probable(classifier, inputs):
    """The most probable level of each text, an array of str."""
    return np.array(classifier["levels"])[probabilities(classifier, inputs).argmax(axis=1)]


def calibrated_level(classifier, log_ppl):
    """The same from perplexities, a frame with the models' levels as columns."""
    return most_probable(classifier, features(log_ppl[classifier["models"]]))
