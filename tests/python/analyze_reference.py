"""Writes tests/fixtures/analyze/reference.json: nearest neighbours by cosine and multinomial logistic
regression as scikit-learn has them, on random numbers.

  python3 tests/python/analyze_reference.py tests/fixtures/analyze/reference.json

Needs numpy and scikit-learn. The rows are rounded to three digits, so that the text holds them
exactly as floats; the neighbours' cosines differ by more than rounding does.
"""

import json
import sys

import numpy
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler


def neighbours(random):
    gallery = random.normal(size=(70, 6)).round(3)
    queries = random.normal(size=(12, 6)).round(3)
    search = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(gallery)
    distances, rows = search.kneighbors(queries)
    # kneighbors() without queries leaves out each row itself.
    own_distances, own_rows = search.kneighbors()
    for each in (distances, own_distances):
        assert numpy.diff(each, axis=1).min() > 1e-6
    return {
        "gallery": gallery.tolist(),
        "queries": queries.tolist(),
        "rows": rows.tolist(),
        "cosines": (1 - distances).tolist(),
        "own_rows": own_rows.tolist(),
    }


def probe(random):
    classes, dim = 4, 5
    centres = random.normal(size=(classes, dim))
    labels = random.integers(classes, size=90)
    rows = (centres[labels] + 1.2 * random.normal(size=(90, dim))).round(3)
    rows[:, 3] = 7.5  # constant: tells nothing
    rows[:, 1] *= 100
    rows = rows.round(3)
    train, test = slice(0, 60), slice(60, 90)
    scaler = StandardScaler().fit(rows[train])
    out = {"rows": rows.tolist(), "labels": labels.tolist(), "train": 60, "classes": classes}
    for c in (0.1, 1.0):
        model = LogisticRegression(C=c, tol=1e-12, max_iter=100000)
        model.fit(scaler.transform(rows[train]), labels[train])
        out[f"probabilities_{c}"] = model.predict_proba(scaler.transform(rows[test])).tolist()
    return out


def main(file):
    random = numpy.random.default_rng(7)
    reference = {
        "made_by": f"tests/python/analyze_reference.py, scikit-learn {sklearn.__version__}, "
        f"numpy {numpy.__version__}",
        "neighbours": neighbours(random),
        "probe": probe(random),
    }
    with open(file, "w", encoding="utf-8") as out:
        json.dump(reference, out)
        out.write("\n")


main(sys.argv[1])
