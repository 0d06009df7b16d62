"""Extracts JPEGs from the CIFAR-10 archive into a flat folder: CLASS__NNNN.jpg.

By default 64 training images for calibration, spread over the classes. They are drawn from the images the model
was trained on, never from the validation images, so that choices made on validation stay unbiased.
"""

import argparse
import json
import zipfile
from pathlib import Path

import torch

from prepare_data import CLASSES
from train_cifar10 import split_validation


def names_of(archive, split):
    return sorted(n for n in archive.namelist() if n.startswith(split + "/") and n.endswith(".jpg"))


def choose(names, count, seed):
    """`count` names, the classes as even as possible, in a fixed order."""
    labels = torch.tensor([CLASSES.index(n.split("/")[1]) for n in names])
    train, _ = split_validation(labels)
    generator = torch.Generator().manual_seed(seed)
    queues = [train[labels[train] == c] for c in range(10)]
    queues = [q[torch.randperm(len(q), generator=generator)].tolist() for q in queues]
    return [names[queues[i % 10][i // 10]] for i in range(count)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--cifar", type=Path, required=True, help="zip with train/CLASS/NNNN.jpg and test/CLASS/NNNN.jpg")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--what", choices=["calibration", "validation", "test"], default="calibration")
    parser.add_argument("--count", type=int, default=64, help="of calibration; the other two are extracted whole")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(args.cifar) as archive:
        names = names_of(archive, "test" if args.what == "test" else "train")
        if args.what == "calibration":
            names = choose(names, args.count, args.seed)
        elif args.what == "validation":
            labels = torch.tensor([CLASSES.index(n.split("/")[1]) for n in names])
            names = [names[i] for i in split_validation(labels)[1].tolist()]
        for name in names:
            _, label, file = name.split("/")
            (args.out / f"{label}__{file}").write_bytes(archive.read(name))
    if args.what == "calibration":
        print(json.dumps(sorted(names)))
    print(len(names), "images in", args.out)


if __name__ == "__main__":
    main()
