"""The page in a browser: what people do with it, by mouse and by keyboard."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Chromium, lent
from PIL import Image
from program import encoded, nearest, noise, shown
from served import Client, served

TOKEN = "correct-horse-battery"


class Browser(Chromium):
    def start(self, address: str, width: int = 1280, dark: bool = False) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.open(address, (width, 900))
        self.wait("!document.getElementById('work').hidden")

    def wait(self, condition: str) -> None:
        end = time.monotonic() + 60
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, (condition, self.run("return document.body.innerText"))
            time.sleep(0.05)

    def choose(self, *files: Path) -> None:
        self.element("#files").send_keys("\n".join(map(str, files)))

    def element(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        found: str = self.element(selector).text
        return found

    def wait_for_crop(self) -> None:
        self.wait("/made in/.test(document.getElementById('crop-says').textContent)")
        self.wait("!document.getElementById('stage').classList.contains('waiting')")

    def make(self) -> None:
        self.click("#start")
        self.wait("!document.getElementById('ended').hidden")

    def download(self, selector: str) -> bytes:
        """Return what a link leads to, fetched by the page itself."""
        script = """
            const [selector, done] = arguments;
            fetch(document.querySelector(selector).href).then((answer) => answer.blob()).then(
              (blob) => {
                const reader = new FileReader();
                reader.onload = () => done(reader.result.split(",")[1]);
                reader.readAsDataURL(blob);
              });
        """
        import base64

        return base64.b64decode(self.driver.execute_async_script(script, selector))


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    with lent(chromium, Browser) as page:
        yield page


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a.png", tmp_path / "b.png"]
    for number, path in enumerate(found):
        path.write_bytes(encoded(noise(200, 160, number)))
    return found


def test_pictures_are_made_compared_and_downloaded(
    browser: Browser, client: Client, pictures: list[Path], tmp_path: Path
) -> None:
    browser.start(client.address)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    browser.choose(*pictures, broken)
    browser.wait_for_crop()
    assert browser.run("return document.getElementById('after').naturalWidth") == 512
    browser.make()
    rows = browser.driver.find_elements("css selector", "#results li")
    assert [row.get_attribute("data-state") for row in rows] == ["done", "done", "failed"]
    assert "160 × 200 → 640 × 800" in rows[0].text
    assert rows[2].text.startswith("broken.jpg")
    made = browser.download("#results a")
    assert (shown(made) == nearest(shown(pictures[0]))).all()
    with zipfile.ZipFile(io.BytesIO(browser.download("#all"))) as archive:
        assert archive.namelist() == ["a_x4.png", "b_x4.png"]
        assert archive.read("a_x4.png") == made
    browser.click("#results button")
    browser.wait("!document.getElementById('compare').hidden")
    browser.driver.switch_to.frame(browser.element("#compare-page"))
    browser.wait(
        "document.readyState === 'complete' && document.querySelector('[data-zoom=\"2\"]')"
    )
    browser.run("document.querySelector('[data-zoom=\"2\"]').click()")
    browser.wait("document.getElementById('zoom').textContent.trim() === '200 %'")
    browser.driver.switch_to.default_content()
    browser.click("#compare-close")
    asked = {address.partition("?")[0] for address in browser.requests()}
    own = (client.address, f"blob:{client.address}", "data:")
    assert [address for address in asked if not address.startswith(own)] == []


def test_the_page_needs_no_mouse(browser: Browser, client: Client, pictures: list[Path]) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.start(client.address)
    browser.choose(pictures[0])
    browser.wait_for_crop()
    focus = "return document.activeElement.id || document.activeElement.name"
    passed = []
    for _ in range(40):
        browser.press(Keys.TAB)
        passed.append(browser.run(focus))
        if passed[-1] == "start":
            break
    assert {"files", "model", "others", "wipe", "overview", "by", "format"} <= {*passed}
    x = browser.run("return document.getElementById('overview').width")
    browser.run("document.getElementById('overview').focus()")
    before = browser.run("return document.getElementById('overview').toDataURL()")
    browser.press(Keys.ARROW_DOWN)
    assert browser.run("return document.getElementById('overview').toDataURL()") != before
    assert x > 0
    browser.wait_for_crop()
    browser.run("document.getElementById('start').focus()")
    browser.press(Keys.ENTER)
    browser.wait("!document.getElementById('ended').hidden")
    assert browser.run(focus) == "title-job"
    browser.press(Keys.TAB)
    browser.press(Keys.ENTER)
    browser.wait("!document.getElementById('compare').hidden")


def test_what_is_chosen_is_what_is_made(
    browser: Browser, client: Client, pictures: list[Path]
) -> None:
    browser.start(client.address)
    browser.choose(pictures[0])
    browser.wait_for_crop()
    assert not browser.element("#alpha").is_enabled()
    browser.element("[name=long_edge]").clear()
    browser.element("[name=long_edge]").send_keys("300")
    browser.element("[name=format]").send_keys("JPEG")
    browser.element("[name=quality]").send_keys("50")
    browser.make()
    found = Image.open(io.BytesIO(browser.download("#results a")))
    assert (found.format, found.size) == ("JPEG", (240, 300))
    assert "a_300px.jpg" in browser.text("#results")
    browser.run("document.querySelector('[value=srgan]').click()")
    assert browser.element("#alpha").is_enabled()
    assert browser.element("#alpha").get_attribute("value") == "0.9"
    browser.run("document.querySelector('[value=srresnet]').click()")
    assert not browser.element("#alpha").is_enabled()


def test_alpha_blends_the_crop_anew(browser: Browser, client: Client, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    (tmp_path / "tiny.png").write_bytes(encoded(noise(24, 24)))
    browser.start(client.address)
    browser.run("document.querySelector('[value=srgan]').click()")
    browser.choose(tmp_path / "tiny.png")
    browser.wait("/srgan, blend 0.9, /.test(document.getElementById('crop-says').textContent)")
    first = browser.run("return document.getElementById('after').src")
    browser.element("#alpha").send_keys(Keys.HOME)
    browser.wait("/srgan, blend 0, /.test(document.getElementById('crop-says').textContent)")
    assert browser.run("return document.getElementById('after').src") != first
    assert browser.text("#alpha-says") == "0.00"


def test_a_job_is_cancelled_by_its_button_and_by_closing_the_page(
    browser: Browser, client: Client, cache: Path, tmp_path: Path
) -> None:
    names = [tmp_path / f"{number}.png" for number in range(30)]
    for name in names:
        name.write_bytes(encoded(noise(200, 200)))

    def jobs() -> list[Path]:
        return [each for each in (cache / "ui").glob("*/*") if each.is_dir()]

    def gone() -> bool:
        end = time.monotonic() + 30
        while jobs() and time.monotonic() < end:
            time.sleep(0.05)
        return not jobs()

    browser.start(client.address)
    assert gone()  # those of pages before
    browser.choose(*names)
    browser.click("#start")
    browser.wait("/made/.test(document.getElementById('job-says').textContent)")
    assert len(jobs()) == 1
    browser.click("#cancel")
    assert gone()
    browser.wait("!document.getElementById('start').disabled")
    browser.click("#start")
    browser.wait("/made/.test(document.getElementById('job-says').textContent)")
    assert len(jobs()) == 1
    browser.driver.get("about:blank")
    assert gone()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_everything_fits_and_can_be_read(
    browser: Browser, client: Client, pictures: list[Path], width: int, dark: bool
) -> None:
    browser.start(client.address, width, dark)
    browser.choose(pictures[0])
    browser.wait_for_crop()
    browser.run("document.querySelector('details').open = true")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    for each in browser.driver.find_elements("css selector", "button, select, .button"):
        if each.is_displayed():
            assert each.rect["height"] >= 24  # WCAG 2.2, 2.5.8
            assert each.rect["x"] + each.rect["width"] <= width
    pairs = browser.run(
        "return [...document.querySelectorAll('p, small, label, h2, a, button, legend')].filter("
        "(each) => each.offsetParent && each.textContent.trim()).map((each) => {"
        "let under = each; const seen = () => getComputedStyle(under).backgroundColor;"
        "while (under.parentElement && seen() === 'rgba(0, 0, 0, 0)') under = under.parentElement;"
        "return [getComputedStyle(each).color, seen(), each.textContent];})"
    )
    assert len(pairs) > 20
    for colour, under, text in pairs:
        assert contrast(colour, under) >= 4.5, text  # WCAG 2.2, 1.4.3


def contrast(*colours: str) -> float:
    """The ratio of WCAG 2.2 for two opaque colours as a browser writes them."""
    light = []
    for colour in colours:
        parts = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_a_page_asks_for_the_token(browser: Browser, cache: Path, repeating: str) -> None:
    with served(repeating, token=TOKEN) as client:
        browser.open(client.address)
        browser.wait("!document.getElementById('login').hidden")
        browser.element("#token").send_keys("wrong token\n")
        browser.wait("document.getElementById('fault').textContent")
        assert not browser.element("#work").is_displayed()
        browser.element("#token").clear()
        browser.element("#token").send_keys(TOKEN + "\n")
        browser.wait("!document.getElementById('work').hidden")
        assert not browser.element("#fault").is_displayed()
    said = browser.said()  # the browser tells of the two refusals
    assert said
    assert all("401" in each for each in said)


def test_the_interface_is_described_for_people(browser: Browser, client: Client) -> None:
    browser.open(f"{client.address}api", (390, 800))
    browser.wait("document.querySelector('#requests h2')")
    titles = [each.text for each in browser.driver.find_elements("css selector", "h2")]
    assert "POST /api/upscale" in titles
    assert "curl" in browser.text("#curl")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
