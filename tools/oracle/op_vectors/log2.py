"""softmax and matmul of version 2 (ivit/1.1): log2 codes."""

import numpy as np

from .nonlinear import LENGTHS, logit_rows
from .scene import I64, Draw, Scene, view

SOFTMAX_NOTES = {
    "middle": "a logarithm rounded elsewhere than at the arithmetic middle of two powers",
    "tie": "a ratio that lies between two integers rounded up instead of to even",
    "clip": "an entry far below the peak: a code beyond 15, or a division by 0",
    "peak": "a maximum over too much or too little of the row",
    "tile-edge": "a remainder after the last whole vector, or rows mixed up",
    "view": "an operand read as if it were dense",
}


def log2(scene, x, exponential):
    return scene.add("softmax", x=x, exponential=exponential, bits=8, log2=4)


def softmax_forms():
    draw = Draw(91)
    forms = [("pow2 8", {"pow2": 8}), ("pow2 3", {"pow2": 3}), ("pow2 0", {"pow2": 0}), ("shift -64, n 15", {"shift": -64, "n": 15}), ("shift -1, n 20", {"shift": -1, "n": 20})]
    for comment, form in forms:
        for number, length in enumerate(LENGTHS):
            dtype = "i16" if number % 3 else "i8"
            limit = 127 if dtype == "i8" else [300, 4000, 32767][number % 3]
            scene = Scene(f"{comment}, {dtype} rows of {length}", ["peak", "clip", "tile-edge"])
            log2(scene, scene.any(dtype, logit_rows(draw, 2, 4, length, limit)), form)
            yield scene


def softmax_middles():
    # Two entries E and S - E with S/E around every middle 1.5·2^c, just below, at and just above it, and the ties beside it.
    scenes = []
    for c in range(17):
        for e in (1, 2, 3, 4, 7, 10):
            for twice in range(max(2, 3 * 2**c - 3), 3 * 2**c + 4):
                total = (twice * e + 1) // 2
                if 2 * total == twice * e and total >= 2 * e:
                    scenes.append((total - e, e))
    for start in range(0, len(scenes), 8):
        part = scenes[start : start + 8]
        table = sorted({value for pair in part for value in pair}, reverse=True)
        for large, small in part[:: max(1, len(part) // 4)]:
            scene = Scene(f"exponentials {large} and {small}", ["middle", "tie"], batch=1)
            entries = [large] + [value for value in table if value < large and value >= small]
            x = np.array([[[0, -entries.index(small)]]])
            log2(scene, scene.i8(x), {"table": scene.constant(entries, "i32")})
            yield scene


def softmax_tables():
    draw = Draw(92)
    for number, (size, top) in enumerate(((1, 1), (1, 2**24), (2, 5), (3, 2**16), (9, 2**24), (40, 2**23), (256, 2**20), (300, 2**24))):
        length = LENGTHS[(3 * number + 4) % len(LENGTHS)]
        scene = Scene(f"a table of {size} up to {top}, rows of {length}", ["clip", "peak"])
        table = np.sort(draw.integers([size], 1, min(top, (2**31 - 1) // length)))[::-1]
        log2(scene, scene.i16(logit_rows(draw, 2, 3, length, 400)), {"table": scene.constant(table, "i32")})
        yield scene
    scene = Scene("x seen transposed", ["view"])
    log2(scene, view(scene.i16(draw.integers([2, 24], -900, 900)), [6, 4], [1, 6]), {"pow2": 6})
    yield scene


MATMUL_NOTES = {
    "power": "a weight of 2^15 that wrapped to a negative one, or a shift by the code instead of by 15 - code",
    "sign": "a negative value shifted as if it were unsigned, or -128 negated in 8 bits",
    "tile-edge": "a remainder after the last whole tile, or rows mixed up",
    "softmax": "codes of a softmax in the same chain",
    "view": "an operand read as if it were dense",
}


def product(scene, a, b):
    return scene.add("matmul", a=a, b=b, log2=4)


def matmul_sizes():
    draw = Draw(93)
    scene = Scene("every code by -128, -1, 0, 1 and 127", ["power", "sign"], batch=1)
    product(scene, {"constant": scene.constant(np.arange(16).reshape(16, 1), "u8")}, scene.i8(np.array([[[-128, -1, 0, 1, 127]]])))
    yield scene
    for rows in (1, 3, 4, 5, 9):
        for inner in (1, 2, 7, 8, 9, 16, 33):
            columns = [1, 4, 7, 8, 9, 17][(rows + inner) % 6]
            scene = Scene(f"2 groups of {rows} × {inner} × {columns}", ["tile-edge", "power", "sign"])
            codes = draw.integers([2, rows, inner], 0, 15)
            product(scene, {"constant": scene.constant(codes, "u8")}, scene.i8(draw.edgy([2, 2, inner, columns], -128, 127)))
            yield scene
    scene = Scene("511 codes 0 of -128: the largest sum", ["power", "sign"], batch=1)
    b = scene.i8(np.full([1, 511, 1], -128))
    product(scene, {"constant": scene.constant(np.zeros([1, 511], I64), "u8")}, b)
    yield scene


def matmul_softmax():
    draw = Draw(94)
    for tokens, depth in ((1, 1), (5, 8), (17, 16), (65, 8), (197, 4)):
        scene = Scene(f"{tokens} tokens, 2 heads of {depth}: softmax, then values as a view", ["softmax", "view", "tile-edge"])
        logits = scene.i16(logit_rows(draw, 2, 2 * tokens, tokens, 4000).reshape(2, 2, tokens, tokens))
        values = view(scene.i8(draw.integers([2, tokens, 2, depth], -128, 127)), [2, tokens, depth], [depth, 2 * depth, 1])
        product(scene, log2(scene, logits, {"pow2": 8}), values)
        yield scene
    scene = Scene("codes and values seen transposed", ["view"])
    codes = {"constant": scene.constant(draw.integers([4, 6], 0, 15), "u8")}
    product(scene, view(codes, [6, 4], [1, 6]), view(scene.i8(draw.integers([2, 20], -128, 127)), [4, 5], [1, 4]))
    yield scene


SOFTMAX_GROUPS = {"forms": softmax_forms, "middles": softmax_middles, "tables": softmax_tables}
MATMUL_GROUPS = {"sizes": matmul_sizes, "softmax": matmul_softmax}
