"""The wallet page in a real Chromium, against the running demo.

    .ci/test-browser [NAME…]        SHOTS=folder keeps screenshots

Nothing here depends on how fast the machine is: conditions are waited for, figures are printed and hardly judged.
"""

import json
import re
import shutil
import subprocess
import unittest

from selenium.webdriver.common.keys import Keys

import scripted
from browser import DESKTOP, PHONE
from page import PageTest, shared_browser
from scripted import Scripted, row, snapshot
from server import Proxy


class WalletPageTest(PageTest):
    def open(self, address=None, wallets=None):
        self.browser.open((address or self.demo.address) + "#" + ",".join(wallets or [self.demo.wallet]))
        self.browser.wait("the page is live with rows", lambda: self.is_live() and self.rows())

    def is_live(self):
        return self.browser.script("return document.querySelector('#connection')?.dataset.state") == "live"

    def rows(self):
        return self.browser.texts(".row .symbol")

    def agrees(self):
        """Whether the page shows the rows that the server holds. Balances move: it may take a moment until they meet."""
        held = self.demo.get(f"api/v1/wallets/{self.demo.wallet}/balances")
        shown = [row["symbol"] for row in held["tokens"] if row["visible"] and row["listed"] and row["balance"] != "0"]
        count = int(self.browser.one("[role=table]").get_attribute("aria-rowcount"))
        return count == len(shown) + 1 and self.rows() and set(self.rows()) <= set(shown)

    def wait_for_prices(self, count=3):
        """Until so many prices have moved in sight."""
        self.browser.script("""
            window.moves = 0;
            window.watcher?.disconnect();
            window.watcher = new MutationObserver((list) => { window.moves += list.length; });
            for (const cell of document.querySelectorAll("[data-el=price]"))
                window.watcher.observe(cell, { childList: true, characterData: true, subtree: true });
        """)
        self.browser.wait("prices move", lambda: self.browser.script("return window.moves") >= count)


