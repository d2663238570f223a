"""One training step computed anew from the formulas of docs/method.md, in NumPy and PyTorch
(float64), and compared with what the program did.

    step_reference.py check DUMP...      compares dumps, prints the largest differences
    step_reference.py fixture OUT DUMP...  writes tests/fixtures/step anew: inputs, and what is
                                         expected of the program
A dump is written by test_method (tests/README.md says how). Written from the formulas, not from the
program's sources; masks by mask.kind = saliency on the visible part alone.
"""

import pathlib
import re
import sys
import tomllib

import numpy as np
import torch
from resnet import of_weights
from safetensors import safe_open
from safetensors.numpy import save_file
from step_losses import classification, contrast, view_contrast
from torch.nn import functional as F

MEAN, STD = np.array([0.4914, 0.4822, 0.4465]), np.array([0.2023, 0.1994, 0.2010])
WHOLE = ["conv1.weight", "fc.weight", "fc.bias", "head.0.weight"]


def read(file):
    with safe_open(file, "numpy") as f:
        return {k: f.get_tensor(k) for k in f.keys()}, tomllib.loads(f.metadata()["recipe"])


# Saliency and masks ------------------------------------------------------------------------------

def fine_grained(rgb):
    """Montabone & Soto 2010 in 8 bits; height x width grey levels."""
    p = rgb.astype(np.int64)
    grey = (3735 * p[..., 2] + 19235 * p[..., 1] + 9798 * p[..., 0] + (1 << 14)) >> 15
    height, width = grey.shape
    for _ in range(2):
        q = np.pad(grey, 1, mode="reflect")
        rows = q[:-2] + 2 * q[1:-1] + q[2:]
        grey = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:] + 8) >> 4
    on, off = np.zeros((2, height, width), np.int64)
    for r in (12, 24, 48, 28, 56, 112):
        for y in range(height):
            for x in range(width):
                window = grey[max(y - r + 1, 0):y + r + 1, max(x - r + 1, 0):x + r + 1]
                c = grey[y, x]
                around = np.float32(window.sum() - c) / np.float32(window.size - 1)
                on[y, x] += int(max(0, np.float32(c) - around))
                off[y, x] += int(max(0, around - np.float32(c)))
    return (scaled(on) + scaled(off)) % 256


def scaled(values):
    top = values.max()
    return values if top == 0 else (np.float32(255) * (values / np.float32(top))).astype(np.int64)


def augmented(image, crop_y, crop_x, flip, padding):
    """The augmented image and the rows and columns of it that show the original."""
    height, width = image.shape[:2]
    top, left = (int(c) * (2 * padding + 1) >> 32 for c in (crop_y, crop_x))
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    seen = np.pad(np.ones((height, width), bool), padding)
    out, seen = (a[top:top + height, left:left + width] for a in (padded, seen))
    if flip:
        out, seen = out[:, ::-1], seen[:, ::-1]
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return out.copy(), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def mask_box(centre, keep, height, width, border):
    ends = []
    for c, size in zip(centre, (height, width)):
        half = int(size * np.sqrt(1 - keep)) // 2
        first, last = c - half, c + half
        if border == "shift":
            move = max(0, -first) - max(0, last - size)
            first, last = first + move, last + move
        ends.append((max(first, 0), min(last, size)))
    (y0, y1), (x0, x1) = ends
    return (y0, x0, y1, x1) if y0 < y1 and x0 < x1 else (0, 0, 0, 0)


def own_share(rule, by_area):
    constant = re.fullmatch(r"constant\((.*)\)", rule)
    return float(constant[1]) if constant else {"area": by_area}[rule]


