"""One vector under construction: a small program, images for it, and the expected value of every result."""

import base64
import hashlib
import math
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from check_programs import I64, M, RANGE, STORED, Image  # noqa: E402

FIXED_DTYPE = {
    "rowscale": "u8",
    "rowquantize": "i8",
    "linear": "i32",
    "matmul": "i32",
    "layernorm": "i32",
    "ramplookup": "i32",
    "shiftgelu": "i16",
}

# Tensors of at most this many bytes are stored whole where they are results of the op under test; others as sha256.
STORED_BYTES = 400


class Draw:
    """Repeatable integers, the same with every version of numpy: a counter through SplitMix64's finalizer."""

    def __init__(self, seed):
        self.state = seed * 1_000_003

    def integers(self, shape, lo, hi):
        count = math.prod(shape)
        z = (np.arange(self.state, self.state + count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        self.state += count
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        return (lo + (z % np.uint64(hi - lo + 1)).astype(I64)).reshape(shape)

    def integer(self, lo, hi):
        return int(self.integers([1], lo, hi)[0])

    def edgy(self, shape, lo, hi):
        """Half of the entries from the boundary set, half uniform."""
        chosen = edges(lo, hi)
        pick = chosen[self.integers(shape, 0, len(chosen) - 1)]
        return np.where(self.integers(shape, 0, 1) == 0, pick, self.integers(shape, lo, hi))


def edges(lo, hi):
    """The boundary set: +-2^i + {-2..2}, the ends of the range, zero."""
    found = {lo, lo + 1, hi - 1, hi, 0}
    for i in range(33):
        for d in range(-2, 3):
            found.update((2**i + d, -(2**i) + d))
    return np.array(sorted(v for v in found if lo <= v <= hi), I64)


def dense_strides(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return strides


def view(operand, shape, strides, offset=0):
    return {**operand, "view": {"offset": offset, "shape": list(shape), "strides": list(strides)}}


def reshape(operand, shape):
    return view(operand, shape, dense_strides(shape))


def text(raw):
    return base64.b64encode(raw).decode()


class Scene:
    """Data given to `u8`, `i8`, `i16`, `i32` have the images as their first axis."""

    def __init__(self, comment, flags=(), batch=2, seed=0, pixels=None):
        self.comment, self.flags, self.batch = comment, list(flags), batch
        self.draw = Draw(seed)
        self.parts = [] if pixels is None else [pixels.reshape(batch, -1).astype(np.uint8)]
        self.input_shape = None if pixels is None else list(pixels.shape[1:])
        self.ops, self.types, self.constants, self.carriers = [], {}, {}, set()
        self.shapes = {}
        self.images = None

    # Operands: any integers, made of the pixels by ops, so that every image has its own.

    def u8(self, data):
        data = np.asarray(data, I64)
        offset = sum(part.shape[1] for part in self.parts)
        self.parts.append(data.reshape(self.batch, -1).astype(np.uint8))
        shape = list(data.shape[1:])
        return view({"value": "pixels"}, shape, dense_strides(shape), offset)

    def carry(self, op, **fields):
        operand = self.add(op, **fields)
        self.carriers.add(operand["value"])
        return operand

    def i8(self, data, lookup=True):
        data = np.asarray(data, I64)
        pixels = self.u8(data + 128)
        if lookup:
            if "identity" not in self.constants:
                self.constant(np.arange(-128, 128), "i8", "identity")
            return self.carry("lookup", x=pixels, table="identity")
        return self.carry("requantize", x=pixels, m=1, e=0, z=-128, axis=0, run=0, to="i8")

    def i16(self, data):
        data = np.asarray(data, I64) + 32768
        addend = {"operand": self.u8(data & 255), "m": 1, "e": 0}
        return self.carry("requantize", x=self.u8(data >> 8), m=256, e=0, z=-32768, axis=0, run=0, to="i16", addend=addend)

    def i32(self, data, bits=32):
        """Integers of -2^(bits-1) .. 2^(bits-1) - 1, and proved to be little more."""
        rest = np.asarray(data, I64) + 2 ** (bits - 1)
        shifts = [max(bits - 8 * k, 0) for k in (1, 2, 3, 4)]
        bytes_ = []
        for shift in shifts:
            byte = np.minimum(rest >> shift, 255)
            rest = rest - (byte << shift)
            bytes_.append(self.u8(byte))
        assert not rest.any()
        pair = lambda a, b, z: self.carry(
            "requantize", x=bytes_[a], m=2 ** shifts[a], e=0, z=z, axis=0, run=0, to="i32",
            addend={"operand": bytes_[b], "m": 2 ** shifts[b], "e": 0},
        )  # fmt: skip
        high = pair(0, 1, -(2 ** (bits - 1)))
        low = {"operand": pair(2, 3, 0), "m": 1, "e": 0}
        return self.carry("requantize", x=high, m=1, e=0, z=0, axis=0, run=0, to="i32", addend=low)

    def any(self, dtype, data, **options):
        return getattr(self, dtype)(data, **options)

    def constant(self, data, dtype, name=None):
        name = name or f"c{len(self.constants)}"
        data = np.asarray(data, I64)
        lo, hi = RANGE[dtype]
        assert data.min() >= lo and data.max() <= hi, (name, dtype, data.min(), data.max())
        self.constants[name] = (dtype, data)
        return name

    def param(self, data, dtype="i32"):
        return {"constant": self.constant(data, dtype)}

    def add(self, op, shape=None, **fields):
        name = f"{op[:3]}{len(self.ops)}"
        self.ops.append({"op": op, "result": name, **{k: v for k, v in fields.items() if v is not None}})
        self.shapes[name] = shape
        return {"value": name}

    # Evaluation by the independent interpreter.

    def dtype(self, op):
        if op["op"] in FIXED_DTYPE:
            return FIXED_DTYPE[op["op"]]
        if op["op"] == "requantize":
            return op["to"]
        if op["op"] == "softmax":
            return "u8" if "log2" in op else f"i{op['bits']}"
        if op["op"] == "lookup":
            return self.constants[op["table"]][0]
        x = op["operands"][0] if op["op"] == "concat" else op["x"]
        return self.types[x["value"]]["dtype"] if "value" in x else self.constants[x["constant"]][0]

    def evaluate(self):
        """Runs the ops that have not run yet on every image."""
        if self.images is None:
            pixels = np.concatenate(self.parts, 1) if self.parts else np.zeros((self.batch, 1), np.uint8)
            self.types["pixels"] = {"dtype": "u8", "shape": self.input_shape or [pixels.shape[1]]}
            program = {"values": self.types, "input": "pixels"}
            self.images = [Image(program, {}, row.tobytes()) for row in pixels]
            self.pixels = pixels
        for image in self.images:
            image.constants = {name: data for name, (_, data) in self.constants.items()}
            image.constant_dtypes = {name: dtype for name, (dtype, _) in self.constants.items()}
        for op in self.ops:
            if op["result"] in self.types:
                continue
            results = [getattr(image, op["op"])(op) for image in self.images]
            shape = self.shapes[op["result"]]
            if shape is None:
                same = op["op"] == "requantize" and "channels" not in op
                shape = self.images[0].read(op["x"]).shape if same else results[0].shape
            self.types[op["result"]] = {"dtype": self.dtype(op), "shape": list(shape)}
            for image, result in zip(self.images, results):
                image.store(op["result"], result)

    def value(self, operand):
        """What a value holds, images first."""
        self.evaluate()
        return np.stack([image.read(operand) for image in self.images])

    def finish(self, name):
        self.evaluate()
        output = self.ops[-1]["result"]
        expected = {}
        for op in self.ops:
            result = op["result"]
            stored = STORED[self.types[result]["dtype"]]
            raw = np.ascontiguousarray(self.value({"value": result}).astype(stored)).tobytes()
            whole = result not in self.carriers and len(raw) <= STORED_BYTES
            expected[result] = {"data": text(raw)} if whole else {"sha256": hashlib.sha256(raw).hexdigest()}
        constants = {
            key: {"dtype": dtype, "shape": list(data.shape), "data": text(data.astype(STORED[dtype]).tobytes())}
            for key, (dtype, data) in self.constants.items()
        }
        program = {"input": "pixels", "values": self.types, "ops": self.ops, "constants": constants, "output": output}
        return {
            "id": name,
            "comment": self.comment,
            "flags": self.flags,
            "inputs": {"batch": self.batch, "pixels": text(self.pixels.tobytes())},
            "program": program,
            "expected": expected,
        }


def halves(values, width=None):
    """A list of values as two images, the second with the other half (padded by zeros)."""
    values = np.asarray(values, I64)
    unit = 2 * (width or 1)
    padded = np.concatenate([values, np.zeros(-len(values) % unit, I64)])
    half = padded.reshape(2, -1)
    return half if width is None else half.reshape(2, -1, width)


__all__ = "I64 M RANGE Draw Scene dense_strides edges halves reshape view".split()