class Basics(WalletPageTest):
    def test_subscribe(self):
        self.open()
        self.browser.wait("page and server agree", self.agrees)
        self.assertRegex(self.browser.text("[data-el=total]"), r"^\$[\d,]+\.\d\d$")
        shares = self.browser.texts(".row [data-el=share]")
        self.assertTrue(all(re.fullmatch(r"<?\d+\.\d%", share) for share in shares), shares)
        self.browser.wait("latency and lag", lambda: re.search(r"\d+ ms.*lag \d+ ms", self.browser.text("#connection"), re.S))

    def test_prices_flash(self):
        self.open()
        self.browser.wait("a glow", lambda: self.browser.script("return document.querySelector('[data-el=price][data-flashed]') !== null"))
        self.browser.wait("a sparkline", lambda: self.browser.script(
            "return [...document.querySelectorAll('[data-el=sparkPath]')].some((path) => path.getAttribute('d').length > 10)"))

    def test_no_motion_where_none_is_wanted(self):
        self.browser.media(prefers_reduced_motion="reduce")
        self.open()
        self.wait_for_prices()
        self.assertEqual(self.browser.script("return document.querySelectorAll('[data-flashed]').length"), 0)
        self.assertEqual(self.browser.script("return document.getAnimations().length"), 0)

    def test_live_regions_do_not_chatter(self):
        self.open()
        self.browser.wait("the first figures", lambda: " ms" in self.browser.text("#connection"))
        self.browser.script("""
            window.said = [];
            for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
                new MutationObserver(() => window.said.push(region.id || region.dataset.el)).observe(
                    region, { childList: true, characterData: true, subtree: true });
        """)
        self.wait_for_prices(40)
        self.assertEqual(self.browser.script("return window.said"), [])

    def test_add_search_remove(self):
        self.open()
        others = [one["wallet"] for one in self.demo.get("api/v1/wallets")["wallets"] if one["wallet"] != self.demo.wallet]
        address = self.browser.one("#address")
        address.send_keys("0x12", Keys.ENTER)
        self.assertIn("40 hexadecimal digits", self.browser.text("#add-error"))
        self.assertEqual(self.browser.active(), "#address")
        address.clear()
        address.send_keys(others[0], Keys.ENTER)
        self.browser.wait("a second card with rows", lambda: self.browser.script(
            "return document.querySelectorAll('.card .rows').length === 2 && [...document.querySelectorAll('.card .rows')].every((rows) => rows.children.length > 0)"))
        self.assertRegex(self.browser.text("#sum-value"), r"^\$[\d,]+\.\d\d$")
        search = self.browser.one("#search")
        search.send_keys("usdc")
        self.browser.wait("only matches", lambda: set(self.rows()) == {"USDC"})
        self.assertIn("found", self.browser.script("return document.querySelector('#search-found').textContent"))
        search.clear()
        search.send_keys("no such thing")
        self.browser.wait("nothing is found", lambda: "no such thing" in (self.browser.text("#search-nothing") or ""))
        search.clear()
        search.send_keys(others[0].split(":")[1][:12])
        self.browser.wait("the wallet of that address", lambda: self.browser.script(
            "return [...document.querySelectorAll('.card')].filter((card) => !card.hidden && card.querySelector('.row')).length") == 1)
        search.send_keys(Keys.CONTROL, "a")
        search.send_keys(Keys.DELETE)
        self.browser.wait("both again", lambda: len(self.browser.texts(".card:not([hidden])")) == 2)
        self.browser.script("document.querySelector('.card:last-child [data-el=remove]').click()")
        self.browser.wait("one card", lambda: len(self.browser.texts(".card")) == 1)

    def test_refresh_cools_down(self):
        self.open()
        button = self.browser.one("[data-el=refresh]")
        button.click()
        self.browser.wait("a countdown", lambda: re.fullmatch(r"\d+ s", self.browser.text("[data-el=refreshText]")))
        self.assertEqual(button.get_attribute("aria-disabled"), "true")
        self.browser.wait("it may be pressed again", lambda: button.get_attribute("aria-disabled") == "false")

    def test_languages(self):
        self.open()
        self.assertEqual(self.browser.one("html").get_attribute("lang"), "en")
        self.browser.one("#language").click()
        self.browser.wait("Chinese", lambda: self.browser.text("[data-el=refreshText]") == "刷新")
        self.assertEqual(self.browser.one("html").get_attribute("lang"), "zh-Hans")
        self.assertEqual(self.browser.text("#connection-text"), "实时")
        self.browser.driver.refresh()
        self.browser.wait("Chinese again", lambda: self.browser.text("[data-el=refreshText]") == "刷新")
        words = self.browser.script("return document.body.innerText.replace(/0x\\S+/g, '')")
        left = set(re.findall(r"\b(?:Refresh|Value|Balance|Price|Live|read|block|Watch|Search)\b", words))
        self.assertEqual(left, set())

    def test_keyboard(self):
        self.open()
        self.browser.wait("offers", lambda: self.browser.texts("#offer-list button"))
        walk = []
        for _ in range(40):
            self.browser.press(Keys.TAB)
            walk.append(self.browser.active())
            if walk[-1] == "toggle":
                break
        offers = len(self.browser.texts("#offer-list button"))
        self.assertEqual(walk, ["a", "#language", "#theme", "#chain", "#address", "button", *["button"] * offers, "#search",
                                "copy", "refresh", "remove", "toggle"])
        symbol = "return document.activeElement.querySelector('[data-el=symbol]')?.innerText ?? null"
        first = self.browser.script(symbol)
        self.browser.press(Keys.ARROW_DOWN)
        second = self.browser.script(symbol)
        self.assertNotEqual(first, second)
        self.browser.press(Keys.ARROW_UP)
        self.assertNotEqual(self.browser.script(symbol), second)
        self.browser.press(Keys.END)
        self.browser.wait("the last row", lambda: self.browser.script(symbol) in self.rows()[-3:])
        self.browser.press(Keys.HOME)
        hidden = self.browser.script(symbol)
        self.browser.press(Keys.ENTER)
        self.assertEqual(self.browser.script("return document.activeElement.getAttribute('aria-expanded')"), "true")
        self.browser.press(Keys.TAB)
        self.assertEqual(self.browser.active(), "visibility")
        self.browser.press(Keys.ENTER)
        self.browser.wait("the token is hidden", lambda: "1 hidden" in self.browser.text(".folds") and hidden not in self.rows())
        self.browser.one("[data-el=hidden]").click()
        self.browser.wait("and shown among the hidden", lambda: hidden in self.rows())
        self.browser.script("document.activeElement.blur()")
        self.browser.press("/")
        self.assertEqual(self.browser.active(), "#search")

    def test_accessible_and_looked_at(self):
        self.open()
        self.wait_for_prices(30)
        self.look()
        self.browser.script("document.querySelector('[data-el=toggle]').click()")
        self.browser.shot("phone-dark-details")
        self.browser.one("#language").click()
        self.axe("Chinese, with details")
        self.browser.shot("phone-dark-chinese")
        self.browser.open(self.demo.address + "?")
        self.browser.script("localStorage.clear()")
        self.browser.open(self.demo.address)
        self.browser.wait("the empty page", lambda: self.browser.script("return !document.querySelector('#empty').hidden"))
        self.axe("the empty page")
        self.browser.shot("phone-empty")


