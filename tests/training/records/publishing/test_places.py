"""Folders of a machine in what is published."""

import tomllib
from pathlib import Path

import pytest

from upscale.training.config import make_config, write_config
from upscale.training.records.publishing.places import places_in, shortened, without_places


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/home/me/div2k", "div2k"),
        ("/home/me/div2k/", "div2k"),
        ("~/pictures/mine", "mine"),
        ("C:\\Users\\me\\div2k", "div2k"),
        ("\\\\server\\share\\a\\div2k", "div2k"),
        ("/", ""),
        ("div2k", "div2k"),
        ("../data/div2k", "../data/div2k"),
        ("hf://user/repo/file.safetensors", "hf://user/repo/file.safetensors"),
        ("https://example.org/a", "https://example.org/a"),
        ("", ""),
        (4, 4),
        (None, None),
    ],
)
def test_only_whole_paths_are_shortened(value: object, expected: object) -> None:
    assert shortened(value) == expected


def test_all_that_is_inside_is_found() -> None:
    value = {"a": "/b", "c": [1, "/d/e", {"f": "~/g"}], "h": {"i": "j"}, "k": 1.5}
    assert list(places_in(value)) == ["/b", "/d/e", "~/g"]


def test_all_else_stays_as_it_is_written() -> None:
    text = """# mine
data = "/home/me/div2k"   # all of it
lr='/home/me/div2k/lr'
"/home/me/div2k" = 'C:\\pictures\\mine'
more = ["/home/me/div2k", "x/home/me/div2k"]
rate = 1e-4
"""
    published = without_places(text)
    assert tomllib.loads(published) == {
        "data": "div2k",
        "lr": "lr",
        "div2k": "mine",
        "more": ["div2k", "x/home/me/div2k"],
        "rate": 1e-4,
    }
    assert published.startswith('# mine\ndata = "div2k"   # all of it\n')
    assert without_places(published) == published


def test_the_configuration_of_a_run(tmp_path: Path) -> None:
    folder = tmp_path / 'Bilder "für" mich'
    config = write_config(make_config("srgan", None, {"data": folder}))
    assert str(tmp_path) in config
    values = tomllib.loads(without_places(config))
    assert values.pop("data") == 'Bilder "für" mich'
    expected = tomllib.loads(config)
    del expected["data"]
    assert values == expected


def test_what_is_written_otherwise_is_refused() -> None:
    with pytest.raises(ValueError, match="/home/me"):
        without_places('data = "\\u002fhome/me/div2k"')
    with pytest.raises(tomllib.TOMLDecodeError):
        without_places("data = ")
