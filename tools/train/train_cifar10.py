"""Trains the built-in CIFAR-10 model on a CPU, reproducibly and in interruptible steps.

Every random choice of a step comes from a generator seeded by (seed, step), and the order of the images from
(seed, epoch). So the step number is the whole random state: a resumed run draws what an unbroken one would.
"""

import argparse
import json
import math
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from vit import VisionTransformer, initialize

MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)
VALIDATION_PER_CLASS = 250


def normalize(images):
    mean = torch.tensor(MEAN)[None, :, None, None]
    std = torch.tensor(STD)[None, :, None, None]
    return (images - mean) / std


def to_float(images):
    return images.float() / 255


def split_validation(labels: torch.Tensor):
    """(training, validation) image numbers; a fixed choice, independent of the run's seed."""
    generator = torch.Generator().manual_seed(20)
    held = []
    for c in range(10):
        members = (labels == c).nonzero()[:, 0]
        held.append(members[torch.randperm(len(members), generator=generator)[:VALIDATION_PER_CLASS]])
    held = torch.cat(held).sort().values
    mask = torch.ones(len(labels), dtype=torch.bool)
    mask[held] = False
    return mask.nonzero()[:, 0], held


class Data:
    def __init__(self, folder: Path):
        cifar = np.load(folder / "cifar10-train.npz")
        self.images = torch.from_numpy(cifar["images"])
        self.labels = torch.from_numpy(cifar["labels"])
        self.train, self.validation = split_validation(self.labels)
        photos = np.load(folder / "photos-train.npz")
        self.other = torch.from_numpy(photos["other"])
        self.known = torch.from_numpy(photos["same"])
        self.known_labels = torch.from_numpy(photos["same_labels"])
        # Square root of the class frequency: rare classes are seen, but their few photos not worn out.
        self.known_weights = torch.bincount(self.known_labels, minlength=10).double()[self.known_labels].rsqrt()
        self.orders = {}

    def take(self, seed: int, start: int, count: int):
        """Image numbers [start, start + count) of the endless sequence of shuffled epochs."""
        size = len(self.train)
        parts = []
        while count:
            epoch, offset = divmod(start, size)
            if epoch not in self.orders:
                generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
                self.orders = {epoch: self.train[torch.randperm(size, generator=generator)]}
            part = self.orders[epoch][offset:offset + count]
            parts.append(part)
            start += len(part)
            count -= len(part)
        return torch.cat(parts)


def uniform(generator, count, low, high):
    return torch.rand(count, generator=generator) * (high - low) + low


