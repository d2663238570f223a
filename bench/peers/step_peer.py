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
from torch import nn

BATCH, CLASSES, SIZE = 128, 10, 32
MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STD = torch.tensor([0.2023, 0.1994, 0.2010]).view(1, 3, 1, 1)


class Block(nn.Module):
    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.pad = (outer - inner) // 2
        self.stride = stride

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, depth=32):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, inner = [], 16
        for stage, width in enumerate((16, 32, 64)):
            for i in range((depth - 2) // 6):
                blocks.append(Block(inner, width, 2 if stage and not i else 1))
                inner = width
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(64, CLASSES)
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 128))

    def forward(self, x):
        f = self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3))
        return self.fc(f), self.head(f)


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

    def contrast(self, z, zt, y, q, yt, lam, tau=0.1):
        own = (z * z).sum(1, keepdim=True)
        sim = z @ zt.T / tau
        logp = sim - torch.cat([sim, own / tau], 1).logsumexp(1, keepdim=True)

        def sc(c):
            pos = (c[:, None] == yt[None]).float()
            n = pos.sum(1)
            return -(logp * pos).sum(1) / n.clamp(min=1)

        return (lam * sc(y) + (1 - lam) * sc(q)).mean()

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
            loss = loss + 0.3 * self.contrast(z[:BATCH], z[BATCH:], y, q, q, lam)
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
