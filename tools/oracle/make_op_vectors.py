"""Writes the test vectors of @ivit/backend-testkit, or checks that they are what this generator writes.

    python make_op_vectors.py [--check] [FOLDER]

FOLDER is packages/backend-testkit/vectors unless given. Inputs are fixed by seeds; expected values come from the independent
interpreter in check_programs.py, which reads docs/spec/ivit-1.md and shares no code with the packages.
One file per op and one of whole models. Changing an expected value means a new spec id.
`--check` compares bytes and prints `N checked, N different` (tests, not files); exit 1 if anything differs.
"""

import json
import pathlib
import sys

from op_vectors import log2, models, movement, nonlinear, products, requantize, rows

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "packages" / "backend-testkit" / "vectors"
GENERATOR = {"name": "tools/oracle/make_op_vectors.py", "version": 1}

# op, seed (told in the file; the groups draw from seeds of their own), notes, groups
FILES = [
    ("requantize", 1, requantize.NOTES, requantize.GROUPS),
    ("rowscale", 11, rows.SCALE_NOTES, rows.SCALE_GROUPS),
    ("rowquantize", 12, rows.QUANTIZE_NOTES, rows.QUANTIZE_GROUPS),
    ("linear", 21, products.NOTES, products.LINEAR_GROUPS),
    ("matmul", 23, products.NOTES, products.MATMUL_GROUPS),
    ("softmax", 31, nonlinear.SOFTMAX_NOTES, nonlinear.SOFTMAX_GROUPS),
    ("shiftgelu", 41, nonlinear.GELU_NOTES, nonlinear.GELU_GROUPS),
    ("layernorm", 51, nonlinear.NORM_NOTES, nonlinear.NORM_GROUPS),
    ("lookup", 71, movement.LOOKUP_NOTES, movement.LOOKUP_GROUPS),
    ("ramplookup", 61, nonlinear.RAMP_NOTES, nonlinear.RAMP_GROUPS),
    ("mean", 72, movement.MEAN_NOTES, movement.MEAN_GROUPS),
    ("gather", 73, movement.GATHER_NOTES, movement.GATHER_GROUPS),
    ("concat", 74, movement.CONCAT_NOTES, movement.CONCAT_GROUPS),
    ("softmax@2", 91, log2.SOFTMAX_NOTES, log2.SOFTMAX_GROUPS),
    ("matmul@2", 93, log2.MATMUL_NOTES, log2.MATMUL_GROUPS),
    ("models", 81, models.NOTES, models.GROUPS),
]


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write(op, seed, notes, groups):
    """The text of one file and its tests' own lines by id: one test a line, so that a change shows where it is."""
    tests, used, parts = {}, set(), []
    for name, make in groups.items():
        lines = []
        for scene in make():
            identity = f"{op}-{len(tests) + 1}"
            test = scene.finish(identity)
            used.update(test["flags"])
            unknown = set(test["flags"]) - set(notes)
            if unknown:
                raise ValueError(f"{identity} has flags without a note: {unknown}")
            tests[identity] = compact(test)
            lines.append(tests[identity])
        parts.append(f'{{"attributes":{compact({"name": name})},"tests":[\n' + ",\n".join(lines) + "\n]}")
    head = {"schema": "ivit-vectors/1", "op": op, "generator": {**GENERATOR, "seed": seed}, "notes": {k: v for k, v in notes.items() if k in used}}
    return compact(head)[:-1] + ',"groups":[\n' + ",\n".join(parts) + "\n]}\n", tests


def stored_tests(path):
    """The lines of a stored file that hold a test, by id."""
    found = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith('{"id":'):
            line = line.removesuffix(",")
            found[json.loads(line)["id"]] = line
    return found


def main(arguments):
    check = "--check" in arguments
    folders = [argument for argument in arguments if argument != "--check"]
    folder = pathlib.Path(folders[0]) if folders else FOLDER
    checked = different = size = 0
    for op, seed, notes, groups in FILES:
        text, tests = write(op, seed, notes, groups)
        name, _, version = op.partition("@")
        path = folder / f"{name}.v{version or 1}.json"
        checked += len(tests)
        size += len(text)
        if not check:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            continue
        stored = stored_tests(path)
        wrong = [name for name in {**tests, **stored} if tests.get(name) != stored.get(name)]
        if not wrong and (not path.exists() or path.read_text() != text):
            wrong = ["the head of the file"]
        for name in wrong[:5]:
            print(f"{path}: {name} differs")
        different += len(wrong)
    if check:
        print(f"{checked} checked, {different} different")
        return 1 if different or not checked else 0
    print(f"{checked} vectors in {len(FILES)} files, {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
