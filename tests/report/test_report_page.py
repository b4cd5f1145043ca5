import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from foveal.report import DataFacts, FittedRow, Use, result_sentence, write_report
from foveal.report.confusion import LARGEST_TABLE, PAIRS, confused_pairs
from foveal.report.html import build_page
from foveal.report.parts import GLOSSARY, glossary
from foveal.report.pictures import LARGEST_GALLERY, SIDE, SMALL, thumbnail
from foveal.report.words import text

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it belongs."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> inside {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, name):
        return [value for _, given, value in self.attributes if given == name]

    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def test_the_result_is_one_sentence_with_interval_and_baseline(evaluation):
    result = evaluation(("3", "8"), count=360, mistakes=5)
    assert result_sentence(result).replace("\u202f", " ") == (
        "98.6 % of 360 pictures it had never seen were named right "
        "(95 % interval 96.8–99.4); always saying “3” would get 50.0 %."
    )


def test_the_result_on_one_validation_picture_reads_well(evaluation):
    result = evaluation(count=1, mistakes=0, part="validation")
    assert result_sentence(result).replace("\u202f", " ") == (
        "100 % of 1 picture it did not learn from was named right "
        "(95 % interval 20.7–100); always saying “cat” would get 100 %."
    )


def test_the_page_holds_every_section_and_every_fact(run):
    page = Page(build_page(run()))
    shown = page.text()
    for heading in ("How it learned", "What it mixes up", "Every mistake", "Class by class"):
        assert heading in shown
    for fact in ("85.0 %", "0.71", "0.69", "conv1", "658", "3,168", "lenet5", "a CPU", "float32"):
        assert fact in shown
    assert "foveal predict model.safetensors cat.png" in shown
    assert "foveal train pets/" in shown


def test_the_page_is_written_into_the_folder_and_nothing_else(run, tmp_path):
    path = write_report(tmp_path, run())
    assert path == tmp_path / "report.html"
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_the_page_loads_nothing_and_runs_nothing(run, evaluation):
    result = evaluation()
    pictures = {wrong.file: np.zeros((8, 8, 3), dtype=np.uint8) for wrong in result.wrong}
    page = Page(build_page(run(result, pictures=pictures)))
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(value.startswith("data:image/") for value in page.all("src"))
    assert all(value.startswith("#") for value in page.all("href"))
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert any(value.startswith("default-src 'none'") for value in page.all("content"))


def test_every_link_leads_somewhere_and_no_name_is_used_twice(run, evaluation):
    for result in (evaluation(), evaluation([f"c{i}" for i in range(30)], 90, 20, "validation")):
        page = Page(build_page(run(result)))
        names = page.all("id")
        assert len(set(names)) == len(names)
        assert {value[1:] for value in page.all("href")} <= set(names)
        assert {one for value in page.all("aria-labelledby") for one in value.split()} <= set(names)


def test_script_in_any_name_is_shown_and_does_nothing(run, evaluation):
    bad = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
    for count in (2, LARGEST_TABLE + 5):
        classes = [f"{bad}{i}" for i in range(count)]
        names = [f"{bad}{i}.png" for i in range(count + LARGEST_GALLERY)]
        result = evaluation(classes, len(names), len(names), names=names)
        clean = Page(
            build_page(run(evaluation([f"c{i}" for i in range(count)], len(names), len(names))))
        )
        pictures = {names[0]: np.zeros((4, 4, 1), dtype=np.uint8)}
        counts = {"training": (3,) * count}
        written = build_page(
            run(
                result,
                title=bad,
                net=bad,
                device=bad,
                precision=bad,
                command=bad,
                model_file=bad,
                args={bad: bad},
                versions={bad: bad},
                uses=(Use(bad, bad),),
                data=DataFacts(bad, counts, skipped=((bad, bad),), notes=(bad,)),
                layers=tuple({**row, "name": bad, "kind": bad} for row in run().layers),
                pictures=pictures,
            )
        )
        page = Page(written)
        assert "<script" not in written
        assert "script" not in page.tags
        assert page.tags.count("img") == clean.tags.count("img") + 1
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        assert "<script>alert(1)</script>" in page.text()


def test_names_that_are_no_text_are_spelled_out(run, evaluation):
    names = ["a\udcff.png", "b\n.png", "c\u202egnp.exe", "d\x00.png"]
    written = build_page(run(evaluation(count=4, mistakes=4, names=names)))
    shown = Page(written).text()
    for spelled in (r"a\udcff.png", r"b\n.png", r"c\u202egnp.exe", r"d\x00.png"):
        assert spelled in shown
    written.encode("utf-8")


def test_persian_and_hebrew_names_stay_as_they_are():
    assert text("می\u200cخواهم שלום") == "می\u200cخواهم שלום"


def test_no_mistake_is_said_with_joy(run, evaluation):
    shown = Page(build_page(run(evaluation(mistakes=0)))).text()
    assert "None: all 20 pictures were named right." in shown
    assert "No class was taken for another." in shown


def test_wrong_pictures_are_shown_and_the_rest_listed(run, evaluation):
    count = LARGEST_GALLERY + 30
    result = evaluation(count=count, mistakes=count)
    pictures = {wrong.file: np.zeros((4, 4, 1), dtype=np.uint8) for wrong in result.wrong}
    page = Page(build_page(run(result, pictures=pictures)))
    assert page.tags.count("img") == LARGEST_GALLERY
    assert "The other 30 pictures" in page.text()
    for wrong in result.wrong:
        assert wrong.file in page.text()


