"""The page that compares pictures: what goes into it, and what a browser makes of it."""

import base64
import hashlib
import http.server
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Chromium, chromium_of, find, lent
from compared import BLUE, GREEN, RED, Page, Pixels, noise, page_of, run_report, saved
from PIL import Image

from upscale.errors import InputError, OutputError, UsageError
from upscale.viewing.compare import LARGE, LARGEST, read_settings, write_page

# What is in the page.


NAMES = [
    "</script><script>broken=1</script>",
    "<!--<script>",
    "{{pictures}}{{data}}{{policy}}",
    "\"'><img src=x onerror=broken=1>",
    "a\u2028b\\n\u0000é🦅 & &amp; ]]>",
]


def test_no_text_breaks_out_of_its_place(tmp_path: Path) -> None:
    # No file's name holds a slash; what a report says may.
    names = [name for name in NAMES if not {"/", "\0"} & set(name)]
    pictures = [saved(tmp_path / f"{name}.png", noise(4, 4)) for name in names]
    settings = {pictures[0]: {name: name for name in NAMES}}
    page = page_of(tmp_path, *pictures, settings=settings)
    assert page.labels == [path.name for path in pictures]
    assert [page.column(name)[0] for name in NAMES] == NAMES
    assert [data for _, data in page.images] == [path.read_bytes() for path in pictures]
    assert len(page.texts["script"]) == 2
    assert "{{" not in page.texts["script"][1]


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path) -> None:
    try:
        path = saved(tmp_path / os.fsdecode(b"\xff.png"), noise(4, 4))
    except (OSError, UnicodeError):
        pytest.skip("names are texts here")
    assert page_of(tmp_path, path, path).column("file") == ["\\xff.png"] * 2


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(tmp_path: Path) -> None:
    page = page_of(tmp_path, *[saved(tmp_path / "a.png", RED)] * 2)

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert dict(rule.split(" ", 1) for rule in page.policy.split("; ")) == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "script-src": digest(page.texts["script"][1]),
        "style-src": digest(page.texts["style"][0]),
    }
    code = re.sub(r"data:[^\"]*", "", page.text)
    assert not re.findall(r"https?:|//[a-z]|@import|url\(|\ssrc=\"[^\"]|fetch\(", code)


# Settings, and what the page is called.


def test_settings_come_from_the_report_of_a_run(tmp_path: Path) -> None:
    outputs = {tmp_path / f"{status}.png": status for status in ("done", "skipped", "failed")}
    path = run_report(
        tmp_path / "r.jsonl", outputs, model="srgan", alpha=0.8, precision="bf16", note=1
    )
    known = {"model": "srgan", "alpha": 0.8, "precision": "bf16"}
    assert read_settings(path) == {
        (tmp_path / "done.png").resolve(): {**known, "seconds": 1.25},
        (tmp_path / "skipped.png").resolve(): known,
    }


def test_a_relative_path_in_a_report_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    saved(Path("here.png"), RED)
    saved(Path("run/there.png"), RED)
    outputs = {Path("here.png"): "done", Path("there.png"): "done"}
    found = read_settings(run_report(tmp_path / "run/r.jsonl", outputs, model="srgan"))
    assert set(found) == {Path("here.png").resolve(), Path("run/there.png").resolve()}


