"""Decodes the JPEGs once into uint8 arrays: CIFAR-10, and 32x32 crops of outlier photos.

Photos are split by the first byte of their SHA-256: even = training half, odd = evaluation half, which no
training step and no choice of a threshold ever sees.
"""

import argparse
import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
SIZE = 32


def save(path: Path, **arrays):
    temporary = path.with_suffix(".tmp.npz")
    np.savez(temporary, **arrays)
    os.replace(temporary, path)


def decode_split(archive: zipfile.ZipFile, split: str):
    names = sorted(n for n in archive.namelist() if n.startswith(split + "/") and n.endswith(".jpg"))
    images = np.empty((len(names), 3, SIZE, SIZE), np.uint8)
    labels = np.empty(len(names), np.int64)
    for i, name in enumerate(names):
        picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
        images[i] = np.asarray(picture).transpose(2, 0, 1)
        labels[i] = CLASSES.index(name.split("/")[1])
    return images, labels, np.array(names)


def product_view(picture: Image.Image):
    """What the product shows the model: shorter side to 32 with Pillow's bicubic filter, central crop."""
    width, height = picture.size
    scale = SIZE / min(width, height)
    picture = picture.resize((max(SIZE, round(width * scale)), max(SIZE, round(height * scale))), Image.BICUBIC)
    left, top = (picture.width - SIZE) // 2, (picture.height - SIZE) // 2
    return np.asarray(picture.crop((left, top, left + SIZE, top + SIZE))).transpose(2, 0, 1)


def random_view(picture: Image.Image, rng: np.random.Generator, smallest: float):
    width, height = picture.size
    short = min(width, height)
    side = short * np.exp(rng.uniform(np.log(smallest), 0))
    stretch = np.exp(rng.uniform(-0.2, 0.2))
    w, h = min(width, side * stretch), min(height, side / stretch)
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return np.asarray(picture.resize((SIZE, SIZE), Image.BICUBIC, box=(left, top, left + w, top + h))).transpose(2, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cifar", type=Path, required=True, help="zip with train/CLASS/NNNN.jpg and test/CLASS/NNNN.jpg")
    parser.add_argument("--photos", type=Path, required=True, help="folder of ImageNet photos named WNID_label.JPEG")
    parser.add_argument("--groups", type=Path, default=Path(__file__).with_name("other_things.json"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, default=300, help="random crops of each photo of another thing")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    with zipfile.ZipFile(args.cifar) as archive:
        for split in ("train", "test"):
            images, labels, names = decode_split(archive, split)
            save(args.out / f"cifar10-{split}.npz", images=images, labels=labels, names=names)
            print(split, images.shape, flush=True)

    groups = json.loads(args.groups.read_text())
    same = {wnid: CLASSES.index(c) for c, members in groups["same_class"].items() for wnid in members}
    doubtful = {wnid for members in groups["doubtful"].values() for wnid in members}
    rng = np.random.default_rng(args.seed)
    train = {"other": [], "same": [], "same_labels": []}
    evaluation = {"other": [], "other_names": [], "same": [], "same_labels": []}
    for path in sorted(args.photos.glob("n*_*.JPEG")):
        wnid = path.name.split("_")[0]
        if wnid in doubtful:
            continue
        data = path.read_bytes()
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        if hashlib.sha256(data).digest()[0] % 2:
            if wnid in same:
                evaluation["same"].append(product_view(picture))
                evaluation["same_labels"].append(same[wnid])
            else:
                evaluation["other"].append(product_view(picture))
                evaluation["other_names"].append(path.stem)
            continue
        # Photos of CIFAR classes train as such: otherwise the look of a reduced photo alone would mean "unknown".
        known = wnid in same
        views = [product_view(picture)] + [
            random_view(picture, rng, 0.6 if known else 0.2) for _ in range(args.views // 2 if known else args.views)]
        train["same" if known else "other"].extend(views)
        if known:
            train["same_labels"].extend([same[wnid]] * len(views))
    for name, arrays in (("train", train), ("evaluation", evaluation)):
        save(args.out / f"photos-{name}.npz", **{k: np.array(v) for k, v in arrays.items()})
        print("photos", name, {k: len(v) for k, v in arrays.items()}, flush=True)


if __name__ == "__main__":
    main()
