"""Writes the vectors of @ivit/nonlinear's other functions, or checks that they are what this generator writes.

    python make_field_vectors.py [--check] [FILE]

FILE is packages/nonlinear/test/fixtures/field-vectors.json unless given. Everything is computed with Python integers and fractions from
the papers' definitions (I-BERT: Kim et al., ICML 2021; FQ-ViT: Lin et al., IJCAI 2022; I-ViT: Li & Gu, ICCV 2023); nothing is
shared with the packages. `--check` prints `N checked, N different` (cases); exit 1 if anything differs.
"""

import json
import math
import pathlib
import sys
from fractions import Fraction

FILE = pathlib.Path(__file__).resolve().parent.parent.parent / "packages" / "nonlinear" / "test" / "fixtures" / "field-vectors.json"
M = 2**31 - 1
MASK = 2**64 - 1


class Draw:
    """SplitMix64: repeatable integers."""

    def __init__(self, seed):
        self.state = seed

    def integer(self, lo, hi):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return lo + (z ^ (z >> 31)) % (hi - lo + 1)

    def some(self, count, lo, hi):
        return [self.integer(lo, hi) for _ in range(count)]


def rne(value):
    """Python's round of a Fraction is half to even."""
    return round(Fraction(value))


def saturate(value, lo, hi):
    return min(max(value, lo), hi)


# Scales are dyadic, so that a double holds them; coefficients are the papers' decimals.
SCALES = [Fraction(1, 4), Fraction(1, 16), Fraction(3, 64), Fraction(1, 256), Fraction(5, 4096), Fraction(1, 4096)]
LN2 = Fraction("0.69314718055994530941723212145818")


def exponential(scale, kind, n):
    if kind == "i-bert":
        a, b, c = Fraction("0.3585"), Fraction("1.353"), Fraction("0.344")
        return {"ln2": math.floor(LN2 / scale), "b": math.floor(b / scale), "c": math.floor(c / (a * scale**2)), "n": n, "square": True}
    a, b = Fraction("0.35815147"), Fraction("0.96963238")
    return {"ln2": -math.floor(Fraction("-0.6931") / scale), "b": math.floor(b / a / scale), "c": math.floor(1 / a / scale**2), "n": n, "square": False}


def exponential_at(x, p):
    x = max(x, -30 * p["ln2"])
    z = -x // p["ln2"]
    r = x + z * p["ln2"]
    polynomial = (r + p["b"]) ** 2 + p["c"] if p["square"] else (r + p["b"]) * r + p["c"]
    return math.floor(Fraction(polynomial) * Fraction(2) ** (p["n"] - z))


def exponentials():
    draw = Draw(1)
    for scale in SCALES:
        for kind, n in (("i-bert", 0), ("fq-vit", 0), ("fq-vit", 5), ("fq-vit", 20)):
            p = exponential(scale, kind, n)
            edges = [k * p["ln2"] + d for k in (0, 1, 2, 7, 29, 30, 31) for d in (-1, 0, 1)]
            x = [0, *(-d for d in edges if 0 < d < 65536), *(-d for d in draw.some(12, 0, 65535))]
            yield {"scale": float(scale), "kind": kind, "parameters": p, "x": x, "y": [exponential_at(v, p) for v in x]}


def log2_rows():
    draw = Draw(2)
    for number in range(36):
        scale = SCALES[number % 4]
        p = exponential(scale, "fq-vit", [0, 3, 5][number % 3])
        length = [1, 2, 3, 8, 17, 65][number % 6]
        spread = [3, 40, 400, 4000, 32767][number % 5]
        x = draw.some(length, -spread, spread)
        bits = 2 + number % 3
        # The table form: no entry below 1, and none above the one before it (at these scales e never rises).
        e = [max(1, exponential_at(v - max(x), p)) for v in x]
        total = sum(e)
        if length * exponential_at(0, p) > M:
            continue
        codes = []
        for value in e:
            r = rne(Fraction(total, value))
            code = r.bit_length() - 1
            if Fraction(r) - 2**code >= Fraction(2) ** (code - 1):
                code += 1
            codes.append(min(code, 2**bits - 1))
        yield {"parameters": p, "bits": bits, "x": x, "y": codes}


def log2_products():
    draw = Draw(3)
    for bits in (2, 3, 4):
        for rows, inner, columns in ((1, 1, 1), (2, 5, 3), (3, 17, 4)):
            a, b = draw.some(rows * inner, 0, 2**bits - 1), draw.some(inner * columns, -128, 127)
            y = [sum(b[k * columns + j] << (2**bits - 1 - a[i * inner + k]) for k in range(inner)) for i in range(rows) for j in range(columns)]
            yield {"bits": bits, "rows": rows, "inner": inner, "columns": columns, "a": a, "b": b, "y": y}


