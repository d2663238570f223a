"""Training and evaluation on a GPU as a competent user of PyTorch writes them (bench_gpu_step).

    gpu_step_peer.py [IMAGES [DEVICE]]

Reads commands from standard input, one a line: `MODE METHOD EPOCHS`, e.g. `bf16-nhwc-compile smcl 1`,
and answers each with the seconds that an epoch took (median), as one JSON line, or with why it could
not. `hello` is answered with what runs here. A mode is PRECISION-LAYOUT-HOW of {fp32,bf16},
{nchw,nhwc} and
    eager    kernels launched one by one
    graph    forward, backward and optimiser in one CUDA graph
    compile  torch.compile(mode="reduce-overhead"), which makes CUDA graphs
and a method ce, smcl or eval. The data lie on the device as uint8; an epoch's images are cropped,
flipped and normalised there at once. Needs torch alone. smcl masks a random box: saliency on the
GPU is not to be had here. CPU as DEVICE is for trying this file out.
"""

import json
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from model import CLASSES, ResNet, contrast

BATCH, EVALUATION_BATCH, SIZE, PADDING = 128, 1000, 32, 4
WARM_UP = 2  # epochs
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class CrossEntropy(nn.Module):
    """Network and loss: what is compiled."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, y):
        return F.cross_entropy(self.net(x, embeddings=False)[0].float(), y)


class Smcl(nn.Module):
    """Of a batch of masked images with target images behind them."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, y, q, lam):
        logits, head = self.net(x)
        with torch.autocast(x.device.type, enabled=False):
            logits, z = logits[: len(y)].float(), F.normalize(head.float())
            ce = F.cross_entropy(logits, y, reduction="none")
            ceq = F.cross_entropy(logits, q, reduction="none")
            mixed = (lam * ce + (1 - lam) * ceq).mean()
            return mixed + 0.3 * contrast(z[: len(y)], z[len(y) :], y, q, q, lam)


class Data:
    def __init__(self, images, device):
        torch.manual_seed(0)
        pixels = torch.randint(0, 256, (images, SIZE, SIZE, 3), dtype=torch.uint8, device=device)
        self.pixels = pixels
        self.padded = F.pad(pixels, (0, 0, PADDING, PADDING, PADDING, PADDING))
        self.labels = torch.randint(0, CLASSES, (images,), device=device)
        self.mean = torch.tensor(MEAN, device=device)
        self.std = torch.tensor(STD, device=device)

    def normal(self, pixels, dtype):
        return ((pixels.float() / 255 - self.mean) / self.std).to(dtype)

    def augmented(self, index, dtype):
        """[N, H, W, 3], randomly cropped and flipped."""
        device, many = index.device, (len(index), 1)
        line = torch.arange(SIZE, device=device)
        flip = torch.rand(many, device=device) < 0.5
        rows = line + torch.randint(0, 2 * PADDING + 1, many, device=device)
        cols = torch.where(flip, SIZE - 1 - line, line)
        cols = cols + torch.randint(0, 2 * PADDING + 1, many, device=device)
        cropped = self.padded[index[:, None, None], rows[:, :, None], cols[:, None, :]]
        return self.normal(cropped, dtype)


def boxes(steps, device):
    """[steps, BATCH, H, W], true in the masked boxes; their sides are drawn once a step."""
    half = (SIZE * torch.rand(steps, 1, device=device).sqrt()).long() // 2
    line = torch.arange(SIZE, device=device)

    def inside():
        centre = torch.randint(0, SIZE, (steps, BATCH), device=device)
        return (line >= (centre - half)[..., None]) & (line < (centre + half)[..., None])

    return inside()[..., :, None] & inside()[..., None, :]


