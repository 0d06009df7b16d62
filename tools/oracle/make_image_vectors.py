#!/usr/bin/env python3
"""Writes the image files of packages/image/test/fixtures and what Pillow makes of them, expected.json.

    python tools/oracle/make_image_vectors.py           # write both
    python tools/oracle/make_image_vectors.py --check   # recompute expected.json from the committed files, compare

All pictures are made here from integer formulas. Encoders differ between versions, so --check does not encode again:
it decodes the committed files with the Pillow that is installed. Exit status 1 on any difference.
"""

import argparse
import base64
import hashlib
import io
import json
import struct
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

FOLDER = Path(__file__).resolve().parents[2] / "packages" / "image" / "test" / "fixtures"
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# Pixels of images up to this many bytes are listed in full, as base64, beside their hash.
FULL = 96


def picture(width, height, channels, seed=0):
    """Smooth waves, hard edges and a little noise; height x width x channels bytes."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        wave = (x * (7 + c) + y * (11 - 2 * c) + (x * y * (3 + c) >> 4) + 31 * seed) % 512
        wave = np.where(wave < 256, wave, 511 - wave)
        noise = ((x * 7919 + y * 104729 + c * 1299709 + seed * 15485863) ^ (x * y * 31)) % 23
        planes.append(np.clip(wave + noise - 11, 0, 255))
    image = np.stack(planes, axis=-1).astype(np.uint8)
    image[height // 3 : height // 2, width // 4 : width // 2] = [255, 0, 20, 99][:channels]
    return image


# --- JPEG ---------------------------------------------------------------------------------------------------------

MODES = {1: "L", 3: "RGB", 4: "CMYK"}


def jpeg(width, height, channels=3, **options):
    pixels = picture(width, height, channels, seed=width)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels, MODES[channels])
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def segments(data):
    """(marker, contents) of the segments before the first scan, and all from the first scan on."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found, data[at:]


def assemble(found, rest, fill=b""):
    parts = [fill + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in found]
    return b"\xff\xd8" + b"".join(parts) + rest


def with_frame(data, sampling=None, size=None, ids=None):
    """The file with other sampling factors, size or component numbers; the scan must still have as many blocks."""
    found, rest = segments(data)
    changed = []
    for marker, body in found:
        if marker in (0xC0, 0xC1, 0xC2):
            body = bytearray(body)
            if size is not None:
                body[1:5] = struct.pack(">HH", size[1], size[0])
            for i, factor in enumerate(sampling or ()):
                body[7 + 3 * i] = factor
            for i, number in enumerate(ids or ()):
                body[6 + 3 * i] = number
        changed.append((marker, bytes(body)))
    if ids is not None:
        rest = bytearray(rest)
        for i, number in enumerate(ids):
            rest[5 + 2 * i] = number
    return assemble(changed, bytes(rest))


def without(data, *markers):
    found, rest = segments(data)
    return assemble([segment for segment in found if segment[0] not in markers], rest)


def with_adobe(data, transform):
    """With Adobe's APP14, instead of any other APP segment."""
    found, rest = segments(data)
    app14 = (0xEE, b"Adobe" + bytes([0, 100, 0, 0, 0, 0, transform]))
    return assemble([app14] + [segment for segment in found if not 0xE0 <= segment[0] <= 0xEF], rest)


