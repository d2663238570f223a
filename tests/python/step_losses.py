"""The losses of step_reference.py, from the formulas of docs/method.md and docs/methods.md."""

import numpy as np
import torch


def class_weights(d, recipe, classes):
    """(1-b)/(1-b^n), scaled to sum to C, from the start of drw on."""
    rule, step = recipe["rule"], recipe["step"]
    start = rule["start"]
    start = round(start * step["epochs"]) if isinstance(start, float) else start
    if rule["name"] == "none" or step["epoch"] < start:
        return torch.ones(classes, dtype=torch.double)
    n = np.bincount(d["data.labels"], minlength=classes)
    w = (1 - rule["b"]) / (1 - rule["b"] ** n)
    return torch.tensor(w * classes / w.sum())


class BaseLoss:
    """What logits are judged by (docs/methods.md, loss.*): loss(logits, label, class weight)."""

    def __init__(self, d, recipe, classes):
        self.settings = recipe["loss"]
        n = np.bincount(d["data.labels"], minlength=classes)
        self.prior = torch.tensor(n / n.sum())
        scale = recipe["network"]["scale"] if recipe["network"]["classifier"] == "cosine" else 1
        margins = n ** -0.25
        self.margins = margins / margins.max() * self.settings["max_margin"] * scale
        self.inside = self.settings["name"] == "focal" and self.settings["weight_inside"]

    def log_p(self, z, label=None):
        if self.settings["name"] == "ldam":
            z = z - torch.tensor([m if k == label else 0 for k, m in enumerate(self.margins)])
        if self.settings["name"] == "logit_adjusted":
            z = z + self.settings["tau"] * self.prior.log()
        return z.log_softmax(0)

    def __call__(self, z, label, weight):
        entropy = -self.log_p(z, label)[label]
        if self.settings["name"] != "focal":
            return weight * entropy
        inner = weight * entropy if self.inside else entropy
        term = (1 - torch.exp(-inner)) ** self.settings["gamma"] * inner
        return term if self.inside else weight * term


def classification(rows, d, recipe, classes):
    """`rows`: (logits, y, q, lambda, masked) of every judged image."""
    w = class_weights(d, recipe, classes)
    loss = BaseLoss(d, recipe, classes)
    p = torch.tensor(d["plan.target_probabilities"])
    own = target = total = target_total = 0
    mixes = recipe["method"]["name"] not in ("ce", "smcl")
    for z, y, q, share, masked in rows:
        if recipe["mce"]["label"] != "mixed":
            share = 0 if masked and recipe["mce"]["label"] == "target" else 1
        own = own + share * loss(z, y, w[y])
        total = total + (1 if loss.inside else w[y])
        if share < 1:
            expected = recipe["mce"]["target"] == "expected"
            other = -(p * loss.log_p(z)).sum() if expected else loss(z, q, w[q] if mixes else 1)
            target = target + (1 - share) * other
        target_total = target_total + w[q]
    return own / total + target / (target_total if mixes else len(rows))


def contrast(anchors, members, recipe):
    """`anchors`: (image, z, y, q, lambda); `members`: image -> (z, class)."""
    tau, own_term = recipe["contrast"]["tau"], recipe["contrast"]["own_term"]

    def sc(image, z, c):
        others = [(z_a, c_a) for name, (z_a, c_a) in members.items() if name != image]
        terms = [z @ z_a / tau for z_a, _ in others] + ([z @ z / tau] if own_term else [])
        positives = [z @ z_a / tau for z_a, c_a in others if c_a == c]
        if not positives:
            return 0
        return sum(torch.logsumexp(torch.stack(terms), 0) - s for s in positives) / len(positives)

    return sum(share * sc(image, z, y) + (1 - share) * sc(image, z, q)
               for image, z, y, q, share in anchors) / len(anchors)


def view_contrast(z, classes, prototypes, tau):
    """Supervised contrast between views; with prototypes, balanced over classes (BCL)."""
    members = list(zip(z, classes))
    if prototypes is not None:
        members += [(c, k) for k, c in enumerate(prototypes)]
    total = 0
    for i, (z_i, c_i) in enumerate(members[:len(z)]):
        others = members[:i] + members[i + 1:]
        sizes = np.bincount([c for _, c in others])
        share = [1 / sizes[c] if prototypes is not None else 1 for _, c in others]
        below = sum(w * torch.exp(z_i @ z_a / tau) for w, (z_a, _) in zip(share, others))
        terms = [torch.log(below) - z_i @ z_a / tau for z_a, c_a in others if c_a == c_i]
        total = total + sum(terms) / max(len(terms), 1)
    return total / len(z)
