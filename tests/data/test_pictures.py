"""Every way a picture can be stored gives the pixels that were seen."""

from __future__ import annotations

import io
import random
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from support.picture_files import blocks, encoded, jpeg

from foveal.data import pictures

ORIENTED = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]
RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)
LEVELS = np.rint(RAMP / 257).astype(np.uint8)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_lossless_formats_keep_every_pixel(format: str) -> None:
    picture = blocks()
    assert (pictures.decode(encoded(picture, format), 3) == picture).all()


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_are_close(format: str) -> None:
    picture = blocks()
    read = pictures.decode(encoded(picture, format, quality=95), 3).astype(int)
    assert np.abs(read - picture).mean() < 6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16", "I", "F"])
def test_every_mode_gives_the_channels_asked_for(mode: str, channels: int) -> None:
    format = "TIFF" if mode in ("I", "F") else "PNG"
    read = pictures.decode(encoded(Image.new(mode, (7, 5)), format), channels)
    assert read.shape == (5, 7, channels)
    assert read.dtype == np.uint8


def test_a_file_is_read_by_content_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photo.JPG"
    content = encoded(blocks(), "PNG")
    path.write_bytes(content)
    assert (pictures.read(path, 3) == blocks()).all()
    assert path.read_bytes() == content


def oriented(format: str, orientation: int) -> bytes:
    """A file whose stored pixels are the blocks moved so that the orientation undoes it."""
    stored = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }[orientation](blocks())
    exif = Image.Exif()
    exif[0x0112] = orientation
    quality = {} if format in ("PNG", "TIFF") else {"quality": 95}
    return encoded(np.ascontiguousarray(stored), format, exif=exif, **quality)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ORIENTED)
def test_exif_orientation_is_undone(format: str, orientation: int, tmp_path: Path) -> None:
    data = oriented(format, orientation)
    read = pictures.decode(data, 3).astype(int)
    assert read.shape == (48, 64, 3)
    assert np.abs(read - blocks()).mean() < 6
    path = tmp_path / "picture"
    path.write_bytes(data)
    header = pictures.header(path)
    assert (header.height, header.width, header.channels) == (48, 64, 3)


@pytest.mark.parametrize("block", [b"", b"II*\0\xff\xff\xff\xff", b"MM" * 99])
def test_a_broken_exif_block_is_ignored(block: bytes) -> None:
    assert pictures.decode(jpeg(exif=b"Exif\0\0" + block), 3).shape == (48, 64, 3)


def test_an_exif_block_of_five_thousand_lying_tags_is_ignored_without_a_warning() -> None:
    tags = b"".join(
        tag.to_bytes(2, "little") + b"\x07\0" + (60_000).to_bytes(4, "little") + b"\x08\0\0\0"
        for tag in range(1, 5001)
    )
    data = jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0" + (5000).to_bytes(2, "little") + tags)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert pictures.decode(data, 3).shape == (48, 64, 3)
    assert caught == []


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_a_sixteen_bit_ramp_keeps_its_levels(mode: str) -> None:
    stored = RAMP.astype(">u2" if mode == "I;16B" else "<u2")
    data = encoded(Image.frombytes(mode, (256, 256), stored.tobytes()), "TIFF")
    assert (pictures.decode(data, 1)[:, :, 0] == LEVELS).all()
    assert (pictures.decode(data, 3)[:, :, 2] == LEVELS).all()


@pytest.mark.parametrize("format", ["PNG", "PPM"])
def test_sixteen_bits_are_scaled_by_depth_not_by_content(format: str) -> None:
    dark = (RAMP // 64).astype(np.uint16)
    read = pictures.decode(encoded(Image.fromarray(dark), format), 1)[:, :, 0]
    assert (read == np.rint(dark / 257)).all()


def sixteen_bit_tiff(values: list[int], *, bits: int = 16, sample_format: int = 1) -> bytes:
    """A grey TIFF of one row, little-endian, byte by byte."""
    row = np.array(values).astype("<u2").tobytes()
    short, long = 3, 4
    width = len(row) * 8 // bits
    tags = [(256, long, width), (257, long, 1), (258, short, bits), (259, short, 1)]
    tags += [(262, short, 1), (273, long, 8), (277, short, 1), (278, long, 1)]
    tags += [(279, long, len(row)), (339, short, sample_format)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(row)) + row + directory


def test_signed_sixteen_bits_start_at_black() -> None:
    data = sixteen_bit_tiff([-32768, 0, 1000], sample_format=2)
    assert pictures.decode(data, 1).ravel().tolist() == [0, 128, 131]


def test_twelve_bits_reach_white() -> None:
    data = sixteen_bit_tiff([0xFF0F, 0x0000, 0xFF0F], bits=12)  # 0FF F00 000 FFF
    assert pictures.decode(data, 1).ravel().tolist() == [16, 239, 0, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 0.25, 0.5]], np.float32), [0, 64, 128]),
        (np.array([[0, 100, 200]], np.float32), [0, 100, 200]),
        (np.array([[0, 257, 514]], np.float32), [0, 1, 2]),
        (np.array([[-1, 0, 1]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, 0.2, 1]], np.float32), [0, 51, 255]),
        (np.array([[7, 7, 7]], np.int32), [7, 7, 7]),
        (np.array([[0, 50_000, 100_000]], np.int32), [0, 128, 255]),
    ],
)
def test_pictures_that_state_no_range(values: np.ndarray, expected: list[int]) -> None:
    assert pictures.decode(encoded(Image.fromarray(values), "TIFF"), 1).ravel().tolist() == expected


