"""requantize: both forms, every parameter form, boundary sets."""

import numpy as np

from .scene import I64, M, RANGE, Draw, Scene, edges, halves, view

NOTES = {
    "ties": "rounding half up or half away from zero instead of half to even",
    "negative": "an arithmetic shift or a truncating division that rounds negative numerators the wrong way",
    "large-shift": "a shift count of 32 or more taken modulo 32, or a 32-bit product",
    "wide-numerator": "a numerator above 2^53 that went through a double",
    "extreme-multiplier": "a product of 31-bit factors that wrapped",
    "saturation": "wrapping instead of clamping, or a clamp to the wrong range",
    "clamp-once": "clamping before the addend or the zero-point was added",
    "round-apart": "rounding the sum of the two products once instead of each product on its own",
    "channel-order": "parameters applied along the wrong axis, or by position instead of by channel",
    "broadcast": "an addend read densely where it must repeat",
    "bias-inside": "a bias added after the rounding, or shifted the wrong way",
    "row-scale": "the wrong row's code, or f and E swapped",
    "view": "an operand read as if it were dense",
    "tile-edge": "a remainder after the last whole vector or tile",
    "batch": "something of one image used for another",
}

EXPONENTS = [0, 1, 2, 7, 8, 15, 16, 17, 23, 24, 30, 31, 32, 33, 34, 40, 47, 52, 53, 61, 62]


def legal(m, e, bits):
    """The largest multiplier up to m whose terms stay within 2^52 (and numerators below 2^62) for x of so many bits."""
    return min(m, M, 2 ** (61 - (bits - 1)), 2 ** min(52 - bits + e, 40))


