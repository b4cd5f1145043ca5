"""Pictures that cannot be read are refused with a sentence; those that can be saved are used."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.picture_files import blocks, encoded, jpeg, png_header

from foveal.data import pictures
from foveal.errors import DataError


def refusal(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        pictures.decode(data, 3, name="x.jpg")
    return str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "PPM", "AVIF"])
def test_a_picture_that_is_cut_is_refused(format: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    data = encoded(noise, format)
    assert refusal(data[: int(len(data) * share)]).startswith("x.jpg: ")


def test_the_sentence_of_a_cut_picture() -> None:
    for data in (jpeg(), encoded(blocks(), "BMP")):
        assert refusal(data[: len(data) * 9 // 10]) == "x.jpg: the picture is cut off"


def test_the_sentence_of_a_cut_header() -> None:
    assert refusal(jpeg()[:100]) == "x.jpg: the picture is cut off"
    png = encoded(blocks(), "PNG")
    assert refusal(png[:10]) == "x.jpg: the header of this PNG picture is damaged"


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_jpeg_without_its_end_marker_is_used(options: dict[str, object]) -> None:
    data = jpeg(**options)
    whole = pictures.decode(data, 3)
    assert data.endswith(b"\xff\xd9")
    for cut in (1, 2):
        assert (pictures.decode(data[:-cut], 3) == whole).all()
    assert pictures.decode(data[:-2], 1, at_least=6).shape == (12, 16, 1)


@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 2}])
def test_a_jpeg_that_lacks_a_single_pixel_is_refused(options: dict[str, object]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    data = encoded(noise, "JPEG", **options)
    whole = pictures.decode(data, 3)
    for cut in range(3, len(data) - 600, 7):
        try:
            read = pictures.decode(data[:-cut], 3)
        except DataError:
            continue
        assert (read == whole).all()
    assert refusal(data[:-40]) == "x.jpg: the picture is cut off"


def test_bytes_around_a_jpeg_do_not_matter() -> None:
    whole = pictures.decode(jpeg(), 3)
    for data in (b"\r\n\r\n" + jpeg(), jpeg() + b"\0" * 5000, b"x" * 200 + jpeg() + b"y" * 200):
        assert (pictures.decode(data, 3) == whole).all()


def test_a_jpeg_inside_another_file_is_not_taken_for_it() -> None:
    problem = "x.jpg: not a picture of a known format"
    assert refusal(b"%PDF-1.4" + jpeg() + b"other things" * 50).startswith(problem)
    assert refusal(b"8BPS" + b"\0" * 400 + jpeg()).startswith(problem)


def gif_bomb() -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + (b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08\x02\x84\x51\0;")
    )


def bmp_bomb() -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, 60000, 60000, 1, 8, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 2000, 0, 0, 54 + 1024) + info + bytes(2000)


def webp_bomb() -> bytes:
    bits = 16382 | 16382 << 14
    payload = b"\x2f" + struct.pack("<I", bits) + bytes(100)
    body = b"WEBPVP8L" + struct.pack("<I", len(payload)) + payload + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("bomb", [gif_bomb, bmp_bomb, webp_bomb])
def test_a_bomb_is_refused_from_its_header(bomb: object) -> None:
    assert refusal(bomb()).startswith("x.jpg: the picture is too large")


def test_the_limit_is_fifty_million_pixels(tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(png_header(10_000, 5_000))
    assert pictures.header(tmp_path / "large.png").width == 10_000
    assert refusal(png_header(10_000, 5_001)) == (
        "x.jpg: the picture is too large\n"
        "  arrives:  10000 x 5001 pixels\n"
        "  expected: at most 50,000,000 pixels\n"
        "  fix:      make it smaller first"
    )
    assert refusal(png_header(100_000, 100_000)) == (
        "x.jpg: the picture is too large\n"
        "  arrives:  far more pixels\n"
        "  expected: at most 50,000,000 pixels\n"
        "  fix:      make it smaller first"
    )


def test_what_is_no_picture_is_refused() -> None:
    assert refusal(b"") == "x.jpg: the file is empty"
    sentence = (
        "x.jpg: not a picture of a known format\n"
        "  expected: JPEG, PNG, WebP, GIF, BMP, TIFF, PPM, PGM, AVIF or HEIC"
    )
    icon = encoded(blocks(16, 16), "ICO")
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    for data in (b"hello", bytes(1000), icon, encoded(blocks(), "TGA"), postscript):
        assert refusal(data) == sentence


def test_damage_inside_is_told() -> None:
    data = bytearray(encoded(blocks(), "PNG"))
    place = data.index(b"IDAT") + 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    assert refusal(bytes(data)) == (
        "x.jpg: the picture is damaged\n"
        "  arrives:  Pillow says: broken data stream when reading image file"
    )


def test_heic_names_the_package_that_reads_it() -> None:
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
        assert refusal(data) == (
            "x.jpg: a HEIC picture, which Pillow cannot read alone\n"
            "  fix:      pip install pillow-heif"
        )


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.jpg: cannot be opened: No such file"):
        pictures.read(tmp_path / "nowhere.jpg", 3)
    with pytest.raises(DataError, match="cannot be opened: "):
        pictures.read(tmp_path, 3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(jpeg())
    path.chmod(0)
    with pytest.raises(DataError, match=r"secret\.jpg: cannot be opened: Permission denied"):
        pictures.read(path, 3)


FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF")
FILES = [encoded(blocks(), format) for format in FORMATS]


@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=20),
    st.booleans(),
)
def test_any_damage_gives_a_picture_or_a_sentence(
    data: bytes, changes: list[tuple[float, int]], early: bool
) -> None:
    broken = bytearray(data)
    reach = min(200, len(data)) if early else len(data)
    for place, value in changes:
        broken[int(place * (reach - 1))] = value
    try:
        read = pictures.decode(bytes(broken), 3)
    except DataError:
        return
    assert read.ndim == 3