def make_batch(d, recipe):
    """Pixels of the three blocks, and peaks, boxes and lambdas of the first."""
    padding = recipe["augment"]["crop_padding"]
    mask, images = recipe["mask"], d["data.images"]
    height, width = images.shape[1:3]

    def image(kind, i, index=None):
        draws = [d[f"plan.{kind}.{name}"][i] for name in ("index", "crop_y", "crop_x", "flip")]
        return augmented(images[draws[0] if index is None else index], *draws[1:], padding)

    out = {k: [] for k in ("first", "plain", "peaks", "boxes", "lambda", "area", "masked")}
    for i in range(len(d["plan.images.index"])):
        x, rows, columns = image("images", i)
        peak, box, shares, masked = (0, 0), (0, 0, 0, 0), (1, 1), False
        first = normalised(x)
        if len(d["plan.mask.on"]) and d["plan.mask.on"][i]:
            part = fine_grained(x[rows, columns])
            peak = np.unravel_index(part.argmax(), part.shape)
            peak = peak[0] + rows.start, peak[1] + columns.start
            box = mask_box(peak, d["plan.mask.keep"][i], height, width, mask["border"])
            y0, x0, y1, x1 = box
            area = (y1 - y0) * (x1 - x0)
            if area:
                by_area = 1 - area / (height * width)
                shares, masked = (own_share(recipe["mce"]["lambda"], by_area), by_area), True
            other = image("images", i, d["plan.mask.other"][i])[0]
            fill = {"mean": np.zeros_like(first), "other": normalised(other)}[mask["fill"]]
            first[y0:y1, x0:x1] = fill[y0:y1, x0:x1]
        if "plan.mix.on" in d and d["plan.mix.on"][i]:
            first, peak, box, share = mixed(d, recipe, i, x, image("mix.partner", i))
            shares, masked = (share, share), share < 1
        for name, value in zip(out, (first, normalised(x), peak, box, *shares, masked)):
            out[name].append(value)
    out["targets"] = [normalised(image("targets", i)[0])
                      for i in range(len(d["plan.targets.index"]))]
    step_masked = len(d["plan.mask.on"]) and d["plan.mask.on"].any()
    if not (step_masked and mask["plain"] == "add"):
        out["plain"] = []
    return out


def mixed(d, recipe, i, x, partner):
    """Pixels, centre, box and label weight of image i, mixed with its partner."""
    other, rows, columns = partner
    keep, (height, width) = d["plan.mix.keep"][i], x.shape[:2]
    method = recipe["method"]["name"]
    if method in ("mixup", "remix"):
        pixels = keep * normalised(x) + (1 - keep) * normalised(other)
        return pixels, (0, 0), (0, 0, 0, 0), remixed(d, recipe, i, keep)
    if method == "saliencymix":
        part = fine_grained(other[rows, columns])
        centre = np.unravel_index(part.argmax(), part.shape)
        centre = centre[0] + rows.start, centre[1] + columns.start
    else:
        centre = tuple(int(d[f"plan.mix.place_{a}"][i]) * size >> 32
                       for a, size in (("y", height), ("x", width)))
    box = mask_box(centre, keep, height, width, recipe["mask"]["border"])
    y0, x0, y1, x1 = box
    pixels = normalised(x)
    pixels[y0:y1, x0:x1] = normalised(other)[y0:y1, x0:x1]
    return pixels, centre, box, 1 - (y1 - y0) * (x1 - x0) / (height * width)


def remixed(d, recipe, i, keep):
    """Remix: the rarer of two classes keeps the label where the other is kappa times as frequent."""
    if recipe["method"]["name"] != "remix":
        return keep
    n = np.bincount(d["data.labels"])
    own = n[d["data.labels"][d["plan.images.index"][i]]]
    other = n[d["data.labels"][d["plan.mix.partner.index"][i]]]
    kappa, tau = recipe["mix"]["kappa"], recipe["mix"]["tau"]
    if own / other >= kappa and keep < tau:
        return 0
    if own / other <= 1 / kappa and 1 - keep < tau:
        return 1
    return keep


def normalised(image):
    return (image / 255 - MEAN) / STD


# Network -----------------------------------------------------------------------------------------

class Cosine(torch.nn.Module):
    """Cosines of features and class weights, times `scale`."""

    def __init__(self, weight, scale):
        super().__init__()
        self.weight, self.scale = torch.nn.Parameter(weight), scale

    def forward(self, x):
        return self.scale * F.normalize(x, dim=1) @ F.normalize(self.weight, dim=1).T


