"""rowscale and rowquantize."""

import numpy as np

from .scene import I64, M, Draw, Scene, edges, view

SCALE_NOTES = {
    "rounding": "rounding the need of a row down or to nearest instead of up",
    "rollover": "f = 32 not carried into E",
    "capacity": "cp used for negative entries, cn for positive ones, or one channel's for another",
    "extreme-rows": "|-32768| or 16·32768 that wrapped in 16 bits",
    "small-rows": "a row below the smallest scale given a smaller one, or a division by zero",
    "tile-edge": "a remainder after the last whole vector left out of the maximum, or rows mixed up",
    "view": "an operand read as if it were dense",
}

QUANTIZE_NOTES = {
    "half-up": "half to even or half away from zero instead of half up",
    "reciprocal": "a division by f instead of the spec's INV[f]",
    "saturation": "wrapping instead of clamping, or a clamp before the zero-point and the slot",
    "slots": "a slot's ranges of 255 counted the wrong way",
    "channel-order": "channels or slots applied by the wrong index",
    "row-scale": "the wrong row's code, or f and E swapped",
    "tile-edge": "a remainder after the last whole vector or tile",
    "view": "an operand read as if it were dense",
}

SIZES = [(1, 1), (3, 2), (2, 3), (5, 4), (3, 5), (2, 7), (9, 8), (3, 9), (2, 15), (4, 16), (3, 17), (2, 31), (1, 33), (17, 3), (2, 64), (2, 65), (1, 197), (33, 4)]


def boundary_rows():
    values = edges(-32768, 32767)
    for cp, cn in ((127, 128), (7, 7), (111, 144), (239, 16), (M, 7), (9, M)):
        scene = Scene(f"every boundary value as a row of its own, cp {cp}, cn {cn}", ["rounding", "extreme-rows", "small-rows", "capacity"])
        padded = np.concatenate([values, values[: len(values) % 2]])
        scene.add("rowscale", x=scene.i16(padded.reshape(2, -1, 1)), cp=cp, cn=cn)
        yield scene
    scene = Scene("needs just at, below and above every code: cp = cn = 16, so D = |x|", ["rollover", "rounding"])
    codes = np.array([(16 + f) * 2**e for e in range(11) for f in range(16)], I64)
    around = np.concatenate([codes - 1, codes, codes + 1])
    around = around[around <= 32767]
    around = np.concatenate([around, -around])
    scene.add("rowscale", x=scene.i16(around.reshape(2, -1, 1)), cp=16, cn=16)
    yield scene
    scene = Scene("all zero, all minimum, all maximum", ["small-rows", "extreme-rows"])
    scene.add("rowscale", x=scene.i16(np.array([[[0] * 5, [-32768] * 5], [[32767] * 5, [1, -1, 0, 0, 0]]])), cp=127, cn=128)
    yield scene


