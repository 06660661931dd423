"""The page in a browser, served by the daemon from a history of known rows."""

import unittest

from browser import Browser
from daemon import BIN, DAY, DaemonTest, identity

SHOTS = BIN.parent / "dashboard"
EVIL = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"> '\"&amp; \u202egnp.exe\u2066 \x1b[2J"
STORY = {"event": "message", "verdict": "fail", "grade": "none", "confidence": "confirmed",
         "legs": {"dkim": {"domain": "shop.example", "usable": False, "aligned": {"rfc9989": True, "rfc7489": True},
                           "reason": "signing is switched off"},
                  "spf": {"domain": "amazonses.com", "usable": True, "result": "pass",
                          "aligned": {"rfc9989": False, "rfc7489": False}, "reason": ""}},
         "dmarc": {"rfc9989": {"result": "fail", "policy": "reject", "record_domain": "shop.example"},
                   "rfc7489": {"result": "fail"}},
         "findings": [{"code": "dkim-disabled", "severity": "error", "text": "DKIM signing is switched off for shop.example.",
                       "advice": "Enable DKIM signing on the identity shop.example."},
                      {"code": "mailfrom-default", "severity": "warning",
                       "text": "SPF will pass for amazonses.com, not aligned with shop.example; only DKIM can carry DMARC.",
                       "advice": "Configure a custom MAIL FROM domain for shop.example."}],
         "records": [{"name": "_dmarc.shop.example", "type": "TXT", "status": "ok", "ttl": 300,
                      "data": ["v=DMARC1; p=reject; rua=mailto:dmarc@shop.example"], "stale": False},
                     {"name": "t1._domainkey.shop.example", "type": "TXT", "status": "nxdomain", "ttl": 60, "data": [],
                      "stale": False}]}
# Of every element with text of its own: the contrast between that text and what is behind it, WCAG 2.2 Section 1.4.3.
CONTRASTS = r"""
const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = parts(getComputedStyle(each).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const low = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const colour = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
  const [a, b] = [light(parts(colour)), light(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) low.push(`${element.tagName}.${element.className} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
}
return low;
"""


