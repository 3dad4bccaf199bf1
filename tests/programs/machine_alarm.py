"""Does a machine need service? Eight sensors, yes or no; Adam and mini-batches."""

import argparse

import torch
from _state import save_state
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--loss", choices=["bce", "cross-entropy"], default="bce")
parser.add_argument("--labels", type=float, nargs=2, default=(0.0, 1.0), help="numbers that stand for no and yes")
args = parser.parse_args()
torch.manual_seed(args.seed)

sensors, service = make_classification(
    2000, 8, n_informative=6, n_redundant=0, n_clusters_per_class=3, class_sep=1.2, flip_y=0.01, random_state=args.seed
)
sensors = torch.tensor((sensors - sensors.mean(0)) / sensors.std(0), dtype=torch.float32)
service = torch.tensor(service)
no, yes = args.labels
labels = torch.where(service == 1, yes, no).unsqueeze(1)
train = DataLoader(TensorDataset(sensors[:1500], labels[:1500]), batch_size=50, shuffle=True)

model = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
criterion = nn.BCEWithLogitsLoss() if args.loss == "bce" else nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(1, 21):
    for readings, wanted in train:
        optimizer.zero_grad()
        loss = criterion(model(readings), wanted)
        loss.backward()
        optimizer.step()
    if epoch % 4 == 0:
        with torch.no_grad():
            alarm = model(sensors[1500:]).squeeze(1) > 0
        accuracy = (alarm == (service[1500:] == 1)).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.4f}")
save_state(model=model, optimizer=optimizer)
