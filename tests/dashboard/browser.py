"""Chromium without a screen, with a directory of its own that is removed afterwards. It talks to loopback alone."""

import base64
import shutil
import tempfile
import time
import unittest

try:
    from selenium import webdriver
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WAIT_S = 60
ARGUMENTS = ("--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --no-default-browser-check "
             "--disable-background-networking --disable-component-update --disable-client-side-phishing-detection "
             "--disable-sync --disable-default-apps --disable-domain-reliability --disable-extensions --metrics-recording-only "
             "--no-pings --proxy-server=direct:// --force-device-scale-factor=1 "
             "--host-resolver-rules=MAP~*~~NOTFOUND~,~EXCLUDE~127.0.0.1").split()


def why_not():
    """Why there is no browser here; "" when there is one."""
    missing = [name for name, there in (("chromium", CHROMIUM), ("chromium-driver", DRIVER), ("python3-selenium", webdriver))
               if not there]
    return "not installed: " + ", ".join(missing) if missing else ""


class Browser:
    def __init__(self):
        if reason := why_not():
            raise unittest.SkipTest(reason)
        self.holder = tempfile.TemporaryDirectory(prefix="sesame-chromium-", ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (*ARGUMENTS, f"--user-data-dir={self.holder.name}"):
            options.add_argument(argument.replace("~", " "))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)

    def close(self):
        self.driver.quit()
        self.holder.cleanup()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)", selector)

    def wait(self, condition, what):
        """What `condition` gives once it is true; elements may be replaced meanwhile."""
        end = time.monotonic() + WAIT_S
        while True:
            try:
                found = condition()
                if found:
                    return found
            except StaleElementReferenceException:
                pass
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come; console: {self.driver.get_log('browser')}")
            time.sleep(0.05)

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def look(self, width, scheme, height=900, mobile=False):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1,
                     mobile=mobile)
        self.wait(lambda: self.run("return innerWidth") == width, f"a width of {width}")

    def shoot(self, path, whole=True):
        """The page as an image, down to a height that can still be looked at."""
        size = self.run("return [innerWidth, Math.min(document.documentElement.scrollHeight, 3000)]")
        clip = {"clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}} if whole else {}
        shot = self.command("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))