class Page(DaemonTest):
    @classmethod
    def fill(cls, history, now):
        for i in range(1400):
            history.add(now - i * 431, from_domain=["example.com", "example.com", "example.org", "news.example.com"][i % 4],
                        alignment=["both", "both", "both", "dkim", "both", "both", "both", "spf"][i % 8])
        for i in range(40):
            history.add(now - 700 - i * 9000, from_domain="shop.example", verdict="fail", alignment="none", action="observe",
                        code="dkim-disabled", codes="dkim-disabled,mailfrom-default", story=STORY,
                        why="DMARC will fail for shop.example: DKIM signing is switched off for shop.example; enable DKIM "
                            "signing on the identity shop.example.")
        for i in range(6):
            history.add(now - 4000 - i * 31000, from_domain="neither.example", verdict="refused", alignment="none",
                        action="reject", code="dup-header", codes="dup-header",
                        why="Header field MIME-Version occurs 2 times; SES will answer 554; remove the surplus MIME-Version "
                            "before the relay.")
        for i in range(5):
            history.add(now - 3000 - i * 61000, from_domain="example.net", verdict="unknown", alignment="unknown",
                        why="No prediction for example.net: _dmarc.example.net: SERVFAIL; let the mail pass.")
        history.add(now - 12_000, queue_id="EVIL01", from_domain="evil.example", verdict="fail", alignment="none",
                    action="observe", code="dkim-disabled", why=EVIL, mail_from=EVIL, message_id=EVIL,
                    story={**STORY, "findings": [{"code": EVIL, "severity": EVIL, "text": EVIL, "advice": EVIL}],
                           "records": [{"name": EVIL, "type": EVIL, "status": EVIL, "data": [EVIL], "cnames": [EVIL]}]})

    @classmethod
    def identities(cls):
        return [identity("example.com", mail_from="bounce.example.com"), identity("example.org"),
                identity("shop.example", "TEMPORARY_FAILURE", since=cls.now - DAY, mail_from="bounce.shop.example"),
                identity("new.example", "PENDING", since=cls.now - 9 * 3600)]

    def setUp(self):
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.look(1280, "light")
        self.open()

    def open(self, fragment=""):
        self.browser.driver.get(f"{self.url()}/{fragment}")
        self.browser.wait(lambda: self.browser.all("#messages tr[data-id]"), "the list of messages")
        self.browser.wait(lambda: self.browser.all(".identity") and self.browser.all("#dns-table td"), "the other parts")
        self.browser.wait(lambda: "DMARC" in self.browser.one("#sentence").text, "the sentence")

    def tearDown(self):
        """Whatever the test did: nothing on the console, what violates the policy among it; nothing asked of others."""
        self.assertEqual([], self.browser.driver.get_log("browser"))
        asked = self.browser.run("return performance.getEntriesByType('resource').map(({ name }) => name)")
        self.assertEqual([], [name for name in asked if not name.startswith(self.url() + "/")])
        self.assertEqual(1, len(self.browser.all("script")))
        self.assertNotEqual("owned", self.browser.driver.title)

    def domains(self):
        return set(self.browser.texts("#messages td[data-label='From domain']"))

    def wait_for_domains(self, *domains):
        self.browser.wait(lambda: self.domains() == set(domains), f"{domains}")

    def test_says_what_the_store_says(self):
        total = self.api("overview", since="7d")["total"]
        since = (self.now - 7 * DAY) // 3600 * 3600
        rows = self.history.ask("SELECT verdict, SUM(messages) FROM sesame_hour WHERE hour >= ? GROUP BY verdict", since)
        self.assertEqual(total["messages"], sum(count for _, count in rows))
        self.assertEqual(total["pass"], dict(rows)["pass"])
        sentence = self.browser.one("#sentence").text
        self.assertIn(f"{total['pass'] / total['messages']:.1%}".replace("%", " %"), sentence)
        self.assertIn(f"{total['messages']:,} outbound messages in 7 days will pass DMARC", sentence)
        self.assertIn("1 of 4 identities needs attention: shop.example", sentence)
        bars = self.browser.run("""return Object.fromEntries(['both', 'dkim', 'spf', 'none', 'unknown'].map((key) =>
            [key, document.querySelectorAll(`#plot .seg-${key}`).length]))""")
        series = self.api("overview", since="7d")["series"]
        for key, count in bars.items():
            self.assertEqual(sum(1 for slot in series if slot[key]), count, key)
        table = self.browser.texts("#series-table td:last-child")
        self.assertEqual(total["messages"], sum(int(cell.replace(",", "")) for cell in table))
        self.assertIn("SES revokes DKIM in ", self.browser.one(".count[data-kind=revocation]").text)
        self.assertRegex(self.browser.one(".count[data-kind=set_up_ends]").text,
                         "SES gives up looking for the records in 2 days 1[45] h")

    def test_a_click_on_a_domain_filters(self):
        self.assertEqual({"shop.example", "neither.example", "evil.example"}, self.domains())
        self.browser.one("#troubles .link").click()
        self.wait_for_domains("shop.example")
        self.assertIn("domain=shop.example", self.browser.driver.current_url)
        self.browser.wait(lambda: "from shop.example" in self.browser.one("#sentence").text, "a sentence of the domain")
        self.open("#domain=shop.example")
        self.wait_for_domains("shop.example")
        self.browser.one("#chips button").click()
        self.wait_for_domains("shop.example", "neither.example", "evil.example")

    def test_search_filters_and_pages(self):
        self.browser.one("#search").send_keys("mime-version")
        self.wait_for_domains("neither.example")
        self.browser.one("#search").clear()
        self.browser.one("#search").send_keys("nothing of the kind")
        self.browser.wait(lambda: self.browser.texts("#messages .empty") == ["Nothing was found."], "no message")
        self.browser.run("""const search = document.getElementById('search');
            search.value = '';
            search.dispatchEvent(new Event('input', { bubbles: true }));""")
        self.browser.one("#verdict option[value=unknown]").click()
        self.wait_for_domains("example.net")
        self.browser.one("#verdict option[value='']").click()
        self.browser.wait(lambda: "example.com" in self.domains(), "all messages")
        count = len(self.browser.all("#messages tr[data-id]"))
        self.browser.one("#older").click()
        self.browser.wait(lambda: len(self.browser.all("#messages tr[data-id]")) == 2 * count, "a second page")
        ids = self.browser.texts("#messages td[data-label=Message]")
        self.assertEqual(len(ids), len(set(ids)))
        self.browser.run("document.querySelector('input[value=\"24h\"]').click()")
        self.browser.wait(lambda: "24 hours" in self.browser.one("#sentence").text, "another period")
        self.browser.run("document.querySelector('input[value=inbound]').click()")
        self.browser.wait(lambda: "No inbound message" in self.browser.one("#sentence").text
                          or "no inbound message" in self.browser.one("#sentence").text, "the other direction")

    def test_a_story_with_its_records(self):
        self.browser.one("#messages tr td[data-label=Message] button").click()
        body = lambda: self.browser.one("#story-body").text  # noqa: E731
        self.browser.wait(lambda: "DNS as it was" in body(), "the story")
        for text in ("v=DMARC1; p=reject", "t1._domainkey.shop.example", "nxdomain", "Enable DKIM signing", "p=reject at shop.example"):
            self.assertIn(text, body())
        self.browser.shoot(SHOTS / "story.png", whole=False)
        self.browser.command("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape", windowsVirtualKeyCode=27)
        self.browser.wait(lambda: not self.browser.run("return document.getElementById('story').open"), "the end of the dialog")
        self.assertEqual("Message", self.browser.run("return document.activeElement.closest('td').dataset.label"))

    def test_hostile_text_is_text(self):
        self.browser.one("#search").send_keys("evil01")
        self.wait_for_domains("evil.example")
        shown = self.browser.one("#messages .why").text
        self.assertIn("<script>document.title = 'owned'</script><img src=x onerror=", shown)
        self.assertIn("&amp; \\u202egnp.exe\\u2066 \\u001b[2J", shown)
        self.browser.one("#messages td[data-label=Message] button").click()
        self.browser.wait(lambda: "DNS as it was" in self.browser.one("#story-body").text, "the story")
        page = self.browser.run("return document.documentElement.outerHTML")
        for character in "\u202e\u2066\x1b":
            self.assertNotIn(character, page)
        self.assertEqual([], self.browser.all("img"))
        self.assertGreater(self.browser.one("#story-body").text.count("<script>"), 6)

    def test_without_a_mouse(self):
        run = self.browser.run
        run("document.querySelector('input[value=\"7d\"]').focus()")
        key = lambda name, code: [self.browser.command("Input.dispatchKeyEvent", type=kind, key=name, code=name,  # noqa: E731
                                                       windowsVirtualKeyCode=code) for kind in ("keyDown", "keyUp")]
        key("ArrowRight", 39)
        self.browser.wait(lambda: "30 days" in self.browser.one("#sentence").text, "another period")
        run("document.getElementById('plot').focus()")
        key("End", 35)
        last = self.browser.wait(lambda: run("return document.getElementById('plot-now').textContent"), "what the bar says")
        self.assertRegex(last, r"^\d+ \w{3}: [\d,]+ messages?; DKIM and SPF [\d,]+")
        self.assertFalse(run("return document.getElementById('tip').hidden"))
        key("ArrowLeft", 37)
        self.assertNotEqual(last, run("return document.getElementById('plot-now').textContent"))
        key("Escape", 27)
        self.assertTrue(run("return document.getElementById('tip').hidden"))
        unnamed = run("""return [...document.querySelectorAll('button, input, select, a, summary')]
            .filter((each) => !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length)).length""")
        self.assertEqual(0, unnamed)

    def test_renews_itself_without_jumping(self):
        run = self.browser.run
        run("document.querySelector('#all-domains summary').click()")
        button = self.browser.one("#messages tr:last-child td[data-label=Message] button")
        run("arguments[0].focus(); arguments[0].scrollIntoView({ block: 'center' })", button)
        chosen = button.text
        self.history.add(self.now + 1, from_domain="fresh.example", verdict="fail", alignment="none", code="dkim-disabled", why="New.")
        self.history.sum_up()
        run("document.dispatchEvent(new Event('visibilitychange'))")
        self.browser.wait(lambda: "fresh.example" in self.domains(), "the new message")
        self.browser.wait(lambda: "fresh.example" in "".join(self.browser.texts("#troubles .link")), "the new trouble")
        self.assertTrue(run("return document.getElementById('all-domains').open"))
        if chosen in self.browser.texts("#messages td[data-label=Message]"):
            self.assertEqual(chosen, run("return document.activeElement.textContent"))

    def test_fits_a_telephone_and_can_be_read(self):
        for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 360, "light"),
                                    ("phone-dark", 360, "dark")):
            self.browser.look(width, scheme, mobile=width < 400)
            self.assertEqual([], self.browser.run(CONTRASTS), name)
            self.browser.shoot(SHOTS / f"{name}.png")
            self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), width, name)
        for details in self.browser.all("details"):
            self.browser.run("arguments[0].open = true", details)
        self.assertLessEqual(self.browser.run("return document.documentElement.scrollWidth"), 360)
        self.browser.one("#search").send_keys("evil01")
        self.wait_for_domains("evil.example")
        self.browser.one("#messages td[data-label=Message] button").click()
        self.browser.wait(lambda: "DNS as it was" in self.browser.one("#story-body").text, "the story")
        self.assertEqual([], self.browser.run(CONTRASTS))
        self.assertLessEqual(self.browser.run("return document.getElementById('story').scrollWidth"), 360)
        self.browser.shoot(SHOTS / "phone-story.png", whole=False)


class WithoutHistory(DaemonTest):
    @classmethod
    def store(cls):
        return ""

    def test_the_page_says_how_to_keep_one(self):
        browser = Browser()
        self.addCleanup(browser.close)
        browser.driver.get(self.url())
        browser.wait(lambda: "[history]" in browser.one("#no-history").text, "the advice")
        browser.wait(lambda: "All 2 identities are well." == browser.one("#sentence").text, "the sentence")
        self.assertFalse(browser.one("#messages-section").is_displayed())
        self.assertEqual([], browser.driver.get_log("browser"))


if __name__ == "__main__":
    unittest.main()
