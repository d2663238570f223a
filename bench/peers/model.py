"""What the Python peers train: ResNet for 32x32 images with option-A shortcuts and a projection head,
and the contrastive loss."""

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


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

    def forward(self, x, embeddings=True):
        f = self.blocks(F.relu(self.bn1(self.conv1(x)))).mean((2, 3))
        return self.fc(f), self.head(f) if embeddings else None


def contrast(z, zt, y, q, yt, lam, tau=0.1):
    own = (z * z).sum(1, keepdim=True)
    sim = z @ zt.T / tau
    logp = sim - torch.cat([sim, own / tau], 1).logsumexp(1, keepdim=True)

    def of(c):
        pos = (c[:, None] == yt[None]).float()
        return -(logp * pos).sum(1) / pos.sum(1).clamp(min=1)

    return (lam * of(y) + (1 - lam) * of(q)).mean()