def one_scan_each(width, height, sampling):
    """A baseline file whose components come one after the other, from three grey files."""
    max_h, max_v = max(h for h, _ in sampling), max(v for _, v in sampling)
    scans, head = b"", None
    for number, (h, v) in enumerate(sampling, 1):
        size = (-(-width * h // max_h), -(-height * v // max_v))
        image = Image.fromarray(picture(*size, 1, seed=number)[..., 0])
        file = io.BytesIO()
        image.save(file, "JPEG", quality=80)
        found, rest = segments(file.getvalue())
        head = head or [segment for segment in found if segment[0] in (0xDB, 0xC4)]
        # Its own scan header with its own number, then its data without the end-of-image marker.
        scans += bytes([0xFF, 0xDA, 0, 8, 1, number, 0, 0, 63, 0]) + rest[10:-2]
    frame = struct.pack(">BHHB", 8, height, width, len(sampling))
    for number, (h, v) in enumerate(sampling, 1):
        frame += bytes([number, h << 4 | v, 0])
    return assemble([(0xC0, frame)] + head, scans + b"\xff\xd9")


def exif(orientation, order):
    """An Exif block with an entry before and one after the orientation."""
    entries = [(0x010F, 2, 4, b"ivit"), (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0)), (0x0128, 3, 1, b"\0\2\0\0")]
    body = b"".join(struct.pack(order + "HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    return start + struct.pack(order + "H", len(entries)) + body + struct.pack(order + "I", 0)


def jpeg_files():
    files = {}
    names = {0: "444", 1: "422", 2: "420"}
    for index, (width, height) in enumerate([(1, 1), (2, 3), (3, 2), (7, 9), (16, 16), (17, 33), (33, 17), (65, 47)]):
        for subsampling, name in names.items():
            for progressive in (False, True):
                kind = "progressive" if progressive else "baseline"
                quality = (30, 75, 96)[(index + subsampling) % 3]
                files[f"{kind}-{name}-{width}x{height}.jpg"] = jpeg(
                    width, height, subsampling=subsampling, progressive=progressive, quality=quality
                )
    files["quality-1.jpg"] = jpeg(40, 40, quality=1)
    files["quality-100.jpg"] = jpeg(40, 40, quality=100, subsampling=0)
    files["optimized.jpg"] = jpeg(40, 40, optimize=True)
    files["grey.jpg"] = jpeg(33, 21, 1)
    files["grey-progressive.jpg"] = jpeg(33, 21, 1, progressive=True)
    # Sampling factors of a lone component mean nothing.
    files["grey-2x2.jpg"] = with_frame(jpeg(33, 21, 1), sampling=[0x22])
    files["restart.jpg"] = jpeg(65, 47, restart_marker_blocks=2)
    files["restart-progressive.jpg"] = jpeg(65, 47, restart_marker_rows=1, progressive=True)
    # As many blocks in other places: 4:2:2 read as 4:4:0, 4:2:0 as 4:1:1 and as 1x4.
    for kind, progressive in (("baseline", False), ("progressive", True)):
        wide = jpeg(64, 64, subsampling=1, progressive=progressive)
        files[f"{kind}-440.jpg"] = with_frame(wide, sampling=[0x12])
        files[f"{kind}-440-61x62.jpg"] = with_frame(jpeg(61, 62, subsampling=1), sampling=[0x12])
        square = jpeg(64, 64, subsampling=2, progressive=progressive)
        files[f"{kind}-411.jpg"] = with_frame(square, sampling=[0x41])
        files[f"{kind}-1x4.jpg"] = with_frame(square, sampling=[0x14])
    files["one-scan-each-444.jpg"] = one_scan_each(35, 26, [(1, 1), (1, 1), (1, 1)])
    files["one-scan-each-420.jpg"] = one_scan_each(35, 26, [(2, 2), (1, 1), (1, 1)])
    # Luma coarser than chroma, and chroma components that differ.
    files["one-scan-each-mixed.jpg"] = one_scan_each(35, 26, [(1, 1), (2, 1), (1, 2)])
    files["one-scan-each-4x2.jpg"] = one_scan_each(70, 26, [(4, 2), (2, 1), (1, 1)])
    plain = jpeg(33, 21, subsampling=0)
    files["adobe-rgb.jpg"] = with_adobe(plain, 0)
    files["adobe-ycc.jpg"] = with_adobe(plain, 1)
    files["letters-rgb.jpg"] = with_frame(without(plain, 0xE0), ids=b"RGB")
    files["no-app.jpg"] = without(plain, 0xE0)
    files["no-app-ids.jpg"] = with_frame(without(plain, 0xE0), ids=b"\0\1\2")
    files["cmyk.jpg"] = jpeg(33, 21, 4)
    files["cmyk-progressive.jpg"] = jpeg(33, 21, 4, progressive=True)
    files["cmyk-no-adobe.jpg"] = without(files["cmyk.jpg"], 0xEE)
    files["ycck.jpg"] = with_adobe(files["cmyk.jpg"], 2)
    found, rest = segments(plain)
    files["fill-bytes.jpg"] = assemble(found, rest, fill=b"\xff\xff")
    files["after-the-end.jpg"] = plain + b"and then some"
    for orientation in range(1, 9):
        order = "<>"[orientation % 2]
        block = (0xE1, b"Exif\0\0" + exif(orientation, order))
        found, rest = segments(jpeg(13, 10, quality=85))
        files[f"orientation-{orientation}.jpg"] = assemble([block] + found, rest)
    return files


# --- PNG ----------------------------------------------------------------------------------------------------------


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filtered(rows, distance, start):
    """The rows with filters 0 … 4 in turn."""
    out, above = b"", bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind = (y + start) % 5
        coded = bytearray()
        for i, byte in enumerate(row):
            a = row[i - distance] if i >= distance else 0
            b = above[i]
            c = above[i - distance] if i >= distance else 0
            guess = (0, a, b, (a + b) >> 1, paeth(a, b, c))[kind]
            coded.append((byte - guess) & 255)
        out += bytes([kind]) + bytes(coded)
        above = row
    return out


def packed(samples, depth):
    """Bytes of one row of samples."""
    if depth == 16:
        return np.asarray(samples, ">u2").tobytes()
    if depth == 8:
        return np.asarray(samples, np.uint8).tobytes()
    bits = "".join(format(int(sample), f"0{depth}b") for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def png(samples, depth, color, interlaced=False, before=b"", pieces=1, start=0):
    """A PNG file of height x width x channels samples."""
    height, width, channels = samples.shape
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b""
    for left, top, step_x, step_y in passes:
        part = samples[top::step_y, left::step_x]
        if part.size:
            rows = [packed(row.reshape(-1), depth) for row in part]
            raw += filtered(rows, max(1, depth * channels // 8), start)
    data = zlib.compress(raw, 9)
    size = -(-len(data) // pieces)
    body = b"".join(chunk(b"IDAT", data[i : i + size]) for i in range(0, len(data), size))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + body + chunk(b"IEND", b"")


def png_files():
    files = {}
    palette = chunk(b"PLTE", picture(16, 16, 3, seed=5).tobytes())
    kinds = [("grey", 0, 1, (1, 2, 4, 8)), ("palette", 3, 1, (1, 2, 4, 8))]
    kinds += [("grey-alpha", 4, 2, (8, 16)), ("rgb", 2, 3, (8, 16)), ("rgba", 6, 4, (8, 16))]
    for name, color, channels, depths in kinds:
        for depth in depths:
            samples = picture(19, 13, channels, seed=depth).astype(int)
            samples = samples * 257 + 40 if depth == 16 else samples >> (8 - depth)
            samples = np.minimum(samples, (1 << depth) - 1)
            before = b""
            if color == 3:
                before = chunk(b"PLTE", picture(16, 16, 3, seed=5).reshape(-1)[: 3 << depth].tobytes())
            files[f"{name}-{depth}.png"] = png(samples, depth, color, before=before)
            files[f"{name}-{depth}-interlaced.png"] = png(samples, depth, color, True, before=before, start=depth)
    grey = picture(19, 13, 1, seed=8)
    rgb = picture(19, 13, 3, seed=8)
    files["transparent-grey.png"] = png(grey, 8, 0, before=chunk(b"tRNS", b"\0\x40"))
    files["transparent-rgb.png"] = png(rgb, 8, 2, before=chunk(b"tRNS", b"\0\xff\0\0\0\x14"))
    files["transparent-palette.png"] = png(grey, 8, 3, before=palette + chunk(b"tRNS", bytes(range(200))))
    files["short-palette.png"] = png(grey, 8, 3, before=chunk(b"PLTE", bytes(range(30, 90))))
    files["many-pieces.png"] = png(rgb, 8, 2, pieces=40)
    files["one-pixel.png"] = png(rgb[:1, :1], 8, 2)
    files["one-pixel-interlaced.png"] = png(rgb[:1, :1], 8, 2, True)
    files["one-column-interlaced.png"] = png(grey[:, :1] >> 7, 1, 0, True)
    text = chunk(b"tEXt", b"Title\0waves") + chunk(b"gAMA", struct.pack(">I", 45455))
    files["other-chunks.png"] = png(rgb, 8, 2, before=text)
    files["orientation-6.png"] = png(rgb, 8, 2, before=chunk(b"eXIf", exif(6, ">")))
    # Large enough to be resized: wide, and tall enough for Pillow 13's other order of passes.
    files["wide.png"] = png(picture(97, 41, 3, seed=1), 8, 2, start=4)
    files["tall.png"] = png(picture(40, 130, 3, seed=2), 8, 2, start=2)
    return files


# --- what Pillow makes of them --------------------------------------------------------------------------------------

SIZES = {
    "wide.png": [(48, 20), (97, 20), (30, 41), (97, 41), (200, 85), (32, 32), (96, 40), (1, 1), (7, 90), (150, 3)],
    "tall.png": [(20, 65), (32, 104), (40, 50), (80, 260), (33, 32), (39, 129), (1, 1), (60, 60), (11, 7)],
    "baseline-420-65x47.jpg": [(32, 23), (64, 46), (130, 94)],
    "one-pixel.png": [(1, 1), (5, 4), (1, 3)],
}


def listed(image):
    data = image.tobytes()
    entry = {"width": image.width, "height": image.height, "sha256": hashlib.sha256(data).hexdigest()}
    if len(data) <= FULL:
        entry["data"] = base64.b64encode(data).decode()
    return entry


def two_passes(image, size, resample, rows_first):
    """One Pillow call per direction, since the order of a single call depends on the version."""
    between = (size[0], image.height) if rows_first else (image.width, size[1])
    return image.resize(between, resample).resize(size, resample)


def resized(image, size, interpolation):
    resample = FILTERS[interpolation]
    lost = image.height - size[1]
    columns_first = lost > 0 and lost > 2 * (image.width - size[0])
    results = {
        "12": two_passes(image, size, resample, True),
        "13": two_passes(image, size, resample, not columns_first),
    }
    # The direct call tells that this is what the installed version does.
    installed = "13" if int(PIL.__version__.split(".")[0]) >= 13 else "12"
    if image.resize(size, resample).tobytes() != results[installed].tobytes():
        sys.exit(f"Pillow {PIL.__version__} resamples {image.size} to {size} in another order than expected")
    return {version: listed(result)["sha256"] for version, result in results.items()}


def expected(folder):
    files = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".png", ".jpg"):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        entry = listed(image)
        if path.name in SIZES:
            entry["resized"] = [
                {"width": size[0], "height": size[1], "interpolation": name, "sha256": resized(image, size, name)}
                for size in SIZES[path.name]
                for name in FILTERS
            ]
        files[path.name] = entry
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    target = FOLDER / "expected.json"
    if arguments.check:
        committed = json.loads(target.read_text())["files"]
        found = expected(FOLDER)
        different = sorted(name for name in committed.keys() | found.keys() if committed.get(name) != found.get(name))
        for name in different:
            print(f"FAILED {name}")
        print(f"Pillow {PIL.__version__}: {len(found) - len(different)} passed, {len(different)} failed")
        return 1 if different or not found else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, data in {**jpeg_files(), **png_files()}.items():
        (FOLDER / name).write_bytes(data)
    document = {"generator": "tools/oracle/make_image_vectors.py", "pillow": PIL.__version__, "files": expected(FOLDER)}
    target.write_text(json.dumps(document, indent=1) + "\n")
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"Pillow {PIL.__version__}: {len(document['files'])} files, {total} bytes with expected.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
