"""lookup, mean, gather, concat."""

import numpy as np

from .scene import M, RANGE, Draw, Scene, edges, halves, view

LOOKUP_NOTES = {
    "index": "u8 and i8 indices mixed up, or an index taken as signed",
    "channel-order": "the table of the wrong channel",
    "tile-edge": "a remainder after the last whole vector",
    "view": "an operand read as if it were dense",
}


def lookup_all():
    draw = Draw(71)
    for x_dtype, first in (("u8", 0), ("i8", -128)):
        for table_dtype in ("i8", "i16"):
            lo, hi = RANGE[table_dtype]
            scene = Scene(f"all 256 values of {x_dtype}, table {table_dtype}", ["index"])
            values = np.arange(256) + first
            scene.add("lookup", x=scene.any(x_dtype, np.stack([values, values[::-1]])), table=scene.constant(draw.edgy([256], lo, hi), table_dtype))
            yield scene
            for shape in ([1], [5, 1], [3, 2], [4, 3], [2, 3, 5], [3, 9], [2, 17]):
                scene = Scene(f"{x_dtype} {shape}, a table {table_dtype} per channel", ["channel-order", "index"])
                x = scene.any(x_dtype, draw.integers([2, *shape], first, first + 255))
                table = draw.edgy([1, shape[-1], 256], lo, hi)[0]
                scene.add("lookup", x=x, table=scene.constant(table, table_dtype))
                yield scene
    for length in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 197):
        scene = Scene(f"rows of {length}, one table", ["tile-edge"])
        x = scene.u8(draw.integers([2, 2, length], 0, 255))
        scene.add("lookup", x=x, table=scene.constant(255 - np.arange(256) - 128, "i8"))
        yield scene
    for comment, shape, strides, offset in (("transposed", [6, 4], [1, 6], 0), ("backwards", [4, 6], [-6, -1], 23), ("repeated", [3, 4], [0, 6], 5)):
        scene = Scene(f"x seen {comment}, a table per channel", ["view", "channel-order"])
        x = view(scene.i8(draw.integers([2, 24], -128, 127)), shape, strides, offset)
        scene.add("lookup", x=x, table=scene.constant(draw.integers([shape[-1], 256], -32768, 32767), "i16"))
        yield scene


MEAN_NOTES = {
    "ties": "rounding half up or half away from zero instead of half to even",
    "sum": "a sum beyond 32 bits, or beyond a float's 24",
    "axis": "a mean along another axis",
    "sign": "a truncated quotient of a negative sum",
    "tile-edge": "a remainder after the last whole vector",
    "view": "an operand read as if it were dense",
}