def augment(images, generator, strength):
    """Flip, shift with reflection; for `strength` / 2 of the images also zoom and turn; then light color changes."""
    count = len(images)
    flip = (torch.rand(count, generator=generator) < 0.5).float() * -2 + 1
    geometric = (torch.rand(count, generator=generator) < 0.5 * strength).float()
    zoom = torch.exp(geometric * uniform(generator, count, -0.22, 0.15))
    stretch = torch.exp(geometric * uniform(generator, count, -0.1, 0.1))
    angle = geometric * uniform(generator, count, -0.2, 0.2)
    # Whole pixels: without zoom the picture then stays exact.
    shift = torch.randint(-4, 5, (2, count), generator=generator) * (2 / 32)
    theta = torch.stack([
        torch.stack([angle.cos() * zoom * stretch * flip, -angle.sin() * zoom * stretch, shift[0]], 1),
        torch.stack([angle.sin() * zoom / stretch * flip, angle.cos() * zoom / stretch, shift[1]], 1)], 1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    images = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    column = (count, 1, 1, 1)
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (1 + strength * uniform(generator, count, -0.3, 0.3)).view(column)
    middle = images.mean((1, 2, 3), keepdim=True)
    images = middle + (images - middle) * (1 + strength * uniform(generator, count, -0.2, 0.2)).view(column)
    return (images + strength * uniform(generator, count, -0.08, 0.08).view(column)).clamp(0, 1)


def cut_out(images, generator, probability, size=8):
    """Blanks a square of some of the normalized images."""
    count = len(images)
    top = torch.randint(0, 32 - size + 1, (2, count), generator=generator)
    span = torch.arange(32)
    inside = [(span >= t[:, None]) & (span < t[:, None] + size) for t in top]
    cut = inside[0][:, :, None] & inside[1][:, None, :]
    cut &= (torch.rand(count, generator=generator) < probability)[:, None, None]
    return images.masked_fill(cut[:, None], 0)


def shuffle_patches(images, patch, generator):
    count = len(images)
    patches = F.pixel_unshuffle(images, patch).flatten(2)
    order = torch.rand(count, patches.shape[2], generator=generator).argsort(1)
    patches = patches.gather(2, order[:, None].expand(-1, patches.shape[1], -1))
    return F.pixel_shuffle(patches.view(count, -1, 32 // patch, 32 // patch), patch)


def synthetic(count, generator):
    """Noise of random coarseness, gradients, stripes and flat pictures."""
    pictures = []
    for _ in range(count):
        kind = int(torch.randint(0, 5, (1,), generator=generator))
        first, second = torch.rand(2, 3, 1, 1, generator=generator)
        if kind <= 1:
            side = int(torch.tensor([2, 4, 8, 16, 32])[torch.randint(0, 5, (1,), generator=generator)])
            noise = torch.rand(1, 3, side, side, generator=generator)
            picture = F.interpolate(noise, size=(32, 32), mode="bicubic" if kind else "nearest")[0]
        elif kind <= 3:
            direction = torch.randn(2, generator=generator)
            direction = direction / direction.norm()
            line = torch.linspace(-1, 1, 32)
            ramp = (direction[0] * line[:, None] + direction[1] * line[None]) / 2 + 0.5
            if kind == 3:
                ramp = (torch.sin(ramp * float(uniform(generator, 1, 6, 80))) + 1) / 2
            picture = first + (second - first) * ramp
        else:
            picture = first.expand(3, 32, 32)
        grain = float(uniform(generator, 1, 0, 0.1)) * torch.randn(3, 32, 32, generator=generator)
        pictures.append((picture + grain).clamp(0, 1))
    return torch.stack(pictures)


def outliers(data, cifar, labels, count, generator):
    """Pictures without an answer: photos of other things (most of them), and damaged or made-up pictures."""
    photo_count = round(count * 0.72)
    shuffled_count = round(count * 0.09)
    mixed_count = round(count * 0.06)
    made_count = count - photo_count - shuffled_count - mixed_count
    picks = torch.randint(0, len(data.other), (photo_count,), generator=generator)
    photos = to_float(data.other[picks])
    # The photos are few; blends, pasted halves and swapped colors make more of them.
    blends = photo_count // 6
    partner = photos.roll(1, 0)
    weight = uniform(generator, blends, 0.3, 0.7).view(-1, 1, 1, 1)
    photos[:blends] = weight * photos[:blends] + (1 - weight) * partner[:blends]
    photos[blends:2 * blends, :, :, 16:] = partner[blends:2 * blends, :, :, 16:]
    photos[2 * blends:3 * blends] = photos[2 * blends:3 * blends][:, torch.randperm(3, generator=generator)]
    picks = torch.randint(0, len(cifar), (shuffled_count,), generator=generator)
    half = shuffled_count // 2
    shuffled = torch.cat([shuffle_patches(cifar[picks[:half]], 4, generator),
                          shuffle_patches(cifar[picks[half:]], 8, generator)])
    # Two classes in equal parts have no single answer; equal classes would have one, so those become noise.
    first, second = torch.randint(0, len(cifar), (2, mixed_count), generator=generator)
    mixed = (cifar[first] + cifar[second]) / 2
    alike = labels[first] == labels[second]
    mixed = torch.where(alike[:, None, None, None], torch.rand(mixed.shape, generator=generator), mixed)
    return torch.cat([photos, shuffled, mixed, synthetic(made_count, generator)])


def batch_of(data, args, step, with_outliers):
    generator = torch.Generator().manual_seed(args.seed * 7_368_787 + step)
    outlier_count = args.outliers if with_outliers else 0
    cifar_count = args.batch - args.known - outlier_count
    # The order runs in slots of a full batch: which images a step takes then depends on its number alone.
    numbers = data.take(args.seed, step * (args.batch - args.known), args.batch - args.known)[:cifar_count]
    cifar, labels = to_float(data.images[numbers]), data.labels[numbers]
    picks = torch.multinomial(data.known_weights, args.known, replacement=True, generator=generator)
    images = [cifar, to_float(data.known[picks])]
    if outlier_count:
        images.append(outliers(data, cifar, labels, outlier_count, generator))
    images = augment(torch.cat(images), generator, args.augment)
    targets = F.one_hot(torch.cat([labels, data.known_labels[picks]]), 10).float()
    targets = targets * (1 - args.smoothing) + args.smoothing / 10
    return cut_out(normalize(images), generator, args.cutout), targets, generator


def orthogonalize(matrices):
    """Newton-Schulz iteration towards the nearest (semi-)orthogonal matrices; rows <= columns."""
    x = matrices / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315) @ x
    return x


class Muon:
    """Momentum whose update is orthogonalized, for the blocks' matrices; equal shapes go together."""

    def __init__(self, parameters, momentum=0.95, decay=0.02):
        self.parameters = parameters
        self.buffers = [torch.zeros_like(p) for p in parameters]
        self.momentum, self.decay = momentum, decay

    @torch.no_grad()
    def step(self, rate):
        groups = {}
        for parameter, buffer in zip(self.parameters, self.buffers):
            buffer.lerp_(parameter.grad, 1 - self.momentum)
            update = parameter.grad.lerp(buffer, self.momentum)
            rows, columns = parameter.shape
            # query, key and value are three maps which happen to be stored as one matrix.
            parts = 3 if rows == 3 * columns else 1
            for target, piece in zip(parameter.chunk(parts), update.chunk(parts)):
                wide = piece.shape[0] <= piece.shape[1]
                groups.setdefault(tuple(sorted(piece.shape)), []).append((target, piece if wide else piece.T, wide))
        for members in groups.values():
            updates = orthogonalize(torch.stack([piece for _, piece, _ in members]))
            for (target, _, wide), update in zip(members, updates):
                target.mul_(1 - rate * self.decay)
                gain = max(1, target.shape[0] / target.shape[1]) ** 0.5
                target.add_(update if wide else update.T, alpha=-rate * gain)


def learning_rate(step, steps, warmup, hold):
    """Factor: short rise, level until `hold` of the run, then straight down to zero."""
    rise = min(1.0, (step + 1) / warmup)
    fall = min(1.0, (1 - step / steps) / (1 - hold))
    return rise * max(fall, 0.0)


@torch.inference_mode()
def predict(model, images, batch=50):
    model.eval()
    logits = torch.cat([model(normalize(to_float(images[i:i + batch]))) for i in range(0, len(images), batch)])
    model.train()
    return logits


def measure(model, images, labels):
    return float((predict(model, images).argmax(1) == labels).float().mean())


def gradients(model, images, targets, keep, scales):
    """Gradients and statistics of one slice of a batch: first the rows with targets, the others are outliers.

    scales: factors of the two losses, so that the slices' gradients add up to the batch's.
    """
    logits = model(images, keep).log_softmax(1)
    inliers = len(targets)
    loss = -(targets * logits[:inliers]).sum()
    outlier_loss = -logits[inliers:].mean(1).sum() - math.log(10) * (len(logits) - inliers)
    parts = torch.autograd.grad(loss * scales[0] + outlier_loss * scales[1], list(model.parameters()))
    hits = (logits[:inliers].argmax(1) == targets.argmax(1)).sum()
    return parts, torch.stack([loss.detach(), hits.float(), outlier_loss.detach()])


def save_checkpoint(path: Path, state):
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder written by prepare_data.py")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the log; resumed if present")
    parser.add_argument("--steps", type=int, required=True, help="length of the schedule; may be changed when resuming")
    parser.add_argument("--stop-after", type=int, default=None, help="stop (resumably) after this step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--embed-dim", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--mlp-dim", type=int, default=256)
    parser.add_argument("--batch", type=int, default=160, help="images of a step, all kinds together")
    parser.add_argument("--slice", type=int, default=20, help="images computed at a time by one thread")
    parser.add_argument("--known", type=int, default=4, help="of these, labeled photos of CIFAR classes")
    parser.add_argument("--outliers", type=int, default=32, help="of these, outliers, once they have begun")
    parser.add_argument("--outlier-start", type=float, default=0.5, help="part of the run without outliers")
    parser.add_argument("--outlier-weight", type=float, default=0.5)
    parser.add_argument("--kept-patches", type=int, default=32, help="patches seen in the first part of the run")
    parser.add_argument("--drop-until", type=float, default=0.8, help="end of that part")
    parser.add_argument("--augment", type=float, default=0.5, help="strength of zoom, rotation and color changes, 0 to 1")
    parser.add_argument("--cutout", type=float, default=0.0, help="part of the images with a blank square")
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--muon-rate", type=float, default=0.012)
    parser.add_argument("--adam-rate", type=float, default=0.002)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--hold", type=float, default=0.15)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--evaluate-every", type=int, default=250)
    parser.add_argument("--checkpoint-seconds", type=float, default=90)
    args = parser.parse_args()

    # One thread inside an operation, several slices of the batch side by side: slices fit the cache, and a core
    # taken away by another process delays one slice, not every operation.
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(args.threads, initializer=torch.set_num_threads, initargs=(1,))
    args.run.mkdir(parents=True, exist_ok=True)
    data = Data(args.data)
    model = VisionTransformer(embed_dim=args.embed_dim, depth=args.depth, num_heads=args.heads, mlp_dim=args.mlp_dim)
    initialize(model, torch.Generator().manual_seed(args.seed))
    average = [p.detach().clone() for p in model.parameters()]
    named = dict(model.named_parameters())
    matrices = [p for n, p in named.items() if n.startswith("blocks.") and p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(matrices)
    adam = torch.optim.AdamW([
        {"params": [p for p in rest if p.ndim in (2, 4)], "weight_decay": 0.05},
        {"params": [p for p in rest if p.ndim not in (2, 4)], "weight_decay": 0.0},
    ], lr=args.adam_rate, betas=(0.9, 0.98), foreach=True)

    checkpoint = args.run / "checkpoint.pt"
    step, seconds, history = 0, 0.0, []
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        for kept, value in zip(average, state["average"].values()):
            kept.copy_(value)
        for buffer, value in zip(muon.buffers, state["muon"]):
            buffer.copy_(value)
        adam.load_state_dict(state["adam"])
        step, seconds, history = state["step"], state["seconds"], state["history"]
    options = {k: v for k, v in vars(args).items() if k not in ("data", "run", "stop_after", "threads")}
    if not history or history[-1]["options"] != options:
        history.append({"from_step": step, "options": options})
    log = open(args.run / "log.jsonl", "a", buffering=1)
    log.write(json.dumps({"start": step, "options": options, "torch": torch.__version__,
                          "parameters": sum(p.numel() for p in model.parameters())}) + "\n")

    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))

    def save():
        save_checkpoint(checkpoint, {
            "model": model.state_dict(), "average": dict(zip(named, average)), "muon": muon.buffers,
            "adam": adam.state_dict(), "step": step, "seconds": seconds, "history": history,
            "config": model.config})

    clock = saved = time.monotonic()
    running, seen = torch.zeros(3), 0
    last = min(args.steps, args.stop_after or args.steps)
    prepared = None
    truth = data.labels[data.validation]

    def prepare(number):
        with_outliers = number >= args.outlier_start * args.steps
        images, targets, generator = batch_of(data, args, number, with_outliers)
        keep = None
        if number < args.drop_until * args.steps:
            count = (model.config["image_size"] // model.config["patch_size"]) ** 2
            keep = torch.rand(len(images), count, generator=generator).argsort(1)[:, :args.kept_patches]
        return images, targets, keep

    while step < last and not stopping:
        images, targets, keep = prepared.result() if prepared else prepare(step)
        inliers, outlier_count = len(targets), len(images) - len(targets)
        scales = (1 / inliers, args.outlier_weight / max(outlier_count, 1))
        slices = [slice(i, i + args.slice) for i in range(0, len(images), args.slice)]
        tasks = [pool.submit(gradients, model, images[s], targets[s], None if keep is None else keep[s], scales)
                 for s in slices]
        prepared = pool.submit(prepare, step + 1)
        # Added in the order of the slices, so the sum does not depend on which thread was first.
        total, statistics = tasks[0].result()
        total = list(total)
        for task in tasks[1:]:
            more, counts = task.result()
            torch._foreach_add_(total, more)
            statistics += counts
        running += statistics / torch.tensor([inliers, inliers, max(outlier_count, 1)])
        for parameter, gradient in zip(model.parameters(), total):
            parameter.grad = gradient
        factor = learning_rate(step, args.steps, args.warmup, args.hold)
        muon.step(args.muon_rate * factor)
        for group in adam.param_groups:
            group["lr"] = args.adam_rate * factor
        adam.step()
        with torch.no_grad():
            # The average follows faster at first, else it would long remember the initial weights.
            torch._foreach_lerp_(average, [p.detach() for p in model.parameters()],
                                 1 - min(args.ema, (step + 1) / (step + 10)))
        step += 1
        seen += 1

        if step % args.evaluate_every == 0 or step == last:
            now = time.monotonic()
            seconds += now - clock
            speed = seen * args.batch / (now - clock)
            raw = measure(model, data.images[data.validation], truth)
            other = VisionTransformer(**model.config)
            with torch.no_grad():
                torch._foreach_copy_(list(other.parameters()), average)
            averaged = measure(other, data.images[data.validation], truth)
            loss_mean, accuracy, outlier_mean = (running / seen).tolist()
            line = {"step": step, "loss": round(loss_mean, 4), "train": round(accuracy, 4),
                    "outlier": round(outlier_mean, 4), "validation": round(raw, 4),
                    "validation_average": round(averaged, 4), "speed": round(speed, 1),
                    "seconds": round(seconds)}
            log.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            running.zero_()
            seen = 0
            clock = time.monotonic()
        if time.monotonic() - saved > args.checkpoint_seconds:
            save()
            saved = time.monotonic()
    seconds += time.monotonic() - clock
    save()
    pool.shutdown()
    print("stopped at step", step, flush=True)


if __name__ == "__main__":
    main()
