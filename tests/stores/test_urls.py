import pytest

from upscale.errors import UsageError
from upscale.stores.urls import Place, is_url, join, place_of, relative, scheme_of


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("s3://in/a.png", True),
        ("GS://in", True),
        ("gopher://in", True),
        ("C://in", False),
        ("/s3://in", False),
        ("a.png", False),
        ("s3:/in", False),
        ("", False),
    ],
)
def test_a_word_is_a_url_or_a_path(word: str, expected: bool) -> None:
    assert is_url(word) is expected


def test_a_key_is_written_as_it_is() -> None:
    assert place_of("s3://in/a b/100%25 #1?.png") == Place("in", "a b/100%25 #1?.png")
    assert place_of("s3://in") == place_of("s3://in/") == Place("in", "")
    assert scheme_of("S3://in") == "s3"
    assert scheme_of("in/a.png") == ""


@pytest.mark.parametrize("root", ["s3://in", "s3://in/", "s3://in/deep", "s3://in/deep/"])
@pytest.mark.parametrize("name", ["a.png", "b/c.png", "/d.png", "../e.png", "f/"])
def test_joined_is_the_way_back_from_relative(root: str, name: str) -> None:
    url = join(root, name)
    assert url.startswith(root.rstrip("/") + "/")
    assert relative(url, root) == name


@pytest.mark.parametrize("url", ["s3://in/deeper/a.png", "s3://out/a.png", "s3://in/deep/"])
def test_what_lies_elsewhere_has_no_place_below(url: str) -> None:
    with pytest.raises(UsageError, match=r"s3://in/deep"):
        relative(url, "s3://in/deep")


def test_a_bucket_is_needed() -> None:
    with pytest.raises(UsageError, match="s3://BUCKET"):
        place_of("s3:///a.png")


@pytest.mark.parametrize(
    "url",
    [
        "s3://nobody:a-secret@in/a.png",
        "s3://in/a.png?X-Amz-Date=1&X-Amz-Signature=a-secret",
        "az://in/a.png?sv=2024&sig=a-secret",
        "gs://in/a.png?X-Goog-Signature=a-secret",
    ],
)
def test_an_address_with_a_secret_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        place_of(url)
    assert "a-secret" not in str(caught.value)
    assert "in" in str(caught.value)
