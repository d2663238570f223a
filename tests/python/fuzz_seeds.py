"""Writes the hand-made inputs that the fuzz targets start from: valid files of every kind, and one
of each refusal that a mutation would hardly find.

  python3 tests/python/fuzz_seeds.py tests/fuzz/corpus
"""

import gzip
import json
import pathlib
import struct
import sys
import zlib


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds():
    tensors = {
        "conv.weight": entry("F32", [2, 3], 0, 24),
        "count": entry("I64", [], 24, 32),
        "half": entry("BF16", [1, 1], 32, 34),
        "flags": entry("BOOL", [3], 34, 37),
        "empty": entry("F64", [0, 4], 37, 37),
        "__metadata__": {"note": 'a "b" \\n ä', "format": "pt"},
    }
    others = {
        name: entry(name, [1], begin, begin + size)
        for name, begin, size in [("U8", 0, 1), ("U32", 1, 4), ("F16", 5, 2), ("I32", 7, 4)]
    }
    one = json.dumps({"a": entry("U8", [1], 0, 1)}).encode()
    return {
        "mixed": safetensors(tensors, bytes(range(37))),
        "others": safetensors(others, bytes(11)),
        "none": safetensors({}),
        "padded": safetensors(one + b" " * (8 - len(one) % 8), b"x"),
        "version": safetensors({"__metadata__": {"format_version": "1"}}),
        "checksum": safetensors({"__metadata__": {"format_version": "1", "sha256": "00"}}),
        "overflow": safetensors({"a": entry("F32", [2**62, 4], 0, 8)}, bytes(8)),
        "far": safetensors({"a": entry("F32", [2], 2**64 - 8, 2**64 - 1)}, bytes(8)),
        "long_header": struct.pack("<Q", 2**63) + b"{}",
        "twice": safetensors(b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}'),
    }


def predictions_seeds():
    labels = struct.pack("<2q", 2, 0)
    logits = struct.pack("<6f", 0.5, -1.0, 2.0, 1e-30, 0.0, -0.0)
    table = {"labels": entry("I64", [2], 0, 16), "logits": entry("F32", [2, 3], 16, 40)}
    extra = {**table, "background": entry("I32", [2], 40, 48)}
    wide = {"labels": entry("I64", [0], 0, 0), "logits": entry("F32", [0, 2**31], 0, 0)}
    none = {"labels": entry("I64", [2], 0, 16), "logits": entry("F32", [2, 0], 16, 16)}
    return {
        "table": safetensors(table, labels + logits),
        "extra": safetensors(extra, labels + logits + struct.pack("<2i", 7, -8)),
        "wide": safetensors(wide),
        "no_classes": safetensors(none, labels),
        "other_content": safetensors({**table, "__metadata__": {"content": "x"}}, labels + logits),
        "version": safetensors({**table, "__metadata__": {"format_version": "2"}}, labels + logits),
    }


def json_lines_seeds():
    row = {"epoch": 0, "loss": 2.5, "many": None, "format_version": 1, "name": "ä \n \x00"}
    return {
        "rows": (json.dumps(row) + "\n" + json.dumps({**row, "epoch": 1}) + "\n").encode(),
        "torn": (json.dumps(row) + '\n{"epoch":').encode(),
        "deep": b"[" * 40,
        "numbers": b"[1e308, -0.0, 1e-320, 18446744073709551615, -9223372036854775808, 1e999]",
        "text": b'{"format_version":1,"a":"\\ud83d\\ude00\\u001b\\/","b":[true,false,null,{}]}\n',
        "twice": b'{"a":1,"a\\u001b":2,"a":3}',
        "version": b'{"format_version":2}\n{"format_version":"1"}\n',
    }


RECIPE = b"""[data]
name = "idx"
dir = "/data"
profile = "step"
ratio = 50
n_max = 500
val_per_class = 20
split_seed = 3
class_order_seed = 4
[scenes]
seed = 1
support = "context(alpha=0.5, preferred=4)"
[augment]
crop_padding = 2
flip = false
[mask]
kind = 'random'
area = [0.2, 0.5]
border = "shift"
fill = "noise"
prob = 0.5
start = 160
draw = "image"
plain = "add"
[saliency]
detector = "centre"
on = "padded"
[plain]
cutout = 0.1
[mce]
lambda = "constant(w=0.25)"
[target]
distribution = "effective(b = 0.999)"
unit = "sample"
"""


