"""Runs program files in numpy int64 and compares every value with the product's traces.

An independent reading of docs/spec/ivit-1.md: it shares no code with the packages and uses no floating point.

    python check_programs.py TRACE.json...

A trace file (tools/src/dump-trace.ts) holds {"program": path of the program file relative to the trace, "model": id,
"images": [{"pixels": base64, "trace": [{"value", "digest"}], "logits": [...]}]}.
Checked per image: the sha256 of every traced value, the output, and that every op was traced; per file: the model id.
Prints `N checked, N different`; exit 1 if anything differs or nothing was checked.
"""

import base64
import functools
import hashlib
import json
import math
import pathlib
import struct
import sys

import numpy as np

I64 = np.int64
M = 2**31 - 1
STORED = {"u8": "<u1", "i8": "<i1", "i16": "<i2", "i32": "<i4"}
FILE_DTYPE = {"U8": "u8", "I8": "i8", "I16": "i16", "I32": "i32"}
RANGE = {"u8": (0, 255), "i8": (-128, 127), "i16": (-32768, 32767), "i32": (-(2**31), M)}


def read_file(path):
    """Program JSON and constants {name: (dtype, shape, raw bytes)} of a safetensors file."""
    blob = path.read_bytes()
    (size,) = struct.unpack("<Q", blob[:8])
    header = json.loads(blob[8 : 8 + size])
    program = json.loads(header.pop("__metadata__")["ivit.program"])
    constants = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw, stated = blob[8 + size + begin : 8 + size + end], program["constants"][name]
        if "bits" in stated:
            raw = unpacked(raw, entry["shape"], stated["shape"], stated["bits"])
            constants[name] = (stated["dtype"], stated["shape"], raw)
        else:
            constants[name] = (FILE_DTYPE[entry["dtype"]], entry["shape"], raw)
    return program, constants


def unpacked(raw, stored, shape, bits):
    """int8 entries of rows that are stored as bit strings, lowest bits first."""
    rows = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(-1, stored[-1]), axis=1, bitorder="little")
    fields = rows[:, : shape[-1] * bits].reshape(-1, bits).astype(I64)
    values = fields @ (I64(1) << np.arange(bits, dtype=I64))
    return (values - ((values >> (bits - 1)) << bits)).astype(np.int8).tobytes()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def model_id(program, constants):
    digest = hashlib.sha256(canonical({key: program[key] for key in ("spec", "values", "ops", "output")}))
    for name in sorted(constants):
        dtype, shape, raw = constants[name]
        digest.update(canonical({"name": name, "dtype": dtype, "shape": shape}))
        digest.update(raw)
    return digest.hexdigest()


def rne_shift(p, e):
    """Nearest integer to p / 2^e, ties to even; p int64 below 2^62, e from 0 to 62."""
    p = np.asarray(p, I64)
    e = np.asarray(e, I64)
    safe = np.maximum(e, 1)
    floor = p >> safe
    rest = p - (floor << safe)
    half = I64(1) << (safe - 1)
    up = (rest > half) | ((rest == half) & (floor & 1 == 1))
    return np.where(e == 0, p, floor + up)


def rne_divide(p, n):
    """Nearest integer to p / n, ties to even; n > 0."""
    floor = p // n
    twice = 2 * (p - floor * n)
    return floor + ((twice > n) | ((twice == n) & (floor & 1 == 1)))


def bit_length(values):
    length = np.zeros_like(values)
    rest = values.copy()
    while (rest > 0).any():
        length += rest > 0
        rest >>= 1
    return length


def shift_exponential(x, x0, n):
    """Integer exponential of Shiftmax; saturates at 2^31 - 1."""
    t = np.maximum(x + (x >> 1) - (x >> 4), n * x0)
    q = t // x0
    r = t - x0 * q
    shift = n - q - 1
    mantissa = r - 2 * x0
    wide = mantissa << np.clip(shift, 0, 31)
    value = np.where(shift > 31, M, np.minimum(wide, M))
    return np.where(q == n, -x0, value)


@functools.lru_cache
def pow2_table(bits):
    """rne(2^15 * 2^(g / 2^bits)) by exact nested square roots of big integers."""
    entries = []
    for g in range(2**bits):
        root = 1 << (15 * 2**bits + g + 64 * 2**bits)
        for _ in range(bits):
            root = math.isqrt(root)
        whole, rest = divmod(root, 1 << 64)
        entries.append(whole + (rest >= 1 << 63))
    return np.array(entries, I64)


