"""Names of outputs: what a template makes, how long it may be, and what it gives away again."""

import os
import re
import unicodedata
from pathlib import Path

import pytest
import windows
from hypothesis import given
from hypothesis import strategies as st

from upscale.batch.planning.naming import LONGEST_NAME, Naming, ending, originals
from upscale.batch.planning.walk import Found
from upscale.errors import InputError, UsageError
from upscale.pictures.formats import WRITABLE

NAMES = st.binary(min_size=1, max_size=255).map(
    lambda raw: os.fsdecode(raw.replace(b"/", b"-").replace(b"\0", b"-"))
)
"""Any file's name: bytes without a slash and NUL."""


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}_{target}", "photo_x4.jpg"),
        ("{stem}_x{scale}", "photo_x4.jpg"),
        ("{name}-{model}", "photo.jpg-srgan.jpg"),
        ("{alpha}{alpha} {stem}", "0.60.6 photo.jpg"),
        ("{{{stem}}}", "{photo}.jpg"),
        ("large", "large.jpg"),
        ("-{stem}\n", "-photo\n.jpg"),
        ("{stem}.v2", "photo.v2.jpg"),
        (ending("_big"), "photo_big.jpg"),
        (ending("{stem}{"), "photo{stem}{.jpg"),
        (ending(""), "photo.jpg"),
    ],
)
def test_a_template_is_filled(template: str, name: str) -> None:
    naming = Naming(template, model="srgan", alpha="0.6")
    assert naming.name(Path("in/photo.jpg")) == name


@pytest.mark.parametrize(
    ("path", "suffix", "name"),
    [
        ("a.png", None, "a_x4.png"),
        ("a.jpeg", None, "a_x4.jpeg"),
        ("A.JPE", None, "A_x4.JPE"),
        ("a.TIFF", None, "a_x4.TIFF"),
        ("a.gif", None, "a_x4.gif"),
        ("a.heic", None, "a_x4.png"),
        ("a.bmp", None, "a_x4.png"),
        ("a", None, "a_x4.png"),
        (".png", None, ".png_x4.png"),
        ("a.b.jpg", None, "a.b_x4.jpg"),
        ("a.jpeg", ".jpg", "a_x4.jpg"),
        ("a.heic", ".webp", "a_x4.webp"),
        ("a", ".tif", "a_x4.tif"),
    ],
)
def test_the_suffix_is_the_inputs_own_where_it_can_be_written(
    path: str, suffix: str | None, name: str
) -> None:
    assert Naming(suffix=suffix).name(Path(path)) == name


def test_of_a_models_address_the_last_part_is_written() -> None:
    for model in ("hf://user/repository/gan.pth", "/models/gan.pth", "C:\\gan.pth", "gan.pth"):
        assert Naming("{stem}-{model}", model=model).name(Path("a.png")) == "a-gan.pth.png"


@pytest.mark.parametrize(
    "template",
    [
        *("{stem.__class__}", "{stem[0]}", "{stem!r}", "{stem:>9}", "{stem:{scale}}", "{0}", "{}"),
        *("{Stem}", "{path}", "{ stem }", "{stem.__class__.__mro__[1]}"),
    ],
)
def test_what_is_no_field_is_refused_and_the_fields_named(template: str) -> None:
    with pytest.raises(UsageError, match=r"\{stem\}, \{name\}, \{ext\}, \{scale\}, "):
        Naming(template)


@pytest.mark.parametrize(
    "template",
    ["", "a/{stem}", "/{stem}", "../{stem}", "a\\{stem}", "a\0", "{stem", "stem}", "{model}"],
)
def test_what_cannot_be_a_name_is_refused(template: str) -> None:
    with pytest.raises(UsageError):
        Naming(template)


# Length


