"""The storefront of a trained run, as a visitor meets it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.command import done
from serving.chromium import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page


def titles(page: Page, section: str) -> list[str]:
    return page.locator(f"#{section} .open").all_inner_texts()


def test_a_visitor_searches_and_sees_what_the_run_ranks(
    walked: Path, address: str, tmp_path: Path
) -> None:
    ranked = done("rank", walked / "run", "--surface", "search", "--query", "red lamp", "--json")
    complaints: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/")
        page.wait_for_selector("#shelf .card")
        shelf = titles(page, "shelf")

        page.get_by_label("Search the shop").fill("red lamp")
        page.keyboard.press("Enter")
        page.wait_for_selector("#results .card")

        found = titles(page, "results")
        sponsored = page.locator("#sponsored .card .label").all_inner_texts()
        page.screenshot(path=tmp_path / "storefront.png", full_page=True)
    assert len(shelf) > 0
    assert found[:5] == [item["title"] for item in ranked.json["items"][:5]]
    assert set(sponsored) == {"Sponsored"}
    assert complaints == []
