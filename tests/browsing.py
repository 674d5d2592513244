"""A browser without a window, for the tests of pages."""

import io
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

Pixels = npt.NDArray[Any]


class Chromium:
    """Headless Chromium: pages, keys, and pictures of its screen."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(
        self,
        page: Path | str,
        size: tuple[int, int] = (1000, 700),
        ratio: float = 1,
        mobile: bool = False,
    ) -> None:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": ratio}
        metrics["mobile"] = mobile
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(page.as_uri() if isinstance(page, Path) else page)
        self.settle()

    def settle(self) -> None:
        twice = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
        self.driver.execute_async_script(twice)

    @contextmanager
    def until(self, kind: str) -> Iterator[None]:
        """Wait at the end for an event that is caused meanwhile, and for what it does."""
        self.run(f"window.came = 0; addEventListener('{kind}', () => came = 1, {{once: true}})")
        yield
        end = time.monotonic() + 10
        while not self.run("return came"):
            assert time.monotonic() < end, f"no {kind}"
        self.settle()

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def screen(self) -> Pixels:
        self.settle()
        shot = Image.open(io.BytesIO(self.driver.get_screenshot_as_png()))
        return np.asarray(shot.convert("RGB"))

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()
        self.settle()

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()
        self.settle()

    def said(self) -> list[str]:
        """Return what has come to the console since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        messages = [json.loads(entry["message"]) for entry in self.driver.get_log("performance")]
        sent = [message["message"] for message in messages]
        kind = "Network.requestWillBeSent"
        return [each["params"]["request"]["url"] for each in sent if each["method"] == kind]


Kind = TypeVar("Kind", bound=Chromium)


@contextmanager
def chromium_of(ratio: float, kind: type[Kind]) -> Iterator[Kind]:
    """Start a browser on a screen of so many pixels a CSS pixel."""
    pytest.importorskip("selenium")
    from selenium import webdriver

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.add_argument("--headless=new")
    options.add_argument("--no-sandbox")  # in a container there is none; the pages are ours
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--force-color-profile=srgb")
    options.add_argument(f"--force-device-scale-factor={ratio}")
    options.add_argument("--window-size=600,520")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield kind(started)
    finally:
        started.quit()


@contextmanager
def lent(shared: Chromium, kind: type[Kind]) -> Iterator[Kind]:
    """Lend the browser that all tests share as a page's own kind; its console must stay empty."""
    browser = kind(shared.driver)
    browser.driver.get("about:blank")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.said()
    browser.requests()
    yield browser
    assert browser.said() == []


def find(screen: Pixels, block: Pixels) -> tuple[int, int]:
    """Return where a block stands on the screen, exactly as it is: left and top."""
    height, width = block.shape[:2]
    first = (screen[..., 0] == block[0, 0, 0]) & (screen[..., 1] == block[0, 0, 1])
    for top, left in np.argwhere(first):
        if np.array_equal(screen[top : top + height, left : left + width], block):
            return int(left), int(top)
    raise AssertionError("not on the screen")
