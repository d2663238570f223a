"""Augmented images as Pillow and torchvision make them, for tests/fixtures/augment.

    augment_reference.py OUT      writes OUT/images.safetensors anew

Needs torch, torchvision, Pillow, numpy and safetensors (tests/README.md). A tensor's name is
`IMAGE|OP; OP...`, its value the bytes; `IMAGE|` alone is the image itself. Operations:

    NAME LEVEL LEVELS SIGN        of a policy, with torchvision's strength (Rotate 9 10 -)
    brightness F, contrast F, saturation F, hue F, grey, blur SIGMA
    crop TOP LEFT HEIGHT WIDTH    stretched to the whole; `flip` behind it mirrors
    sub I SIGNS                   both steps of AutoAugment's sub-policy I

and `magnitudes NAME LEVELS HEIGHT WIDTH` is what a policy's levels stand for. The images are made
here: shapes, textures and noise.
"""

import pathlib
import sys

import numpy as np
import torch
from PIL import Image, ImageFilter
from safetensors.numpy import save_file
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import AutoAugment, AutoAugmentPolicy, RandAugment, _apply_op

NEAREST = InterpolationMode.NEAREST
AUTO, RAND = AutoAugment(AutoAugmentPolicy.CIFAR10), RandAugment()


def picture(seed, height, width, low=0, high=255):
    """Something like a photograph: two lit surfaces, an object with texture, noise."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    y, x = y / height, x / width
    out = np.zeros((height, width, 3))
    for c in range(3):
        sky, ground = random.uniform(0.2, 1, 2)
        out[..., c] = np.where(y < 0.55 + 0.1 * np.sin(5 * x), sky - 0.3 * y, ground * (0.3 + 0.7 * y))
    for _ in range(3):
        cy, cx, ry, rx = random.uniform(0.2, 0.8, 2).tolist() + random.uniform(0.1, 0.35, 2).tolist()
        inside = ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        stripes = 0.5 + 0.5 * np.sin(random.uniform(10, 40) * (x + y))
        out[inside] = random.uniform(0, 1, 3) * (0.6 + 0.4 * stripes[inside, None])
    out = out + random.normal(0, 0.03, out.shape)
    return np.clip(low + (high - low) * out, 0, 255).astype(np.uint8)


IMAGES = {
    "photo": picture(1, 32, 32),
    "dull": picture(2, 32, 32, 60, 150),
    "odd": picture(3, 19, 27),
    "colours": np.random.RandomState(4).randint(0, 256, (24, 40, 3)).astype(np.uint8),
    "tiny": picture(5, 2, 3),
    "flat": np.full((4, 5, 3), (7, 200, 90), np.uint8),
}

CHANGES = ["Brightness", "Color", "Contrast", "Sharpness"]
MOVES = ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"]
PLAIN = ["AutoContrast", "Equalize", "Invert"]

CASES = {
    "photo": [f"{n} {l} 10 {s}" for n in MOVES + CHANGES for l in (3, 9) for s in "+-"]
    + [f"{n} {l} 10 +" for n in ("Posterize", "Solarize") for l in (1, 3, 5, 7, 9)]
    + [f"{n} 0 10 +" for n in PLAIN]
    + [f"{n} 30 31 {s}" for n, s in zip(MOVES + CHANGES, "+-+-+-+-+")]
    + ["Posterize 9 31 +", "Solarize 9 31 +", "Rotate 9 31 -", "Sharpness 9 31 +"]
    + ["brightness 0.6", "contrast 1.37", "saturation 0.1", "hue 0.1", "hue -0.09", "grey"]
    + ["blur 0.1", "blur 0.7", "blur 1.37", "blur 2.0", "blur 9.5"]
    + ["crop 0 0 32 32", "crop 3 7 20 14", "crop 11 2 9 30; flip", "crop 31 30 1 2", "crop 0 5 32 17"]
    + ["crop 4 4 21 25; flip; Rotate 5 10 +; Equalize 0 10 +; contrast 0.7; hue 0.05; grey; blur 1"],
    "dull": [f"{n} 0 10 +" for n in PLAIN]
    + ["Contrast 9 10 -", "Contrast 9 10 +", "Sharpness 9 10 +", "AutoContrast 0 10 +; Solarize 8 10 +"],
    "odd": [f"{n} {l} 10 {s}" for n in MOVES for l, s in ((0, "+"), (5, "+"), (9, "-"))]
    + ["Sharpness 6 10 -", "Equalize 0 10 +", "blur 1.5", "blur 20", "crop 2 9 13 11; flip"]
    + [f"sub {i} {'+-'[i % 2]}{'+-'[i // 2 % 2]}" for i in range(25)],
    "colours": ["hue 0.5", "hue -0.5", "hue 0", "hue 0.1", "hue -0.33", "saturation 0", "saturation 1.9",
                "grey", "Equalize 0 10 +", "Color 9 10 -", "Brightness 9 10 +"],
    "tiny": ["Sharpness 9 10 +", "Rotate 9 10 +", "Equalize 0 10 +", "AutoContrast 0 10 +", "blur 2",
             "crop 0 1 1 2", "TranslateX 9 10 +"],
    "flat": [f"{n} 0 10 +" for n in PLAIN] + ["Contrast 9 10 +", "hue 0.25", "blur 1", "Sharpness 9 10 +"],
}


def strengths(name, levels, height, width):
    space = RAND._augmentation_space if levels == 31 else AUTO._augmentation_space
    return space(levels, (height, width))[name]


def policy(image, name, level, levels, sign):
    magnitudes, signed = strengths(name, levels, image.height, image.width)
    strength = float(magnitudes[level].item()) if magnitudes.ndim > 0 else 0.0
    return _apply_op(image, name, -strength if signed and sign == "-" else strength, NEAREST, None)


def operate(image, words):
    name, *rest = words
    if name == "sub":
        for (step, _, level), sign in zip(AUTO.policies[int(rest[0])], rest[1]):
            image = policy(image, step, level or 0, 10, sign)
        return image
    if name[0].isupper():
        return policy(image, name, int(rest[0]), int(rest[1]), rest[2])
    if name == "crop":
        return F.resized_crop(image, *map(int, rest), [image.height, image.width])
    values = [float(np.float32(v)) for v in rest]
    simple = {
        "flip": F.hflip,
        "brightness": F.adjust_brightness,
        "contrast": F.adjust_contrast,
        "saturation": F.adjust_saturation,
        "hue": F.adjust_hue,
        "grey": lambda i: F.to_grayscale(i, 3),
        "blur": lambda i, s: i.filter(ImageFilter.GaussianBlur(s)),
    }
    return simple[name](image, *values)


def main(out):
    tensors = {}
    for name, pixels in IMAGES.items():
        tensors[f"{name}|"] = pixels
        for case in CASES[name]:
            image = Image.fromarray(pixels)
            for one in case.split("; "):
                image = operate(image, one.split())
            tensors[f"{name}|{case}"] = np.asarray(image)
    for levels in (10, 31):
        for op in MOVES + CHANGES + ["Posterize", "Solarize"]:
            values = strengths(op, levels, 19, 27)[0].numpy().astype(np.float32)
            tensors[f"magnitudes {op} {levels} 19 27"] = values
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    save_file(tensors, pathlib.Path(out) / "images.safetensors")
    print(len(tensors), "tensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
