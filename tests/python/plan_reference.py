"""Writes tests/fixtures/plan/reference.json: the first slots of some steps as the planner draws them,
worked out here from Philox4x32-10 and the list of streams in src/core/random.h alone.

  python3 tests/python/plan_reference.py tests/fixtures/plan/reference.json

24 samples at positions 100 to 123, three classes of 8, so that every distribution over classes is
uniform; seed 42, batches of 8, step 1 of epoch 7.
"""

import json
import math
import struct
import sys

SEED, EPOCH, STEP, BATCH, SAMPLES, CLASSES = 42, 7, 1, 8, 24, 3
MASK = 0xFFFFFFFF

ORDER, AUGMENT, TARGET_CLASS, TARGET_SAMPLE, TARGET_AUGMENT = 2, 3, 4, 5, 6
MASK_COIN, MASK_AREA, MASK_PLACE, MASK_FILL, CUTOUT_COIN = 7, 8, 9, 10, 11
MIX_COIN, MIX_SHARE, MIX_PARTNER, MIX_PLACE = 12, 13, 14, 15
RESAMPLE_CLASS, RESAMPLE_IMAGE, RESAMPLE_AUGMENT, VIEW_AUGMENT = 16, 17, 18, 19
STRONG_POLICY, STRONG_COLOUR, STRONG_GREY, STRONG_BLUR, STRONG_CUTOUT, STRONG_CROP = range(51, 57)
ORDINARY, RESAMPLED, VIEW = 0, 1, 3  # roles of images; view v is VIEW + v
MOST_VIEWS = 8  # streams that each slot has


def philox(counter, key):
    for _ in range(10):
        p0, p1 = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            (p1 >> 32) ^ counter[1] ^ key[0],
            p1 & MASK,
            (p0 >> 32) ^ counter[3] ^ key[1],
            p0 & MASK,
        ]
        key = [(key[0] + 0x9E3779B9) & MASK, (key[1] + 0xBB67AE85) & MASK]
    return counter