def log2_codes(e):
    """Codes of ivit/1.1: ratio rounded half to even, then its logarithm rounded at the arithmetic middle, at most 15."""
    ratio = rne_divide(e.sum(-1, keepdims=True), np.maximum(e, 1))
    whole = bit_length(ratio) - 1
    code = whole + (2 * ratio >= I64(3) << whole)
    return np.where(e == 0, 15, np.minimum(code, 15))


class Image:
    """The values of one image, each a dense int64 array."""

    def __init__(self, program, constants, pixels):
        self.types = program["values"]
        self.constant_dtypes = {name: dtype for name, (dtype, _, _) in constants.items()}
        self.constants = {
            name: np.frombuffer(raw, STORED[dtype]).astype(I64).reshape(shape)
            for name, (dtype, shape, raw) in constants.items()
        }
        self.values = {}
        self.store(program["input"], np.frombuffer(pixels, np.uint8).astype(I64))

    def store(self, name, result):
        dtype, shape = self.types[name]["dtype"], self.types[name]["shape"]
        lo, hi = RANGE[dtype]
        if result.size and (result.min() < lo or result.max() > hi):
            raise OverflowError(f"{name} leaves {dtype}: {result.min()}..{result.max()}")
        self.values[name] = result.reshape(shape)

    def digest(self, name):
        dtype = STORED[self.types[name]["dtype"]]
        return hashlib.sha256(np.ascontiguousarray(self.values[name].astype(dtype)).tobytes()).hexdigest()

    def read(self, operand):
        dense = self.values[operand["value"]] if "value" in operand else self.constants[operand["constant"]]
        view = operand.get("view")
        if view is None:
            return dense
        index = np.full(view["shape"], view["offset"], I64)
        for axis, (size, stride) in enumerate(zip(view["shape"], view["strides"])):
            steps = np.arange(size, dtype=I64) * stride
            index += steps.reshape([size if a == axis else 1 for a in range(len(view["shape"]))])
        return dense.reshape(-1)[index]

    def param(self, param):
        return np.array([param], I64) if isinstance(param, int) else self.constants[param["constant"]]

    def requantize(self, op):
        x = self.read(op["x"])
        m, e, z = (self.param(op[key]) for key in ("m", "e", "z"))
        if "channels" in op:
            x = x[..., self.constants[op["channels"]]]
        run = x.shape[op["axis"] : op["axis"] + op["run"]]
        tail = [1] * (x.ndim - op["axis"] - op["run"])
        m, e, z = (p if p.size == 1 else p.reshape([*run, *tail]) for p in (m, e, z))
        if "row" in op:
            row = self.read(op["row"])[..., None]
            numerator = (x * (16 + (row & 15)) * m) << (row >> 4)
            if "bias" in op:
                numerator = numerator + (self.constants[op["bias"]] << op.get("k", 0))
        else:
            numerator = x * m
        y = rne_shift(numerator, e) + z
        if "addend" in op:
            addend = op["addend"]
            y = y + rne_shift(self.read(addend["operand"]) * addend["m"], addend["e"])
        return np.clip(y, *RANGE[op["to"]])

    def rowscale(self, op):
        x = self.read(op["x"])
        cp, cn = self.param(op["cp"]), self.param(op["cn"])
        up = -((-16 * np.maximum(x, 0)) // cp)
        down = -((-16 * np.maximum(-x, 0)) // cn)
        d = np.maximum(16, np.maximum(up, down).max(-1))
        exponent = np.maximum(0, bit_length(d) - 5)
        f = -((-d) // (I64(1) << exponent))
        exponent = exponent + (f == 32)
        f = np.where(f == 32, 16, f)
        return 16 * exponent + f - 16

    def rowquantize(self, op):
        x = self.read(op["x"])
        row = self.read(op["row"])[..., None]
        if "channels" in op:
            x = x[..., self.constants[op["channels"]]]
        inverse = rne_divide(np.array([2**19] * 16, I64), np.arange(16, 32, dtype=I64))
        exponent = row >> 4
        v = (x * inverse[row & 15] + (I64(1) << (14 + exponent))) >> (15 + exponent)
        slot = self.constants[op["slot"]] if "slot" in op else 0
        return np.clip(v + op["z"] - 255 * slot, -128, 127)

    def linear(self, op):
        y = self.read(op["x"]) @ self.constants[op["w"]].T
        return y + self.constants[op["b"]] if "b" in op else y

    def matmul(self, op):
        a = self.read(op["a"])
        return (I64(1) << (15 - a) if "log2" in op else a) @ self.read(op["b"])

    def exponential(self, d, form):
        if "pow2" in form:
            octave = form["pow2"]
            i = (d + 2**octave - 1) >> octave
            return np.where(i > 31, 0, pow2_table(octave)[(i << octave) - d] >> np.minimum(i, 31))
        if "table" in form:
            table = self.constants[form["table"]]
            return table[np.minimum(d, len(table) - 1)]
        return shift_exponential(-d, form["shift"], form["n"])

    def softmax(self, op):
        x = self.read(op["x"])
        bits, form = op["bits"], op["exponential"]
        d = x.max(-1, keepdims=True) - x
        top = 2 ** (bits - 1) - 1
        if "log2" in op:
            return log2_codes(self.exponential(d, form))
        if "pow2" in form:
            e = self.exponential(d, form)
            total = e.sum(-1, keepdims=True)
            h = np.maximum(0, bit_length(total) - 16)
            r = M // (total >> h)
            shift = 32 - bits + h
            return np.minimum((e * r + (I64(1) << (shift - 1))) >> shift, top)
        e = self.exponential(d, form)
        total = np.minimum(e.sum(-1, keepdims=True), M)
        return np.minimum((e * (M // total)) >> (32 - bits), top)

    def shiftgelu(self, op):
        x = self.read(op["x"])
        p = x.max(-1, keepdims=True)
        e = shift_exponential(x - p, op["x0"], op["n"])
        total = np.minimum(e + shift_exponential(-p, op["x0"], op["n"]), M)
        return x * np.minimum((e * (M // total)) >> 24, 127)

    def layernorm(self, op):
        x = self.read(op["x"])
        y = x - rne_divide(x.sum(-1, keepdims=True), x.shape[-1])
        v = (y * y).sum(-1, keepdims=True)
        k = np.full_like(v, 2**16)
        for _ in range(10):
            k = (k + v // k) >> 1
        y = (y * (M // k)) >> 1
        return y + self.constants[op["b"]] if "b" in op else y

    def lookup(self, op):
        x = self.read(op["x"])
        table = self.constants[op["table"]]
        first = 0 if self.dtype(op["x"]) == "u8" else 128
        if table.ndim == 1:
            return table[x + first]
        return table[np.arange(x.shape[-1]), x + first]

    def dtype(self, operand):
        return self.types[operand["value"]]["dtype"] if "value" in operand else self.constant_dtypes[operand["constant"]]

    def ramplookup(self, op):
        x = self.read(op["x"])
        table = self.constants[op["table"]]
        return (np.maximum(x, 0) << op["u"]) + table[np.minimum(np.abs(x), len(table) - 1)]

    def mean(self, op):
        x = self.read(op["x"])
        return rne_divide(x.sum(op["axis"]), x.shape[op["axis"]])

    def gather(self, op):
        return self.read(op["x"]).reshape(-1, op["width"])[self.constants[op["rows"]]]

    def concat(self, op):
        return np.concatenate([self.read(operand) for operand in op["operands"]], 0)


OPS = (
    "requantize rowscale rowquantize linear matmul softmax shiftgelu layernorm lookup ramplookup mean gather concat"
).split()


def check(trace_path):
    """(checked, different) of one trace file; differences are printed."""
    trace = json.loads(trace_path.read_text())
    path = trace_path.parent / trace["program"]
    program, constants = read_file(path)
    checked, different = 1, 0
    if model_id(program, constants) != trace["model"]:
        different += 1
        print(f"{path}: the model id differs")
    for number, image in enumerate(trace["images"]):
        run = Image(program, constants, base64.b64decode(image["pixels"]))
        expected = {entry["value"]: entry["digest"] for entry in image["trace"]}
        for op in program["ops"]:
            if op["op"] not in OPS:
                raise ValueError(f"unknown op {op['op']}")
            run.store(op["result"], getattr(run, op["op"])(op))
            checked += 1
            if expected.get(op["result"]) != run.digest(op["result"]):
                different += 1
                if different <= 10:
                    print(f"{path}: image {number}, {op['op']} -> {op['result']} differs")
        checked += 1
        if run.values[program["output"]].reshape(-1).tolist() != image["logits"]:
            different += 1
            print(f"{path}: image {number}, the output differs")
    return checked, different


def main(arguments):
    checked = different = 0
    for argument in arguments:
        one, other = check(pathlib.Path(argument))
        checked += one
        different += other
    print(f"{checked} checked, {different} different")
    return 1 if different or not checked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
