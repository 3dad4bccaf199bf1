"""Count blobs under a microscope (one to four): a deep convolutional network with batch norm, SGD with momentum."""

import argparse

import torch
from _state import save_state
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--fault", action="store_true", help="never back to training mode after an evaluation")
args = parser.parse_args()
torch.manual_seed(args.seed)


def microscope(count):
    grid = torch.arange(12.0)
    labels = torch.randint(4, (count,))
    places = torch.stack([torch.randperm(9)[:4] for _ in range(count)])
    rows, columns = (places // 3) * 4 + 1.5, (places % 3) * 4 + 1.5
    spots = torch.exp(-((grid[:, None] - rows[..., None, None]) ** 2 + (grid - columns[..., None, None]) ** 2))
    visible = (torch.arange(4) <= labels[:, None]).float()
    return (spots * visible[..., None, None]).sum(1, keepdim=True) + 0.1 * torch.randn(count, 1, 12, 12), labels


def layer(inputs, outputs, stride=1):
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())


@torch.no_grad()
def accuracy(net, images, labels):
    net.eval()
    return (net(images).argmax(1) == labels).float().mean().item()


images, labels = microscope(960)
test_images, test_labels = microscope(320)
middle = [layer(12, 12) for _ in range(6)]
net = nn.Sequential(layer(1, 12, 2), *middle, layer(12, 24, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 4))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()
print(f"before training: accuracy {accuracy(net, test_images, test_labels):.3f}")
for epoch in range(10):
    if not args.fault:
        net.train()
    for rows in torch.randperm(len(images)).split(48):
        loss = criterion(net(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.4f} accuracy {accuracy(net, test_images, test_labels):.3f}")
save_state(net=net, optimizer=optimizer)
