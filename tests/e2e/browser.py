"""Headless Chromium at Label Studio: logs in, opens the label stream, sees which boxes are ticked, keeps pictures."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from benchmarks.shared.waiting import wait_for

PAGE_SECONDS = 180
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--hide-scrollbars",
)
BOXES = '[class*="lsf-choices"] input[type=checkbox], [class*="lsf-choices"] input[type=radio]'
READ_CHOICES = (
    f"return [...document.querySelectorAll('{BOXES}')]"
    ".map(box => [(box.closest('label') || box.parentElement).innerText.trim(), box.checked])"
)
READ_TEXT = "const found = document.querySelector('[class*=\"lsf-richtext\"]'); return found ? found.innerText : ''"
READ_TEXTS = "return [...document.querySelectorAll('.lsf-richtext__container')].map(one => one.innerText.trim())"
HOTKEY = re.compile(r"\s*\[.\]$")


class Browser:
    """One browser window of 1280 x 800 pixels with a profile of its own."""

    def __init__(self, url: str, profile: Path, pictures: Path) -> None:
        self.url = url
        self._pictures = pictures
        options = webdriver.ChromeOptions()
        options.binary_location = _program("chromium", "CHROMIUM")
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,800"):
            options.add_argument(flag)
        service = webdriver.ChromeService(executable_path=_program("chromedriver", "CHROMEDRIVER"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(PAGE_SECONDS)
        self.driver.set_script_timeout(PAGE_SECONDS)

    def close(self) -> None:
        """Close the window and end the browser."""
        self.driver.quit()

    def log_in(self, user: str, password: str) -> None:
        """Log in to Label Studio."""
        self.driver.get(f"{self.url}/user/login/")
        self.driver.find_element(By.NAME, "email").send_keys(user)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        self.until("the page after the login", lambda: "/user/login" not in self.driver.current_url)

    def open_label_stream(self, project: int) -> None:
        """Press Label All Tasks: the page shows the next task."""
        self.open_form(project)
        self.until("choices in the label stream", self.choices)

    def open_form(self, project: int) -> None:
        """The next task, whatever its form asks."""
        self.driver.get(f"{self.url}/projects/{project}/data?labeling=1")
        self.until("a text in the label stream", self.task_text)

    def choices(self) -> dict[str, bool]:
        """The boxes of the form: label to whether it is ticked; empty while the page loads."""
        return {HOTKEY.sub("", str(label)): bool(on) for label, on in self.script(READ_CHOICES)}

    def ticked(self) -> list[str]:
        """The labels that are ticked, in the form's order."""
        return [label for label, on in self.choices().items() if on]

    def click_choice(self, label: str) -> None:
        """Click one box of the form."""
        for element in self.driver.find_elements(By.CSS_SELECTOR, '[class*="lsf-choices"] label'):
            if HOTKEY.sub("", element.text.strip()) == label:
                element.click()
                return
        raise AssertionError(f"no choice {label!r} among {list(self.choices())}")

    def submit(self) -> None:
        """Press Submit and wait for the next task."""
        before = self.texts()
        self._button("Submit").click()
        self.until("the next task after Submit", lambda: self._follows(self.texts(), before))

    @staticmethod
    def _follows(now: list[str], before: list[str]) -> bool:
        """Whether another task is shown, of which one text may be the same."""
        return len(now) == len(before) and "" not in now and now != before

    def _button(self, name: str) -> WebElement:
        for button in self.driver.find_elements(By.TAG_NAME, "button"):
            if button.text.strip() == name and button.is_displayed():
                return button
        raise AssertionError(f"no button {name!r} on {self.driver.current_url}")

    def task_text(self) -> str:
        """The text that is labelled."""
        return str(self.script(READ_TEXT)).strip()

    def texts(self) -> list[str]:
        """All texts of the task, in the form's order; [] while the page loads."""
        return [str(text) for text in self.script(READ_TEXTS)]

    def script(self, text: str) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(text)

    def picture(self, name: str, width: int = 1280, height: int = 660) -> Path:
        """Keep the upper left part of the page, `width` x `height` pixels, as tests/artefacts/<name>.png."""
        path = self._pictures / f"{name}.png"
        part = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        wanted = {"format": "png", "clip": part, "captureBeyondViewport": True}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", wanted)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def until(self, what: str, condition: Callable[[], Any], seconds: float = PAGE_SECONDS) -> Any:
        """Wait for a condition; keeps a picture of the page that did not get there."""
        try:
            return wait_for(what, condition, seconds)
        except (AssertionError, TimeoutError):
            self.picture("failed")
            raise


def _program(name: str, variable: str) -> str:
    path = os.environ.get(variable) or shutil.which(name)
    if not path:
        raise AssertionError(
            f"{name} is not installed: install Debian's chromium and chromium-driver, or set {variable}"
        )
    return path
