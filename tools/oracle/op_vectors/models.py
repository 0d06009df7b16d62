"""Whole tiny Vision Transformers with random weights: the recipe's pattern of ops, and the I-ViT paper's."""

import numpy as np

from .scene import I64, M, RANGE, Draw, Scene, reshape, view

NOTES = {
    "recipe": "a fusing, a memory plan or a batch that changes a bit in the recipe's pattern of ops",
    "paper": "a fusing, a memory plan or a batch that changes a bit in the paper's pattern of ops",
}


class Model(Scene):
    """Picks every scale from the values that the images give, so that results use their range and saturate now and then."""

    def __init__(self, comment, flags, seed, size, batch=3):
        draw = Draw(seed)
        smooth = draw.integers([batch, 1, 1, 3], 0, 255) + draw.integers([batch, size, size, 3], -90, 90)
        super().__init__(comment, flags, batch, seed + 1, np.clip(smooth, 0, 255))

    def reach(self, operand, axes=None):
        """The largest magnitude, over everything or for each channel of the last axis."""
        x = np.abs(self.value(operand))
        return int(max(1, x.max())) if axes is None else np.maximum(1, x.max(tuple(range(x.ndim - 1))))

    def fitted(self, reach, to, e, gain=1.1):
        """Multipliers over 2^e that take `reach` to a little beyond the range of `to`."""
        numerator = int(RANGE[to][1] * gain) << e
        return np.minimum(numerator // reach, M)

    def scaled(self, x, to, axis=None, run=1, e=24, gain=1.1, residual=None, z=0):
        """requantize, shared (axis None) or with a scale per channel of the run."""
        reach = self.reach(x)
        if axis is None:
            m, axis, run = int(self.fitted(reach, to, e, gain)), 0, 0
        else:
            shape = self.value(x).shape[1:][axis : axis + run]
            spread = self.draw.integers([int(np.prod(shape))], 3 * 2**8, 5 * 2**8)
            m = self.param(np.minimum(self.fitted(reach, to, e, gain) * spread >> 10, M))
            z = self.param(self.draw.integers([len(spread)], -z, z)) if z else 0
        addend = None if residual is None else {"operand": residual, "m": 3 * 2**18, "e": 20}
        return self.add("requantize", x=x, m=m, e=e, z=z, axis=axis, run=run, to=to, addend=addend)

    def linear(self, x, outputs, bias=True):
        inputs = self.value(x).shape[-1]
        w = self.draw.integers([outputs, inputs], -128, 127) * self.draw.integers([outputs, inputs], 0, 127) // 127
        b = self.constant(self.draw.integers([outputs], -3000, 3000), "i32") if bias else None
        return self.add("linear", x=x, w=self.constant(w, "i8"), b=b)

    def patches(self, size, patch, width):
        """Pixels to i16 tokens with a class token in front."""
        tables = np.stack([np.clip(np.arange(256) + d, 0, 255) - 128 for d in (0, 5, -9)])
        x = self.add("lookup", x={"value": "pixels"}, table=self.constant(tables, "i8"))
        side = size // patch
        rows = [((py * patch + y) * side + px) for py in range(side) for px in range(side) for y in range(patch)]
        shape = [side * side, patch * patch * 3]
        x = self.add("gather", x=x, rows=self.constant(rows, "i32"), width=patch * 3, shape=shape)
        acc = self.linear(x, width)
        position = self.constant(self.draw.integers([side * side, width], -6000, 6000), "i16")
        tokens = self.scaled(acc, "i16", axis=1, gain=0.5, residual={"constant": position})
        row = self.constant(self.draw.integers([1, width], -9000, 9000), "i16")
        return self.add("concat", operands=[{"constant": row}, tokens]), side * side + 1

    def head_views(self, qkv, tokens, heads, depth):
        step = 3 * heads * depth
        q = view(qkv, [heads, tokens, depth], [depth, step, 1])
        k = view(qkv, [heads, depth, tokens], [depth, 1, step], heads * depth)
        return q, k, view(qkv, [heads, tokens, depth], [depth, step, 1], 2 * heads * depth)


def dynamic(model, x, outputs, to="i16", residual=None, slots=0, z=0, gain=1.1):
    """requantized norm or activation i16 -> rowscale, rowquantize -> linear -> requantize(row, bias, addend)."""
    width = model.value(x).shape[-1]
    up = model.draw.integers([slots], 0, width - 1)
    counts = np.bincount(up, minlength=width).astype(I64) if slots else np.zeros(width, I64)
    cp = model.param(127 - z + 255 * counts) if slots else 127 - z
    row = model.add("rowscale", x=x, cp=cp, cn=128 + z)
    fields = {}
    if slots:
        numbers = [int((up[:i] == c).sum()) + 1 for i, c in enumerate(up)]
        fields = {"channels": model.constant([*range(width), *up], "i32"), "slot": model.constant([0] * width + numbers, "i8")}
    q = model.add("rowquantize", x=x, row=row, z=z, **fields)
    acc = model.linear(q, outputs, bias=False)
    codes = model.value(row)
    factor = (16 + (codes & 15)) << (codes >> 4)
    reach = int(np.abs(model.value(acc) * factor[..., None]).max())
    e = 30
    m = model.fitted(reach, to, e, gain) * model.draw.integers([outputs], 600, 1000) // 1000
    bias = model.constant(model.draw.integers([outputs], -(2**26), 2**26), "i32")
    addend = None if residual is None else {"operand": residual, "m": 1, "e": 0}
    return model.add("requantize", x=acc, m=model.param(np.maximum(1, m)), e=e, z=0, axis=1, run=1, to=to, row=row, bias=bias, k=9, addend=addend)


def gelu_ramp(model, x):
    """max(x, 0)·2^5 plus an even table that vanishes: the shape of GELU over 7 fractional bits, by integers alone."""
    i = np.arange(577)
    table = -((i * (576 - i) ** 2) // 300_000)
    return model.add("ramplookup", x=x, table=model.constant(table, "i16"), u=5)


def recipe(comment, seed, size, patch, width, heads, blocks, classes, slots=0, distilled=False):
    model = Model(comment, ["recipe"], seed, size)
    x, tokens = model.patches(size, patch, width)
    depth = width // heads
    for _ in range(blocks):
        normal = model.scaled(model.add("layernorm", x=x), "i16", axis=1, z=900)
        qkv = dynamic(model, normal, 3 * width, "i8", slots=slots)
        q, k, v = model.head_views(qkv, tokens, heads, depth)
        logits = model.scaled(model.add("matmul", a=q, b=k), "i16", axis=0, gain=0.06)
        weights = model.add("softmax", x=logits, exponential={"pow2": 8}, bits=16)
        mixed = model.add("matmul", a=weights, b=v)
        seen = view(mixed, [tokens, heads, depth], [depth, tokens * depth, 1])
        joined = reshape(model.scaled(seen, "i16", axis=1, run=2), [tokens, width])
        x = dynamic(model, joined, width, residual=x, slots=slots, gain=0.4)
        normal = model.scaled(model.add("layernorm", x=x), "i16", axis=1, z=900)
        hidden = dynamic(model, normal, 2 * width, slots=slots, z=-16, gain=0.05)
        active = model.scaled(gelu_ramp(model, hidden), "i16", axis=1)
        x = dynamic(model, active, width, residual=x, z=-112, gain=0.4)
    normal = model.add("layernorm", x=x)
    first = view(normal, [1, width], [width, 1])
    pooled = model.scaled(first, "i16", axis=1, z=900)
    logits = dynamic(model, pooled, classes, "i32", gain=0.001)
    if distilled:
        model.add("mean", x=logits, axis=0)
    return model


def paper(comment, seed, size, patch, width, heads, blocks, classes):
    model = Model(comment, ["paper"], seed, size)
    x, tokens = model.patches(size, patch, width)
    depth = width // heads
    for _ in range(blocks):
        b = model.constant(model.draw.integers([width], -(2**26), 2**26), "i32")
        normal = model.scaled(model.add("layernorm", x=x, b=b), "i8", axis=1)
        qkv = model.scaled(model.linear(normal, 3 * width), "i8")
        q, k, v = model.head_views(qkv, tokens, heads, depth)
        logits = model.scaled(model.add("matmul", a=q, b=k), "i8")
        weights = model.add("softmax", x=logits, exponential={"shift": -22, "n": 15}, bits=16)
        mixed = model.add("matmul", a=weights, b=v)
        seen = view(mixed, [tokens, heads, depth], [depth, tokens * depth, 1])
        joined = reshape(model.scaled(seen, "i8"), [tokens, width])
        branch = model.scaled(model.linear(joined, width), "i16", axis=1, gain=0.4)
        x = model.add("requantize", x=branch, m=7 * 2**17, e=20, z=0, axis=0, run=0, to="i16", addend={"operand": x, "m": 2**20 - 5, "e": 20})
        normal = model.scaled(model.add("layernorm", x=x), "i8", axis=1)
        hidden = model.scaled(model.linear(normal, 2 * width), "i8")
        active = model.scaled(model.add("shiftgelu", x=hidden, x0=-40, n=23), "i8")
        branch = model.scaled(model.linear(active, width), "i16", axis=1, gain=0.4)
        x = model.add("requantize", x=branch, m=7 * 2**17, e=20, z=0, axis=0, run=0, to="i16", addend={"operand": x, "m": 2**20 - 5, "e": 20})
    normal = model.add("layernorm", x=x)
    pooled = model.scaled(view(normal, [1, width], [width, 1]), "i8", axis=1)
    logits = model.linear(reshape(pooled, [width]), classes)
    model.add("requantize", x=logits, m=3 * 2**18 + 1, e=20, z=0, axis=0, run=0, to="i32")
    return model


def recipe_models():
    yield recipe("one block, 5 tokens of width 8, 2 heads", 81, 8, 4, 8, 2, 1, 5)
    yield recipe("two blocks, 17 tokens of width 24, 3 heads", 82, 16, 4, 24, 3, 2, 10)
    yield recipe("one block with slots, 10 tokens of width 18, 2 heads", 83, 9, 3, 18, 2, 1, 7, slots=3)
    yield recipe("one block of width 33, one head, a pooled head", 84, 8, 4, 33, 1, 1, 3, distilled=True)


def paper_models():
    yield paper("one block, 5 tokens of width 8, 2 heads", 85, 8, 4, 8, 2, 1, 5)
    yield paper("two blocks, 17 tokens of width 24, 3 heads", 86, 16, 4, 24, 3, 2, 10)
    yield paper("one block, 10 tokens of width 15, 5 heads of 3", 87, 9, 3, 15, 5, 1, 4)


GROUPS = {"tiny models of the recipe's pattern": recipe_models, "tiny models of the paper's pattern": paper_models}
