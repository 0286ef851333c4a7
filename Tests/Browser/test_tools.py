"""The monitor and the playground in a real Chromium, against the running demo.

    .ci/test-browser Monitor Playground        SHOTS=folder keeps screenshots

Nothing here depends on how fast the machine is: conditions are waited for.
"""

import json
import re
import shutil
import subprocess
import unittest

from selenium.webdriver.common.keys import Keys

from page import PageTest

# A panel by its title: what it says, and what it draws.
PANELS = """
    return Object.fromEntries([...document.querySelectorAll(".panel")].map((panel) => [panel.querySelector("h2").innerText, {
        now: panel.querySelector(".panel-now").innerText,
        series: Object.fromEntries([...panel.querySelectorAll(".legend li")].map((item) => [item.querySelector(".series").innerText, item.querySelector("b").innerText])),
        drawn: [...panel.querySelectorAll(".lines path")].map((line) => line.getAttribute("d") ?? "").join(" "),
        ticks: [...panel.querySelectorAll(".grid text")].map((text) => text.textContent),
    }]))
"""


class Monitor(PageTest):
    def open(self):
        self.browser.open(self.demo.address + "monitor")
        self.browser.wait("it is live", lambda: self.browser.text("#state-text") == "Live")
        self.browser.wait("two answers are drawn", lambda: "L" in self.panels()["Connections"]["drawn"])

    def panels(self):
        return self.browser.script(PANELS)

    def now(self, panel):
        return self.panels()[panel]["now"]

    def watch(self):
        """Somebody looks at a wallet, by a WebSocket and by an event stream."""
        self.browser.script("""
            window.socket = new WebSocket(new URL("ws?wallet=" + arguments[0], document.baseURI.replace("http", "ws")));
            fetch(`api/v1/wallets/${arguments[0]}/stream`).then((answer) => { window.stream = answer.body.getReader(); });
        """, self.demo.wallet)

    def test_charts_move(self):
        self.open()
        self.browser.wait("nobody watches a price", lambda: self.now("Price age") == "—")
        self.watch()
        self.browser.wait("two clients, one of them a stream", lambda: self.panels()["Connections"]["series"] == {
            "clients": "2", "event streams": "1", "long polls": "0", "wallets watched": "1"})
        for panel in ("Price age", "Delivery latency", "HTTP API latency"):
            self.browser.wait(panel, lambda: re.fullmatch(r"(< 1|[\d.]+) (µs|ms|s|min)", self.now(panel)))
        self.browser.wait("frames a second", lambda: re.fullmatch(r"[\d.,]+( k)?/s", self.now("Frames")) and self.now("Frames") != "0/s")
        before = self.panels()
        self.browser.wait("all lines go on", lambda: all(
            self.panels()[name]["drawn"] != before[name]["drawn"] for name in ("Frames", "CPU", "Memory", "Price age")))
        self.assertIn("0", before["Price age"]["ticks"])
        self.assertNotIn("< 1 ms", before["Price age"]["ticks"])
        self.assertRegex(self.browser.text("#server"), r"^walletpush/\S+ · epoch \S+ · revision [\d,]+$")
        self.assertGreater(len(self.browser.texts("#jobs tr")), 5)
        self.assertEqual(self.browser.texts("#endpoints .badge"), ["up"])
        self.assertEqual(self.browser.texts("#prices th"), ["defillama"])
        self.assertRegex(self.browser.text("#price-note"), r"^\d+ watched, \d+ without a price; last success .+ ago$")

    def test_range_and_pointer(self):
        self.open()
        self.browser.choose("#range", "1")
        self.browser.wait("a minute", lambda: "−1 min" in self.panels()["CPU"]["ticks"])
        self.browser.choose("#range", "15")
        chart = self.browser.one(".chart")
        self.browser.hover(chart)
        self.browser.wait("a line where the pointer is, in every chart", lambda: self.browser.script(
            "return [...document.querySelectorAll('.cursor')].every((line) => line.getAttribute('d')?.startsWith('M'))"))

    def test_restart(self):
        self.open()
        self.demo.stop()
        self.browser.wait("it says so", lambda: "The server does not answer" in (self.browser.text("#banner") or ""))
        self.assertRegex(self.browser.text("#banner"), r"What is shown is of \d\d?:\d\d:\d\d")
        self.assertRegex(self.browser.text("#state-text"), r"^No answer · again in \d+ s$")
        self.assertTrue(self.browser.script("return document.querySelector('#content').hasAttribute('data-old')"))
        self.axe("no answer")
        self.browser.shot("monitor-gone")
        self.demo.start()
        self.browser.wait("it comes back by itself", lambda: self.browser.text("#state-text") == "Live")
        self.browser.wait("a restart is marked in every chart", lambda: self.browser.script(
            "return [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.restart') !== null)"))

    def test_accessible_and_looked_at(self):
        self.open()
        self.watch()
        self.browser.wait("figures", lambda: self.now("Delivery latency") not in ("", "—") and self.now("Price age") != "—")
        self.look("monitor-")

    def test_chinese(self):
        self.open()
        self.browser.one("#language").click()
        self.browser.wait("charts in Chinese", lambda: "价格时效" in self.panels())
        self.browser.wait("and the state", lambda: self.browser.text("#state-text") == "实时")
        self.assertEqual(self.browser.text("h1"), "监控")
        self.assertEqual(self.browser.script("return [document.documentElement.lang, document.title]"), ["zh-Hans", "监控 · WalletPush"])
        self.assertEqual(set(self.panels()["连接"]["series"]), {"客户端", "事件流", "长轮询", "受关注的钱包"})
        self.assertIn("现在", self.panels()["CPU"]["ticks"])
        self.assertEqual(self.browser.texts("#endpoints .badge"), ["正常"])
        self.assertRegex(self.browser.text("#price-note"), "^关注")
        self.look("monitor-chinese-", judged=())
        self.browser.open(self.demo.address + "playground")
        self.browser.wait("the choice holds on other pages", lambda: self.browser.text("h1") == "调试台")