def recipe_seeds():
    return {
        "whole": RECIPE,
        "overrides": b"mask.prob = 0.5\n\0mask.area=fixed(0.1)\0data.name=scenes\0mask.start = 0.5",
        "override_error": b"\0mask.area=[1, x]\0",
        "syntax": b"a = 1\nb = \n",
        "extends": b"extends = ['none.toml', \"none\\u001b.toml\"]\n",
        "values": b"a = 0x7f\nb = 0o7\nc = 0b1\nd = -9223372036854775808\ne = 1_000.5e-3\nf = nan\n"
        b"g = '''x\ny'''\nh = \"\"\"\\u00e4\\\n  z\"\"\"\n",
        "dates": b"a = 2024-02-29T07:30:00.5+01:00\n",
        "tables": b"a.b.c = 1\n[a.d]\ne = {f = [1, 2.5, 'x'], g = true}\n[[h]]\ni = 1\n",
        "quoted": b"'a.b' = 1\n\"\" = 2\n",
        "deep": b"a = " + b"[" * 300,
        "dotted": b"a" + b".a" * 300 + b" = 1",
        "control": b'data.name = "\\u001b[31m\\n"\n',
        "call": b"mask.area = 'beta(2, b=3, 1)'\n",
    }


def sweep_seeds():
    return {
        "whole": b"name = 'a'\nrecipes = ['x.toml']\nseeds = [1, 2]\nseed_keys = ['train.seed']\n"
        b"[set]\ntrain.epochs = 2\n[grid]\nmask.kind = ['random', 'centre']\n"
        b"'contrast.mu' = [0.1, 1, [1, 2.5]]\n[[variant]]\nname = 'v'\nrecipe = 'y.toml'\n"
        b"set.mask = { prob = 1.0, on = true }\n",
        "count": b"recipes = 'x'\nseeds = 3\n",
        "deep": b"recipes = 'x'\nset" + b".a" * 40 + b" = 1\n",
        "empty": b"",
        "quoted": b"recipes = '\"\\\\'\n[set]\n'a = \"b' = \"\\u0007\"\n",
    }


