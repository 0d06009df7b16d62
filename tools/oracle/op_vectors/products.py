"""linear and matmul."""

import numpy as np

from .scene import I64, M, Draw, Scene, view

NOTES = {
    "tile-edge": "a remainder of rows, columns or products after the last whole tile",
    "pair-overflow": "two products of -128·-128 added in 16 bits, or a saturating 16-bit pair",
    "unsigned-byte": "one factor taken as unsigned",
    "accumulator": "an accumulator of fewer than 32 bits, or of a float's 24",
    "bias": "the wrong row's bias, or one that is rounded away",
    "transposed": "weights or operands read in the other order",
    "view": "an operand read as if it were dense",
    "batch": "something of one image used for another",
    "row-sum": "a refusal of what the softmax's row-sum bound makes safe",
}

# rows, inputs, outputs around the sizes of vectors and tiles
SIZES = [
    (1, 1, 1), (1, 2, 3), (2, 3, 1), (3, 4, 5), (4, 5, 2), (5, 7, 9), (7, 9, 7), (4, 8, 8), (8, 8, 4), (9, 15, 17), (8, 16, 16), (16, 17, 8),
    (15, 16, 15), (17, 31, 33), (31, 32, 3), (33, 33, 31), (3, 63, 5), (2, 64, 64), (5, 65, 65), (64, 4, 2), (65, 9, 3), (2, 197, 5), (197, 3, 4), (1, 128, 16), (3, 130, 1),
]  # fmt: skip


def linear_sizes():
    draw = Draw(21)
    for number, (rows, inputs, outputs) in enumerate(SIZES):
        scene = Scene(f"[{rows},{inputs}] by {outputs} outputs", ["tile-edge", "transposed"] + (["bias"] if number % 3 else []))
        w = scene.constant(draw.edgy([outputs, inputs], -128, 127), "i8")
        b = scene.constant(draw.edgy([outputs], -(2**30), 2**30), "i32") if number % 3 else None
        x = scene.i8(draw.edgy([2, rows, inputs], -128, 127), lookup=number % 2 == 0)
        scene.add("linear", x=x, w=w, b=b)
        yield scene


def linear_extremes():
    for inputs in (2, 16, 33, 197, 768):
        for x_value, w_value in ((-128, -128), (-128, 127), (127, -128), (127, 127)):
            if inputs != 33 and x_value != -128:
                continue
            scene = Scene(f"{inputs} products of {x_value}·{w_value}", ["pair-overflow", "unsigned-byte", "accumulator"])
            w = np.full([3, inputs], w_value)
            w[1] = np.arange(inputs) % 2 * 255 - 128
            w[2, :-1] = 0
            x = np.full([2, 2, inputs], x_value)
            x[1, 1] = np.arange(inputs) % 3 - 128
            # the largest bias of either sign that the proof allows
            reach = 128 * np.abs(w).sum(1)
            b = (M - reach) * np.array([1 if x_value * w_value > 0 else -1, -1, 1])
            scene.add("linear", x=scene.i8(x), w=scene.constant(w, "i8"), b=scene.constant(b, "i32"))
            yield scene
    scene = Scene("one nonzero weight in each row: which product is whose", ["transposed", "tile-edge"])
    w = np.zeros([20, 20], I64)
    w[np.arange(20), (7 * np.arange(20)) % 20] = np.arange(20) + 1
    scene.add("linear", x=scene.i8(np.arange(120).reshape(2, 3, 20) - 60), w=scene.constant(w, "i8"))
    yield scene


def linear_views():
    draw = Draw(22)
    shapes = [
        ("rank 1", [12], [1], 0),
        ("rank 3", [2, 3, 4], [12, 4, 1], 0),
        ("rank 6", [1, 2, 1, 2, 3, 2], [24, 12, 24, 6, 2, 1], 0),
        ("transposed", [6, 4], [1, 6], 0),
        ("a window", [3, 4], [6, 1], 7),
        ("backwards", [4, 6], [-6, -1], 23),
        ("one row repeated", [5, 6], [0, 1], 6),
        ("one number repeated along the inputs", [4, 5], [6, 0], 2),
        ("overlapping rows", [9, 8], [2, 1], 0),
    ]
    for comment, shape, strides, offset in shapes:
        scene = Scene(f"x {comment}", ["view"])
        x = view(scene.i8(draw.integers([2, 24], -128, 127)), shape, strides, offset)
        scene.add("linear", x=x, w=scene.constant(draw.integers([5, shape[-1]], -128, 127), "i8"), b=scene.constant(draw.integers([5], -999, 999), "i32"))
        yield scene
    scene = Scene("x a constant: the same for every image", ["batch"], batch=3)
    x = {"constant": scene.constant(draw.integers([4, 9], -128, 127), "i8")}
    scene.add("linear", x=x, w=scene.constant(draw.integers([5, 9], -128, 127), "i8"))
    yield scene
    scene = Scene("five images", ["batch"], batch=5)
    scene.add("linear", x=scene.i8(draw.integers([5, 3, 17], -128, 127)), w=scene.constant(draw.integers([9, 17], -128, 127), "i8"))
    yield scene