class Playground(PageTest):
    def open(self):
        self.browser.open(self.demo.address + "playground")
        self.browser.wait("it is open", lambda: self.browser.text("#state-text") == "Open")
        self.browser.wait("a wallet of the server's", lambda: self.demo.wallet.split(":")[0] in self.message())

    def message(self):
        return self.browser.one("#message").get_attribute("value")

    def types(self):
        return self.browser.texts("#frames .type")

    def example(self, title):
        self.browser.script("[...document.querySelectorAll('.chip')].find((chip) => chip.innerText === arguments[0]).click()", title)

    def write(self, text):
        self.browser.script("""
            const area = document.querySelector("#message");
            area.value = arguments[0];
            area.dispatchEvent(new Event("input"));
        """, text)

    def test_send_and_see(self):
        self.open()
        self.assertEqual(json.loads(self.message())["op"], "subscribe")
        self.browser.one("#send").click()
        self.browser.wait("what a subscribe brings", lambda: {"hello", "subscribe", "ok", "snapshot", "heartbeat", "price"} <= set(self.types()))
        self.browser.choose("#type", "ok")
        self.browser.wait("one type alone", lambda: self.types() == ["ok"])
        self.browser.one("#frames .line").click()
        shown = json.loads(self.browser.text("#frames pre"))
        self.assertEqual((shown["type"], shown["id"], shown["failed"]), ("ok", 1, []))
        self.browser.choose("#type", "")
        self.browser.one("#filter").send_keys("snapshot")
        self.browser.wait("those with the word", lambda: self.types() == ["snapshot"])
        self.browser.one("#filter").clear()
        self.browser.one("#filter").send_keys(Keys.BACKSPACE)
        self.browser.one("#pause").click()
        self.browser.wait("the list stands still, and what comes is counted", lambda: re.search(r"[1-9]\d* since the pause", self.browser.text("#count")))
        self.browser.one("#clear").click()
        self.browser.wait("cleared", lambda: self.types() == [])
        self.browser.one("#pause").click()
        self.browser.wait("on they come", lambda: "price" in self.types())

    def test_resume_from_the_last_heartbeat(self):
        self.open()
        self.browser.one("#send").click()
        self.browser.wait("a heartbeat", lambda: "heartbeat" in self.types())
        epoch = self.demo.get("api/v1/stats")["epoch"]
        self.browser.wait("the example knows from where", lambda: self.example("Resume") or f'"since": "{epoch}:' in self.message())
        self.browser.one("#send").click()
        self.browser.choose("#type", "ok")
        self.browser.wait("resumed", lambda: any('"resumed":true' in text for text in self.browser.texts("#frames .text")))

    def test_mistakes(self):
        self.open()
        self.write("{")
        self.assertRegex(self.browser.text("#fault"), "^No JSON")
        self.assertFalse(self.browser.one("#send").is_enabled())
        self.browser.one("#send-anyway").click()
        self.browser.wait("the server's own word", lambda: any('"code":"bad_json"' in text for text in self.browser.texts("#frames .text")))
        self.write('{"op":"pong"}')
        self.assertRegex(self.browser.text("#warnings"), 'There is no op "pong"')
        self.axe("a warning")

    def test_ends(self):
        self.open()
        self.demo.stop()
        self.browser.wait("it says so", lambda: re.match("Closed with 1006", self.browser.text("#ended") or ""))
        self.assertEqual(self.browser.text("#connect"), "Connect")
        self.assertFalse(self.browser.one("#send").is_enabled())
        self.axe("an end")
        self.browser.shot("playground-ended")
        self.demo.start()
        self.browser.one("#connect").click()
        self.browser.wait("open again", lambda: self.browser.text("#state-text") == "Open")
        self.assertIsNone(self.browser.script("return document.querySelector('#ended').offsetParent"))
        self.browser.one("#connect").click()
        self.browser.wait("closed by us", lambda: self.browser.text("#state-text") == "Closed")

    def test_lines_to_copy(self):
        self.browser.permit("clipboardReadWrite", "clipboardSanitizedWrite")
        self.open()
        self.example("One snapshot")
        message = json.dumps(json.loads(self.message()), separators=(",", ":"))
        websocat, curl = (self.browser.text(f"#{tool}") for tool in ("websocat", "curl"))
        self.assertEqual(websocat, f"printf '%s\\n' '{message}' | websocat -n 'ws://127.0.0.1:{self.demo.port}/ws'")
        wallet = json.loads(message)["wallet"]
        self.assertEqual(curl, f"curl -sS '{self.demo.address}api/v1/wallets/{wallet}/balances'")
        for tool, line in (("websocat", websocat), ("curl", curl)):
            self.browser.one(f"#copy-{tool}").click()
            self.browser.wait("it is copied", lambda: self.browser.text(f"#copy-{tool}") == "Copied")
            self.assertEqual(self.browser.later("navigator.clipboard.readText().then(arguments[arguments.length - 1])"), line)
            self.browser.wait("and said for a moment", lambda: self.browser.text(f"#copy-{tool}") == "Copy")
        if shutil.which("curl"):
            told = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, timeout=60, check=True).stdout
            self.assertEqual(json.loads(told)["wallet"], wallet)
        self.example("Two updates a second, in batches")
        self.assertEqual(self.browser.text("#curl"), "There is no such call over HTTP.")
        self.assertFalse(self.browser.one("#copy-curl").is_enabled())

    def test_accessible_and_looked_at(self):
        self.open()
        self.browser.one("#send").click()
        self.browser.wait("frames", lambda: {"snapshot", "price"} <= set(self.types()))
        self.browser.one("#pause").click()
        self.look("playground-")

    def test_chinese(self):
        self.open()
        self.browser.one("#send").click()
        self.browser.wait("frames", lambda: "price" in self.types())
        count = len(self.types())
        self.browser.one("#language").click()
        self.browser.wait("the state", lambda: self.browser.text("#state-text") == "已连接")
        self.assertEqual(self.browser.text("h1"), "调试台")
        self.assertEqual(self.browser.texts(".chip")[0], "关注钱包")
        self.assertEqual(self.browser.text("#connect"), "断开")
        self.assertGreaterEqual(len(self.types()), count, "what was seen is still there")
        self.write('{"op":"pong"}')
        self.assertRegex(self.browser.text("#warnings"), '没有操作 "pong"')
        self.browser.one("#pause").click()
        self.look("playground-chinese-", judged=())
        self.browser.open(self.demo.address)
        self.browser.wait("the choice holds on the wallet page", lambda: self.browser.script("return document.documentElement.lang") == "zh-Hans")


if __name__ == "__main__":
    unittest.main(verbosity=2)