class Work:
    """One method in one mode."""

    def __init__(self, mode, method, data):
        precision, layout, self.how = mode.split("-")
        if precision not in ("fp32", "bf16") or layout not in ("nchw", "nhwc"):
            raise ValueError(f"no mode {mode}")
        if method not in ("ce", "smcl", "eval") or self.how not in ("eager", "graph", "compile"):
            raise ValueError(f"no mode {mode} of {method}")
        self.method, self.data, self.device = method, data, data.labels.device
        self.dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.nhwc = layout == "nhwc"
        memory = torch.channels_last if self.nhwc else torch.contiguous_format
        self.net = ResNet().to(self.device, memory_format=memory).train(method != "eval")
        if method == "eval":
            self.call = self.net
        else:
            self.call = CrossEntropy(self.net) if method == "ce" else Smcl(self.net)
            parameters = [p for name, p in self.net.named_parameters()
                          if method == "smcl" or not name.startswith("head.")]
            self.opt = torch.optim.SGD(parameters, 0.01, momentum=0.9, weight_decay=2e-4,
                                       fused=self.device.type == "cuda")
        if self.how == "compile":
            self.call = torch.compile(self.call, mode="reduce-overhead", dynamic=False)
        self.graph = None

    def images(self):
        """Of the ordinary stream, an epoch; the short last batch is left out."""
        batch = self.evaluation_batch() if self.method == "eval" else BATCH
        return len(self.data.labels) // batch * batch

    def evaluation_batch(self):
        return min(EVALUATION_BATCH, len(self.data.labels))

    def autocast(self):
        # Every weight is used once a pass: nothing to keep, and graphs must not.
        return torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False,
                              enabled=self.dtype == torch.bfloat16)

    def batches(self, x):
        """[steps, batch, H, W, 3] as images in this mode's layout."""
        x = x.permute(0, 1, 4, 2, 3)
        return x if self.nhwc else x.contiguous()

    def training_epoch(self):
        """The batches of an epoch: tuples of what the loss takes."""
        data, steps = self.data, self.images() // BATCH
        index = torch.randperm(len(data.labels), device=self.device)[: self.images()]
        y = data.labels[index].view(steps, BATCH)
        x = data.augmented(index, self.dtype).view(steps, BATCH, SIZE, SIZE, 3)
        if self.method == "ce":
            return zip(self.batches(x), y)
        targets = torch.randint(0, len(data.labels), (self.images(),), device=self.device)
        q = data.labels[targets].view(steps, BATCH)
        box = boxes(steps, self.device)
        x.masked_fill_(box[..., None], 0)  # the mean colour
        lam = 1 - box.float().mean((2, 3))
        seen = data.augmented(targets, self.dtype).view(steps, BATCH, SIZE, SIZE, 3)
        return zip(self.batches(torch.cat([x, seen], 1)), y, q, lam)

    def step(self, batch):
        self.opt.zero_grad(set_to_none=True)
        if self.how == "compile":
            torch.compiler.cudagraph_mark_step_begin()
        with self.autocast():
            loss = self.call(*batch)
        loss.backward()
        self.opt.step()

    def evaluate(self, batch):
        with torch.no_grad(), self.autocast():
            return self.call(*batch)[0].float()

    def captured(self, work, batch):
        """Runs `work` on `batch` by a CUDA graph."""
        if self.graph is None:
            self.held = [part.clone() for part in batch]
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(3):
                    work(self.held)
            torch.cuda.current_stream().wait_stream(beside)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.result = work(self.held)
        for held, part in zip(self.held, batch):
            held.copy_(part)
        self.graph.replay()
        return self.result

    def run(self, work, batch):
        return self.captured(work, batch) if self.how == "graph" else work(batch)

    def epoch(self):
        if self.method != "eval":
            for batch in self.training_epoch():
                self.run(self.step, batch)
            return
        size = self.evaluation_batch()
        x = self.data.normal(self.data.pixels[: self.images()], self.dtype)
        logits = torch.empty(self.images(), CLASSES, device=self.device)
        for i, part in enumerate(self.batches(x.view(-1, size, SIZE, SIZE, 3))):
            if self.how == "compile":
                torch.compiler.cudagraph_mark_step_begin()
            logits[i * size : (i + 1) * size] = self.run(self.evaluate, (part,))
        logits.cpu()

    def seconds(self):
        start = time.perf_counter()
        self.epoch()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start


def skipped_graphs():
    """How many parts torch.compile could not put into CUDA graphs."""
    from torch._dynamo.utils import counters
    return counters["inductor"]["cudagraph_skips"]


def answer(line, data, works):
    device = data.labels.device
    cuda = device.type == "cuda"
    if line.strip() == "hello":
        return {"torch": torch.__version__,
                "device": torch.cuda.get_device_name() if cuda else "cpu"}
    mode, method, epochs = line.split()
    if (mode, method) not in works:
        skips = skipped_graphs()
        work = Work(mode, method, data)
        for _ in range(WARM_UP):
            work.seconds()
        works[(mode, method)] = work
        work.skips = skipped_graphs() - skips
    work = works[(mode, method)]
    return {"mode": mode, "method": method, "images": work.images(),
            "seconds": statistics.median(work.seconds() for _ in range(int(epochs))),
            "skipped_graphs": work.skips,
            "peak_mb": torch.cuda.max_memory_allocated() / 2**20 if cuda else 0}


def main():
    # What libraries print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 12406
    device = sys.argv[2] if len(sys.argv) > 2 else "cuda"
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32, as on the other side
    torch.backends.cuda.matmul.allow_tf32 = False
    data, works = Data(images, device), {}
    for line in sys.stdin:
        try:
            row = answer(line, data, works)
        except Exception as problem:  # told, so that other modes can go on
            row = {"error": f"{type(problem).__name__}: {problem}".splitlines()[0][:300]}
        print(json.dumps(row), file=out, flush=True)


if __name__ == "__main__":
    main()
