"""ResNet for 32x32 images (He et al. 2016, section 4.2, option A) in plain PyTorch: the independent
twin of src/nn.

    resnet.py fixture FILE          writes tests/fixtures/nn/resnet20.safetensors anew
    resnet.py check WEIGHTS LOGITS  loads WEIGHTS strictly, compares with LOGITS (images, logits)
"""

import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.padding = outputs - inputs

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride > 1:
            before = self.padding // 2
            x = F.pad(x[:, :, :: self.stride, :: self.stride],
                      (0, 0, 0, 0, before, self.padding - before))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        stem = round(16 * width)
        self.conv1 = nn.Conv2d(3, stem, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        inputs = stem
        for stage in range(3):
            blocks = []
            for block in range((depth - 2) // 6):
                stride = 2 if stage > 0 and block == 0 else 1
                blocks.append(Block(inputs, stem << stage, stride))
                inputs = stem << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def of_weights(weights):
    """The network whose state `weights` is, loaded strictly."""
    blocks = {k.split(".")[1] for k in weights if k.startswith("layer1.")}
    model = ResNet(6 * len(blocks) + 2, weights["conv1.weight"].shape[0] / 16,
                   weights["fc.weight"].shape[0])
    model.load_state_dict(weights, strict=True)
    return model


def fixture(file):
    torch.manual_seed(1)
    model = ResNet(20, 0.25, 10)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            module.num_batches_tracked.fill_(7)
    images, labels = torch.randn(4, 3, 12, 12), torch.tensor([3, 1, 4, 1])
    out = {"weights." + k: v.clone() for k, v in model.state_dict().items()}
    out |= {"images": images, "labels": labels}
    model.eval()
    out["eval_logits"] = model(images).detach()
    model.train()
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    out |= {"train_logits": logits.detach(), "loss": loss.detach()}
    out |= {"gradients." + k: v.grad for k, v in model.named_parameters()}
    out |= {"after." + k: v.clone() for k, v in model.named_buffers()}
    save_file({k: v.contiguous() for k, v in out.items()}, file, {"torch": torch.__version__})


def check(weights_file, logits_file):
    model = of_weights(load_file(weights_file)).eval()
    given = load_file(logits_file)
    with torch.no_grad():
        off = (model(given["images"]) - given["logits"]).abs().max().item()
    print(f"largest difference {off:.3g}")
    return 0 if off < 1e-4 else 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "fixture":
        fixture(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        sys.exit(check(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