class Connections(WalletPageTest):
    def setUp(self):
        super().setUp()
        self.proxy = Proxy(self.demo.port)
        self.addCleanup(self.proxy.close)

    def connection(self):
        return self.browser.text("#connection")

    def mark_rows(self):
        self.browser.script("for (const row of document.querySelectorAll('.row')) row.dataset.seen = ''")

    def test_restart(self):
        self.open()
        before = self.demo.get("api/v1/wallets/" + self.demo.wallet + "/balances")["epoch"]
        self.demo.stop()
        self.browser.wait("it says so", lambda: "Reconnecting" in self.connection())
        self.assertTrue(self.rows(), "what was known is still shown")
        self.browser.shot("reconnecting")
        self.demo.start()
        self.browser.wait("it comes back by itself", self.is_live)
        self.assertNotEqual(self.demo.get("api/v1/wallets/" + self.demo.wallet + "/balances")["epoch"], before)
        self.wait_for_prices()
        self.browser.wait("page and server agree", self.agrees)

    def test_resume(self):
        self.open(self.proxy.address)
        self.wait_for_prices()
        self.mark_rows()
        self.proxy.passing = False
        self.proxy.cut()
        self.browser.wait("it notices", lambda: not self.is_live())
        self.proxy.passing = True
        self.browser.wait("it catches up", lambda: re.search("nothing missed|caught up", self.connection()))
        kept = self.browser.script("return document.querySelectorAll('.row[data-seen]').length === document.querySelectorAll('.row').length")
        self.assertTrue(kept, "resumed, not begun anew")
        self.wait_for_prices()
        self.browser.wait("page and server agree", self.agrees)

    def need_streams(self):
        if not self.demo.has(f"api/v1/wallets/{self.demo.wallet}/changes"):
            self.skipTest("this server has no /stream and /changes")

    def test_fallback(self):
        self.need_streams()
        self.proxy.refuse = {"websocket"}
        self.open(self.proxy.address)
        self.browser.wait("an event stream", lambda: "SSE" in self.connection())
        self.wait_for_prices()
        self.mark_rows()
        self.browser.shot("sse")
        self.proxy.refuse = set()
        self.browser.wait("the WebSocket again", lambda: self.is_live() and "SSE" not in self.connection())
        self.wait_for_prices()
        self.browser.wait("page and server agree", self.agrees)

    def test_fallback_of_the_fallback(self):
        self.need_streams()
        self.proxy.refuse = {"websocket", "stream"}
        self.open(self.proxy.address)
        self.browser.wait("polling", lambda: "Polling" in self.connection())
        self.wait_for_prices()
        self.browser.wait("page and server agree", self.agrees)

    def test_library_in_node(self):
        self.need_streams()
        if shutil.which("node") is None:
            self.skipTest("no node on this machine")
        for transport in ("sse", "polling"):
            done = subprocess.run(
                ["node", "library.mjs", self.demo.address, self.demo.wallet, transport],
                capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            self.assertEqual((told["transport"], told["didResume"]), (transport, True))
            self.assertGreater(told["rows"], 3)


MEASURE = """
    const [scrolling, ms, done] = arguments;
    const times = [], long = [];
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: "longtask" });
    let last = performance.now(), y = 0;
    const start = last, height = document.documentElement.scrollHeight - innerHeight;
    requestAnimationFrame(function frame(now) {
      times.push(now - last);
      last = now;
      if (scrolling) scrollTo(0, (y += 100) % height);
      if (now - start < ms) return requestAnimationFrame(frame);
      observer.disconnect();
      times.sort((a, b) => a - b);
      const at = (share) => Math.round(times[Math.floor(times.length * share)] * 10) / 10;
      done({ frames: times.length, p50: at(0.5), p95: at(0.95), max: at(0.9999), long: long.length });
    });
"""


class Many(WalletPageTest):
    options = ("--tokens", "2000", "--wallets", "2", "--ticks", "1")

    def open_all(self):
        """How many tokens there are, once all parts of the snapshot are here."""
        self.open()
        self.browser.wait("all parts", lambda: self.count() > 1000)
        return self.count()

    def count(self):
        return int(self.browser.one("[role=table]").get_attribute("aria-rowcount")) - 1

    def test_two_thousand_tokens(self):
        count = self.open_all()
        self.wait_for_prices()
        for name, scrolling in (("standing", False), ("scrolling", True)):
            figures = self.browser.later(MEASURE, scrolling, 3000)
            print(f"\n{count} tokens, each priced every second, {name}: frame times in ms {json.dumps(figures)}")
            self.assertGreater(figures["frames"], 2, "the page draws")
            drawn = self.browser.script("return document.querySelectorAll('.row').length")
            self.assertLess(drawn, 60, "only what is in sight is drawn")
        print(f"{drawn} rows drawn, {self.browser.script('return document.querySelectorAll(`*`).length')} elements")
        self.browser.script("scrollTo(0, document.documentElement.scrollHeight / 2)")
        self.browser.wait("rows are drawn where one scrolls to", lambda: self.browser.script(
            "return [...document.querySelectorAll('.row')].some((row) => { const { top } = row.getBoundingClientRect(); return top > 0 && top < innerHeight; })"))
        self.browser.shot("many")
        self.axe("many")

    def test_keys_reach_the_last_of_them(self):
        self.open_all()
        self.browser.script("document.querySelector('[data-el=toggle][tabindex=\"0\"]').focus()")
        self.browser.press(Keys.END)
        index = lambda: int(self.browser.script("return document.activeElement.closest('[role=row]')?.ariaRowIndex ?? 0"))
        count = self.count() + 1
        # Tokens come and go meanwhile: a few rows this way or that.
        self.assertAlmostEqual(index(), count, delta=5)
        self.browser.press(Keys.ARROW_UP, Keys.PAGE_UP)
        self.assertAlmostEqual(index(), count - 11, delta=5)
        self.browser.script("scrollTo(0, 0)")
        self.wait_for_prices()
        self.assertAlmostEqual(index(), count - 11, delta=5, msg="the focus is not lost when its row leaves the window")
        self.browser.press(Keys.ARROW_DOWN)
        self.assertAlmostEqual(index(), count - 10, delta=5)


class Honest(unittest.TestCase):
    """States that the demo never gets into, said by a server of the test's own; without WebSockets, so over an event stream."""

    axe = PageTest.axe

    def serve(self, **members):
        server = Scripted(**members)
        self.addCleanup(server.close)
        self.browser = shared_browser()
        self.browser.resize(*DESKTOP)
        self.browser.media()
        self.browser.forget(server.address)
        return server

    def cells(self, symbol):
        """The texts of a token's row, as they are seen."""
        return self.browser.script("""
            const line = [...document.querySelectorAll(".row .line")].find((one) => one.querySelector("[data-el=symbol]").innerText === arguments[0]);
            return line === undefined ? null : Object.fromEntries(["token", "price", "balance", "value"].map((name) => [name, line.querySelector(`.c-${name}`).innerText]));
        """, symbol)

    def test_states(self):
        server = self.serve()
        self.browser.open(server.address + "#" + scripted.WALLET)
        self.browser.wait("a skeleton before the first frame", lambda: self.browser.script(
            "const bones = document.querySelector('.skeletons'); return bones !== null && !bones.hidden"))
        server.say(snapshot([], state="loading", block=None, as_of=None))
        self.browser.wait("it reads", lambda: self.browser.text("[data-el=badge]") == "Reading balances…")
        self.browser.shot("skeleton")
        server.say(snapshot([
            row("native", "ETH", logo=scripted.DOT),
            row("0x" + "1" * 40, "OLD", price_state="stale", balance_state="stale"),
            row("0x" + "2" * 40, "NOPRICE", price_usd=None, change_24h=None, price_state="unknown"),
            row("0x" + "3" * 40, "NOBALANCE", balance=None, balance_state="unknown"),
            row("0x" + "4" * 40, "NODECIMALS", decimals=None),
            row("0x" + "5" * 40, "SPAM", listed=False),
            row("0x" + "6" * 40, "SOLD", balance="0"),
            row("0x" + "7" * 40, "HIDDEN", visible=False),
            row("0x" + "8" * 40, "\u202eEVIL<img src=x onerror=alert(1)>" + "x" * 200),
        ]))
        self.browser.wait("the rows", lambda: self.cells("ETH"))
        self.assertEqual(self.cells("ETH")["value"].split(), ["$7.50", "33.3%"])
        self.assertIn("stale", self.cells("OLD")["price"])
        self.assertIn("stale", self.cells("OLD")["balance"])
        self.assertEqual([self.cells("NOPRICE")[cell].strip() for cell in ("price", "value")], ["—", "—"])
        self.assertEqual([self.cells("NOBALANCE")[cell].strip() for cell in ("balance", "value")], ["—", "—"])
        self.assertEqual([self.cells("NODECIMALS")[cell].strip() for cell in ("balance", "value")], ["—", "—"])
        self.assertEqual([self.cells(folded) for folded in ("SPAM", "SOLD", "HIDDEN")], [None, None, None])
        self.assertEqual(self.browser.text("[data-el=total]"), "$22.50")
        self.assertIn("1 unpriced", self.browser.text(".facts"))
        self.assertEqual(sorted(self.browser.texts(".folds button:not([hidden])")), ["1 empty", "1 hidden", "1 unlisted"])
        self.assertEqual(self.browser.script("return document.querySelectorAll('.row img').length"), 1, "a logo, and no other picture")
        self.browser.wait("the logo is drawn", lambda: self.browser.script("return document.querySelector('.row img').naturalWidth > 0"))
        for button in ("empty", "hidden", "unlisted"):
            self.browser.script("document.querySelector(`.folds [data-el=${arguments[0]}]`).click()", button)
        self.browser.wait("all is unfolded", lambda: self.cells("SPAM") and self.cells("SOLD") and self.cells("HIDDEN"))
        self.assertIn("unlisted", self.cells("SPAM")["token"])
        self.assertEqual(self.cells("SOLD")["value"].split()[0], "$0.00")
        self.axe("states")
        self.browser.shot("states")
        self.browser.resize(*PHONE)
        self.browser.shot("states-phone")
        self.assertFalse(self.browser.script("return document.documentElement.scrollWidth > innerWidth"))

    def test_statuses(self):
        server = self.serve()
        server.say(snapshot([row("native", "ETH")]))
        self.browser.open(server.address + "#" + scripted.WALLET)
        self.browser.wait("the row", lambda: self.cells("ETH"))
        status = lambda **members: server.say({"type": "status", **members})
        badge = lambda text: self.browser.wait(f"the badge {text!r}", lambda: self.browser.text("[data-el=badge]") == text)
        for refreshing, text in (("balances", "Reading balances…"), ("prices", "Updating prices…"), ("done", ""), ("failed", "Refresh failed")):
            status(wallet=scripted.WALLET, refreshing=refreshing)
            badge(text)
        status(chain="MATIC", state="down", since=1763805500000)
        status(prices="stale")
        self.browser.wait("two banners", lambda: len(self.browser.texts(".banner")) == 2)
        self.assertRegex(self.browser.texts(".banner")[0], "^MATIC cannot be reached since")
        self.axe("banners")
        self.browser.shot("banners")
        status(chain="MATIC", state="up")
        status(prices="live")
        self.browser.wait("none", lambda: self.browser.texts(".banner") == [])
        status(wallet=scripted.WALLET, state="deleted")
        badge("Deleted on the server")

    def test_access_token(self):
        server = self.serve(token="secret")
        server.say(snapshot([row("native", "ETH")]))
        self.browser.open(server.address + "#" + scripted.WALLET)
        is_open = lambda: self.browser.script("return document.querySelector('#auth').open")
        self.browser.wait("it is asked for", is_open)
        self.assertEqual(self.browser.active(), "#auth-token")
        self.axe("the dialog")
        self.browser.shot("token")
        self.browser.one("#auth-token").send_keys("wrong", Keys.ENTER)
        self.browser.wait("and again", is_open)
        self.browser.one("#auth-token").send_keys("secret", Keys.ENTER)
        self.browser.wait("the row", lambda: self.cells("ETH"))
        self.assertFalse(is_open())
        self.assertNotIn("secret", self.browser.script("return location.href + JSON.stringify(localStorage)"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