# groups, rows, inner, columns
MATMUL_SIZES = [
    ((), 1, 1, 1), ((), 2, 3, 4), ((), 4, 8, 8), ((), 5, 7, 9), ((), 9, 15, 7), ((), 16, 16, 16), ((), 17, 17, 17), ((), 3, 33, 31), ((), 31, 2, 33), ((), 1, 65, 5),
    ((), 65, 4, 3), ((), 4, 197, 8), ((3,), 5, 4, 5), ((2,), 17, 8, 17), ((3,), 9, 16, 9), ((2, 2), 3, 4, 5), ((1, 2, 1, 3), 2, 3, 2),
]  # fmt: skip


def matmul_sizes():
    draw = Draw(23)
    for number, (groups, rows, inner, columns) in enumerate(MATMUL_SIZES):
        for wide in ("i8", "i16"):
            if wide == "i16" and inner * rows > 600:
                continue
            scene = Scene(f"{list(groups)} times [{rows},{inner}]·[{inner},{columns}], a {wide}", ["tile-edge"])
            limit = 128 if wide == "i8" else 32768
            a = scene.any(wide, draw.edgy([2, *groups, rows, inner], -limit, limit - 1))
            b = scene.i8(draw.edgy([2, *groups, inner, columns], -128, 127), lookup=number % 2 == 0)
            scene.add("matmul", a=a, b=b)
            yield scene


def matmul_views():
    draw = Draw(24)
    heads, tokens, depth = 3, 5, 4
    scene = Scene("queries by keys: one qkv value seen by head, keys transposed", ["view", "transposed"])
    qkv = scene.i8(draw.integers([2, tokens, 3, heads, depth], -128, 127))
    step = 3 * heads * depth
    q = view(qkv, [heads, tokens, depth], [depth, step, 1])
    k = view(qkv, [heads, depth, tokens], [depth, 1, step], heads * depth)
    scene.add("matmul", a=q, b=k)
    yield scene
    scene = Scene("weights by values: values seen by head in one qkv value", ["view"])
    qkv = scene.i8(draw.integers([2, tokens, 3, heads, depth], -128, 127))
    p = scene.i16(draw.integers([2, heads, tokens, tokens], 0, 32767))
    scene.add("matmul", a=p, b=view(qkv, [heads, tokens, depth], [depth, step, 1], 2 * heads * depth))
    yield scene
    for comment, a_strides, a_offset, b_strides, b_offset in (
        ("a transposed", [24, 1, 4], 0, [30, 5, 1], 0),
        ("a backwards, b backwards", [-24, -6, -1], 47, [-30, -5, -1], 59),
        ("one a for every group", [0, 6, 1], 24, [30, 5, 1], 0),
        ("one b for every group", [24, 6, 1], 0, [0, 5, 1], 30),
        ("one row of a repeated, b's columns repeated", [24, 0, 1], 6, [30, 5, 0], 3),
    ):
        scene = Scene(comment, ["view"])
        a = view(scene.i16(draw.integers([2, 48], -32768, 32767)), [2, 4, 6], a_strides, a_offset)
        b = view(scene.i8(draw.integers([2, 60], -128, 127)), [2, 6, 5], b_strides, b_offset)
        scene.add("matmul", a=a, b=b)
        yield scene
    for side in ("a", "b"):
        scene = Scene(f"{side} a constant", ["batch"], batch=3)
        fixed = lambda dtype, shape: {"constant": scene.constant(draw.integers(shape, -128, 127), dtype)}
        a = fixed("i16", [4, 6]) if side == "a" else scene.i16(draw.integers([3, 4, 6], -32768, 32767))
        b = fixed("i8", [6, 5]) if side == "b" else scene.i8(draw.integers([3, 6, 5], -128, 127))
        scene.add("matmul", a=a, b=b)
        yield scene


def matmul_extremes():
    for inner in (2, 16, 65, 511):
        for a_value, b_value in ((-32768, -128), (32767, -128), (-32768, 127)):
            if inner in (2, 65) and b_value == 127:
                continue
            scene = Scene(f"{inner} products of {a_value}·{b_value}", ["accumulator", "pair-overflow"])
            a = np.full([2, 2, inner], a_value)
            a[1, 1] = np.arange(inner) * 129 % 65536 - 32768
            scene.add("matmul", a=scene.i16(a), b=scene.i8(np.full([2, inner, 3], b_value)))
            yield scene
    scene = Scene("600 keys by softmax weights: only the row-sum bound proves it safe", ["row-sum", "accumulator"], batch=1)
    draw = Draw(25)
    logits = np.full([1, 2, 600], -300)
    logits[0, 0, 599] = 0
    logits[0, 1, 100:400] = draw.integers([300], -200, 0)
    p = scene.add("softmax", x=scene.i16(logits), exponential={"pow2": 6}, bits=16)
    scene.add("matmul", a=p, b=scene.i8(np.where(np.arange(1200).reshape(1, 600, 2) % 7 == 0, 127, -128)))
    yield scene


LINEAR_GROUPS = {"sizes around tiles": linear_sizes, "extremes": linear_extremes, "views, constants, batches": linear_views}
MATMUL_GROUPS = {"sizes around tiles": matmul_sizes, "views and constants": matmul_views, "extremes": matmul_extremes}
