#!/usr/bin/env python3
"""Compares decoding, resizing and cropping with Pillow, byte by byte, over files or folders of photos.

    python tools/oracle/check_images.py ../shared/images/imagenet
    python tools/oracle/check_images.py --limit 20 FOLDER FILE ...

Prints one line per difference, the totals, and `N passed, N failed`. Exit status 1 on any difference, or when there
is nothing to compare. A file that Pillow refuses must be refused by us; one that only we refuse is a failure.
Needs Pillow and numpy (versions are printed), and the project's own `node --import tsx`.
"""

import argparse
import json
import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps, features

ROOT = Path(__file__).resolve().parents[2]
# The order of the two resampling passes changed in Pillow 13; ours follows either.
PILLOW = 13 if int(PIL.__version__.split(".")[0]) >= 13 else 12
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# (shorter side, crop, filter): the usual 224 pipelines of timm and torchvision, a larger one, and two that reduce a lot.
STEPS = [
    (256, 224, "bicubic"),
    (256, 224, "bilinear"),
    (248, 224, "bicubic"),
    (438, 384, "bicubic"),
    (32, 32, "bicubic"),
    (37, 32, "bilinear"),
]


def crop_offset(size, crop):
    """torchvision: int(round((size - crop) / 2.0)), Python rounding halves to even."""
    return int(round((size - crop) / 2.0))


def preprocess(image, size, crop, interpolation):
    """torchvision's Resize(size) and CenterCrop(crop) on a Pillow image."""
    width, height = image.size
    if width <= height:
        new = (size, int(size * height / width))
    else:
        new = (int(size * width / height), size)
    image = image.resize(new, FILTERS[interpolation])
    left, top = crop_offset(new[0], crop), crop_offset(new[1], crop)
    return image.crop((left, top, left + crop, top + crop))


def expected(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    parts = [image] + [preprocess(image, *step) for step in STEPS]
    return image.size, [np.asarray(part).reshape(-1) for part in parts]


def compare(name, want, got):
    """A description of the first difference, or None."""
    if want.size != got.size:
        return f"{name}: {got.size} bytes instead of {want.size}"
    different = np.flatnonzero(want != got)
    if different.size == 0:
        return None
    at = int(different[0])
    most = int(np.abs(want.astype(int) - got.astype(int)).max())
    return f"{name}: {different.size} of {want.size} bytes differ, first at {at} ({got[at]} instead of {want[at]}), at most by {most}"


class Driver:
    def __init__(self):
        command = ["node", "--conditions=@ivit/source", "--import", "tsx", "tools/oracle/image-driver.ts"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, path):
        steps = [{"resize": size, "crop": crop, "interpolation": name} for size, crop, name in STEPS]
        job = json.dumps({"path": str(path.resolve()), "pillow": PILLOW, "steps": steps})
        self.process.stdin.write(job.encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the driver ended (status {self.process.wait()}) at {path}")
        answer = json.loads(line)
        parts = [np.frombuffer(self.process.stdout.read(length), np.uint8) for length in answer["lengths"]]
        return answer, parts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, help="only so many files, evenly spread")
    arguments = parser.parse_args()
    files = []
    for path in arguments.paths:
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [file for file in found if file.suffix.lower() in (".jpg", ".jpeg", ".png")]
    if arguments.limit is not None and len(files) > arguments.limit:
        files = [files[math.floor(i * len(files) / arguments.limit)] for i in range(arguments.limit)]
    turbo = features.version("libjpeg_turbo")
    print(f"Pillow {PIL.__version__}, libjpeg-turbo {turbo}, numpy {np.__version__}; {len(files)} files")

    driver = Driver()
    passed = failed = refused = 0
    samples = pixels = 0
    milliseconds = {"decode": [], "preprocess": []}
    for file in files:
        answer, parts = driver.ask(file)
        try:
            size, wanted = expected(file)
        except (OSError, SyntaxError, ValueError) as error:
            problems = [] if "error" in answer else [f"Pillow refuses it: {error}"]
            refused += not problems
        else:
            if "error" in answer:
                problems = [answer["message"]]
            else:
                names = ["decoded"] + [f"{name} {side} crop {crop}" for side, crop, name in STEPS]
                problems = [compare(*triple) for triple in zip(names, wanted, parts, strict=True)]
                problems = [problem for problem in problems if problem is not None]
                if (answer["width"], answer["height"]) != size:
                    problems.insert(0, f"{answer['width']}x{answer['height']} instead of {size[0]}x{size[1]}")
                samples += sum(part.size for part in wanted)
                pixels += size[0] * size[1]
                for kind, taken in answer["milliseconds"].items():
                    milliseconds[kind].append(taken)
        for problem in problems:
            print(f"FAILED {file}: {problem}")
        passed += not problems
        failed += bool(problems)
    if milliseconds["decode"]:
        medians = {kind: sorted(taken)[len(taken) // 2] for kind, taken in milliseconds.items()}
        print(
            f"{samples} bytes compared, {pixels / 1e6:.1f} megapixels, {refused} refused by both; median "
            f"{medians['decode']:.1f} ms to decode, {medians['preprocess'] / len(STEPS):.1f} ms to resize and crop"
        )
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
