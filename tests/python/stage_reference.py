"""Second stages of training (Kang et al. 2020) in plain PyTorch (float64), on the network, images
and labels of tests/fixtures/nn/resnet20.safetensors: what the suite StageReference is held against.

    stage_reference.py fixture NETWORK OUT   writes tests/fixtures/nn/stage.safetensors anew

`crt.*` and `lws.*` hold loss and gradients of the first of three SGD steps and the classifier after
the last, on a network in evaluation mode; `tau.weight` that of tau-normalisation with tau 0.7.
"""

import sys

import torch
from resnet import of_weights
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

RATE, MOMENTUM, DECAY, STEPS = 0.3, 0.9, 2e-3, 3


class Scaled(nn.Module):
    """A fixed linear layer whose logits have a factor each."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.scale = nn.Parameter(torch.ones(layer.out_features, dtype=torch.double))

    def forward(self, x):
        return self.layer(x) * self.scale


def pattern(like):
    """Start weights that both sides can write down."""
    return 0.1 * torch.cos(torch.arange(like.numel(), dtype=torch.double)).view_as(like)


def learn(classifier, features, labels):
    optimiser = torch.optim.SGD([p for p in classifier.parameters() if p.requires_grad], RATE,
                                MOMENTUM, weight_decay=DECAY)
    first = {}
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = F.cross_entropy(classifier(features), labels)
        loss.backward()
        if step == 0:
            first = {"gradient." + k: p.grad.clone() for k, p in classifier.named_parameters()
                     if p.requires_grad}
            first["loss"] = loss.detach()
        optimiser.step()
    return first


def fixture(network_file, out_file):
    given = load_file(network_file)
    weights = {k[8:]: v for k, v in given.items() if k.startswith("weights.")}
    net = of_weights(weights).double().eval()
    labels = given["labels"]
    seen = {}
    net.fc.register_forward_pre_hook(lambda _, args: seen.update(features=args[0].detach()))
    logits = net(given["images"].double())
    features = seen["features"]
    out = {}

    fresh = nn.Linear(features.shape[1], logits.shape[1]).double()
    with torch.no_grad():
        fresh.weight.copy_(pattern(fresh.weight))
        fresh.bias.zero_()
    out |= {"crt." + k: v for k, v in learn(fresh, features, labels).items()}
    out |= {"crt.weight": fresh.weight, "crt.bias": fresh.bias}

    scaled = Scaled(nn.Linear(features.shape[1], logits.shape[1]).double())
    scaled.layer.load_state_dict(net.fc.state_dict())
    out |= {"lws." + k: v for k, v in learn(scaled, features, labels).items()}
    out |= {"lws.scale": scaled.scale, "lws.weight": scaled.scale[:, None] * net.fc.weight,
            "lws.bias": scaled.scale * net.fc.bias}

    out["tau.weight"] = net.fc.weight / net.fc.weight.norm(dim=1, keepdim=True) ** 0.7
    save_file({k: v.detach().contiguous() for k, v in out.items()}, out_file,
              {"torch": torch.__version__})


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "fixture":
        fixture(*sys.argv[2:])
    else:
        sys.exit(__doc__)
