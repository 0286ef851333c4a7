"""What tests of every page share: a demo for a class of them, one browser for all, and the rules of accessibility."""

import atexit
import functools
import re
import unittest
from importlib.util import find_spec
from pathlib import Path

from browser import DESKTOP, PHONE, Browser
from server import Demo

# The script alone: the package itself would want another driver.
AXE = Path(find_spec("axe_playwright_python").submodule_search_locations[0], "axe.min.js").read_text()

CSP_ERRORS = re.compile("Content Security Policy|Refused to|Uncaught", re.I)


@functools.cache
def shared_browser():
    browser = Browser()
    atexit.register(browser.close)
    return browser


class PageTest(unittest.TestCase):
    """A demo for all tests of a class, a browser for all of them; each test opens the page anew, as if for the first time."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.browser = shared_browser()
        cls.demo = Demo(*cls.options)
        cls.addClassCleanup(cls.demo.close)

    def setUp(self):
        if not self.demo.is_running:
            # A test that failed has left it so.
            self.demo.start()
        self.browser.resize(*DESKTOP)
        self.browser.media()
        self.browser.forget(self.demo.address)
        self.browser.console()

    def tearDown(self):
        self.assertEqual([line for line in self.browser.console() if CSP_ERRORS.search(line)], [])

    def axe(self, where):
        self.browser.script(AXE)
        found = self.browser.later("axe.run(document).then(arguments[arguments.length - 1])")["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in grave]
        self.assertEqual(told, [], f"axe in {where}")

    def look(self, prefix="", judged=(("desktop", "light"), ("phone", "dark"))):
        """A screenshot of every size in every scheme, where nothing scrolls sideways; and what axe says to those `judged`."""
        for scheme in ("light", "dark"):
            for size, pixels in (("desktop", DESKTOP), ("phone", PHONE)):
                where = prefix + f"{size}-{scheme}"
                self.browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
                self.browser.resize(*pixels)
                if (size, scheme) in judged:
                    self.axe(where)
                self.browser.shot(where)
                wide = self.browser.script("return document.documentElement.scrollWidth > innerWidth")
                self.assertFalse(wide, f"{where} scrolls sideways")
