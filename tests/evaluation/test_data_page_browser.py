"""The data report in a real browser, on a phone and on a desk, in light and in dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from data.report.small_report import small_report
from serving.chromium import chromium

from shelfwise.evaluation.data_page import write_data_page

# Text that lies outside its own picture, or a picture or card wider than the page.
_OUTSIDE = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("main svg")) {
    const frame = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const box = text.getBoundingClientRect();
      if (box.left < frame.left - 6 || box.right > frame.right + 6) found.push(text.textContent);
    }
  }
  for (const card of document.querySelectorAll(".card, .lead, h1, h2")) {
    if (card.getBoundingClientRect().right > innerWidth + 1) found.push(card.className);
  }
  return found;
}"""


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1280, "light")])
def test_everything_fits_and_nothing_is_fetched(tmp_path: Path, width: int, scheme: str) -> None:
    file = tmp_path / "data.html"
    write_data_page(small_report("Extraordinarily-long-unbroken-title-" * 3), file)
    complaints: list[str] = []
    with chromium() as browser:
        page = browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(file.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        outside = page.evaluate(_OUTSIDE)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.click("nav a[href='#delays']")
        shown = page.evaluate("document.querySelector('#delays').getBoundingClientRect().top")

    assert complaints == []
    assert [url for url in fetched if not url.startswith("data:")] == [file.as_uri()]
    assert wide == width
    assert outside == []
    assert (ground == "rgb(18, 21, 23)") == (scheme == "dark")
    assert 0 <= shown < 400