def opened(tag):
    coded = re.search(r'src="data:image/\w+;base64,([^"]+)"', tag)
    return Image.open(io.BytesIO(base64.b64decode(coded[1])))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_small_picture_is_embedded_exactly(channels, mode):
    picture = np.random.default_rng(0).integers(0, 256, (SMALL, 20, channels), dtype=np.uint8)
    tag = thumbnail(picture, "a")
    image = opened(tag)
    assert (image.format, image.mode) == ("PNG", mode)
    assert np.array_equal(np.asarray(image).reshape(picture.shape), picture)
    assert 'class="pixels"' in tag


@pytest.mark.parametrize(("channels", "kind"), [(1, "JPEG"), (3, "JPEG"), (4, "PNG")])
def test_a_large_picture_is_reduced_in_proportion(channels, kind):
    image = opened(thumbnail(np.zeros((600, 300, channels), dtype=np.uint8), "a"))
    assert (image.format, image.size) == (kind, (SIDE // 2, SIDE))


@pytest.mark.parametrize("picture", [None, np.zeros((8, 8, 2), dtype=np.uint8)])
def test_what_is_no_picture_leaves_a_note(picture):
    assert thumbnail(picture, "a") == '<span class="missing">no picture</span>'


def test_few_classes_have_a_table_and_many_a_map_with_the_worst_pairs(run, evaluation):
    few = build_page(run(evaluation([f"c{i}" for i in range(LARGEST_TABLE)], 60, 9)))
    many = build_page(run(evaluation([f"c{i}" for i in range(100)], 300, 100)))
    assert 'class="confusion' in few
    assert 'class="map"' not in few
    assert 'class="confusion' not in many
    assert 'class="map"' in many
    assert f"The pairs mixed up most often. {100 - PAIRS} rarer pairs not shown." in many


def test_confused_pairs_come_most_frequent_first(evaluation):
    result = evaluation(("a", "b", "c"), count=30, mistakes=10)
    assert [(pair.truth, pair.answer, pair.times, pair.of) for pair in confused_pairs(result)] == [
        ("a", "b", 4, 10),
        ("b", "c", 3, 10),
        ("c", "a", 3, 10),
    ]


def test_what_must_stand_beside_the_number_does(run, evaluation):
    shown = Page(build_page(run())).text()
    assert "not clearly better" not in shown
    assert "There was no test part" not in shown
    assert "cannot be repeated exactly" not in shown
    assert "no benchmark" not in shown
    poor = run(evaluation(mistakes=10, part="validation"), repeatable=False, reached_goal=True)
    shown = Page(build_page(poor)).text()
    assert "This is not clearly better than always giving the same answer." in shown
    assert "There was no test part" in shown
    assert "The clock decided when to stop" in shown
    assert "It stopped as soon as it was good enough" in shown


def test_learning_by_heart_is_said_only_where_the_loss_rose(run, epoch):
    rising = (epoch(1, 1.0, 0.9), epoch(2, 0.5, 0.4), epoch(3, 0.1, 0.8))
    falling = (epoch(1, 1.0, 0.9), epoch(2, 0.5, 0.40), epoch(3, 0.1, 0.45))
    assert "lowest at epoch 2 (0.4)" in Page(build_page(run(epochs=rising))).text()
    assert "by heart" not in Page(build_page(run(epochs=falling))).text()


def test_no_epoch_and_no_validation_part_are_no_fault(run, epoch):
    assert "No epoch was finished." in build_page(run(epochs=(), first_loss=None))
    bare = Page(build_page(run(epochs=(epoch(1, 0.5, None, None),)))).text()
    assert "it was 0.5 on the pictures it learned from." in bare
    assert "Accuracy on the validation part: nothing was measured." in bare


def test_skipped_files_and_notes_are_listed(run):
    data = DataFacts(
        "pets",
        {"training": (5, 6), "test": (10, 10)},
        skipped=(("cat/x.jpg", "cut off"),),
        notes=("2 pictures were grey",),
    )
    shown = Page(build_page(run(data=data))).text()
    for fact in ("1 file left out", "cat/x.jpg", "cut off", "2 pictures were grey", "31"):
        assert fact in shown


def test_the_glossary_explains_every_word():
    entries = Page(glossary())
    assert entries.tags.count("dt") == entries.tags.count("dd") == len(GLOSSARY)


def test_report_needs_neither_torch_nor_scikit_learn():
    script = (
        "import sys, foveal.report; "
        "print([m for m in ('torch', 'sklearn', 'matplotlib', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


FITTED = FittedRow(features=1280, validation_loss=0.9, validation_accuracy=0.6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Then the others learned too."),
        ({"only_fitted": True}, "Then the others learned too, which made it no better"),
        ({"epochs": (), "only_fitted": True}, "The others stayed as they were."),
    ],
    ids=["thawed", "no better", "frozen"],
)
def test_a_trunk_that_was_brought_along_is_told_of(run, changes: dict, sentence: str) -> None:
    page = build_page(run(fitted=FITTED, **changes))
    assert "fitted to the 1,280 features that the others find in each picture" in page
    assert sentence in page
    assert "No epoch was finished." not in page
    assert "Before it learned" not in page
    assert "fitted to the" not in build_page(run())


def test_how_far_it_can_be_trusted_stands_at_the_top(run, evaluation) -> None:
    page = build_page(run(evaluation(mistakes=5)))
    assert "It was sure of 20, and right in 75.0\u202f% of these; its " in page
    assert " are off by 5.0\u202f% on average." in page
    few = evaluation(classes=("a", "b", "c"), mistakes=0)
    unsure = replace(few, sure=replace(few.sure, n=0, num_right=0))
    assert "It was unsure of all of them; its " in build_page(run(unsure))
