"""Augmentations as torchvision and Pillow make them, for comparison (bench_augment).

Reads lines `OP IMAGES` from standard input, makes that many augmented images one after the other on one
thread and answers with the seconds an image took. Images are those that the program writes to the file
named as argument: their number and side as 32-bit integers, then the bytes. Every operation begins
with a PIL image and ends with its bytes in an array, as a data set's __getitem__ does.
"""

import sys
import time

import numpy as np
import torch
from PIL import Image, ImageFilter
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import AutoAugment, AutoAugmentPolicy, RandAugment, _apply_op


def operation(name):
    def policy(op, strength=0.0):
        return lambda image: _apply_op(image, op, strength, InterpolationMode.NEAREST, None)

    return {
        "rotate": policy("Rotate", 20.0),
        "shear": policy("ShearX", 0.2),
        "translate": policy("TranslateX", float(int(150 / 331 * SIZE / 2))),
        "brightness": policy("Brightness", 0.5),
        "contrast": policy("Contrast", 0.5),
        "saturation": policy("Color", 0.5),
        "sharpness": policy("Sharpness", 0.5),
        "posterize": policy("Posterize", 5),
        "solarize": policy("Solarize", 128.0),
        "autocontrast": policy("AutoContrast"),
        "equalize": policy("Equalize"),
        "invert": policy("Invert"),
        "hue": lambda image: F.adjust_hue(image, 0.1),
        "grey": lambda image: F.to_grayscale(image, 3),
        "blur": lambda image: image.filter(ImageFilter.GaussianBlur(1.2)),
        "resized_crop": T.RandomResizedCrop(SIZE, (0.2, 1.0)),
        "jitter": T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
        "autoaugment": AutoAugment(AutoAugmentPolicy.CIFAR10),
        "randaugment": RandAugment(2, 9),
    }[name]


with open(sys.argv[1], "rb") as file:
    COUNT, SIZE = np.fromfile(file, np.int32, 2).tolist()
    PIXELS = np.fromfile(file, np.uint8).reshape(COUNT, SIZE, SIZE, 3)
IMAGES = [Image.fromarray(pixels) for pixels in PIXELS]
torch.set_num_threads(1)
for line in sys.stdin:
    name, count = line.split()
    make = operation(name)
    start = time.perf_counter()
    for i in range(int(count)):
        np.asarray(make(IMAGES[i % COUNT]))
    print((time.perf_counter() - start) / int(count), flush=True)