# Random123's known answers (kat_vectors, philox4x32-10).
assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
assert philox([MASK] * 4, [MASK] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def stream(purpose, index, epoch=EPOCH):
    block = 0
    while True:
        counter = [block, index & MASK, (index >> 32) | (epoch << 8), purpose]
        yield from philox(counter, [SEED, 0])
        block += 1


def unit(words):
    high = next(words)
    return (((high << 32) | next(words)) >> 11) * 2.0**-53


def below(words, bound):
    product = next(words) * bound
    if product & MASK < bound:
        while product & MASK < (2**32 - bound) % bound:
            product = next(words) * bound
    return product >> 32


def shuffled(size, words):
    order = list(range(size))
    for i in range(size, 1, -1):
        other = below(words, i)
        order[i - 1], order[other] = order[other], order[i - 1]
    return order


def image(index, words):
    crop_y, crop_x, flip = next(words), next(words), next(words) >> 31
    return {"index": index, "crop_y": crop_y, "crop_x": crop_x, "flip": bool(flip)}


def label_drawn(purpose, slot):
    return next(stream(purpose, slot)) * CLASSES >> 32  # of an alias table whose places are full


def sample_of(label, purpose, slot):
    return 8 * label + below(stream(purpose, slot), 8)


def target(slot):
    label = label_drawn(TARGET_CLASS, slot)
    position = 100 + sample_of(label, TARGET_SAMPLE, slot)
    return label, image(position, stream(TARGET_AUGMENT, slot))


def masked():
    """mask.prob = 0.5, mask.draw = image, plain.cutout = 0.5, beta(1, 1), target images always."""
    order = shuffled(SAMPLES, stream(ORDER, 0))
    slots = []
    for slot in range(STEP * BATCH, (STEP + 1) * BATCH):
        index = 100 + order[slot]
        on = unit(stream(MASK_COIN, slot)) < 0.5
        place, fill = stream(MASK_PLACE, slot), stream(MASK_FILL, slot)
        noise = next(fill) << 32 | next(fill)
        other = below(fill, SAMPLES - 1)
        label, drawn = target(slot)
        slots.append(
            {
                "image": image(index, stream(AUGMENT, index)),
                "on": on,
                "cutout": not on and unit(stream(CUTOUT_COIN, slot)) < 0.5,
                "keep": unit(stream(MASK_AREA, slot)),
                "place": [next(place), next(place)],
                "noise": str(noise),
                "other": 100 + other + (other >= order[slot]),
                "target_class": label,
                "target": drawn,
            }
        )
    return slots


def pasted():
    """CMO: boxes of target images, one coin, share and place a step."""
    place = stream(MIX_PLACE, STEP)
    place = [next(place), next(place)]
    slots = []
    for slot in range(STEP * BATCH, (STEP + 1) * BATCH):
        label, partner = target(slot)
        slots.append(
            {
                "on": unit(stream(MIX_COIN, STEP)) < 0.5,
                "keep": unit(stream(MIX_SHARE, STEP)),
                "place": place,
                "class": label,
                "partner": partner,
            }
        )
    return slots


def blended():
    """mixup with a share an image: partners are the batch in another order."""
    order = shuffled(SAMPLES, stream(ORDER, 0))
    partners = shuffled(BATCH, stream(MIX_PARTNER, STEP))
    return [
        {
            "partner": 100 + order[STEP * BATCH + partners[i]],
            "keep": unit(stream(MIX_SHARE, STEP * BATCH + i)),
        }
        for i in range(BATCH)
    ]


def resampled():
    """An epoch drawn by class, Cutout with probability 0.5."""
    slots = []
    for slot in range(STEP * BATCH, (STEP + 1) * BATCH):
        position = 100 + sample_of(label_drawn(RESAMPLE_CLASS, slot), RESAMPLE_IMAGE, slot)
        square = stream(STRONG_CUTOUT, slot << 4 | RESAMPLED)
        cut = unit(square) < 0.5
        slots.append(
            {
                "image": image(position, stream(RESAMPLE_AUGMENT, slot)),
                "cut": [next(square), next(square)] if cut else None,
            }
        )
    return slots


def views():
    """Two further views: view after view of the batch."""
    order = shuffled(SAMPLES, stream(ORDER, 0))
    return [
        image(100 + order[slot], stream(VIEW_AUGMENT, slot * MOST_VIEWS + view))
        for view in range(2)
        for slot in range(STEP * BATCH, (STEP + 1) * BATCH)
    ]


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def uniform(words, low, high):
    return low + (high - low) * unit(words)


def strong(role, number):
    """resized_crop [0.2, 1], three operations of RandAugment, jitter 0.8, grey 0.3, blur 0.5."""
    part = lambda purpose: stream(purpose, number << 4 | role)
    crop, policy, colour = part(STRONG_CROP), part(STRONG_POLICY), part(STRONG_COLOUR)
    place = [next(crop), next(crop)]
    tries = []
    for _ in range(10):
        area = uniform(crop, 0.2, 1.0)
        ratio = math.exp(uniform(crop, math.log(3 / 4), math.log(4 / 3)))
        tries.append([float32(area), float32(ratio)])
    operations = [[below(policy, 14), bool(next(policy) >> 31)] for _ in range(3)]
    jitter = []
    if unit(colour) < 0.8:
        order = shuffled(4, colour)
        middles, spreads = [1, 1, 1, 0], [0.4, 0.4, 0.4, 0.1]
        amounts = [uniform(colour, m - s, m + s) for m, s in zip(middles, spreads)]
        jitter = [[kind, float32(amounts[kind])] for kind in order]
    blur = part(STRONG_BLUR)
    return {
        "place": place,
        "tries": tries,
        "policy": operations,
        "jitter": jitter,
        "grey": unit(part(STRONG_GREY)) < 0.3,
        "sigma": float32(uniform(blur, 0.1, 2.0)) if unit(blur) < 0.5 else 0.0,
    }


def stronger():
    """The batch, and one further view of it."""
    order = shuffled(SAMPLES, stream(ORDER, 0))
    slots = range(STEP * BATCH, (STEP + 1) * BATCH)
    return {
        "images": [strong(ORDINARY, 100 + order[slot]) for slot in slots],
        "views": [strong(VIEW, slot) for slot in slots],
    }


def sub_policies():
    """AutoAugment: which of 25, and and of each half the coin and the direction."""
    order = shuffled(SAMPLES, stream(ORDER, 0))
    images = []
    for slot in range(STEP * BATCH, (STEP + 1) * BATCH):
        words = stream(STRONG_POLICY, (100 + order[slot]) << 4 | ORDINARY)
        number = below(words, 25)
        halves = [[unit(words), bool(next(words) >> 31)] for _ in range(2)]
        images.append({"number": number, "halves": halves})
    return images


def main():
    cases = [masked, pasted, blended, resampled, views, stronger, sub_policies]
    with open(sys.argv[1], "w") as file:
        json.dump({case.__name__: case() for case in cases}, file, indent=1)
        file.write("\n")


main()