def network(d, recipe):
    weights = {k[8:]: torch.tensor(v) for k, v in d.items() if k.startswith("weights.")}
    head = {k[5:]: v for k, v in weights.items() if k.startswith("head.")}
    body = {k: v for k, v in weights.items() if not k.startswith("head.")}
    body |= {k.replace("running_mean", "num_batches_tracked"): torch.tensor(0)
             for k in body if k.endswith("running_mean")}
    cosine = recipe["network"]["classifier"] == "cosine"
    if cosine:
        body["fc.bias"] = torch.zeros(len(body["fc.weight"]))
    net = of_weights(body).double().train()
    if cosine:
        net.fc = Cosine(net.fc.weight.detach(), recipe["network"]["scale"])
    net.head = mlp({k: v for k, v in head.items() if not k.startswith("prototypes.")})
    prototypes = {k[11:]: v for k, v in head.items() if k.startswith("prototypes.")}
    if prototypes:
        net.head.prototypes = mlp(prototypes)
    return net.double()


def mlp(weights):
    wide, deep = weights["2.weight"].shape
    out = torch.nn.Sequential(torch.nn.Linear(deep, deep), torch.nn.ReLU(),
                              torch.nn.Linear(deep, wide))
    out.load_state_dict(weights)
    return out


def forward(net, pixels, statistics_rows):
    """Logits, embeddings, and running statistics as `statistics_rows` leave them."""
    seen, after = {}, {}
    hooks = [net.fc.register_forward_pre_hook(lambda _, args: seen.update(features=args[0]))]
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            before = module.running_mean.clone(), module.running_var.clone()

            def note(_, args, name=name, before=before):
                x = args[0].detach()[statistics_rows].transpose(0, 1).flatten(1)
                new = (x.mean(1), x.var(1)) if x.shape[1] else before
                for kind, old, value in zip(("mean", "var"), before, new):
                    after[f"{name}.running_{kind}"] = 0.9 * old + 0.1 * value
            hooks.append(module.register_forward_pre_hook(note))
    logits = net(pixels)
    for hook in hooks:
        hook.remove()
    return logits, embedded(seen["features"], list(net.head)[:3]), after


def embedded(x, layers):
    for layer in layers:
        x = layer(x)
    return F.normalize(x, dim=1)


# A whole step ------------------------------------------------------------------------------------

