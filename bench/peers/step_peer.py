"""The training step as a plain Python + PyTorch script does it, for comparison (bench_step).

Reads commands from standard input, one a line: `MODE METHOD STEPS`, e.g. `bf16-nhwc smcl 10`, and
answers each with the seconds a step took (median), as one JSON line. Modes: {fp32,bf16}-{nchw,nhwc},
with `-compile` behind for torch.compile. The data lie in memory as uint8; augmentation is
vectorised over the batch, which is kinder than a DataLoader; saliency is OpenCV's, image by image.
"""

import json
import resource
import statistics
import sys
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from model import CLASSES, ResNet, contrast

BATCH, SIZE = 128, 32
MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STD = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)


SALIENCY = hasattr(cv2, "saliency")


class Step:
    def __init__(self, mode):
        self.bf16 = mode.startswith("bf16")
        self.format = torch.channels_last if "nhwc" in mode else torch.contiguous_format
        torch.manual_seed(0)
        self.net = ResNet().to(memory_format=self.format).train()
        self.call = torch.compile(self.net) if mode.endswith("compile") else self.net
        self.opt = torch.optim.SGD(self.net.parameters(), 0.01, momentum=0.9, weight_decay=2e-4)
        self.pixels = torch.randint(0, 256, (10000, 3, SIZE, SIZE), dtype=torch.uint8)
        self.pixels = F.avg_pool2d(self.pixels.float(), 5, 1, 2).byte()  # some structure for saliency
        self.labels = torch.randint(0, CLASSES, (10000,))
        # OpenCV without its contributed modules: any map, which favours this side.
        self.saliency = cv2.saliency.StaticSaliencyFineGrained_create() if SALIENCY else None

    def images(self, index):
        x = F.pad(self.pixels[index], (4, 4, 4, 4))
        oy, ox = np.random.randint(0, 9, (2, len(index)))
        out = torch.empty(len(index), 3, SIZE, SIZE, dtype=torch.uint8)
        for i in range(len(index)):
            out[i] = x[i, :, oy[i] : oy[i] + SIZE, ox[i] : ox[i] + SIZE]
        flip = torch.rand(len(index)) < 0.5
        out[flip] = out[flip].flip(3)
        return out

    def normal(self, x):
        return ((x.float() / 255 - MEAN) / STD).contiguous(memory_format=self.format)

    def mask(self, raw, x):
        keep = np.random.rand()
        cut = int(SIZE * np.sqrt(1 - keep)) // 2
        lam = torch.ones(len(raw))
        for i in range(len(raw)):
            image = raw[i].permute(1, 2, 0).numpy()[:, :, ::-1].copy()
            m = self.saliency.computeSaliency(image)[1] if SALIENCY else image[:, :, 0]
            py, px = divmod(int(m.argmax()), SIZE)
            y0, y1 = max(py - cut, 0), min(py + cut, SIZE)
            x0, x1 = max(px - cut, 0), min(px + cut, SIZE)
            x[i, :, y0:y1, x0:x1] = 0
            lam[i] = 1 - (y1 - y0) * (x1 - x0) / SIZE**2
        return lam

    def evaluate(self):
        index = torch.randint(0, 10000, (BATCH,))
        self.net.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            self.call(self.normal(self.pixels[index]))[0].float()
        self.net.train()

    def __call__(self, method):
        if method == "eval":
            return self.evaluate()
        index = torch.randint(0, 10000, (BATCH,))
        y = self.labels[index]
        raw = self.images(index)
        x = self.normal(raw)
        if method == "smcl":
            target = torch.randint(0, 10000, (BATCH,))
            q = self.labels[target]
            lam = self.mask(raw, x)
            x = torch.cat([x, self.normal(self.images(target))]).contiguous(memory_format=self.format)
        self.opt.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits, head = self.call(x)
        logits, head = logits.float(), head.float()
        if method == "smcl":
            z = F.normalize(head)
            ce = F.cross_entropy(logits[:BATCH], y, reduction="none")
            ceq = F.cross_entropy(logits[:BATCH], q, reduction="none")
            loss = (lam * ce + (1 - lam) * ceq).mean()
            loss = loss + 0.3 * contrast(z[:BATCH], z[BATCH:], y, q, q, lam)
        else:
            loss = F.cross_entropy(logits, y)
        loss.backward()
        self.opt.step()


def main():
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    cv2.setNumThreads(torch.get_num_threads())
    steps = {}
    for line in sys.stdin:
        mode, method, count = line.split()
        if mode not in steps:
            steps[mode] = Step(mode)
        step = steps[mode]
        warm = 3 if (mode, method) not in steps else 1
        steps[(mode, method)] = True
        for _ in range(warm):
            step(method)
        times = []
        for _ in range(int(count)):
            start = time.perf_counter()
            step(method)
            times.append(time.perf_counter() - start)
        print(json.dumps({"mode": mode, "method": method, "seconds": statistics.median(times),
                          "torch": torch.__version__, "saliency": SALIENCY,
                          "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "threads": torch.get_num_threads()}), flush=True)


if __name__ == "__main__":
    main()