def per_tensor():
    draw = Draw(1)
    for number, e in enumerate(EXPONENTS):
        to = ("i8", "i16", "i32")[number % 3]
        for style, m in (("power", 2 ** max(0, min(30, e - number % 5))), ("large", M), ("odd", draw.integer(1, 2**30) | 1)):
            dtype = "i32" if style != "odd" else ("u8", "i8", "i16")[(number // 3) % 3]
            bits = 32 if dtype == "i32" else 16
            m = legal(m, e, bits) * (-1 if (number + len(style)) % 3 == 0 else 1)
            flags = ["ties" if style == "power" else "extreme-multiplier", "saturation", "negative"]
            flags += ["large-shift"] if e >= 32 else []
            flags += ["wide-numerator"] if abs(m) >= 2**22 and bits == 32 else []
            scene = Scene(f"{dtype} boundary set times {m} / 2^{e} to {to}", flags)
            x = scene.any(dtype, halves(edges(*RANGE[dtype])))
            scene.add("requantize", x=x, m=m, e=e, z=draw.integer(-3, 3), axis=0, run=0, to=to)
            yield scene


def identity_and_zero():
    for dtype in ("u8", "i8", "i16", "i32"):
        for m, e, z, comment in ((1, 0, 0, "identity"), (0, 0, -7, "zero multiplier"), (-1, 0, 0, "negation"), (1, 1, 0, "halves: ties")):
            scene = Scene(f"{comment} of the {dtype} boundary set, to i16", ["saturation", "ties"])
            scene.add("requantize", x=scene.any(dtype, halves(edges(*RANGE[dtype]))), m=m, e=e, z=z, axis=0, run=0, to="i16")
            yield scene
    for z in (-(2**31), M):
        scene = Scene(f"zero-point {z}: the sum leaves 32 bits before the clamp", ["saturation", "clamp-once"])
        scene.add("requantize", x=scene.i32(halves(edges(*RANGE["i32"]))), m=1, e=0, z=z, axis=0, run=0, to="i32")
        yield scene


def per_channel():
    draw = Draw(2)
    e = np.arange(63)
    for to in ("i8", "i16", "i32"):
        for style in ("power", "large", "random"):
            power = 2 ** np.clip(e - draw.integers([63], 0, 16), 0, 30)
            m = {"power": power, "large": np.full(63, M), "random": draw.integers([63], 1, M)}[style]
            m = np.array([legal(int(a), int(b), 32) for a, b in zip(m, e)], I64) * (1 - 2 * draw.integers([63], 0, 1))
            scene = Scene(f"all 63 shifts side by side, {style} multipliers, to {to}", ["large-shift", "ties", "wide-numerator", "channel-order"])
            x = scene.i32(draw.edgy([2, 3, 63], -(2**31), M))
            z = scene.param(draw.integers([63], -99, 99))
            scene.add("requantize", x=x, m=scene.param(m), e=scene.param(e, "u8"), z=z, axis=1, run=1, to=to)
            yield scene
    sizes = ((1, 1), (2, 3), (3, 5), (1, 7), (5, 8), (7, 9), (4, 15), (3, 16), (2, 17), (2, 31), (3, 33), (2, 64), (2, 65), (1, 197))
    for number, (rows, width) in enumerate(sizes):
        shared = "mez"[number % 3]
        scene = Scene(f"[{rows},{width}], {shared} shared, the rest per channel", ["tile-edge", "channel-order"])
        m = 3 * 2**20 + 1 if shared == "m" else scene.param(draw.integers([width], -(2**26), 2**26))
        shift = 27 if shared == "e" else scene.param(draw.integers([width], 20, 34), "u8")
        z = -5 if shared == "z" else scene.param(draw.integers([width], -60, 60))
        x = scene.i32(draw.integers([2, rows, width], -(2**13), 2**13), bits=16)
        scene.add("requantize", x=x, m=m, e=shift, z=z, axis=1, run=1, to=("i8", "i16", "i32")[width % 3])
        yield scene


def runs():
    draw = Draw(3)
    cases = [
        ([3, 5, 4], 0, 1, "per head"),
        ([3, 5, 4], 1, 1, "the middle axis"),
        ([2, 3, 4], 0, 2, "two axes before an inner one"),
        ([2, 3, 4], 1, 2, "the last two axes"),
        ([2, 3, 4], 0, 3, "every axis"),
        ([2, 2, 3, 2, 2, 3], 2, 3, "rank 6, three axes in the middle"),
        ([4, 17], 0, 1, "rows of 17"),
        ([5], 0, 1, "rank 1"),
        ([2, 3], 1, 0, "no channel axis, at axis 1"),
        ([2, 3], 2, 0, "no channel axis, at the end"),
    ]
    for shape, axis, run, comment in cases:
        count = int(np.prod(shape[axis : axis + run]))
        scene = Scene(f"{comment}: axes {axis} to {axis + run - 1} of {shape}", ["channel-order"])
        m = scene.param(draw.integers([count], -(2**28), 2**28))
        e = scene.param(draw.integers([count], 20, 33), "u8")
        scene.add("requantize", x=scene.i32(draw.integers([2, *shape], -(2**15), 2**15 - 1), bits=17), m=m, e=e,
                  z=scene.param(draw.integers([count], -9, 9)), axis=axis, run=run, to="i16")  # fmt: skip
        yield scene
    scene = Scene("per head on transposed tokens: view [heads, tokens, depth] of [tokens, heads, depth]", ["channel-order", "view"])
    x = scene.i32(draw.integers([2, 5, 3, 4], -30000, 30000), bits=16)
    m = scene.param([2**20, -(2**21), 3 * 2**18])
    scene.add("requantize", x=view(x, [3, 5, 4], [4, 12, 1]), m=m, e=22, z=0, axis=0, run=1, to="i16")
    yield scene


def chosen_channels():
    draw = Draw(4)
    for width, chosen in ((4, [3, 2, 1, 0]), (3, [0, 1, 2, 0, 0, 2, 1]), (9, [8]), (17, list(range(17)) + [16, 3, 3])):
        for parameters in ("shared", "per channel"):
            n = len(chosen)
            scene = Scene(f"channels {chosen} of {width}, parameters {parameters}", ["channel-order"])
            own = parameters == "per channel"
            m = scene.param(draw.integers([n], -(2**24), 2**24)) if own else 2**21 + 1
            z = scene.param(draw.integers([n], -300, 300)) if own else 4
            x = scene.i32(draw.edgy([2, 3, width], -(2**15), 2**15 - 1), bits=16)
            scene.add("requantize", x=x, m=m, e=22, z=z, axis=1, run=1, to="i8", channels=scene.constant(chosen, "i32"))
            yield scene


def addends():
    draw = Draw(5)
    shape = [3, 4, 5]
    given = [([3, 4, 5], "whole"), ([5], "the last axis"), ([4, 1], "missing and size-1 axes"), ([3, 1, 5], "a size-1 axis"), ([1, 1, 1], "one number"), ([], "rank 0")]
    for number, (own, comment) in enumerate(given):
        for dtype in ("u8", "i8", "i16", "i32"):
            lo, hi = RANGE[dtype]
            scene = Scene(f"addend {dtype} {own}: {comment}", ["broadcast", "round-apart"])
            x = scene.i32(draw.edgy([2, *shape], -(2**17), 2**17 - 1), bits=18)
            operand = scene.any(dtype, draw.edgy([2, *own], lo, hi))
            addend = {"operand": operand, "m": -(2**20) - 1 if number % 2 else 2**19, "e": 20 + number}
            scene.add("requantize", x=x, m=3 * 2**14, e=16, z=-1, axis=0, run=0, to=("i16", "i32")[number % 2], addend=addend)
            yield scene
    for comment, strides, offset in (("transposed", [1, 3, 12], 0), ("backwards", [-20, -5, -1], 59), ("repeated", [0, 5, 1], 5), ("all the same", [0, 0, 0], 7)):
        scene = Scene(f"addend seen {comment}", ["view", "broadcast"])
        x = scene.i8(draw.integers([2, *shape], -128, 127))
        operand = view(scene.i16(draw.edgy([2, 60], -32768, 32767)), shape, strides, offset)
        scene.add("requantize", x=x, m=5, e=1, z=0, axis=2, run=1, to="i16", addend={"operand": operand, "m": 1, "e": 1})
        yield scene
    scene = Scene("a constant addend: the same for every image", ["batch", "broadcast"], batch=3)
    operand = {"constant": scene.constant(draw.integers([4, 5], -32768, 32767), "i16")}
    scene.add("requantize", x=scene.i8(draw.integers([3, *shape], -128, 127)), m=7, e=2, z=0, axis=0, run=0, to="i16",
              addend={"operand": operand, "m": 2**29 + 5, "e": 30})  # fmt: skip
    yield scene
    scene = Scene("two terms outside i8 whose sum is inside", ["clamp-once", "saturation"])
    x = draw.integers([2, 40], -30000, 30000)
    addend = {"operand": scene.i16(draw.integers([2, 40], -60, 60) - x), "m": 1, "e": 0}
    scene.add("requantize", x=scene.i16(x), m=1, e=0, z=0, axis=0, run=0, to="i8", addend=addend)
    yield scene
    scene = Scene("halves of both terms: two ties", ["ties", "round-apart"])
    addend = {"operand": scene.i8(draw.integers([2, 60], -128, 127)), "m": 1, "e": 1}
    scene.add("requantize", x=scene.i8(draw.integers([2, 60], -128, 127)), m=1, e=1, z=0, axis=0, run=0, to="i16", addend=addend)
    yield scene
    for e, m in ((62, M), (33, -M), (32, 2**30), (31, -(2**30) - 1)):
        scene = Scene(f"addend times {m} / 2^{e}", ["large-shift", "extreme-multiplier"])
        addend = {"operand": scene.i32(halves(edges(*RANGE["i32"]))), "m": m, "e": e}
        width = halves(edges(*RANGE["i32"])).shape[1]
        scene.add("requantize", x=scene.i8(draw.integers([2, width], -128, 127)), m=1, e=0, z=0, axis=0, run=0, to="i32", addend=addend)
        yield scene


def row_dynamic():
    draw = Draw(6)
    number = 0
    for rows, width in ((1, 1), (2, 3), (5, 4), (3, 7), (7, 8), (4, 9), (9, 16), (2, 17), (17, 2), (3, 33), (2, 65)):
        for form in ("plain", "bias", "all"):
            number += 1
            scene = Scene(f"rows [{rows},{width}], {form}", ["row-scale", "tile-edge"] + (["bias-inside"] if form != "plain" else []))
            x = scene.i32(draw.edgy([2, rows, width], -(2**19), 2**19 - 1), bits=20)
            row = scene.u8(draw.integers([2, rows], 0, 255) if number % 2 else draw.integers([2, rows], 0, 60))
            # numerators: 2^20 times at most 31·2^15 times m stay below 2^61
            m = draw.integers([width], -(2**18), 2**18)
            e = draw.integers([width], 16, 45)
            k = draw.integer(0, 24)
            fields = {}
            if form != "plain":
                fields |= {"bias": scene.constant(draw.edgy([width], -M, M), "i32"), "k": k if number % 3 else None}
            if form == "all":
                fields |= {"addend": {"operand": scene.i16(draw.integers([2, rows, width], -32768, 32767)), "m": 2**20 + 3, "e": 20}}
            scene.add("requantize", x=x, m=scene.param(m), e=scene.param(e, "u8") if number % 2 else 30, z=scene.param(draw.integers([width], -9, 9)),
                      axis=1, run=1, to=("i8", "i16", "i32")[number % 3], row=row, **fields)  # fmt: skip
            yield scene
    for k in (0, 1, 16, 30, 31):
        scene = Scene(f"every shift 0 to 62 with bias·2^{k}", ["large-shift", "bias-inside", "wide-numerator"])
        e = np.arange(63)
        m = np.array([min(2**18, 2 ** max(0, int(s) + 11 - 20)) for s in e], I64) * (1 - 2 * (e % 2))
        bound = np.array([min(M, 2 ** (61 - k) - 1, 2 ** min(40, int(s) + 51 - k) - 1) for s in e], I64)
        bias = np.where(e % 3 == 0, -bound, draw.integers([63], 0, M) % (bound + 1))
        x = scene.i32(draw.edgy([2, 4, 63], -(2**19), 2**19 - 1), bits=20)
        scene.add("requantize", x=x, m=scene.param(m), e=scene.param(e, "u8"), z=0, axis=1, run=1, to="i32",
                  row=scene.u8(draw.integers([2, 4], 0, 255)), bias=scene.constant(bias, "i32"), k=k)  # fmt: skip
        yield scene
    scene = Scene("every row code", ["row-scale", "ties"], batch=1)
    x = scene.i32(draw.integers([1, 256, 3], -(2**25), 2**25 - 1), bits=26)
    scene.add("requantize", x=x, m=scene.param([1, -1, 2**10 + 1]), e=scene.param([9, 14, 30], "u8"), z=0, axis=1, run=1, to="i32",
              row=scene.u8(np.arange(256).reshape(1, 256)))  # fmt: skip
    yield scene
    scene = Scene("rank 3, chosen channels, the row codes of a rowscale", ["row-scale", "channel-order"])
    source = scene.i16(draw.edgy([2, 2, 3, 4], -32768, 32767))
    row = scene.add("rowscale", x=source, cp=127, cn=128)
    x = scene.i32(draw.integers([2, 2, 3, 5], -(2**26), 2**26 - 1), bits=27)
    scene.add("requantize", x=x, m=scene.param(draw.integers([7], -(2**17), 2**17)), e=36, z=scene.param(draw.integers([7], -9, 9)), axis=2, run=1,
              to="i16", row=row, channels=scene.constant([4, 0, 0, 3, 2, 1, 4], "i32"), bias=scene.constant(draw.edgy([7], -M, M), "i32"), k=4)  # fmt: skip
    yield scene
    scene = Scene("row codes through a transposed view", ["row-scale", "view"])
    codes = scene.u8(draw.integers([2, 3, 2], 0, 130))
    row = view({"value": "pixels"}, [2, 3], [1, 2], codes["view"]["offset"])
    x = scene.i32(draw.integers([2, 2, 3, 5], -(2**20), 2**20 - 1), bits=21)
    scene.add("requantize", x=x, m=12345, e=30, z=0, axis=2, run=1, to="i16", row=row)
    yield scene


def views():
    draw = Draw(7)
    cases = [
        ("transposed", [6, 4], [1, 6], 0, 24),
        ("a window", [3, 2], [6, 1], 8, 24),
        ("backwards", [4, 6], [-6, -1], 23, 24),
        ("rows backwards", [4, 6], [-6, 1], 18, 24),
        ("every second element", [4, 3], [6, 2], 1, 24),
        ("one row repeated", [5, 6], [0, 1], 12, 24),
        ("one column repeated", [4, 5], [6, 0], 3, 24),
        ("overlapping rows", [6, 4], [3, 1], 0, 24),
        ("rank 6", [2, 1, 3, 2, 1, 2], [12, 5, 4, 2, 9, 1], 0, 24),
        ("rank 0", [], [], 17, 24),
    ]
    for comment, shape, strides, offset, count in cases:
        for dtype in ("u8", "i16"):
            scene = Scene(f"{dtype} seen {comment}", ["view"])
            lo, hi = RANGE[dtype]
            own = scene.any(dtype, draw.integers([2, count], lo, hi))
            if dtype == "u8":
                start = own["view"]["offset"]
                x = view({"value": "pixels"}, shape, strides, offset + start)
            else:
                x = view(own, shape, strides, offset)
            last = len(shape) > 0
            m = scene.param(draw.integers([shape[-1]], -(2**20), 2**20)) if last else 2**19 + 1
            scene.add("requantize", x=x, m=m, e=19, z=3, axis=max(0, len(shape) - 1), run=1 if last else 0, to="i16")
            yield scene
    scene = Scene("a constant operand: the same for every image", ["batch"], batch=3)
    x = {"constant": scene.constant(edges(*RANGE["i32"]), "i32")}
    scene.add("requantize", x=x, m=77777, e=20, z=0, axis=0, run=0, to="i16")
    yield scene


def signed(value, bits):
    """An integer modulo 2^bits, as the signed one of so many bits."""
    return (int(value) + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def wide_ties():
    """Numerators far above 2^53 that are a tie, or a unit or two beside one: what a double cannot tell apart."""
    draw = Draw(8)
    flags = ["ties", "wide-numerator", "negative"]
    for e in (24, 28, 31, 32):
        m = (2 * draw.integers([33], 2**29, 2**30 - 1) + 1) * (1 - 2 * draw.integers([33], 0, 1))
        inverse = [pow(int(factor), -1, 2**e) for factor in m]
        x = np.array([[[signed((2 ** (e - 1) + d) * i, e) for i in inverse] for d in row] for row in ([-2, -1, 0], [1, 2, 0])], I64)
        scene = Scene(f"31-bit multipliers and shift {e}: ties, and 1 and 2 units beside them", flags)
        scene.add("requantize", x=scene.i32(x), m=scene.param(m), e=e, z=0, axis=1, run=1, to="i32")
        yield scene
    for e in (28, 31):
        width = 65
        x, row = draw.integers([width], 2**18, 2**19 - 1), 240 + e % 16
        m = draw.integers([width], 2**16, 2**17) * (1 - 2 * draw.integers([width], 0, 1))
        rest = [int(a) * (16 + row % 16) * int(b) * 2 ** (row // 16) for a, b in zip(x, m)]
        bias = [signed(2 ** (e - 1) + j % 5 - 2 - r, e) for j, r in enumerate(rest)]
        scene = Scene(f"row-dynamic, shift {e}: the bias makes a tie, or 1 or 2 units beside one", flags + ["bias-inside"], batch=1)
        scene.add("requantize", x=scene.i32(x.reshape(1, 1, width), bits=20), m=scene.param(m), e=e, z=0, axis=1, run=1, to="i32",
                  row=scene.u8([[row]]), bias=scene.constant(bias, "i32"))  # fmt: skip
        yield scene
    for m in (M, -(2**30) - 12345):
        scene = Scene(f"addend times {m} / 2^31: ties and units beside them", flags + ["round-apart"])
        values = np.array([signed((2**30 + d) * pow(m, -1, 2**31), 31) for d in range(-8, 8)], I64)
        addend = {"operand": scene.i32(values.reshape(2, 8)), "m": m, "e": 31}
        scene.add("requantize", x=scene.i8(draw.integers([2, 8], -128, 127)), m=1, e=1, z=0, axis=0, run=0, to="i32", addend=addend)
        yield scene


GROUPS = {
    "per tensor, every kind of multiplier and shift": per_tensor,
    "identity, negation, zero, extreme zero-points": identity_and_zero,
    "per channel": per_channel,
    "runs of axes": runs,
    "chosen channels": chosen_channels,
    "addend": addends,
    "row-dynamic": row_dynamic,
    "views and constants": views,
    "ties of wide numerators": wide_ties,
}