def gelu(scale):
    """(b, c, unit) of i-GELU; scale² / 2 is exact."""
    square = scale**2 / 2
    root_of_two = Fraction(math.isqrt(2 * 10**60), 10**30)
    return math.floor(Fraction("-1.769") * root_of_two / scale), math.floor(1 / (Fraction("-0.2888") * square)), scale * Fraction("0.2888") * square / 2


def gelu_at(x, b, c):
    size, sign = min(abs(x), -b), (x > 0) - (x < 0)
    return -x * (sign * ((size + b) ** 2 + c) + c)


def gelus():
    draw = Draw(4)
    for scale in SCALES:
        b, c, unit = gelu(scale)
        x = [0, 1, -1, b, -b, b + 1, 1 - b, *draw.some(12, -32768, 32767)]
        out = 2 * scale * 128 / 32767
        out = Fraction(1, 2 ** max(0, math.floor(-math.log2(out))))
        table = [rne(gelu_at(v, b, c) * unit / out) for v in range(-128, 128)]
        yield {"scale": float(scale), "b": b, "c": c, "x": x, "y": [gelu_at(v, b, c) for v in x], "out": float(out), "table": table}


def shift_exponential(x, x0, n):
    t = max(x + (x >> 1) - (x >> 4), n * x0)
    q = t // x0
    r = t - x0 * q
    return -x0 if q == n else math.floor(Fraction(r - 2 * x0) * Fraction(2) ** (n - q - 1))


def gate(x, x0, n):
    p = max(x, 0)
    e, f = shift_exponential(x - p, x0, n), shift_exponential(-p, x0, n)
    return min((min(e, M) * (M // min(e + f, M))) >> 24, 127)


def shift_gelus():
    for x0, n in ((-1, 23), (-7, 15), (-40, 23), (-76, 16), (-127, 23)):
        yield {"x0": x0, "n": n, "y": [x * gate(x, x0, n) for x in range(-128, 128)]}


def ramps():
    b, c, unit = gelu(Fraction(1, 128))
    yield {"name": "i-bert", "table": [rne(i * (-((min(i, -b) + b) ** 2 + c) * (i > 0) + c) * unit * 4096) for i in range(1 - b)]}
    table = [rne(Fraction(-i * gate(-i, -76, 16), 4)) for i in range(1000)]
    yield {"name": "shift", "table": table[: 1 + next(i for i in range(1, 1000) if table[i] == 0)]}


def norms():
    draw = Draw(5)
    for number in range(24):
        length = [1, 2, 3, 8, 33][number % 5]
        reach = [1, 9, 300, 32767][number % 4]
        x = draw.some(length, -reach, reach)
        bias = draw.some(length, -(2**28), 2**28) if number % 2 else None
        mean = rne(Fraction(sum(x), length))
        factor = M // max(1, math.isqrt(sum((v - mean) ** 2 for v in x)))
        y = [((v - mean) * factor >> 1) + (bias[i] if bias else 0) for i, v in enumerate(x)]
        yield {"x": x, "bias": bias, "y": y}


def factors():
    draw = Draw(6)
    for number in range(16):
        alpha = draw.some(5, 0, 3)
        m, e, z = draw.integer(2**30, M), draw.integer(30, 40), draw.integer(-128, 127)
        x = draw.some(10, -32768, 32767)
        y = []
        for i, value in enumerate(x):
            shift = alpha[i % 5]
            q = saturate(rne(Fraction(value * m, 2 ** (e + shift))) + z, -128, 127)
            y.append((q - z) << shift)
        yield {"alpha": alpha, "m": m, "e": e, "z": z, "x": x, "y": y}


GROUPS = {
    "exponential": exponentials,
    "log2Softmax": log2_rows,
    "log2Product": log2_products,
    "gelu": gelus,
    "elementShiftGelu": shift_gelus,
    "ramp": ramps,
    "sqrtLayerNorm": norms,
    "powerOfTwo": factors,
}


def main(arguments):
    check = "--check" in arguments
    paths = [argument for argument in arguments if argument != "--check"]
    path = pathlib.Path(paths[0]) if paths else FILE
    made = {name: [json.dumps(case, separators=(",", ":")) for case in make()] for name, make in GROUPS.items()}
    count = sum(len(cases) for cases in made.values())
    if check:
        stored = json.loads(path.read_text())
        have = {name: [json.dumps(case, separators=(",", ":")) for case in stored.get(name, [])] for name in {**made, **stored}}
        different = 0
        for name, cases in have.items():
            wanted = made.get(name, [])
            different += sum(a != b for a, b in zip(cases, wanted)) + abs(len(cases) - len(wanted))
        print(f"{count} checked, {different} different")
        return 1 if different or not count else 0
    groups = ",\n".join(f'"{name}":[\n' + ",\n".join(cases) + "\n]" for name, cases in made.items())
    path.write_text("{\n" + groups + "\n}\n")
    print(f"{count} vectors, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
