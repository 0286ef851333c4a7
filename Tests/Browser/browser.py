"""Chromium without a window, as the tests use it."""

import os
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

PATIENCE_SECONDS = 60
PHONE = (390, 844)
DESKTOP = (1280, 900)
SHOTS = Path(os.environ["SHOTS"]) if os.environ.get("SHOTS") else None

# Keep-alive connections go through the proxy: those that only carried the page must not be mistaken for the rest.
OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-extensions", "--disable-domain-reliability", "--no-pings", "--lang=en-US", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # A page that was left is left, with its connections.
    "--disable-features=BackForwardCache",
]


class Browser:
    def __init__(self, language="en-US"):
        options = webdriver.ChromeOptions()
        options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        for option in OPTIONS:
            options.add_argument(option)
        options.add_experimental_option("prefs", {"intl.accept_languages": language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.resize(*DESKTOP)

    def close(self):
        self.driver.quit()

    def open(self, address):
        self.driver.get(address)

    def forget(self, address):
        """A page that has never been here."""
        self.driver.get(address + "favicon.svg")
        self.script("localStorage.clear()")

    def script(self, text, *values):
        return self.driver.execute_script(text, *values)

    def later(self, text, *values):
        return self.driver.execute_async_script(text, *values)

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0])?.innerText ?? null", selector)

    def texts(self, selector):
        return self.script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def wait(self, what, condition, seconds=PATIENCE_SECONDS):
        """Until `condition()` is true; it answers what that was. A generous deadline, never a fixed pause."""
        deadline = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.state()}")
            time.sleep(0.05)

    def state(self):
        return f"connection: {self.text('#connection, #state')!r}\nconsole: {self.console()}"

    def console(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def resize(self, width, height, scale=1):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600})

    def media(self, **features):
        """`media(prefers_color_scheme="dark")`"""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    def hover(self, element):
        ActionChains(self.driver).move_to_element(element).perform()

    def choose(self, selector, value):
        """An option of a select, once it is there."""
        self.wait(f"{selector} offers {value!r}", lambda: self.script("""
            const [selector, value] = arguments, select = document.querySelector(selector);
            if (![...select.options].some((option) => option.value === value)) return false;
            select.value = value;
            select.dispatchEvent(new Event("change"));
            return true;
        """, selector, value))

    def permit(self, *permissions):
        self.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": list(permissions)})

    def shot(self, name):
        if SHOTS is not None:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(SHOTS / f"{name}.png"))

    def press(self, *keys):
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def active(self):
        """What has the focus: `#id`, `data-el` or tag."""
        return self.script(
            "const e = document.activeElement; return e.id ? '#' + e.id : e.dataset?.el ?? e.tagName.toLowerCase()")
