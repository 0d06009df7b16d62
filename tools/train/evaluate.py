"""Measures a model: accuracy, and how well each score tells outliers from CIFAR pictures.

Thresholds are set on the validation images alone (they lose --lost of their correct answers). The evaluation
half of the photos and the test set are only measured, never used to choose.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from export import load_model
from train_cifar10 import predict, split_validation


def scores_of(logits):
    top = logits.topk(2, 1).values
    return {
        "max_softmax": logits.softmax(1).amax(1),
        "margin": top[:, 0] - top[:, 1],
        "energy": logits.logsumexp(1),
        "max_logit": top[:, 0],
    }


def share(mask):
    return round(float(mask.float().mean()), 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder written by prepare_data.py")
    parser.add_argument("--model", type=Path, required=True, help="checkpoint.pt or an export folder")
    parser.add_argument("--lost", type=float, default=0.05, help="part of the correct answers which may be lost")
    parser.add_argument("--photos", action="store_true", help="also measure the evaluation half of the photos")
    parser.add_argument("--test", action="store_true", help="also measure the test set; do this once, at the end")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = load_model(args.model)

    cifar = np.load(args.data / "cifar10-train.npz")
    _, held = split_validation(torch.from_numpy(cifar["labels"]))
    labels = torch.from_numpy(cifar["labels"])[held]
    logits = predict(model, torch.from_numpy(cifar["images"])[held])
    correct = logits.argmax(1) == labels
    report = {"validation_top1": share(correct)}
    thresholds = {name: torch.quantile(score[correct], args.lost) for name, score in scores_of(logits).items()}
    report["thresholds"] = {name: round(float(value), 5) for name, value in thresholds.items()}
    report["validation_wrong_answers_unknown"] = {
        name: share(score[~correct] < thresholds[name]) for name, score in scores_of(logits).items()}

    if args.photos:
        photos = np.load(args.data / "photos-evaluation.npz")
        other = predict(model, torch.from_numpy(photos["other"]))
        report["other_things"] = len(other)
        report["other_things_unknown"] = {
            name: share(score < thresholds[name]) for name, score in scores_of(other).items()}
        same = predict(model, torch.from_numpy(photos["same"]))
        right = same.argmax(1) == torch.from_numpy(photos["same_labels"])
        report["photos_of_known_classes"] = len(same)
        report["photos_of_known_classes_top1"] = share(right)
        report["photos_of_known_classes_correct_lost"] = {
            name: share(score[right] < thresholds[name]) for name, score in scores_of(same).items()}

    if args.test:
        test = np.load(args.data / "cifar10-test.npz")
        labels = torch.from_numpy(test["labels"])
        logits = predict(model, torch.from_numpy(test["images"]))
        correct = logits.argmax(1) == labels
        accuracy = float(correct.float().mean())
        report["test_top1"] = round(accuracy, 4)
        report["test_standard_error"] = round((accuracy * (1 - accuracy) / len(labels)) ** 0.5, 4)
        report["test_top1_per_class"] = [share(correct[labels == c]) for c in range(10)]
        report["test_correct_lost"] = {
            name: share(score[correct] < thresholds[name]) for name, score in scores_of(logits).items()}
        report["test_wrong_answers_unknown"] = {
            name: share(score[~correct] < thresholds[name]) for name, score in scores_of(logits).items()}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
