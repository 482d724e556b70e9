from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from shelfwise.data.config import ShopOptions

from .conftest import until
from .tiny_shop import TinyShop

PAGES = ["/", "/docs"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_and_fetches_only_what_is_ours(client: TestClient, path: str) -> None:
    page = client.get(path)

    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", page.text)
    # Whatever it fetches is served from here.
    for address in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", page.text):
        assert client.get(address).status_code == 200
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)


@pytest.mark.parametrize("name", ["storefront.js", "card.js", "visitor.js"])
def test_scripts_never_turn_text_into_markup(client: TestClient, name: str) -> None:
    script = client.get(f"/static/{name}")

    assert script.headers["content-type"].startswith("text/javascript")
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\("
    assert not re.search(markup, script.text)


def test_a_sample_shop_says_so(client: TestClient, shop: TinyShop) -> None:
    assert "Sample shop." in client.get("/").text

    shop.shop = ShopOptions(name="Real shop")
    assert "Sample shop." not in client.get("/").text


def test_the_shops_name_is_text(client: TestClient, shop: TinyShop) -> None:
    shop.shop = ShopOptions(name="\"><script>alert('x')</script>")

    page = client.get("/").text

    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") == 3  # title, data-shop, brand


def test_the_page_before_opening_looks_again(open_client: Callable[..., TestClient]) -> None:
    def load() -> TinyShop:
        raise FileNotFoundError("gone")

    client = open_client(load)
    until(lambda: "loading failed" in client.get("/").text)

    assert '<meta http-equiv="refresh" content="2">' in client.get("/").text


def test_the_reference_lists_every_path_and_field(client: TestClient) -> None:
    page = client.get("/docs").text

    for path in client.get("/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in page
    assert "<code>history[].event</code>" in page
    assert "<code>items[].p_convert</code>" in page
