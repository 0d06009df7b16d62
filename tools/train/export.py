"""Writes a checkpoint's averaged weights as model.safetensors and config.json."""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from prepare_data import CLASSES
from train_cifar10 import MEAN, STD
from vit import VisionTransformer


def model_config(config):
    size = config["image_size"]
    return {
        "architecture": "vit",
        "image_size": size,
        "patch_size": config["patch_size"],
        "embed_dim": config["embed_dim"],
        "depth": config["depth"],
        "num_heads": config["num_heads"],
        "mlp_dim": config["mlp_dim"],
        "layer_norm_eps": config["layer_norm_eps"],
        "num_classes": config["num_classes"],
        "pretrained_cfg": {
            "input_size": [3, size, size],
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "mean": list(MEAN),
            "std": list(STD),
        },
        "label_names": CLASSES,
    }


def load_model(path: Path) -> VisionTransformer:
    """The averaged model of a checkpoint file, or the model of an export folder."""
    if path.is_dir():
        config = json.loads((path / "config.json").read_text())
        weights = load_file(path / "model.safetensors")
        keys = ("image_size", "patch_size", "embed_dim", "depth", "num_heads", "mlp_dim", "num_classes", "layer_norm_eps")
        model = VisionTransformer(**{key: config[key] for key in keys})
    else:
        state = torch.load(path, weights_only=True)
        model = VisionTransformer(**state["config"])
        weights = state["average"]
    model.load_state_dict(weights)
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    model = load_model(args.checkpoint)
    args.out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().float().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "config.json").write_text(json.dumps(model_config(model.config), indent=2) + "\n")
    print(args.out, sum(value.numel() for value in weights.values()), "parameters")


if __name__ == "__main__":
    main()