def scale_sizes():
    draw = Draw(11)
    for rows, width in SIZES:
        scene = Scene(f"[{rows},{width}], capacities per channel", ["tile-edge", "capacity"])
        limits = 2 ** draw.integers([2, rows, 1], 0, 15)
        x = draw.integers([2, rows, width], -32768, 32767) // limits
        # the decisive entry is now and then the last one
        x[:, ::2, -1] = np.where(draw.integers([2, (rows + 1) // 2], 0, 1) == 0, 32767, -32768) // limits[:, ::2, 0]
        scene.add("rowscale", x=scene.i16(x), cp=scene.param(draw.integers([width], 7, 900)), cn=scene.param(draw.integers([width], 7, 900)))
        yield scene
    scene = Scene("cp per channel, cn shared, rank 1: one code", ["capacity"])
    scene.add("rowscale", x=scene.i16(draw.edgy([2, 6], -32768, 32767)), cp=scene.param(draw.integers([6], 7, 900)), cn=200)
    yield scene
    for comment, shape, strides, offset in (("transposed", [6, 4], [1, 6], 0), ("backwards", [4, 6], [-6, -1], 23), ("rank 3, one row repeated", [2, 3, 6], [0, 6, 1], 6)):
        scene = Scene(f"x seen {comment}", ["view"])
        x = view(scene.i16(draw.edgy([2, 24], -32768, 32767)), shape, strides, offset)
        scene.add("rowscale", x=x, cp=127, cn=128)
        yield scene


def every_code():
    for z in (0, 5, -128, 127, -32768, 32767):
        scene = Scene(f"boundary set at every code, zero-point {z}", ["half-up", "reciprocal", "saturation", "row-scale"], batch=1)
        values = edges(-32768, 32767)[:: 1 if z == 0 else 7]
        codes = np.arange(0, 256, 1 if z == 0 else 5)
        x = scene.i16(values.reshape(1, -1))
        # one row of values, seen once for each code
        seen = view(x, [len(codes), len(values)], [0, 1])
        scene.add("rowquantize", x=seen, row=scene.u8(codes.reshape(1, -1)), z=z)
        yield scene


def quantize_sizes():
    draw = Draw(12)
    for number, (rows, width) in enumerate(SIZES):
        for slots in (0, 1 + number % 4):
            if slots and width > 65:
                continue
            scene = Scene(f"[{rows},{width}] with the codes of its rowscale, {slots} slots", ["tile-edge", "row-scale"] + (["slots", "channel-order"] if slots else []))
            x = scene.i16(draw.integers([2, rows, width], -32768, 32767) // (2 ** draw.integers([2, rows, 1], 0, 14)))
            z = [0, -112, 16, 50][number % 4]
            up = draw.integers([slots], 0, width - 1)
            side = draw.integers([slots], 0, 1)
            counts = lambda which: np.array([int(((up == c) & (side == which)).sum()) for c in range(width)], I64)
            cp = scene.param(127 - z + 255 * counts(0)) if slots else 127 - z
            cn = scene.param(128 + z + 255 * counts(1)) if slots else 128 + z
            row = scene.add("rowscale", x=x, cp=cp, cn=cn)
            fields = {}
            if slots:
                seen = {}
                numbers = []
                for c, s in zip(up.tolist(), side.tolist()):
                    seen[c, s] = seen.get((c, s), 0) + 1
                    numbers.append(seen[c, s] * (1 if s == 0 else -1))
                fields = {"channels": scene.constant([*range(width), *up], "i32"), "slot": scene.constant([0] * width + numbers, "i8")}
            scene.add("rowquantize", x=x, row=row, z=z, **fields)
            yield scene


def quantize_forms():
    draw = Draw(13)
    for comment, channels, slot in (
        ("channels without slots", [3, 3, 0, 2], None),
        ("slots without channels", None, [0, 1, -1, 127]),
        ("extreme slots", [0, 0, 1, 1, 2, 3], [-128, 127, -1, 1, 2, -2]),
        ("one channel only", [2], [0]),
    ):
        scene = Scene(comment, ["slots", "channel-order"])
        x = scene.i16(draw.edgy([2, 5, 4], -32768, 32767))
        scene.add("rowquantize", x=x, row=scene.u8(draw.integers([2, 5], 0, 140)), z=-3,
                  channels=None if channels is None else scene.constant(channels, "i32"),
                  slot=None if slot is None else scene.constant(slot, "i8"))  # fmt: skip
        yield scene
    scene = Scene("rank 1: one code for all", ["row-scale"])
    x = scene.i16(draw.edgy([2, 9], -32768, 32767))
    scene.add("rowquantize", x=x, row=scene.u8(draw.integers([2], 60, 140)), z=0)
    yield scene
    scene = Scene("transposed rows and codes, codes beside the x they belong to", ["view", "row-scale"])
    x = view(scene.i16(draw.edgy([2, 24], -32768, 32767)), [6, 4], [1, 6])
    codes = scene.u8(draw.integers([2, 6], 0, 140))
    backwards = view({"value": "pixels"}, [6], [-1], codes["view"]["offset"] + 5)
    scene.add("rowquantize", x=x, row=backwards, z=9)
    yield scene


SCALE_GROUPS = {"boundary rows": boundary_rows, "sizes, capacities, views": scale_sizes}
QUANTIZE_GROUPS = {"every row code": every_code, "sizes and slots": quantize_sizes, "forms and views": quantize_forms}
