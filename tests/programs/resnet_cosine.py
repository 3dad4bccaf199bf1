"""A small ResNet with batch norm on coloured textures: SGD at 0.1, momentum, weight decay, cosine schedule, flips."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from _state import save_state
from torch.optim.lr_scheduler import CosineAnnealingLR


class BasicBlock(nn.Module):
    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Identity()
        if stride != 1 or inplanes != planes:
            self.shortcut = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.layers = nn.Sequential(BasicBlock(8, 8), BasicBlock(8, 16, 2), BasicBlock(16, 32, 2))
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def textures(count, filters):
    labels = torch.randint(0, 6, (count,))
    noise = torch.randn(1, count * 3, 20, 20)
    images = F.conv2d(noise, filters[labels].view(-1, 1, 5, 5), groups=count * 3).view(count, 3, 16, 16)
    return images / images.std() + 0.3 * torch.randn(count, 3, 16, 16), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--wd", type=float, default=5e-4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    filters = torch.randn(6, 3, 5, 5)
    images, labels = textures(1280, filters)
    net = ResNet(6)
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9, weight_decay=args.wd)
    scheduler = CosineAnnealingLR(optimizer, T_max=args.epochs)
    for epoch in range(args.epochs):
        train_loss, correct = 0.0, 0
        for index in torch.randperm(1280).split(64):
            inputs = images[index].flip(-1) if torch.rand(()) < 0.1 else images[index]
            optimizer.zero_grad()
            outputs = net(inputs)
            loss = F.cross_entropy(outputs, labels[index])
            loss.backward()
            optimizer.step()
            train_loss += loss.item() / 20
            correct += outputs.argmax(1).eq(labels[index]).sum().item()
        scheduler.step()
        print(f"Epoch: {epoch} | Loss: {train_loss:.3f} | Acc: {100 * correct / 1280:.2f}%")
    save_state(net=net, optimizer=optimizer, scheduler=scheduler)


if __name__ == "__main__":
    main()