def mean_all():
    draw = Draw(72)
    for dtype in ("u8", "i8", "i16", "i32"):
        lo, hi = RANGE[dtype]
        for axis in range(3):
            scene = Scene(f"{dtype} [3,4,5], axis {axis}", ["axis", "sign"])
            scene.add("mean", x=scene.any(dtype, draw.edgy([2, 3, 4, 5], lo, hi)), axis=axis)
            yield scene
        scene = Scene(f"{dtype}: halves of every parity and sign", ["ties"])
        pairs = np.array([[k, k + 1] for k in range(max(lo, -12), 12)])
        scene.add("mean", x=scene.any(dtype, pairs[: len(pairs) // 2 * 2].reshape(2, -1, 2)), axis=1)
        yield scene
        scene = Scene(f"{dtype}: the boundary set one by one", ["axis"])
        x = scene.any(dtype, halves(edges(lo, hi), 1))
        scene.add("mean", x=x, axis=1)
        yield scene
        scene = Scene(f"{dtype}: 37 entries at each end", ["sum"])
        scene.add("mean", x=scene.any(dtype, np.stack([np.full([37, 3], lo), np.full([37, 3], hi)])), axis=0)
        yield scene
    for size in (1, 2, 3, 4, 6, 7, 8, 9, 16, 17, 33, 64, 65, 196, 197):
        scene = Scene(f"{size} tokens of i16", ["tile-edge", "ties"])
        scene.add("mean", x=scene.i16(draw.integers([2, size, 3], -40, 40)), axis=0)
        yield scene
    for comment, shape, strides, offset, axis in (("transposed", [6, 4], [1, 6], 0, 0), ("backwards", [4, 6], [-6, -1], 23, 1), ("repeated", [3, 4], [0, 6], 5, 1), ("rank 1, to rank 0", [24], [1], 0, 0)):
        scene = Scene(f"x seen {comment}", ["view"])
        scene.add("mean", x=view(scene.i16(draw.integers([2, 24], -32768, 32767)), shape, strides, offset), axis=axis)
        yield scene


GATHER_NOTES = {
    "rows": "the wrong row, or rows of another width",
    "repeat": "a row that may be taken more than once, or not at all",
    "shape": "a result whose declared shape is not [rows, width]",
    "view": "an operand read as if it were dense",
    "batch": "something of one image used for another",
}


def gather_all():
    draw = Draw(73)
    for dtype in ("u8", "i8", "i16", "i32"):
        lo, hi = RANGE[dtype]
        for rows, width, count in ((1, 1, 1), (6, 1, 9), (5, 3, 5), (4, 7, 3), (3, 16, 4), (9, 17, 2), (2, 33, 3)):
            scene = Scene(f"{dtype}: {count} of {rows} rows of {width}", ["rows", "repeat"])
            x = scene.any(dtype, draw.integers([2, rows, width], lo, hi))
            scene.add("gather", x=x, rows=scene.constant(draw.integers([count], 0, rows - 1), "i32"), width=width, shape=[count, width])
            yield scene
    scene = Scene("patches: 2 by 2 patches of a 4 by 6 picture of 3 colors, rows of 2 pixels", ["rows", "shape"])
    order = [(py * 2 + y) * 3 + px for py in range(2) for px in range(3) for y in range(2)]
    scene.add("gather", x=scene.u8(draw.integers([2, 4, 6, 3], 0, 255)), rows=scene.constant(order, "i32"), width=6, shape=[6, 12])
    yield scene
    scene = Scene("a result of rank 6", ["shape"])
    x = scene.i16(draw.integers([2, 8, 6], -32768, 32767))
    scene.add("gather", x=x, rows=scene.constant([7, 0, 3, 3], "i32"), width=6, shape=[2, 1, 3, 2, 2, 1])
    yield scene
    scene = Scene("rows across the rows of x", ["rows"])
    x = scene.i8(draw.integers([2, 3, 8], -128, 127))
    scene.add("gather", x=x, rows=scene.constant([5, 1, 0, 2], "i32"), width=4, shape=[4, 4])
    yield scene
    for comment, shape, strides, offset in (("transposed", [6, 4], [1, 6], 0), ("backwards", [4, 6], [-6, -1], 23), ("one row repeated", [4, 6], [0, 1], 6)):
        scene = Scene(f"x seen {comment}", ["view"])
        x = view(scene.i16(draw.integers([2, 24], -32768, 32767)), shape, strides, offset)
        scene.add("gather", x=x, rows=scene.constant([3, 0, 0, 2], "i32"), width=shape[-1], shape=[2, 2, shape[-1]])
        yield scene
    scene = Scene("x a constant: the same for every image", ["batch"], batch=3)
    x = {"constant": scene.constant(draw.integers([4, 3], -999, 999), "i32")}
    scene.add("gather", x=x, rows=scene.constant([2, 2, 0], "i32"), width=3, shape=[3, 3])
    yield scene


CONCAT_NOTES = {
    "order": "operands in another order, or with gaps",
    "constant-row": "a constant operand written for the first image only",
    "view": "an operand read as if it were dense",
    "tile-edge": "a remainder after the last whole vector",
}


def concat_all():
    draw = Draw(74)
    for dtype in ("u8", "i8", "i16", "i32"):
        lo, hi = RANGE[dtype]
        for sizes, inner in (([1], [4]), ([1, 5], [3]), ([2, 1, 3], [2, 2]), ([1, 1, 1, 1], [17]), ([3, 2], []), ([4, 33], [1])):
            scene = Scene(f"{dtype}: {sizes} of {inner}", ["order", "tile-edge"])
            operands = [scene.any(dtype, draw.integers([2, size, *inner], lo, hi)) for size in sizes]
            scene.add("concat", operands=operands)
            yield scene
        scene = Scene(f"{dtype}: a constant row first, tokens, a constant row last", ["constant-row"], batch=3)
        row = lambda: {"constant": scene.constant(draw.integers([1, 5], lo, hi), dtype)}
        first = row()
        tokens = scene.any(dtype, draw.integers([3, 4, 5], lo, hi))
        scene.add("concat", operands=[first, tokens, row()])
        yield scene
    scene = Scene("one value twice, transposed and backwards", ["view", "order"])
    x = scene.i16(draw.integers([2, 24], -32768, 32767))
    scene.add("concat", operands=[view(x, [6, 4], [1, 6]), view(x, [6, 4], [-4, -1], 23), view(x, [2, 4], [0, 0], 3)])
    yield scene
    scene = Scene("constants only", ["constant-row"], batch=2)
    scene.add("concat", operands=[{"constant": scene.constant([[1, -2, M]], "i32")}, {"constant": scene.constant([[5, 6, -(2**31)]], "i32")}])
    yield scene


LOOKUP_GROUPS = {"tables, channels, sizes, views": lookup_all}
MEAN_GROUPS = {"axes, ties, sums, sizes, views": mean_all}
GATHER_GROUPS = {"rows, shapes, views": gather_all}
CONCAT_GROUPS = {"operands": concat_all}