@pytest.mark.parametrize(
    ("stem", "length"),
    [("n" * 251, 251), ("é" * 125, 250), ("😀" * 62, 248), ("n" * 248, 248), ("n" * 249, 249)],
)
def test_a_name_is_as_long_as_it_may_be(stem: str, length: int) -> None:
    assert len(stem.encode()) == length
    name = Naming().name(Path(f"{stem}.png"))
    room = LONGEST_NAME - len("_x4.png")
    wide = len(stem[0].encode())
    assert name == stem[: room // wide] + "_x4.png"


def test_a_template_without_room_for_its_input_is_refused() -> None:
    with pytest.raises(UsageError, match="255"):
        Naming("{stem}" + "n" * 255).name(Path("a.png"))


@given(NAMES, st.sampled_from(["{stem}_{target}", "{name}{scale}", "{stem}{name}"]))
def test_any_name_can_be_given_to_the_disk(name: str, template: str) -> None:
    path = Path(name)
    if path.name != name:
        return
    made = Naming(template).name(path)
    assert 0 < len(os.fsencode(made)) <= LONGEST_NAME
    assert Path(made).name == made
    assert made not in (".", "..")
    assert os.fsdecode(os.fsencode(made)) == made


@given(NAMES)
def test_the_beginning_of_a_stem_stays(name: str) -> None:
    path = Path(name)
    made = Naming("{stem}", ".png").name(path).removesuffix(".png")
    assert path.stem.startswith(made)
    assert made == path.stem or len(os.fsencode(path.stem)) > LONGEST_NAME - 4


# What an earlier run has made


def walked(*names: str, folder: str = "in") -> list[Found]:
    return [Found(Path(folder, name), Path(name), walked=True) for name in names]


@pytest.mark.parametrize("made", [f"photo_x4{suffix}" for suffix in (*WRITABLE, ".jpeg", ".PNG")])
def test_an_output_beside_its_input_is_left_out(made: str) -> None:
    assert originals(walked("photo.jpg", made), Naming()) == walked("photo.jpg")
    assert originals(walked(made, "photo.jpg"), Naming()) == walked("photo.jpg")


@pytest.mark.parametrize(
    ("naming", "left_out", "kept"),
    [
        (Naming(), "a_x4.png a_x4_x4.png", "a_x2.png b_x4.png a_X4.png a_x4.bmp"),
        (Naming(target="x2"), "a_x2.webp a_x4.webp", "a_x3.webp"),
        (Naming("{stem}_big"), "a_big.png a_x4.png a_x4_big.png", "big.png a_BIG.png"),
        (Naming("{name}"), "a.jpg.png a_x4.png", "b.jpg.png"),
        (Naming("{stem}"), "a_x4.png", "a.png a.webp"),
        (Naming(suffix=".avif"), "a_x4.avif a_x4.tif", "a.avif"),
    ],
)
def test_the_template_and_the_default_tell_what_was_made(
    naming: Naming, left_out: str, kept: str
) -> None:
    found = walked("a.jpg", *left_out.split(), *kept.split())
    assert originals(found, naming) == walked("a.jpg", *kept.split())


@pytest.mark.parametrize(
    ("picture", "made", "known"),
    [
        ("in/a.png", "in/large/a_x4.png", True),
        ("in/b/a.png", "in/large/b/a_x4.png", True),
        ("in/b/a.png", "in/b/large/more/a_x4.png", True),
        ("in/b/c/a.png", "in/b/large/c/a_x4.png", True),
        ("a.png", "large/a_x4.png", True),
        ("/in/a.png", "/in/large/a_x4.png", True),
        ("in/b/a.png", "in/large/a_x4.png", False),
        ("in/b/a.png", "in/a_x4.png", False),
        ("in/b/a.png", "in/c/a_x4.png", False),
        ("in/b/c/a.png", "in/large/c/b/a_x4.png", False),
    ],
)
def test_an_output_folder_of_before_is_known_by_its_place(
    picture: str, made: str, known: bool
) -> None:
    found = [Found(Path(path), Path(path), walked=True) for path in (picture, made)]
    assert originals(found, Naming()) == (found[:1] if known else found)


def test_an_output_without_its_input_is_a_picture() -> None:
    assert originals(walked("a_x4.png"), Naming()) == walked("a_x4.png")


def test_what_is_named_by_itself_is_a_picture() -> None:
    found = [*walked("a.png"), Found(Path("in/a_x4.png"), Path("a_x4.png"))]
    assert originals(found, Naming()) == found


def test_what_is_no_picture_made_nothing() -> None:
    lost = Found(Path("in/a.png"), Path("a.png"), problem=InputError("lost"), walked=True)
    found = [lost, *walked("a_x4.png")]
    assert originals(found, Naming()) == found


def test_the_output_of_the_longest_name_is_known_again() -> None:
    long = unicodedata.normalize("NFD", "é" * 80) + "n" * 11 + ".png"
    assert len(long.encode()) == LONGEST_NAME
    made = Naming().name(Path(long))
    assert originals(walked(long, made), Naming()) == walked(long)


@pytest.mark.parametrize("template", ["CON", "{stem}:{target}", "a?", "{stem}|", "nul.{scale}"])
def test_a_template_that_windows_cannot_name_is_refused_there(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming = Naming(template)
    windows.imitate(monkeypatch)
    with pytest.raises(UsageError, match=re.escape(repr(template))):
        Naming(naming.template)


def test_templates_that_end_in_a_dot_get_a_suffix(monkeypatch: pytest.MonkeyPatch) -> None:
    windows.imitate(monkeypatch)
    assert Naming("{stem}.").name(Path("a.png")) == "a..png"
