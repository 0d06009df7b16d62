"""Runs float Swin checkpoints in numpy float64 and compares the logits with the product's float forward.

An independent reading of Liu et al., "Swin Transformer", ICCV 2021: windows by reshaping, shifts by np.roll, masks by
labelled slices, relative positions by coordinates. It shares no code and no table with the packages.

    python check_swin_float.py FILE.float.json...

Each JSON (tools/src/dump-float.ts) stands beside a .safetensors of the same name and holds geometry, pixels and logits.
The product stores float32 between layers, so logits may differ by rounding: 1e-5 of the logits' spread is allowed (seen: below 1e-6).
Prints `N checked, N different`; exit 1 if anything differs or nothing was checked.
"""

import base64
import json
import math
import pathlib
import struct
import sys

import numpy as np

TOLERANCE = 1e-5


def read_tensors(path):
    blob = path.read_bytes()
    (size,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        data = np.frombuffer(blob[8 + size + begin : 8 + size + end], "<f4").astype(np.float64)
        tensors[name] = data.reshape(entry["shape"])
    return tensors


def names_of(naming):
    """Module names (block, merging, rest) of one naming."""
    if naming == "huggingFace":
        block = "swin.encoder.layers.{s}.blocks.{b}."
        return {
            "patch": "swin.embeddings.patch_embeddings.projection", "patch_norm": "swin.embeddings.norm",
            "norm1": block + "layernorm_before", "norm2": block + "layernorm_after",
            "q": block + "attention.self.query", "k": block + "attention.self.key", "v": block + "attention.self.value",
            "table": block + "attention.self.relative_position_bias_table",
            "proj": block + "attention.output.dense", "fc1": block + "intermediate.dense", "fc2": block + "output.dense",
            "merge": "swin.encoder.layers.{s}.downsample", "norm": "swin.layernorm", "head": "classifier",
        }
    block = "layers.{s}.blocks.{b}."
    return {
        "patch": "patch_embed.proj", "patch_norm": "patch_embed.norm",
        "norm1": block + "norm1", "norm2": block + "norm2", "qkv": block + "attn.qkv",
        "table": block + "attn.relative_position_bias_table",
        "proj": block + "attn.proj", "fc1": block + "mlp.fc1", "fc2": block + "mlp.fc2",
        "merge": "layers.{m}.downsample" if naming == "newTimm" else "layers.{s}.downsample",
        "norm": "norm", "head": "head.fc" if naming == "newTimm" else "head",
    }


erf = np.vectorize(math.erf)


class Model:
    def __init__(self, tensors, info):
        self.t = tensors
        self.info = info
        self.names = names_of(info["naming"])

    def name(self, key, s=0, b=0):
        return self.names[key].format(s=s, b=b, m=s + 1)

    def linear(self, x, name):
        y = x @ self.t[name + ".weight"].T
        return y + self.t[name + ".bias"] if name + ".bias" in self.t else y

    def norm(self, x, name):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + self.info["eps"]) * self.t[name + ".weight"] + self.t[name + ".bias"]

    def qkv(self, x, s, b):
        if "qkv" in self.names:
            return np.split(self.linear(x, self.name("qkv", s, b)), 3, -1)
        return [self.linear(x, self.name(part, s, b)) for part in "qkv"]

    def attention(self, grid, s, b):
        """grid [H,W,C], already normed -> [H,W,C]"""
        side, _, dim = grid.shape
        window = self.info["windows"][s]
        heads = self.info["heads"][s]
        shift = 0 if side <= window or b % 2 == 0 else window // 2
        rolled = np.roll(grid, (-shift, -shift), (0, 1))
        across = side // window

        def cut(x):
            parts = x.reshape(across, window, across, window, -1).transpose(0, 2, 1, 3, 4)
            return parts.reshape(across * across, window * window, -1)

        q, k, v = (
            part.reshape(across * across, window * window, heads, dim // heads).transpose(0, 2, 1, 3)
            for part in self.qkv(cut(rolled), s, b)
        )
        logits = q @ k.transpose(0, 1, 3, 2) / math.sqrt(dim // heads)
        table = self.t[self.name("table", s, b)].reshape(2 * window - 1, 2 * window - 1, heads)
        places = [(y, x) for y in range(window) for x in range(window)]
        for i, (yi, xi) in enumerate(places):
            for j, (yj, xj) in enumerate(places):
                logits[:, :, i, j] += table[yi - yj + window - 1, xi - xj + window - 1]
        if shift > 0:
            label = np.zeros((side, side, 1))
            bands = (slice(0, side - window), slice(side - window, side - shift), slice(side - shift, side))
            for n, (rows, columns) in enumerate((r, c) for r in bands for c in bands):
                label[rows, columns] = n
            own = cut(label)[..., 0]
            logits += np.where(own[:, None, :] != own[:, :, None], -100.0, 0.0)[:, None]
        e = np.exp(logits - logits.max(-1, keepdims=True))
        mixed = (e / e.sum(-1, keepdims=True)) @ v
        mixed = self.linear(mixed.transpose(0, 2, 1, 3).reshape(across * across, window * window, dim), self.name("proj", s, b))
        back = mixed.reshape(across, across, window, window, dim).transpose(0, 2, 1, 3, 4).reshape(side, side, dim)
        return np.roll(back, (shift, shift), (0, 1))

    def logits(self, pixels):
        info = self.info
        x = (pixels / 255.0 - np.array(info["mean"])) / np.array(info["std"])
        patch = info["patch"]
        side = info["imageSize"] // patch
        kernel = self.t[self.name("patch") + ".weight"]
        patches = x.reshape(side, patch, side, patch, 3).transpose(0, 2, 4, 1, 3).reshape(side, side, -1)
        x = patches @ kernel.reshape(kernel.shape[0], -1).T + self.t[self.name("patch") + ".bias"]
        x = self.norm(x, self.name("patch_norm"))
        for s, depth in enumerate(info["depths"]):
            for b in range(depth):
                x = x + self.attention(self.norm(x, self.name("norm1", s, b)), s, b)
                hidden = self.linear(self.norm(x, self.name("norm2", s, b)), self.name("fc1", s, b))
                hidden = hidden * 0.5 * (1 + erf(hidden / math.sqrt(2)))
                x = x + self.linear(hidden, self.name("fc2", s, b))
            if s < len(info["depths"]) - 1:
                merged = np.concatenate([x[0::2, 0::2], x[1::2, 0::2], x[0::2, 1::2], x[1::2, 1::2]], -1)
                name = self.name("merge", s)
                x = self.norm(merged, name + ".norm") @ self.t[name + ".reduction.weight"].T
        x = self.norm(x, self.name("norm")).reshape(-1, x.shape[-1]).mean(0)
        return self.linear(x, self.name("head"))


def main(paths):
    checked = different = 0
    for path in map(pathlib.Path, paths):
        info = json.loads(path.read_text())
        model = Model(read_tensors(path.with_name(path.name.replace(".float.json", ".safetensors"))), info)
        for index, case in enumerate(info["cases"]):
            pixels = np.frombuffer(base64.b64decode(case["pixels"]), np.uint8).astype(np.float64)
            wanted = model.logits(pixels.reshape(info["imageSize"], info["imageSize"], 3))
            error = float(np.abs(wanted - np.array(case["logits"])).max())
            checked += 1
            if not error <= TOLERANCE * (wanted.max() - wanted.min()):
                different += 1
                print(f"{path.name} image {index}: off by {error:.3g}, logits span {wanted.max() - wanted.min():.3g}")
    print(f"{checked} checked, {different} different")
    return 0 if checked > 0 and different == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