def reference(d, recipe):
    """What is expected of a step whose inputs are `d`."""
    b = make_batch(d, recipe)
    count, plain, targets = len(b["first"]), bool(b["plain"]), bool(b["targets"])
    pixels = np.stack(b["first"] + b["plain"] + b["targets"])
    masked = b["masked"]
    x_rows = [not m and not plain for m in masked] + [True] * count * plain
    x_rows += [False] * len(b["targets"])
    if recipe["bn"]["stats"] == "all" or recipe["method"]["name"] != "smcl":
        x_rows = [True] * len(pixels)
    net = network(d, recipe)
    logits, z, after = forward(net, torch.tensor(pixels).permute(0, 3, 1, 2), torch.tensor(x_rows))

    y = [int(d["data.labels"][k]) for k in d["plan.images.index"]]
    q = [int(c) for c in d["plan.target_classes"]] or y
    share, area = b["lambda"] + [1] * count, b["area"] + [1] * count
    judged = range(2 * count if plain else count)
    rows = [(logits[r], y[r % count], q[r % count], share[r], r < count and masked[r])
            for r in judged]
    loss = {"classification": classification(rows, d, recipe, logits.shape[1])}
    loss["total"] = loss["classification"]
    if targets and recipe["contrast"]["mu"] > 0 and recipe["method"]["name"] == "smcl":
        image = [("m" if r < count and masked[r] else "x", r % count) for r in judged]
        t = z[len(judged):].detach() if recipe["contrast"]["detach_target"] else z[len(judged):]
        members = {("t", i): (t[i], q[i]) for i in range(count)}
        wanted = {"target": "", "target+plain": "x", "all": "xm"}[recipe["contrast"]["set"]]
        members |= {image[r]: (z[r], y[r % count]) for r in judged if image[r][0] in wanted}
        anchors = [(image[r], z[r], y[r % count], q[r % count], area[r]) for r in judged]
        loss["contrast"] = contrast(anchors, members, recipe)
        loss["total"] = loss["total"] + recipe["contrast"]["mu"] * loss["contrast"]
    if recipe["method"]["name"] in ("supcon", "bcl"):
        bcl = recipe["method"]["name"] == "bcl"
        views = z[count:] if bcl else z
        prototypes = embedded(net.fc.weight, net.head.prototypes) if bcl else None
        loss["contrast"] = view_contrast(views, y * (len(views) // count), prototypes,
                                         recipe["contrast"]["tau"])
        loss["total"] = loss["total"] + recipe["contrast"]["mu"] * loss["contrast"]
    loss["total"].backward()
    out = {f"loss.{k}": v.detach().numpy() for k, v in loss.items()}
    out |= {f"gradient.{k}": (v.grad if v.grad is not None else torch.zeros_like(v)).numpy()
            for k, v in net.named_parameters()}
    out |= {f"after.{k}": v.numpy() for k, v in after.items()}
    out |= {"batch.pixels": pixels, "batch.lambda": np.array(b["lambda"], float),
            "batch.contrast_lambda": np.array(b["area"], float),
            "batch.peaks": np.array(b["peaks"], np.int32),
            "batch.boxes": np.array(b["boxes"], np.int32)}
    if not len(d["plan.mask.on"]) and "plan.mix.on" not in d:
        out |= {"batch.peaks": np.zeros((0, 2), np.int32), "batch.boxes": np.zeros((0, 4), np.int32)}
    return out


# Comparison and fixtures -------------------------------------------------------------------------

def difference(name, got, expected):
    if got.shape != expected.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    scale = np.abs(expected).max() if name.split(".")[0] in ("gradient", "loss") else 1
    return float(np.abs(got.astype(float) - expected).max() / max(scale, 1e-6))


def check(files):
    worst = 0
    for file in files:
        d, recipe = read(file)
        expected = reference(d, recipe)
        given = {k for k in d if k.split(".")[0] in ("loss", "gradient", "after", "batch")}
        if given != set(expected):
            sys.exit(f"{file}: only on one side: {sorted(given ^ set(expected))}")
        off = {}
        for name in expected:
            kind = name if name.startswith(("batch", "loss")) else name.split(".")[0]
            off[kind] = max(off.get(kind, 0), difference(name, d[name], expected[name]))
        print(pathlib.Path(file).stem, *(f"{k}={v:.1e}" for k, v in sorted(off.items())))
        worst = max(worst, *(v / (1e-3 if k == "gradient" else 1e-4) for k, v in off.items()))
    return int(worst > 1)


def projections(values):
    """Two numbers that stand for a tensor: its length, and its product with a fixed pattern."""
    flat = np.asarray(values, float).ravel()
    return [np.sqrt((flat ** 2).sum()), flat @ np.cos(np.arange(flat.size))]


def fixture(out, files):
    out, shared = pathlib.Path(out), {}
    for file in files:
        d, recipe = read(file)
        expected = reference(d, recipe)
        case = {k: v for k, v in d.items() if k.startswith("plan.")}
        case |= {k: v for k, v in d.items() if k.startswith(("data.", "weights."))
                 and (shared.setdefault(k, v) != v).any()}
        for name, value in expected.items():
            if name == "batch.pixels":
                case["expected.pixels"] = np.array([projections(image) for image in value])
            elif name.split(".")[0] in ("batch", "loss"):
                case["expected." + name] = np.asarray(value)
            else:
                case["expected.projected." + name] = np.array(projections(value))
        case |= {f"expected.gradient.{k}": expected[f"gradient.{k}"].astype(np.float32)
                 for k in WHOLE if f"gradient.{k}" in expected}
        with safe_open(file, "numpy") as f:
            text = f.metadata()["recipe"]
        save_file({k: np.ascontiguousarray(v) for k, v in case.items()},
                  out / (pathlib.Path(file).stem + ".safetensors"), {"recipe": text})
    save_file(shared, out / "shared.safetensors")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2:]))
    if len(sys.argv) > 3 and sys.argv[1] == "fixture":
        fixture(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(__doc__)
