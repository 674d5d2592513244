"""The page of a study: its order, and a rater who uses it alone, without a server."""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browsing import Chromium, chromium_of, find, lent
from compared import Page
from program import shown as seen
from rated import RaterPage, by_name, made

from upscale.errors import OutputError, UsageError
from upscale.rating.page import served_page, write_page
from upscale.rating.ratings import read_file
from upscale.rating.study import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return made(tmp_path_factory.mktemp("study"), repeats=5)[0]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return made(tmp_path_factory.mktemp("pairs"), "pairs", repeats=5)[0]


# What is in it.


def test_the_page_holds_the_pictures_and_no_name(study: Study, tmp_path: Path) -> None:
    write_page(study, tmp_path / "page.html")
    page = Page(tmp_path / "page.html")
    sources = json.loads(page.texts["script"][1])
    for each in study.every:
        assert base64.b64decode(sources[each.name]) == study.file(each).read_bytes()
    assert sources.keys() == by_name(study).keys()
    words = json.dumps(page.data)
    assert not any(word in words for word in ("bicubic", "srgan", "set5", "p0", "sha256"))
    code = page.text.replace(page.texts["script"][1], "")
    assert not re.findall(r"https?:|//[a-z]|@import|url\(|\ssrc=\"[^\"]", code)
    assert "connect-src" not in page.policy
    assert "img-src data:" in page.policy


