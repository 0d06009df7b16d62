"""softmax, shiftgelu, layernorm, ramplookup."""

import numpy as np

from .scene import I64, M, Draw, Scene, edges, halves, view

SOFTMAX_NOTES = {
    "peak": "a maximum over too much or too little of the row",
    "sum-clamp": "a sum of exponentials that wrapped, or was not limited to 2^31 - 1",
    "top": "a weight of 1 that wrapped to the negative end",
    "truncation": "rounding where the shift and table forms truncate, or the reverse for pow2",
    "long-row": "a shift beyond 31 taken modulo 32 for 8 bits and long rows",
    "far": "an entry far below the peak: a shift count above 31, or an index beyond the table",
    "octave": "the power table of the wrong resolution, or computed by floats that round elsewhere",
    "tile-edge": "a remainder after the last whole vector, or rows mixed up",
    "view": "an operand read as if it were dense",
}

LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 197]


def logit_rows(draw, batch, rows, length, limit):
    """Random rows of several spreads; the first is flat, the last has its peak at the end."""
    spread = 2 ** draw.integers([batch, rows, 1], 0, 15)
    x = -(draw.integers([batch, rows, length], 0, limit) // spread)
    x[:, 0] = -(limit // 3)
    x[:, -1, -1] = limit
    return x


def softmax_forms(exponentials, seed, flags):
    draw = Draw(seed)
    for number, (comment, make) in enumerate(exponentials):
        for bits in (8, 16):
            dtype = "i16" if (number + bits // 8) % 3 else "i8"
            limit = 127 if dtype == "i8" else [300, 4000, 32767][number % 3]
            length = LENGTHS[(5 * number + bits) % len(LENGTHS)]
            scene = Scene(f"{comment}, {bits} bits, {dtype} rows of {length}", flags)
            x = scene.any(dtype, logit_rows(draw, 2, 4, length, limit))
            scene.add("softmax", x=x, exponential=make(scene), bits=bits)
            yield scene


def softmax_shift():
    pairs = [(-1, 30), (-1, 1), (-2, 29), (-7, 15), (-28, 15), (-100, 15), (-127, 23), (-1000, 20), (-3, 2), (-65535, 15), (-(2**20), 10), (-(2**30) + 1, 1)]
    yield from softmax_forms([(f"shift {x0}, n {n}", lambda scene, x0=x0, n=n: {"shift": x0, "n": n}) for x0, n in pairs], 31, ["peak", "top", "truncation", "far"])
    scene = Scene("shift: every distance 0 to 65535, so every octave and rest", ["far", "truncation"], batch=1)
    d = np.concatenate([np.arange(0, 256), np.arange(256, 65536, 251), [65534, 65535]])
    scene.add("softmax", x=scene.i16((32767 - d).reshape(1, -1)), exponential={"shift": -90, "n": 15}, bits=16)
    yield scene
    for length in (2, 9, 65):
        scene = Scene(f"{length} equal entries of the largest exponential: the sum is limited", ["sum-clamp"])
        scene.add("softmax", x=scene.i8(np.stack([np.zeros([2, length], I64), np.tile(np.arange(length) % 2, [2, 1])])), exponential={"shift": -1, "n": 30}, bits=16)
        yield scene


def softmax_table():
    draw = Draw(32)

    def table(size, top):
        return lambda scene: {"table": scene.constant(np.sort(draw.integers([size], 1, top))[::-1], "i32")}

    forms = [(f"table of {size} up to {top}", table(size, top)) for size, top in ((1, 1), (1, M), (2, 5), (3, 2**16), (9, 2**24), (40, 2**30), (256, 2**20), (300, M))]
    yield from softmax_forms(forms, 33, ["peak", "top", "truncation", "far"])
    scene = Scene("a table of the largest entries: sums far beyond 2^31", ["sum-clamp"])
    scene.add("softmax", x=scene.i8(draw.integers([2, 3, 33], -128, 127)), exponential={"table": scene.constant([M, M, M - 1, 2**30], "i32")}, bits=16)
    yield scene


def softmax_pow2():
    forms = [(f"pow2 {octave}", lambda scene, octave=octave: {"pow2": octave}) for octave in range(9)]
    for repeat in range(2):
        yield from softmax_forms(forms, 34 + repeat, ["peak", "top", "octave", "far"])
    for octave in range(9):
        scene = Scene(f"pow2 {octave}: all distances that matter, two per row, 16 bits", ["octave", "far", "truncation"], batch=1)
        d = np.unique(np.minimum(np.concatenate([np.arange(0, 2**octave + 40), 2**octave * np.arange(34) + 1, [65535]]), 65535))
        rows = np.stack([np.zeros_like(d), -d], 1) + 32767
        scene.add("softmax", x=scene.i16(rows.reshape(1, -1, 2)), exponential={"pow2": octave}, bits=16)
        yield scene
    for length in (255, 256, 257, 300, 1000):
        scene = Scene(f"pow2, 8 bits, {length} equal entries: h reaches {(2**15 * length).bit_length() - 16}", ["long-row"], batch=1)
        x = np.zeros([1, 2, length], I64)
        x[0, 1, ::2] = -5
        scene.add("softmax", x=scene.i8(x), exponential={"pow2": 2}, bits=8)
        yield scene


def softmax_sizes():
    draw = Draw(36)
    for length in LENGTHS:
        scene = Scene(f"rows of {length}: the recipe's pow2 8 at 16 bits", ["tile-edge", "peak"])
        rows = [5, 3, 2][length % 3] if length < 64 else 2
        scene.add("softmax", x=scene.i16(logit_rows(draw, 2, rows, length, 4000)), exponential={"pow2": 8}, bits=16)
        yield scene
    for comment, shape, strides, offset in (
        ("rank 1", [24], [1], 0),
        ("rank 4", [2, 1, 3, 4], [12, 4, 4, 1], 0),
        ("transposed", [6, 4], [1, 6], 0),
        ("backwards", [4, 6], [-6, -1], 23),
        ("one entry repeated", [4, 5], [6, 0], 1),
        ("one row repeated", [3, 6], [0, 1], 12),
    ):
        for form in ({"pow2": 5}, {"shift": -20, "n": 15}):
            scene = Scene(f"x seen {comment}, {form}", ["view"])
            x = view(scene.i16(draw.integers([2, 24], -900, 900)), shape, strides, offset)
            scene.add("softmax", x=x, exponential=form, bits=16)
            yield scene


GELU_NOTES = {
    "negative-rows": "an exponential of -max(x) that overflowed, or was not limited, where the whole row is negative",
    "limit": "the factor 127 not reached, or passed",
    "peak": "a maximum over too much or too little of the row",
    "sign": "a product of a negative x that was rounded the wrong way",
    "tile-edge": "a remainder after the last whole vector, or rows mixed up",
    "view": "an operand read as if it were dense",
}


def shiftgelu_parameters():
    draw = Draw(41)
    for number, (x0, n) in enumerate(((-1, 1), (-1, 23), (-2, 23), (-5, 15), (-28, 23), (-64, 8), (-90, 16), (-127, 1), (-127, 23))):
        scene = Scene(f"x0 {x0}, n {n}: all 256 values, with themselves and below each peak", ["negative-rows", "limit", "sign"], batch=1)
        values = np.arange(-128, 128)
        rows = np.concatenate([np.stack([values, values], 1), np.stack([values, np.full(256, [-128, 127, 0][number % 3])], 1)])
        scene.add("shiftgelu", x=scene.i8(rows.reshape(1, -1, 2)), x0=x0, n=n)
        yield scene
        scene = Scene(f"x0 {x0}, n {n}: random rows, one all negative, one all -128", ["negative-rows", "peak"])
        x = draw.integers([2, 5, 19], -128, 127)
        x[:, 1] = -1 - np.abs(x[:, 1]) // 2
        x[:, 2] = -128
        x[:, 3] = 0
        scene.add("shiftgelu", x=scene.i8(x), x0=x0, n=n)
        yield scene


def shiftgelu_sizes():
    draw = Draw(42)
    for length in LENGTHS:
        scene = Scene(f"rows of {length}", ["tile-edge", "peak"])
        x = draw.integers([2, 3, length], -128, 60)
        x[:, -1, -1] = 127
        scene.add("shiftgelu", x=scene.i8(x), x0=-29, n=23)
        yield scene
    for comment, shape, strides, offset in (("rank 1", [24], [1], 0), ("transposed", [6, 4], [1, 6], 0), ("backwards", [4, 6], [-6, -1], 23), ("one row repeated", [3, 6], [0, 1], 12)):
        scene = Scene(f"x seen {comment}", ["view"])
        scene.add("shiftgelu", x=view(scene.i8(draw.integers([2, 24], -128, 127)), shape, strides, offset), x0=-29, n=23)
        yield scene


NORM_NOTES = {
    "mean": "a mean that was truncated, floored or rounded half up instead of half to even",
    "variance": "a variance beyond 32 bits or a float's 24",
    "steps": "a square root instead of the ten steps, or another number of steps",
    "constant-row": "a division by zero where all entries are equal",
    "product": "a product of 33 bits that wrapped, or a halving of it that rounded",
    "bias": "the wrong entry's bias, or one added before the halving",
    "tile-edge": "a remainder after the last whole vector, or rows mixed up",
    "view": "an operand read as if it were dense",
}


def layernorm_rows():
    draw = Draw(51)
    limit = 1052266987
    for dtype, top in (("i8", 127), ("i16", 32767)):
        for length in (1, 2, 5, 16, 33, 192):
            scene = Scene(f"{dtype} rows of {length}: equal, extreme, alternating, one outlier, small", ["mean", "variance", "steps", "constant-row", "product"])
            alternating = np.where(np.arange(length) % 2 == 0, top, -top - 1)
            outlier = np.where(np.arange(length) == length // 2, -top - 1, 0)
            small = np.arange(length) % 3 - 1
            rows = np.stack([np.full(length, top), np.full(length, -top - 1), alternating, outlier, -outlier - 1, small, small * 2 + 1, draw.integers([length], -top, top)])
            b = scene.constant(draw.edgy([length], -limit, limit), "i32") if length % 2 else None
            scene.add("layernorm", x=scene.any(dtype, rows.reshape(2, 4, length)), b=b)
            yield scene
    scene = Scene("means that are ties, of either sign", ["mean"])
    ties = np.array([[k, k + 1] for k in range(-8, 8)])
    scene.add("layernorm", x=scene.i16(ties.reshape(2, 8, 2)))
    yield scene
    scene = Scene("2000 entries at the ends: a variance of 41 bits", ["variance", "steps"], batch=1)
    scene.add("layernorm", x=scene.i16(np.where(np.arange(2000) % 2 == 0, 32767, -32768).reshape(1, 1, 2000)))
    yield scene
    scene = Scene("deviations of every size: the steps do and do not converge", ["steps"])
    rows = np.array([[s, -s, s, -s] for s in (0, 1, 2, 3, 5, 8, 16, 31, 32, 33, 63, 64, 65, 100, 200, 400, 1000, 2000, 5000, 10000, 20000, 30000, 32766, 32767)])
    scene.add("layernorm", x=scene.i16(rows.reshape(2, 12, 4)))
    yield scene
    for b in (limit, -limit):
        scene = Scene(f"the largest bias the proof allows, {b}, on the largest results", ["bias", "product"])
        x = np.zeros([2, 2, 9], I64)
        x[:, 0, 3] = 32767
        x[:, 1, 8] = -32768
        scene.add("layernorm", x=scene.i16(x), b=scene.constant(np.full(9, b), "i32"))
        yield scene


def layernorm_sizes():
    draw = Draw(52)
    for length in LENGTHS:
        scene = Scene(f"rows of {length}", ["tile-edge", "bias"])
        rows = [5, 3, 2][length % 3] if length < 64 else 2
        b = scene.constant(draw.integers([length], -(2**29), 2**29), "i32") if length % 4 else None
        dtype, top = ("i16", 32767) if length % 3 else ("i8", 127)
        scene.add("layernorm", x=scene.any(dtype, draw.integers([2, rows, length], -top, top) // 2 ** draw.integers([2, rows, 1], 0, 6)), b=b)
        yield scene
    for comment, shape, strides, offset in (("rank 1", [24], [1], 0), ("rank 4", [2, 1, 3, 4], [12, 4, 4, 1], 0), ("transposed", [6, 4], [1, 6], 0), ("backwards", [4, 6], [-6, -1], 23), ("one entry repeated", [4, 5], [6, 0], 1)):
        scene = Scene(f"x seen {comment}", ["view"])
        x = view(scene.i16(draw.integers([2, 24], -32768, 32767)), shape, strides, offset)
        scene.add("layernorm", x=x, b=scene.constant(draw.integers([shape[-1]], -(2**29), 2**29), "i32"))
        yield scene


RAMP_NOTES = {
    "minimum": "|-32768| that stayed negative in 16 bits",
    "table-end": "an index beyond the table, or the last entry not taken for all larger |x|",
    "ramp": "the ramp on negative entries, or shifted the wrong way",
    "tile-edge": "a remainder after the last whole vector",
    "view": "an operand read as if it were dense",
}


def ramplookup_all():
    draw = Draw(61)
    for u in range(9):
        for size in ((1, 2, 577), (30, 3000), (577,))[u % 3]:
            scene = Scene(f"table of {size}, u {u}: boundary set and the table's end", ["minimum", "table-end", "ramp"])
            table = np.concatenate([draw.edgy([size - 1], -32768, 32767), [0]])
            near = np.array([s * (size + d) for d in (-2, -1, 0, 1) for s in (1, -1)])
            x = np.concatenate([edges(-32768, 32767), near, draw.integers([40], -32768, 32767)])
            scene.add("ramplookup", x=scene.i16(halves(x)), table=scene.constant(table, "i16"), u=u)
            yield scene
    for length in LENGTHS:
        scene = Scene(f"rows of {length}", ["tile-edge"])
        table = scene.constant([5, -3, 2, -1, 0], "i16")
        scene.add("ramplookup", x=scene.i16(draw.integers([2, 2, length], -9, 9)), table=table, u=length % 9)
        yield scene
    for comment, shape, strides, offset in (("transposed", [6, 4], [1, 6], 0), ("backwards", [24], [-1], 23), ("repeated", [3, 5], [0, 0], 9)):
        scene = Scene(f"x seen {comment}", ["view"])
        x = view(scene.i16(draw.integers([2, 24], -9, 9)), shape, strides, offset)
        scene.add("ramplookup", x=x, table=scene.constant([7, 5, -3, 2, -1, 0], "i16"), u=3)
        yield scene


SOFTMAX_GROUPS = {"shift": softmax_shift, "table": softmax_table, "pow2": softmax_pow2, "sizes and views": softmax_sizes}
GELU_GROUPS = {"parameters": shiftgelu_parameters, "sizes and views": shiftgelu_sizes}
NORM_GROUPS = {"rows of every kind": layernorm_rows, "sizes and views": layernorm_sizes}
RAMP_GROUPS = {"tables, ramps, sizes, views": ramplookup_all}