def idx(dims, values):
    return bytes([0, 0, 8, len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + values


def run_state_seeds():
    point = {
        "epoch": 3, "step": 17, "loss": 12.5, "classification": 10.25, "contrast": 0.0,
        "images": 544, "contrast_images": 0, "masked_steps": 4, "mean_cosine": None,
        "zero_features": 0.125, "seconds": 1.5, "data_wait": 0.0,
    }
    marks = {
        "format_version": 1, "settings_hash": "a1", "data_hash": "b2", "cpu": "x", "threads": 2,
        "resumes": [{"at": "2026-01-31T12:00:00Z", "epoch": 1, "step": 0, "changes": "",
                     "settings": "train.epochs: 3 -> 4"}],
        "branched_from": {"run": "ce-1", "epoch": 1, "settings_hash": "c3", "changes": "cpu: x -> y"},
    }
    texts = {
        "point": point,
        "far_epoch": {**point, "epoch": 1e300},
        "wide_epoch": {**point, "epoch": 2**31 - 1, "step": 2**31},
        "marks": marks,
        "number_hash": {**marks, "settings_hash": 3},
        "number_resumes": {**marks, "resumes": 7},
        "text_branch": {**marks, "branched_from": "x"},
    }
    return {name: json.dumps(value).encode() for name, value in texts.items()}


def idx_seeds():
    return {
        "images": idx([2, 3, 4], bytes(range(24))),
        "labels": idx([5], bytes(range(5))),
        "full": idx([1, 16, 28], bytes(16 * 28)),
        "rank_4": idx([2, 1, 1, 2], bytes(4)),
        "empty": idx([0], b""),
        "overflow": idx([65536] * 4, b""),
        "largest": idx([2**32 - 1] * 3, b"x"),
        "zero_last": idx([2**32 - 1, 0, 3], b""),
        "wide": idx([1, 1, 33], bytes(33)),
        "floats": b"\0\0\x0d\1\0\0\0\0",
    }


def cifar_seeds():
    return {
        "cifar10": bytes([9]) + bytes(3072),
        "cifar100": bytes([19, 99]) + bytes(3072),
        "bad_label": bytes([10]) + bytes(3072),
        "short": bytes(100),
        "names": "".join(f"name{i}\r\n" for i in range(10)).encode(),
        "names100": "\n".join(f"n{i}" for i in range(100)).encode(),
    }


def lists_seeds():
    return {
        "counts": b"\x03# per class\n500\n\n 20 # rare\r\n1\n",
        "indices": b"\x0a9\n0\n3",
        "twice": b"\x0a1\n2\n1\n",
        "large": b"\x022147483647\n4294967295\n",
        "larger": b"\x014294967296\n",
        "word": b"\x01one\n",
        "control": b"\x011\x1b[31m\x00\n",
        "none": b"\x00#\n",
    }


def gzip_member(data):
    return gzip.compress(data, mtime=0)


def gzip_seeds():
    return {
        "text": gzip_member(b"some text"),
        "members": gzip_member(b"ab") + gzip_member(b"") + gzip_member(b"cd"),
        "named": b"\x1f\x8b\x08\x1e\0\0\0\0\0\3\4\0abcdname\0comment\0\0\0" + gzip_member(b"x")[10:],
        "bomb": gzip_member(bytes(1000000)),
        "plain": b"no gzip",
        "tail": gzip_member(b"x") + b"tail",
        "stored": b"\x1f\x8b\x08\0\0\0\0\0\0\3\x01\x01\0\xfe\xffx"
        + struct.pack("<2I", zlib.crc32(b"x"), 1),
    }


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, colour, lines, before=(), interlace=0):
    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlace)
    chunks = [chunk(b"IHDR", header), *before, chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_seeds():
    palette = chunk(b"PLTE", bytes(range(12)))
    return {
        "rgb": png(2, 2, 8, 2, b"\0abcdef\1abcdef"),
        "filters": png(2, 5, 8, 0, b"\0ab\1ab\2ab\3ab\4ab"),
        "grey1": png(3, 1, 1, 0, b"\0\xa0"),
        "grey16": png(1, 1, 16, 0, b"\0\x80\x80"),
        "rgba": png(2, 1, 8, 6, b"\0\xc8\x64\x32\0\xc8\x64\x32\xff"),
        "grey_alpha16": png(1, 1, 16, 4, b"\0\1\2\3\4"),
        "palette2": png(5, 1, 2, 3, b"\0\x1b\x00", [palette, chunk(b"tRNS", b"\x80")]),
        "interlaced": png(3, 3, 8, 0, b"\0a\0b\0c\0d\0ef\0g\0hij", interlace=1),
        "extras": png(1, 1, 8, 2, b"\0abc", [
            chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"cHRM", struct.pack(">8I", *[30000] * 8)),
            chunk(b"sRGB", b"\0"), chunk(b"bKGD", bytes(6)), chunk(b"tRNS", bytes(6)),
            chunk(b"tEXt", b"k\0v"), chunk(b"zTXt", b"k\0\0" + zlib.compress(b"v")),
            chunk(b"iCCP", b"n\0\0" + zlib.compress(bytes(132)))]),
        "huge": png(8192, 8192, 8, 2, b"\0"),
        "huger": png(2**31 - 1, 2**31 - 1, 1, 0, b"\0"),
    }


def analysis_seeds():
    measure = {"key": "a.b", "title": "t", "group": "g", "unit": "share", "value": 0.5}
    whole = {
        "format_version": 1,
        "settings_hash": "x",
        "settings": {"k": 10, "masks": {"mask.kind": "random"}},
        "measures": [measure, measure | {"unit": "cosine", "low": -1, "high": 1.0, "chance": 0}],
        "pictures": [{"file": "analysis/a.png", "title": "t", "caption": "c"}],
    }
    changes = {
        "whole": {},
        "empty": {"measures": [], "pictures": [], "settings": {}},
        "unit": {"measures": [measure | {"unit": "metre"}]},
        "value": {"measures": [measure | {"value": None}]},
        "outside": {"pictures": [{"file": "../a.png", "title": "", "caption": ""}]},
        "settings": {"settings": []},
    }
    return {name: json.dumps(whole | change).encode() for name, change in changes.items()}


def main():
    root = pathlib.Path(sys.argv[1])
    for target in ["safetensors", "predictions", "json_lines", "run_state", "recipe", "sweep", "idx", "cifar",
                   "lists", "gzip", "png", "analysis"]:
        folder = root / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in globals()[target + "_seeds"]().items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