def test_a_page_that_is_served_asks_its_own_server_only(study: Study, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(served_page(study))
    page = Page(tmp_path / "page.html")
    assert page.texts["script"][1] == "{}"
    assert {"connect-src 'self'", "default-src 'none'"} <= set(page.policy.split("; "))


def test_a_page_is_not_written_over_and_is_named_html(study: Study, tmp_path: Path) -> None:
    write_page(study, tmp_path / "page.html")
    with pytest.raises(OutputError, match=r"page\.html") as caught:
        write_page(study, tmp_path / "page.html")
    assert caught.value.code == "output-exists"
    with pytest.raises(UsageError, match=r"page\.png"):
        write_page(study, tmp_path / "page.png")


# What a browser makes of it.


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[RaterPage]:
    with lent(chromium, RaterPage) as page:
        yield page


@pytest.mark.parametrize("mode", ["scores", "pairs"])
def test_each_rater_has_an_order_of_their_own(
    browser: RaterPage, study: Study, pairs: Study, tmp_path: Path, mode: str
) -> None:
    given = study if mode == "scores" else pairs
    write_page(given, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    orders = {code: browser.run(f"return drawn('{code}')") for code in "abcdefghij"}
    for code, order in orders.items():
        assert len(order) == given.trials
        counts = Counter(frozenset(shown) for shown in order)
        assert sorted(counts.values()) == [1] * (given.trials - 10) + [2] * 5
        scenes = [given.scenes[shown[0]] for shown in order]
        assert all(one != other for one, other in pairwise(scenes))
        again = Counter(given.scenes[next(iter(shown))] for shown in counts if counts[shown] == 2)
        assert max(again.values()) <= 2  # of 4 scenes
        assert browser.run(f"return drawn('{code}')") == order
    assert len({json.dumps(order) for order in orders.values()}) == 10
    if mode == "pairs":
        lefts = Counter(shown[0] < shown[1] for order in orders.values() for shown in order)
        assert min(lefts.values()) > 100  # of 290: sides are drawn
        order = orders["a"]
        twice = [shown for shown in order if order.count(shown) > 1]
        assert twice == []  # the second time the sides are the other way round
        return
    firsts = {order[0][0] for order in orders.values()}
    assert len(firsts) > 4


def test_two_scenes_alternate(browser: RaterPage, tmp_path: Path) -> None:
    two, _ = made(tmp_path, sizes=((8, 8), (8, 12)), repeats=8)
    write_page(two, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    scenes = [two.scenes[shown[0]] for shown in browser.run("return drawn('anna')")]
    assert len(scenes) == 16
    assert all(one != other for one, other in pairwise(scenes))


def test_a_rater_elsewhere_exports_what_they_answered(
    browser: RaterPage, study: Study, tmp_path: Path
) -> None:
    write_page(study, tmp_path / "page.html")
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    browser.open(tmp_path / "page.html")
    browser.begin("Anna")
    answers: dict[int, int] = {}
    while not browser.over():
        trial = browser.asked()["trial"]
        assert trial == len(answers)
        if trial == 9 and browser.run("return performance.navigation.type") != 1:
            browser.driver.refresh()  # in the middle: the page goes on where it was
            assert browser.asked()["trial"] == 9
            assert not browser.run("return document.getElementById('save').hidden")
        answers[trial] = 1 + trial % 5
        browser.answer(str(answers[trial]))
    with browser.until("click"):
        browser.click("#save-all")
    path = tmp_path / "ratings-anna.jsonl"
    while not path.exists():
        browser.settle()
    ratings = read_file(path, study)
    assert {each.trial: each.answer for each in ratings} == answers
    assert {each.rater for each in ratings} == {"anna"}
    order = browser.run("return drawn('anna')")
    assert [list(each.shown) for each in ratings] == order
    assert {each.ratio for each in ratings} == {1}
    assert all(each.window == (1000, 700) and each.screen[0] > 0 for each in ratings)
    assert all(url.startswith(("file:", "data:", "blob:")) for url in browser.requests())


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [2, 1.25])
def test_one_pixel_of_a_picture_is_one_of_the_screen(tmp_path: Path, ratio: float) -> None:
    study, key = made(tmp_path, sizes=((40, 60), (44, 52)))
    write_page(study, tmp_path / "page.html")
    with chromium_of(ratio, RaterPage) as browser:
        browser.open(tmp_path / "page.html", ratio=ratio)
        browser.begin("anna")
        for _ in range(study.trials):
            (name,) = browser.asked()["shown"]
            if key.origins[name].system == "HR":
                break
            browser.answer("3")
        screen = browser.screen()
        find(screen, seen(study.file(by_name(study)[name])))


def test_both_pictures_of_a_pair_are_shown_and_chosen_by_keys(
    browser: RaterPage, pairs: Study, tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    write_page(pairs, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.begin("ben")
    keys = {"a": 1, "b": 2, Keys.ARROW_LEFT: 1, Keys.ARROW_RIGHT: 2, "1": 1, "2": 2}
    for key in keys:
        browser.answer(key)
    browser.press(Keys.BACKSPACE)  # a slip can be mended
    assert browser.asked()["trial"] == 5
    browser.answer("a")
    assert browser.asked()["trial"] == 6
    kept = browser.run("return browser.read('ben')") or []
    assert [each["answer"] for each in kept] == [*keys.values(), 1]
    assert [each["trial"] for each in kept] == [0, 1, 2, 3, 4, 5, 5]
    images = browser.driver.find_elements("css selector", "#pictures img")
    names = browser.asked()["shown"]
    sizes = [by_name(pairs)[name] for name in names]
    assert [image.size["width"] for image in images] == [each.width for each in sizes]
    assert images[0].rect["x"] < images[1].rect["x"]


def test_other_keys_do_nothing(browser: RaterPage, study: Study, tmp_path: Path) -> None:
    write_page(study, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.press("no code!", "\ue007")
    assert browser.run("return document.getElementById('session').hidden")
    browser.open(tmp_path / "page.html")
    browser.press("carl", "\ue007")
    assert browser.asked()["teaches"] == 1
    browser.press("5", "6", "0", "x", " ")  # an example takes its own score only
    assert browser.asked()["teaches"] == 1
    browser.answer("1")
    assert browser.asked()["teaches"] == 5


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_everything_fits_and_is_named(
    browser: RaterPage, pairs: Study, study: Study, tmp_path: Path, width: int
) -> None:
    for number, given in enumerate((study, pairs)):
        path = tmp_path / f"{number}.html"
        write_page(given, path)
        browser.open(path, (width, 700), mobile=width < 500)
        browser.begin("dora")
        browser.settle()
        assert browser.run("return document.documentElement.scrollWidth") <= width
        for button in browser.driver.find_elements("css selector", "#session button"):
            if button.is_displayed():
                assert button.accessible_name
                assert button.rect["x"] >= 0
                assert button.rect["x"] + button.rect["width"] <= width
                assert button.rect["height"] >= 24  # WCAG 2.2, 2.5.8
        assert all(
            image.accessible_name
            for image in browser.driver.find_elements("css selector", "#pictures img")
        )
        assert browser.driver.find_element("id", "stage").rect["height"] > 300
        colour = browser.screen()[-250, width // 2 - 150]
        assert np.array_equal(colour, (128, 128, 128))  # in light and in dark