@pytest.mark.parametrize("text", [b"no JSON", b"\xff\xfe", b'{"kind": "file"'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "r.jsonl").write_bytes(text)
    with pytest.raises(InputError, match="--report"):
        read_settings(tmp_path / "r.jsonl")
    with pytest.raises(InputError, match=r"none\.jsonl"):
        read_settings(tmp_path / "none.jsonl")


def test_a_report_of_other_things_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text('[1]\n7\n{"status": "done", "error": {"code": "x"}}\n')
    assert read_settings(tmp_path / "r.jsonl") == {}


def test_settings_name_the_pictures_and_fill_the_table(tmp_path: Path) -> None:
    names = ["lr", "plain", "alpha", "file"]
    paths = [saved(tmp_path / f"{name}.png", GREEN) for name in names]
    (tmp_path / "link").symlink_to(tmp_path)
    settings: dict[Path, dict[str, object]] = {
        tmp_path / "link" / "plain.png": {"model": "srgan", "alpha": None, "tile": 320},
        paths[2]: {"seconds": 0.25, "model": "srgan", "alpha": 0.8},
        paths[3]: {"model": "weights/gan.pth"},
    }
    page = page_of(tmp_path, *paths, settings=settings)
    assert page.labels == ["lr.png", "srgan", "srgan α 0.8", "gan.pth"]
    assert page.data["columns"][5:-1] == ["model", "alpha", "seconds", "tile"]
    assert page.column("alpha") == ["–", "–", "0.8", "–"]
    assert page.column("seconds") == ["–", "–", "0.25", "–"]
    assert page.column("tile") == ["–", "320", "–", "–"]


def test_pictures_of_one_name_can_be_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    paths = [saved(tmp_path / name / "a.png", GREEN) for name in ("one", "two")]
    assert page_of(tmp_path, *paths).labels == ["one/a.png", "two/a.png"]
    same = {path: {"model": "srgan"} for path in paths}
    assert page_of(tmp_path, *paths, settings=same).labels == [
        "srgan (one/a.png)",
        "srgan (two/a.png)",
    ]
    assert page_of(tmp_path, paths[0], paths[0]).labels == ["one/a.png, 1", "one/a.png, 2"]


# What is refused, and what stays of a page that was there.


def test_one_picture_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.png"):
        page_of(tmp_path, saved(tmp_path / "a.png", RED))


def test_a_picture_is_not_overwritten(tmp_path: Path) -> None:
    first, second = (saved(tmp_path / f"{name}.png", RED) for name in "ab")
    before = second.read_bytes()
    with pytest.raises(UsageError, match=r"b\.png"):
        write_page([first, second], second, overwrite=True)
    assert second.read_bytes() == before


def test_only_a_page_of_ours_is_replaced(tmp_path: Path) -> None:
    pictures = [saved(tmp_path / f"{name}.png", RED) for name in "ab"]
    target = tmp_path / "page.html"
    target.write_text("<!doctype html><p>mine")
    with pytest.raises(OutputError, match=r"page\.html.*--overwrite") as caught:
        write_page(pictures, target)
    assert caught.value.code == "output-exists"
    assert target.read_text() == "<!doctype html><p>mine"
    write_page(pictures, target, overwrite=True)
    assert len(Page(target).images) == 2
    write_page(pictures * 2, target)
    assert len(Page(target).images) == 4
    with pytest.raises(OutputError, match=f"^{tmp_path}: "):
        write_page(pictures, tmp_path, overwrite=True)
    with pytest.raises(OutputError, match=r"a\.png"):
        write_page(pictures, pictures[0] / "page.html")


def test_a_page_that_fails_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    first, second = (saved(tmp_path / f"{name}.png", RED) for name in "ab")
    target = tmp_path / "page.html"
    write_page([first, second], target)
    before = target.read_bytes()
    second.write_bytes(b"")
    for bad in (second, tmp_path / "none.png", target):
        with pytest.raises((InputError, UsageError)):
            write_page([first, bad], target)
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png", "page.html"}


def test_too_many_bytes_are_refused_and_many_announced(tmp_path: Path) -> None:
    first, second = (saved(tmp_path / f"{name}.png", RED) for name in "ab")
    said: list[str] = []
    os.truncate(second, LARGEST)  # holes behind the picture take no room on the disk
    with pytest.raises(UsageError, match=r"page\.html"):
        page_of(tmp_path, first, second, notify=said.append)
    assert not said
    os.truncate(second, LARGE)
    page_of(tmp_path, first, second, notify=said.append)
    (line,) = said
    assert line.startswith(f"{tmp_path / 'page.html'}: ")
    assert " 50 MB " in line


# What a browser makes of it. All is measured in pictures of its screen.


class Browser(Chromium):
    """What a hand and an eye would do on the page."""

    def stage(self) -> tuple[float, float, float, float]:
        """Return left, top, width and height, in CSS pixels."""
        box = self.driver.find_element("id", "stage").rect
        return box["x"], box["y"], box["width"], box["height"]

    def middle(self) -> tuple[int, int]:
        left, top, width, height = self.stage()
        return int(left + width / 2), int(top + height / 2)

    def drag(self, start: tuple[int, int], by: tuple[int, int], kind: str = "mouse") -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        from selenium.webdriver.common.actions.pointer_input import PointerInput

        actions = ActionBuilder(self.driver, mouse=PointerInput(kind, kind), duration=0)
        hand = actions.pointer_action
        hand.move_to_location(*start).pointer_down()
        hand.move_to_location(start[0] + by[0] // 3, start[1] + by[1] // 3)
        hand.move_to_location(start[0] + by[0], start[1] + by[1]).pointer_up()
        with self.until("pointerup"):
            actions.perform()

    def wheel(self, at: tuple[int, int], amount: int) -> None:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

        origin = ScrollOrigin.from_viewport(*at)
        with self.until("wheel"):
            ActionChains(self.driver, duration=0).scroll_from_origin(origin, 0, amount).perform()

    def touch(self, kind: str, *points: tuple[int, int]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        event = {"type": kind, "touchPoints": touches}
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    def zoom(self) -> str:
        return str(self.driver.find_element("id", "zoom").text)

    def labels(self) -> list[str]:
        return [self.driver.find_element("css selector", f"#{side} p").text for side in SIDES]


SIDES = ("left", "right")


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    with lent(chromium, Browser) as page:
        yield page


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a red, a blue and a green picture of 400 × 300."""
    folder = tmp_path_factory.mktemp("flat")
    colours = {"red": RED, "blue": BLUE, "green": GREEN}
    pictures = [saved(folder / f"{name}.png", colour) for name, colour in colours.items()]
    write_page(pictures, folder / "page.html")
    return folder / "page.html"


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two pictures of 64 × 48 pixels, each of another colour, and one of 16 × 12."""
    folder = tmp_path_factory.mktemp("fine")
    small = saved(folder / "small.png", noise(16, 12, 3))
    pictures = [saved(folder / f"{seed}.png", noise(64, 48, seed)) for seed in (1, 2)]
    write_page([*pictures, small], folder / "page.html")
    return folder / "page.html"


def enlarged(pixels: Pixels, times: int) -> Pixels:
    return pixels.repeat(times, 0).repeat(times, 1)


def boundary(screen: Pixels, row: int, left: Any, right: Any) -> float:
    """Return where one colour ends and the other begins: the middle of the line between them."""
    first = np.flatnonzero((screen[row] == left).all(1))
    second = np.flatnonzero((screen[row] == right).all(1))
    assert first.max() < second.min() <= first.max() + 7
    return float(first.max() + 1 + second.min()) / 2


def row_of(browser: Browser) -> int:
    """Return a row that crosses the picture above the divider's knob."""
    return browser.middle()[1] - 100


def test_the_page_asks_for_nothing(browser: Browser, flat: Path) -> None:
    browser.open(flat)
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [flat.as_uri()]
    used = "return performance.getEntriesByType('resource').map((each) => each.name)"
    assert all(name.startswith("data:") for name in browser.run(used))


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """Serve nothing, and note what is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}", asked
        serving.shutdown()
        thread.join()


def test_the_page_may_not_ask_for_anything(browser: Browser, flat: Path, tmp_path: Path) -> None:
    with server() as (address, asked):
        script = f"""
          new Image().src = "{address}/image";
          fetch("{address}/fetch").catch(() => 0);
          for (const [tag, where] of [["script", "src"], ["link", "href"], ["iframe", "src"]]) {{
            const made = document.createElement(tag);
            made.rel = "stylesheet";
            made[where] = "{address}/" + tag;
            document.body.append(made);
          }}
          const inline = document.createElement("script");
          inline.textContent = "window.broken = 1";
          document.body.append(inline);
        """
        control = tmp_path / "control.html"
        control.write_text("<!doctype html><body></body>")
        tried = {"/image", "/fetch", "/script", "/link", "/iframe"}
        for page, expected in ((flat, set()), (control, tried)):
            browser.open(page)
            browser.run(script)
            end = time.monotonic() + 10
            while expected > set(asked) and time.monotonic() < end:
                browser.settle()
            assert set(asked) & tried == expected
            assert browser.run("return window.broken") == (None if page == flat else 1)
    browser.said()  # all those refusals


def test_a_hostile_text_stays_a_text(browser: Browser, tmp_path: Path) -> None:
    names = [name for name in NAMES if not {"/", "\0"} & set(name)]
    pictures = [saved(tmp_path / f"{name}.png", noise(4, 4)) for name in names]
    settings = {pictures[0]: {name: name for name in NAMES}}
    write_page(pictures, tmp_path / "page.html", settings)
    browser.open(tmp_path / "page.html")
    assert browser.run("return window.broken") is None
    cells = "return [...document.querySelectorAll('tbody th')].map((each) => each.textContent)"
    assert browser.run(cells) == [path.name for path in pictures]
    cells = "return [...document.querySelector('tbody tr').cells].map((each) => each.textContent)"
    assert set(NAMES) <= set(browser.run(cells))


def test_the_first_is_left_of_the_divider_and_the_second_right(
    browser: Browser, flat: Path
) -> None:
    browser.open(flat)
    left, _, width, _ = browser.stage()
    screen, row = browser.screen(), row_of(browser)
    assert abs(boundary(screen, row, RED, BLUE) - (left + width / 2)) <= 0.5
    assert (screen[row] == RED).all(1).sum() + (screen[row] == BLUE).all(1).sum() == 400 - 4
    assert browser.labels() == ["red.png 400 × 300", "blue.png 400 × 300"]


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
def test_dragging_moves_the_divider(browser: Browser, flat: Path, kind: str) -> None:
    browser.open(flat)
    row, (x, y) = row_of(browser), browser.middle()
    before = boundary(browser.screen(), row, RED, BLUE)
    for grabbed in (x - 8, x):  # on the knob, beside the line, and then elsewhere on the line
        browser.drag((grabbed, y), (-150, 40), kind)
        assert boundary(browser.screen(), row, RED, BLUE) == before - 150
        browser.drag((x - 150, y - 150), (150, 0), kind)
        assert boundary(browser.screen(), row, RED, BLUE) == before
    browser.drag((x, y), (400, 0), kind)
    assert (browser.screen()[row] == RED).all(1).sum() == 400


def test_arrows_move_the_divider(browser: Browser, flat: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(flat)
    row, width = row_of(browser), browser.stage()[2]
    before = boundary(browser.screen(), row, RED, BLUE)
    browser.press(Keys.ARROW_LEFT)
    browser.press(Keys.ARROW_LEFT)
    after = boundary(browser.screen(), row, RED, BLUE)
    assert abs(before - after - 0.04 * width) <= 1
    browser.press(Keys.ARROW_RIGHT)
    assert boundary(browser.screen(), row, RED, BLUE) > after
    divider = browser.driver.find_element("id", "divider")
    divider.send_keys(Keys.END)
    assert (browser.screen()[row] == RED).all(1).sum() == 400
    assert divider.get_attribute("aria-valuenow") == "100"
    divider.send_keys(Keys.HOME)
    assert (browser.screen()[row] == BLUE).all(1).sum() == 400
    assert divider.get_attribute("aria-valuenow") == "0"


def test_space_and_the_button_swap(browser: Browser, flat: Path) -> None:
    browser.open(flat)
    row = row_of(browser)
    for swap in (
        lambda: browser.press(" "),
        lambda: browser.click("#swap"),
        lambda: browser.press(" "),  # and not the button that was clicked
    ):
        before = boundary(browser.screen(), row, RED, BLUE)
        swap()
        assert boundary(browser.screen(), row, BLUE, RED) == before
        assert browser.labels() == ["blue.png 400 × 300", "red.png 400 × 300"]
        browser.press(" ")
        assert boundary(browser.screen(), row, RED, BLUE) == before
    assert browser.run("return scrollY") == 0


def test_the_pictures_are_picked_from_lists(browser: Browser, flat: Path) -> None:
    from selenium.webdriver.support.select import Select

    browser.open(flat)
    row = row_of(browser)
    lists = [Select(browser.driver.find_element("id", f"pick-{side}")) for side in SIDES]
    lists[1].select_by_visible_text("green.png")
    boundary(browser.screen(), row, RED, GREEN)
    lists[0].select_by_visible_text("green.png")  # the other side takes what was here
    boundary(browser.screen(), row, GREEN, RED)
    assert [each.first_selected_option.text for each in lists] == ["green.png", "red.png"]
    write_page([flat.parent / "red.png", flat.parent / "blue.png"], flat.parent / "two.html")
    browser.open(flat.parent / "two.html")
    assert not browser.driver.find_element("id", "pick-left").is_displayed()


def check_pixels(browser: Browser) -> None:
    """See that a pixel of the picture is one of the screen, or 2 × 2 or 4 × 4, wherever it is."""
    browser.press("1")
    assert browser.zoom() == "100 %"
    for position, seed in ((0, 2), (1, 1)):
        browser.run(f"slide({position})")
        browser.run("move(view.x + 1.3, view.y + 0.9)")
        find(browser.screen(), noise(64, 48, seed))
    for times in (2, 4):
        browser.click(f"[data-zoom='{times}']")
        assert browser.zoom() == f"{times}00 %"
        find(browser.screen(), enlarged(noise(64, 48, 1), times))


def test_at_100_percent_a_pixel_is_a_pixel(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    check_pixels(browser)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.1, 3])
def test_on_finer_screens_too(fine: Path, ratio: float) -> None:
    # A browser of its own: one that only emulates such a screen rounds to whole CSS pixels.
    with chromium_of(ratio, Browser) as browser:
        browser.driver.get(fine.as_uri())
        assert round(browser.run("return devicePixelRatio"), 3) == ratio
        check_pixels(browser)
        assert browser.said() == []


def test_a_smaller_picture_has_the_size_of_the_largest(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    browser.press("1")
    browser.run("slide(1)")
    place = find(browser.screen(), noise(64, 48, 1))
    browser.run("pick('left', 2)")
    assert find(browser.screen(), enlarged(noise(16, 12, 3), 4)) == place
    browser.click("[data-smooth='yes']")
    left, top = place
    smooth = browser.screen()[top : top + 48, left : left + 64].astype(float)
    squares = enlarged(noise(16, 12, 3), 4).astype(float)
    steps = np.abs(np.diff(smooth, axis=1)), np.abs(np.diff(squares, axis=1))
    assert steps[0].max() < steps[1].max() / 2
    assert np.corrcoef(smooth.ravel(), squares.ravel())[0, 1] > 0.7
    browser.click("[data-smooth='']")
    assert find(browser.screen(), enlarged(noise(16, 12, 3), 4)) == place


def test_the_wheel_keeps_what_is_under_the_pointer(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    browser.click("[data-zoom='4']")
    browser.run("slide(1)")
    pixels = noise(64, 48, 1)
    left, top = find(browser.screen(), enlarged(pixels, 4))
    column, row = 12, 40
    x, y = left + 4 * column + 2, top + 4 * row + 2
    browser.wheel((x, y), -500)
    assert browser.zoom() == "800 %"
    screen = browser.screen()
    assert tuple(screen[y, x]) == tuple(pixels[row, column])
    place = np.array(find(screen, enlarged(pixels, 8)))
    assert np.abs(place - (x - 8 * column - 4, y - 8 * row - 4)).max() <= 1
    browser.wheel((x, y), -217)  # to no whole factor
    assert tuple(browser.screen()[y, x]) == tuple(pixels[row, column])
    browser.wheel((x, y), 217)
    browser.wheel((x, y), 500)
    assert find(browser.screen(), enlarged(pixels, 4)) == (left, top)
    assert browser.run("return scrollY") == 0


def test_dragging_moves_the_picture_as_far(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    browser.press("1")
    browser.run("slide(1)")
    left, top = find(browser.screen(), noise(64, 48, 1))
    browser.drag((left + 60, top + 40), (-31, 17))
    assert find(browser.screen(), noise(64, 48, 1)) == (left - 31, top + 17)
    browser.drag((left, top), (31, -17), "touch")
    assert find(browser.screen(), noise(64, 48, 1)) == (left, top)
    browser.drag((left, top), (400, 0))
    x, _ = browser.middle()
    assert abs(find(browser.screen(), noise(64, 48, 1))[0] - x) <= 1  # and no farther


def test_two_fingers_pinch(browser: Browser, fine: Path) -> None:
    browser.open(fine, mobile=True)
    browser.click("[data-zoom='4']")
    browser.run("slide(1)")
    pixels = noise(64, 48, 1)
    left, top = find(browser.screen(), enlarged(pixels, 4))
    x, y = left + 4 * 30 + 2, top + 4 * 20 + 2
    with browser.until("pointerup"):
        browser.touch("touchStart", (x - 30, y), (x + 30, y))
        browser.touch("touchMove", (x - 60, y), (x + 60, y))
        browser.touch("touchEnd")
    assert browser.zoom() == "800 %"
    assert find(browser.screen(), enlarged(pixels, 8)) == (x - 8 * 30 - 4, y - 8 * 20 - 4)
    browser.drag((x, y), (20, 10), "touch")  # one finger moves it again
    assert find(browser.screen(), enlarged(pixels, 8)) == (x - 8 * 30 + 16, y - 8 * 20 + 6)


def test_keys_zoom(browser: Browser, fine: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(fine)
    browser.run("slide(1)")
    fitted = browser.zoom()
    zooms = []
    for key in "1++-1-0":
        browser.press(key)
        zooms.append(browser.zoom())
    assert zooms == ["100 %", "200 %", "400 %", "200 %", "100 %", "50 %", fitted]
    times = int(fitted.split()[0]) // 100
    _, _, width, height = browser.stage()
    assert times == min(width // 64, height // 48)  # the largest whole factor
    find(browser.screen(), enlarged(noise(64, 48, 1), times))
    browser.press("1")
    left, top = find(browser.screen(), noise(64, 48, 1))
    browser.wheel((left + 32, top + 24), -1000)
    browser.run("move(view.x - 10, view.y)")
    browser.press(Keys.SHIFT + Keys.ARROW_DOWN + Keys.NULL)
    browser.press("0")
    find(browser.screen(), enlarged(noise(64, 48, 1), times))


def test_a_large_picture_is_shown_whole(browser: Browser, tmp_path: Path) -> None:
    pictures = []
    for name, colour in (("red", RED), ("blue", BLUE)):
        Image.new("RGB", (3000, 600), colour).save(tmp_path / f"{name}.png")
        pictures.append(tmp_path / f"{name}.png")
    write_page(pictures, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    row, width = row_of(browser), browser.stage()[2]
    line = browser.screen()[browser.middle()[1] - 60]
    assert (line == RED).all(1).sum() + (line == BLUE).all(1).sum() == width - 4
    assert browser.zoom() == f"{100 * width / 3000:.0f} %"
    browser.press("1")
    assert boundary(browser.screen(), row, RED, BLUE) == round(width / 2 + 0.01)
    browser.open(tmp_path / "page.html", (500, 700))  # a narrower window
    assert browser.zoom() == f"{100 * browser.stage()[2] / 3000:.0f} %"


def test_the_middle_stays_when_the_window_changes(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    browser.press("1")
    browser.run("slide(1)")
    left, top = find(browser.screen(), noise(64, 48, 1))
    x, y = browser.middle()
    metrics = {"width": 800, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.settle()
    found = find(browser.screen(), noise(64, 48, 1))
    assert abs(found[0] - left - (browser.middle()[0] - x)) <= 1
    assert abs(found[1] - top - (browser.middle()[1] - y)) <= 1


def test_side_by_side_both_show_the_same_part(browser: Browser, fine: Path) -> None:
    browser.open(fine)
    browser.click("[data-beside='yes']")
    browser.press("1")
    half = int(browser.stage()[2] / 2 + 0.5)

    def places() -> tuple[tuple[int, int], tuple[int, int]]:
        screen = browser.screen()
        return find(screen, noise(64, 48, 1)), find(screen, noise(64, 48, 2))

    first, second = places()
    assert second == (first[0] + half, first[1])
    assert abs(first[0] + 32 - half / 2) <= 1
    browser.drag((second[0] + 5, second[1] + 5), (-20, 9))
    assert places() == (
        (first[0] - 20, first[1] + 9),
        (second[0] - 20, second[1] + 9),
    )
    x, y = second[0] - 20 + 10, second[1] + 9 + 10  # in the middle of no pixel, but of the second
    before = browser.screen()[y, x]
    browser.wheel((x, y), -500)
    assert tuple(browser.screen()[y, x]) == tuple(before)
    browser.click("[data-beside='']")
    browser.press("1")
    browser.run("slide(1)")
    find(browser.screen(), noise(64, 48, 1))


def test_a_phone_shows_everything(browser: Browser, tmp_path: Path) -> None:
    names = ["a", "b", "a very long name " * 8]
    pictures = [saved(tmp_path / f"{name}.png", RED) for name in names]
    write_page([*pictures, saved(tmp_path / "s.png", noise(4, 3))], tmp_path / "page.html")
    for width in (390, 320):
        browser.open(tmp_path / "page.html", (width, 700), 2, mobile=True)
        browser.run("pick('left', 2)")
        browser.settle()
        wide = "return document.documentElement.scrollWidth"
        assert browser.run(wide) <= width
        for button in browser.driver.find_elements("css selector", "button, select"):
            assert button.rect["x"] >= 0
            assert button.rect["x"] + button.rect["width"] <= width
            assert button.rect["height"] >= 24  # WCAG 2.2, 2.5.8
        assert browser.stage()[3] >= 200


def test_every_format_is_shown(browser: Browser, tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x112] = 6
    halves = np.concatenate([np.full((80, 60, 3), RED), np.full((80, 60, 3), BLUE)], 1)
    halves = halves.astype(np.uint8)
    upright = saved(tmp_path / "a.png", np.rot90(halves, -1))
    turned_too = saved(tmp_path / "b.jpg", halves, quality=95, exif=turned)
    names = ("c.jpg", "d.webp", "e.gif", "f.avif", "g.tif", "h.jp2", "i.bmp")
    others = [saved(tmp_path / name, np.rot90(halves, -1)) for name in names]
    pictures = [upright, turned_too, *others]
    write_page(pictures, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.press("1")
    browser.run("slide(1)")
    x, y = browser.middle()
    for index in range(len(pictures)):
        browser.run(f"pick('left', {index})")
        screen = browser.screen().astype(int)
        assert np.abs(screen[y - 30, x + 20] - RED).max() < 20, pictures[index]
        assert np.abs(screen[y + 30, x - 20] - BLUE).max() < 20, pictures[index]
    browser.run("images[view.left].src = 'data:image/png;base64,AAAA'")
    browser.settle()
    browser.settle()
    assert browser.labels()[0] == "i.bmp this browser cannot show it"


def test_a_page_is_named_html(tmp_path: Path) -> None:
    pictures = [saved(tmp_path / f"{name}.png", RED) for name in "ab"]
    with pytest.raises(UsageError, match=r"something\.html"):
        write_page(pictures, tmp_path / "page.png")
