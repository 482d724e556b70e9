"""The storefront as a visitor meets it: a real server, a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn

from shelfwise.serving.app import create_app

from .chromium import chromium
from .conftest import until
from .tiny_shop import TinyShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(free_port: int) -> Iterator[str]:
    app = create_app(TinyShop)
    server = uvicorn.Server(uvicorn.Config(app, port=free_port, log_config=None))
    thread = Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{free_port}/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The open storefront; any error that the browser reports fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, complaints = context.new_page(), list[str]()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(address)
    page.wait_for_selector("#shelf .card")
    yield page
    context.close()
    assert complaints == []


def titles(page: Page, section: str) -> list[str]:
    return page.locator(f"#{section} .open").all_inner_texts()


def test_a_search_and_a_click_change_the_shelf(page: Page, tmp_path: Path) -> None:
    before = titles(page, "shelf")
    assert before[0] == "Trail running shoe"  # catalogue order

    page.get_by_label("Search the shop").fill("knife")
    page.keyboard.press("Enter")
    page.wait_for_selector("#results .card")
    assert titles(page, "results") == ["Chef's knife 20 cm"]
    assert "knife" not in page.url.partition("#")[0]

    page.get_by_role("button", name="Chef's knife").first.click()
    page.get_by_role("dialog").get_by_text("Kitchen > Knives").wait_for()
    page.keyboard.press("Escape")

    # The other thing of the kitchen comes first, and the knife has been seen.
    page.locator("#shelf .open").first.get_by_text("Cast iron casserole").wait_for()
    assert "Chef's knife 20 cm" not in titles(page, "shelf")
    assert page.locator("#history-list li").all_inner_texts() == [
        "Opened\nChef's knife 20 cm",
        "Searched\nknife",
    ]

    picture = tmp_path / "storefront.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000


def test_the_history_outlives_the_page_until_forgotten(page: Page) -> None:
    page.get_by_role("button", name="Cast iron casserole").click()
    page.keyboard.press("Escape")
    page.reload()
    page.locator("#shelf .open").first.get_by_text("Chef's knife").wait_for()

    page.get_by_role("button", name="Forget it all").click()

    page.locator("#shelf .open").first.get_by_text("Trail running shoe").wait_for()
    assert page.evaluate("Object.values(localStorage)") == ["[]"]


def test_sponsored_places_are_labelled(page: Page) -> None:
    page.wait_for_selector("#sponsored .card")

    assert page.get_by_role("complementary", name="Sponsored").is_visible()
    assert page.locator("#sponsored .card .label").all_inner_texts() == ["Sponsored"] * 2


def test_the_figures_are_shown_on_demand(page: Page) -> None:
    figures = page.locator("#shelf .card").first.locator(".figures")
    assert not figures.is_visible()

    page.get_by_label("How it was ranked").check()

    # 10 / (100 + 89) = 5.3 %
    assert figures.inner_text().split("\n") == ["Match", "0.000", "Click", "5.3 %", "Buy", "25.0 %"]
    book = page.locator("#shelf .card", has_text="field guide").locator(".figures")
    assert book.locator("dd").all_inner_texts() == ["0.000", "–", "–"]  # noqa: RUF001


def test_a_title_is_text_and_chinese_is_marked(page: Page) -> None:
    assert "<script>document.title='stolen'</script>" in titles(page, "shelf")
    assert page.title() == "Corner shop"
    assert page.locator("#shelf b, #shelf script").count() == 0
    tea = page.locator("#shelf .open", has_text="西湖龙井")
    assert tea.get_attribute("lang") == "zh"


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the items"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Trail running shoe"

    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Add to basket").press("Enter")

    page.get_by_role("dialog").get_by_text("Noted in your history").wait_for()


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_small_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") == width
