#!/usr/bin/python3
"""report.html in a browser: verdict, zoom, series, moments, paper; no network, nothing to complain of, and no slower to
appear for a large drill than for a small one. REPORT_SCREENSHOTS=DIR keeps pictures; REPORT_EVENTS=1000000
makes the large one larger."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from browser import Browser  # noqa: E402
from skipping import skip  # noqa: E402

PLOTS = "[...document.querySelectorAll('figure')].map((figure) => figure.dataset.plot)"
STATUS = "document.querySelector('.status').textContent"
PAINT = """new Promise((painted) => new PerformanceObserver((list) =>
    list.getEntriesByName("first-contentful-paint").forEach(({ startTime }) => painted(startTime))
).observe({ type: "paint", buffered: true }))"""
failures = 0


def expect(what, holds, got=""):
    global failures
    if holds:
        print(f"ok    {what}")
    else:
        failures += 1
        print(f"FAIL  {what}: {got}")


def report(out, *evidence):
    subprocess.run([os.environ["BROWNOUT"], "report", *map(str, evidence), "--out", str(out)], check=True,
                   stdout=subprocess.DEVNULL)
    return out


def click(browser, selector, text):
    """Presses the button of that text as the keyboard would."""
    browser.evaluate(f"""(() => {{
        const found = [...document.querySelectorAll({selector!r})].find((one) => one.textContent.includes({text!r}));
        found.focus();
        found.click();
    }})()""")


def picture(browser, name):
    if folder := os.environ.get("REPORT_SCREENSHOTS"):
        browser.screenshot(Path(folder) / f"{name}.png")


def check_reading(browser):
    expect("the verdict is the heading", browser.evaluate("document.querySelector('h1').textContent") == "PASS")
    expect("the title has it too", browser.evaluate("document.title").startswith("PASS: demo"))
    got = browser.evaluate("document.querySelector('.reasons li').textContent")
    expect("the reason that decided comes first", got.startswith("kernel_degradation: ok: 8 of 8"), got)
    got = browser.evaluate(PLOTS)
    expect("all plots are there, one below the other",
           got == ["calls", "failures", "packets", "latency", "round_trip", "fingerprint"], got)
    got = browser.evaluate("[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('canvas') && "
                           "plot.getAttribute('aria-label').length > 40)")
    expect("each is drawn, and said in words", got)
    got = browser.evaluate("[...document.querySelectorAll('table')].every((table) => table.caption && "
                           "[...table.querySelectorAll('th')].every((head) => head.scope === 'col'))")
    expect("every table has a caption, and heads with a scope", got)


def check_zoom(browser):
    whole = browser.evaluate(STATUS)
    click(browser, ".tools button", "Injection")
    got = browser.evaluate(STATUS)
    expect("a button zooms to the injection", got == "\u22122.0 s to +22.0 s", got)
    browser.evaluate("document.querySelector('.plot').scrollIntoView({ block: 'center' })")
    box = browser.evaluate("(({ x, y, width, height }) => ({ x, y, width, height }))"
                           "(document.querySelector('.plot').getBoundingClientRect())")
    middle = box["y"] + box["height"] / 2
    browser.drag((box["x"] + box["width"] * 0.3, middle), (box["x"] + box["width"] * 0.6, middle))
    expect("dragging zooms further", browser.evaluate(STATUS) != got, browser.evaluate(STATUS))
    ranges = browser.evaluate("[...document.querySelectorAll('.plot')].map((plot) => plot.querySelector("
                              "'.dygraph-axis-label-x').textContent)")
    expect("all plots show the same time", len(set(ranges)) == 1, ranges)
    click(browser, ".tools button", "All")
    expect("and back", browser.evaluate(STATUS) == whole, browser.evaluate(STATUS))


def check_series(browser):
    ink = "(() => { const canvas = document.querySelector('figure canvas'); return canvas.toDataURL(); })()"
    drawn = browser.evaluate(ink)
    click(browser, ".legend button", "answered")
    expect("a series is hidden by its name", browser.evaluate(ink) != drawn)
    expect("which is said", browser.evaluate("document.querySelector('.legend button').ariaPressed") == "false")
    click(browser, ".legend button", "answered")
    expect("and shown again", browser.evaluate(ink) == drawn)


def check_moment(browser):
    moment = browser.evaluate("document.querySelector('#moments td button').textContent")
    click(browser, "#moments td button", moment)
    got = browser.evaluate(STATUS)
    expect("a failure leads to its moment", got.startswith(f"At {moment}, 2025-12-23 02:13:30.900 UTC"), got)
    expect("the plots point at it", browser.evaluate("document.querySelector('.legend output').textContent") != "")
    click(browser, ".tools button", "Back to the list")
    expect("and there is a way back", browser.evaluate("document.activeElement.textContent") == moment)


def check_small(browser, small):
    browser.size(1280, 900)
    browser.scheme("light")
    browser.open(small)
    picture(browser, "light")
    check_reading(browser)
    check_zoom(browser)
    check_series(browser)
    check_moment(browser)
    browser.scheme("dark")
    expect("dark is dark", browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 21, 26)")
    browser.open(small)
    picture(browser, "dark")
    browser.size(390, 844, 2)
    browser.open(small)
    expect("a phone need not scroll sideways", browser.evaluate("document.documentElement.scrollWidth") <= 390)
    picture(browser, "phone")
    paper = browser.pdf()
    expect("it prints", paper.startswith(b"%PDF") and len(paper) > 30_000, len(paper))
    if folder := os.environ.get("REPORT_SCREENSHOTS"):
        (Path(folder) / "paper.pdf").write_bytes(paper)
    browser.size(1280, 900)
    browser.scheme("light")


def check_comparison(browser, page):
    browser.open(page)
    got = browser.evaluate("[...document.querySelectorAll('h1')].map((heading) => heading.textContent)")
    expect("two bundles, two verdicts", got == ["PASS", "FAIL"], got)
    got = browser.evaluate("document.querySelector('#difference').textContent")
    expect("what differs is said", "telemetry" in got and "window_as_planned" not in got, got)
    picture(browser, "two")


def first_paints(browser, pages, rounds=7):
    """The best of each page, in turns: what else the machine does makes some later, and none earlier."""
    best = [float("inf")] * len(pages)
    for _ in range(rounds):
        for i, page in enumerate(pages):
            browser.open(page)
            best[i] = min(best[i], browser.evaluate(PAINT))
    return best


def check_large(browser, small, large):
    of_small, of_large = first_paints(browser, [small, large])
    print(f"first paint: {of_small:.0f} ms small ({small.stat().st_size} bytes), "
          f"{of_large:.0f} ms large ({large.stat().st_size} bytes)")
    expect("a large drill is seen no later than twice a small one", of_large <= 2 * of_small, of_large)
    left_out = browser.evaluate("document.querySelector('#moments').textContent")
    expect("its tables say what they leave out", "200 more are in the bundle" in left_out)
    picture(browser, "large")


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        skip("no_browser: chromium is not installed")
    cases = ROOT / "tests/golden/cases"
    with tempfile.TemporaryDirectory() as folder, Browser(chromium) as browser:
        work = Path(folder)
        small = report(work / "small.html", cases / "recorded")
        check_small(browser, small)
        check_comparison(browser, report(work / "two.html", cases / "recorded", cases / "blind"))
        writer = Path(os.environ["BROWNOUT_BUILD_DIR"]) / "bench/judge_evidence"
        subprocess.run([writer, work / "evidence", "--events", os.environ.get("REPORT_EVENTS", "20000"), "--failures", "700",
                        "--seconds", "2500"], check=True)
        check_large(browser, small, report(work / "large.html", work / "evidence"))
        others = [url for url in browser.requests if not url.startswith(("file://" + folder, "about:"))]
        expect("nothing was asked for but the page itself", not others, others)
        expect("nothing to complain of", not browser.complaints, browser.complaints)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