def with_adobe(data: bytes) -> bool:
    return b"Adobe" in data[:400]


def inks() -> np.ndarray:
    """CMYK blocks, 255 is full ink: cyan, magenta, yellow, black, none."""
    rows = [[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]
    return np.kron(np.array([rows]), np.ones((16, 16, 1))).astype(np.uint8)


SEEN = [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0], [255, 255, 255]]


def test_inverted_adobe_cmyk_jpeg_has_its_colours() -> None:
    data = encoded(Image.fromarray(inks(), "CMYK"), "JPEG", quality=100, subsampling=0)
    assert with_adobe(data)  # Pillow writes it as Adobe does: inverted, with the marker
    read = pictures.decode(data, 3)[8, 8::16].astype(int)
    assert np.abs(read - SEEN).max() < 12


def test_cmyk_jpeg_without_adobes_marker_is_not_inverted() -> None:
    inverted = Image.fromarray(255 - inks(), "CMYK")
    data = encoded(inverted, "JPEG", quality=100, subsampling=0)
    start = data.index(b"\xff\xee")
    data = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    assert not with_adobe(data)
    read = pictures.decode(data, 3)[8, 8::16].astype(int)
    assert np.abs(read - SEEN).max() < 12


def test_cmyk_tiff_has_its_colours() -> None:
    read = pictures.decode(encoded(Image.fromarray(inks(), "CMYK"), "TIFF"), 3)
    assert read[8, 8::16].tolist() == SEEN


def test_a_broken_colour_profile_is_ignored() -> None:
    data = encoded(blocks(), "PNG", icc_profile=b"not a profile")
    assert (pictures.decode(data, 3) == blocks()).all()


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_transparency_lies_over_white(format: str) -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, :, 3] = [0, 128, 255]
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    read = pictures.decode(encoded(rgba, format, **options), 3)
    assert read[0].tolist() == [[255, 255, 255], [227, 127, 127], [200, 0, 0]]


def test_grey_with_alpha_lies_over_white() -> None:
    pixels = np.array([[[0, 0], [0, 255], [100, 255]]], np.uint8)
    image = Image.merge("LA", [Image.fromarray(pixels[..., channel]) for channel in (0, 1)])
    assert pictures.decode(encoded(image, "PNG"), 1).ravel().tolist() == [255, 0, 100]


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_becomes_white(format: str) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    read = pictures.decode(encoded(image, format, transparency=1), 3)
    assert read[0].tolist() == [[10, 20, 30], [255, 255, 255], [70, 80, 90]]


def test_a_transparent_colour_becomes_white() -> None:
    pixels = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    read = pictures.decode(encoded(pixels, "PNG", transparency=(1, 2, 3)), 3)
    assert read[0].tolist() == [[255, 255, 255], [4, 5, 6]]


def test_grey_is_recognised_from_the_header(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 2))
    palette.putpalette([0, 0, 0, 128, 128, 128])
    colourful = Image.new("P", (2, 2))
    colourful.putpalette([0, 0, 0, 128, 0, 128])
    images = {"L": 1, "1": 1, "LA": 1, "I;16": 1, "RGB": 3, "RGBA": 3}
    cases = [(Image.new(mode, (2, 2)), channels) for mode, channels in images.items()]
    for image, channels in [*cases, (palette, 1), (colourful, 3)]:
        (tmp_path / "x.png").write_bytes(encoded(image, "PNG"))
        assert pictures.header(tmp_path / "x.png").channels == channels


@pytest.mark.parametrize("at_least", [16, 60, 64, 100, 400])
def test_a_large_jpeg_is_decoded_small_but_not_below_twice_what_is_needed(at_least: int) -> None:
    data = encoded(np.kron(blocks(), np.ones((10, 10, 1))).astype(np.uint8), "JPEG")
    read = pictures.decode(data, 3, at_least)
    shorter = min(read.shape[:2])
    assert shorter >= min(2 * at_least, 480)
    assert shorter < 4 * at_least or shorter == 60
    full = pictures.decode(data, 3)
    assert full.shape == (480, 640, 3)
    factor = 480 // shorter
    means = full.reshape(shorter, factor, -1, factor, 3).mean((1, 3))
    assert np.abs(means - read).mean() < 3


class CountingFile(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def test_of_ten_thousand_frames_only_the_first_is_read(tmp_path: Path) -> None:
    first, second = (Image.fromarray(blocks(seed=seed)) for seed in (1, 2))
    options = {"save_all": True, "append_images": [second], "duration": 50}
    one, two = encoded(first, "GIF"), encoded(first, "GIF", **options)
    frame = two[two.rindex(b"\x21\xf9") : -1]
    data = two[:-1] + frame * 10_000 + b";"
    file = CountingFile(data)
    assert (pictures.decode(file, 3) == pictures.decode(one, 3)).all()
    assert file.taken < 4 * len(two) + 100_000 < len(data)
    (tmp_path / "x.gif").write_bytes(data)
    assert pictures.header(tmp_path / "x.gif").animated


def test_many_threads_give_the_same_pictures_and_leave_the_settings_alone() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    kinds = [
        jpeg(),
        encoded(blocks(), "PNG"),
        oriented("WEBP", 6),
        jpeg()[:-2],
        oriented("TIFF", 5),
    ]
    alone = [pictures.decode(data, 3) for data in kinds]
    order = [number % len(kinds) for number in range(200)]
    random.Random(0).shuffle(order)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda kind: pictures.decode(kinds[kind], 3), order))
    assert all((alone[kind] == read).all() for kind, read in zip(order, together, strict=True))
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    assert before == after
