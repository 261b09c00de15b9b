"""The checks of GS1's test suite for conformant resolvers (1.2.0), over the server that `lotseal serve` runs."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import makers
import pytest
from linksets import faults
from makers import AT, Template, a_gtin, released, settings_of
from shells import SCRIPT, environment

from lotseal.trace.accounts.service import OPERATOR
from lotseal.trace.links import service
from lotseal.trace.links.intake import read_link
from lotseal.trace.links.types import TYPES
from lotseal.trace.products.models import Product
from lotseal.trace.system import open_system

VOC = "https://ref.gs1.org/voc/"
BRAND = "https://www.example.cn"
UNKNOWN = "https://elsewhere.example.org"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    links: list[str]
    body: str

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def linkset(self) -> dict[str, Any]:
        context: dict[str, Any] = json.loads(self.body)["linkset"][0]
        return context


@dataclass
class Server:
    """A served data folder: `brand` has links of its own, `plain` has none, `item` is the path of a printed code."""

    port: int
    brand: str
    plain: str
    lot: str
    item: str
    report: str

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request as it stands, no redirect followed; `Accept_Language` is the header Accept-Language."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            raw = answer.getheaders()
            named = {name.lower(): value for name, value in raw}
            links = [value for name, value in raw if name.lower() == "link"]
            return Answer(answer.status, named, links, answer.read().decode())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def server(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("resolver") / "data"
    shutil.copytree(template.data, data)
    data.chmod(0o700)
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    system = open_system(settings_of(data, LOTSEAL_PUBLIC_URL=base))
    with system.main.write() as db:
        batch = released(db, system.ring, lot="LOT1")
        brand = makers.a_product(db, batch.supplier)
        for facts in _links(brand):
            service.add(db, read_link(facts), by=OPERATOR, at=AT)
        service.allow_host(db, "www.example.cn", by=OPERATOR, at=AT)
        report = makers.a_certificate(db, batch, number="9521321000018REPORT")
    code = makers.codes(system, batch)[0]
    item = code.link[code.link.index("/01/") :]
    plain = batch.product.gtin
    system.close()
    command = [str(SCRIPT), "serve", "--port", str(port)]
    wanted = {**os.environ, **environment(data, LOTSEAL_PUBLIC_URL=base)}
    process = subprocess.Popen(command, env=wanted, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Server(port, brand.gtin, plain, "LOT1", item, report.ref)
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def _links(brand: Product) -> list[dict[str, str]]:
    def link(word: str, href: str, **more: str) -> dict[str, str]:
        return {"of": brand.gtin, "link_type": f"gs1:{word}", "href": href, "title": href.rpartition("/")[2], **more}

    return [
        link("pip", f"{BRAND}/default", is_default="1"),
        link("pip", f"{BRAND}/de?ref=1", languages="de", is_default="1"),
        link("instructions", f"{BRAND}/zh", languages="zh"),
        link("instructions", f"{BRAND}/en", languages="en"),
        link("instructions", f"{BRAND}/en-gb", languages="en-GB"),
        link("instructions", f"{BRAND}/en.pdf", languages="en", media_type="application/pdf"),
        link("instructions", f"{BRAND}/en-shop", languages="en", contexts="retail"),
        link("hasRetailers", f"{BRAND}/shop1"),
        link("hasRetailers", f"{BRAND}/shop2"),
        link("socialMedia", f"{UNKNOWN}/we?a=b#top"),
        {"of": "(414)9521321000018", "link_type": "locationInfo", "href": f"{BRAND}/place", "title": "Place"},
    ]


# 1 --------------------------------------------------------------------------------------------------------------------


def test_1_the_resolver_describes_itself(server: Server) -> None:
    answer = server.ask("/.well-known/gs1resolver")
    facts = json.loads(answer.body)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert facts["resolverRoot"] == server.base
    assert {"01", "00", "253", "414", "8006"} <= set(facts["supportedPrimaryKeys"])


# 2 --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/01/{brand}", "/01/{plain}", "/01/{plain}/10/LOT1", "{item}", "/414/9521321000018"])
def test_2_every_method_is_answered_for_every_site_with_the_way_to_all_links(
    server: Server, method: str, path: str
) -> None:
    path = path.format(**vars(server))
    answer = server.ask(path, method, Origin="https://other.example", Access_Control_Request_Method="GET")
    assert answer.status in (200, 307)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["access-control-allow-methods"].split(", "))
    asked = path.partition("?")[0]
    assert f'<{server.base}{asked}?linkType=linkset>; rel="linkset"; type="application/linkset+json"' in answer.links
    if method != "GET":
        assert answer.body == ""


def test_2_head_says_what_get_says(server: Server) -> None:
    for path in (f"/01/{server.brand}?foo=bar", f"/01/{server.plain}", f"/01/{server.brand}?linkType=gs1:x"):
        get, head = server.ask(path), server.ask(path, "HEAD")
        assert (head.status, head.location, head.links) == (get.status, get.location, get.links)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_2_no_other_method_is_taken(server: Server, method: str) -> None:
    assert server.ask(f"/414/{9521321000018}", method).status in (400, 405)


# 3 --------------------------------------------------------------------------------------------------------------------


def test_3_no_header_has_a_compact_relation(server: Server) -> None:
    for path in (f"/01/{server.brand}", f"/01/{server.plain}?linkType=linkset", server.item):
        assert not any('rel="gs1:' in link for link in server.ask(path).links)


# 4 --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/01/{plain}/foo",
        "/01/{plain}/10/LOT1/foo",
        "/01/{plain}/99/X",
        "/01/{plain}/21/S/10/LOT1",
        "/01/{plain}/10/LOT1/10/LOT1",
        "/01/{plain}/10/" + "A" * 21,
        "/01/{plain}/10/%E6%89%B9",
        "/01/09521321000017",
        "/01/9521321000018",
        "/01/{plain}/01/{plain}",
        "/8006/095213210000180302",
        "/414/9521321000010",
        "/00/395213210000000010",
        "/253/123",
    ],
)
def test_4_a_bad_address_is_400_in_every_form(server: Server, path: str) -> None:
    path = path.format(**vars(server))
    for query in ("", "?linkType=linkset", "?linkType=gs1:pip"):
        assert server.ask(path + query).status == 400
    assert server.ask(path, Accept="application/linkset+json").status == 400


# 5 --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/01/{brand}",
        "/01/{plain}",
        "/01/{plain}/10/LOT1",
        "/414/9521321000018",
        "/01/{plain}/foo",
        "/414/9521321000001",
    ],
)
@pytest.mark.parametrize("query", ["", "?linkType=gs1:pip", "?linkType=linkset"])
def test_5_a_slash_at_the_end_changes_nothing(server: Server, path: str, query: str) -> None:
    path = path.format(**vars(server))
    with_slash, without = server.ask(f"{path}/{query}"), server.ask(path + query)
    assert (with_slash.status, with_slash.location) == (without.status, without.location)


# 6 --------------------------------------------------------------------------------------------------------------------


def test_6_an_unknown_lot_or_serial_walks_up(server: Server) -> None:
    lot = server.ask(f"/01/{server.plain}/10/NONE")
    assert lot.status == 200
    assert 'data-state="unknown-lot"' in lot.body
    both = server.ask(f"/01/{server.plain}/10/NONE/21/NONE")
    assert both.status == 200
    for tail, anchor in (("/10/NONE", ""), ("/21/NONE", ""), ("/10/LOT1/21/NONE", "/10/LOT1"), ("/22/V/21/X", "")):
        answer = server.ask(f"/01/{server.plain}{tail}?linkType=linkset")
        assert answer.status == 200
        assert answer.linkset["anchor"] == f"{server.base}/01/{server.plain}{anchor}"
        assert server.ask(f"/01/{server.plain}{tail}?linkType=gs1:pip").status == 307
        assert server.ask(f"/01/{server.brand}{tail.replace('LOT1', 'NONE')}?linkType=gs1:hasRetailers").status == 300
    assert server.ask("/414/9521321000018/254/ROOM").location == f"{BRAND}/place"


def test_6_an_unknown_number_is_404(server: Server) -> None:
    for query in ("", "?linkType=linkset", "?linkType=gs1:pip"):
        assert server.ask(f"/01/{a_gtin()}{query}").status == 404
    assert server.ask("/414/9521321000001").status in (400, 404)


# 7 --------------------------------------------------------------------------------------------------------------------


def test_7_other_keys_of_the_query_are_passed_on(server: Server) -> None:
    assert server.ask(f"/01/{server.brand}?foo=bar&linkType=gs1:pip&17=271231").location == (
        f"{BRAND}/default?foo=bar&17=271231"
    )
    assert server.ask(f"/01/{server.brand}?foo=bar&context=x").location == f"{BRAND}/default?foo=bar"
    german = server.ask(f"/01/{server.brand}?foo=a%20b&foo=c", Accept_Language="de")
    assert german.location == f"{BRAND}/de?ref=1&foo=a+b&foo=c"
    assert server.ask(f"/01/{server.plain}?linkType=gs1:pip&foo=bar").location == (
        f"{server.base}/01/{server.plain}?foo=bar"
    )


# 8, 9 and 10 ----------------------------------------------------------------------------------------------------------

THINGS = [
    "/01/{brand}",
    "/01/{plain}",
    "/01/{plain}/10/LOT1",
    "{item}",
    "/414/9521321000018",
    "/253/9521321000018REPORT",
]


@pytest.mark.parametrize("path", THINGS)
def test_8_9_10_a_linkset_comes_at_once_is_valid_and_names_its_context(server: Server, path: str) -> None:
    path = path.format(**vars(server))
    for query, accept in (
        ("?linkType=linkset", "*/*"),
        ("?linkType=all", "text/html"),
        ("?foo=bar", "application/linkset+json"),
        ("", "text/html;q=0.5,application/linkset+json"),
        ("", 'application/linkset+json;profile="https://ref.gs1.org/standards/resolver/linkset-context"'),
    ):
        answer = server.ask(path + query, Accept=accept)
        assert answer.status == 200
        assert "location" not in answer.headers
        assert answer.headers["content-type"] == "application/linkset+json"
        assert faults(json.loads(answer.body)) == []
        context = "https://ref.gs1.org/standards/resolver/linkset-context"
        assert f'<{context}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"' in answer.links
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("kind", ["application/json", "application/ld+json"])
def test_8_programs_get_data_in_the_form_that_they_ask_for(server: Server, kind: str) -> None:
    answer = server.ask(server.item, Accept=f"{kind}, text/plain;q=0.9, */*;q=0.1")
    assert answer.headers["content-type"] == kind
    document = json.loads(answer.body)
    assert ("@context" in document) == (kind == "application/ld+json")
    document.pop("@context", None)
    assert faults(document) == []


def test_9_the_rules_of_the_test_catch_what_the_schema_forbids() -> None:
    link = {"href": "https://a.example/", "title": "A"}
    context: dict[str, Any] = {"anchor": "https://a.example/01/1", "itemDescription": "A", VOC + "pip": [link]}
    assert faults({"linkset": [context]}) == []
    for wrong in (
        {"@context": "x"},
        {"gs1:pip": [link]},
        {"https://a.example/voc#pip": [link]},
        {"https://a-b.example/voc": [link]},
        {"itemDescription": ["A"]},
        {"description": "A"},
        {VOC + "pip": [{"href": "https://a.example/"}]},
        {VOC + "pip": [{**link, "hreflang": ["zh-Hans"]}]},
        {VOC + "pip": [{**link, "hreflang": "zh"}]},
        {VOC + "pip": [{**link, "rel": "x"}]},
        {VOC + "pip": [{**link, "href": "/01/1"}]},
    ):
        assert faults({"linkset": [{**context, **wrong}]})
    assert faults({"linkset": [{k: v for k, v in context.items() if k != "itemDescription"}]})
    assert faults({"linkset": [context], "@context": "x"})


# 11 -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", THINGS)
def test_11_there_is_one_default_link_with_a_title_and_a_plain_request_leads_there(server: Server, path: str) -> None:
    path = path.format(**vars(server))
    [default] = server.ask(f"{path}?linkType=linkset").linkset[f"{VOC}defaultLink"]
    assert set(default) == {"href", "title"}
    plain = server.ask(path)
    if plain.status == 307:
        assert plain.location == default["href"]
    else:
        # The page is the answer itself: one request for a phone.
        assert (plain.status, default["href"]) == (200, server.base + path)


def test_11_an_item_of_ours_opens_in_one_request(server: Server) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = server.ask(server.item, Accept=accept, User_Agent=phone)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"


# 12 -------------------------------------------------------------------------------------------------------------------


def test_12_a_link_type_leads_to_its_link(server: Server) -> None:
    for spelling in ("gs1:pip", "pip", f"{VOC}pip", "https://gs1.org/voc/pip", "gs1:defaultLink"):
        answer = server.ask(f"/01/{server.brand}?linkType={spelling}")
        assert (answer.status, answer.location) == (307, f"{BRAND}/default")
    report = server.ask("/253/9521321000018REPORT")
    assert (report.status, report.location) == (307, f"{server.base}/report/{server.report}")


@pytest.mark.parametrize("word", ["gs1:nonsense", "gs1:epcis", "", "schema:x", "gs1:handledBy"])
def test_12_a_type_without_a_link_is_404(server: Server, word: str) -> None:
    assert server.ask(f"/01/{server.brand}?linkType={word}").status == 404


def test_12_several_links_that_fit_equally_are_300_with_the_list(server: Server) -> None:
    path = f"/01/{server.brand}?linkType=gs1:hasRetailers"
    data, page = server.ask(path), server.ask(f"{path}&foo=bar", Accept="text/html")
    assert (data.status, page.status) == (300, 300)
    assert faults(json.loads(data.body)) == []
    shops = [f"{BRAND}/shop1", f"{BRAND}/shop2"]
    assert [link["href"] for link in data.linkset[f"{VOC}hasRetailers"]] == shops
    assert all(f'href="{shop}?foo=bar"' in page.body for shop in shops)


# 13 -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query", "target"),
    [
        ({"Accept_Language": "zh"}, "", "zh"),
        ({"Accept_Language": "zh-TW,zh;q=0.9,en;q=0.8"}, "", "zh"),
        ({"Accept_Language": "fr;q=1,en-GB;q=0.7,zh;q=0.2"}, "", "en-gb"),
        ({"Accept_Language": "en-AU"}, "", "en"),
        ({"Accept_Language": "en", "Accept": "application/pdf"}, "", "en.pdf"),
        ({"Accept_Language": "en", "Accept": "undefined"}, "", "en"),
        ({"Accept_Language": "en"}, "&context=retail", "en-shop"),
        ({"Accept_Language": "en"}, "&context=other", "en"),
        ({"Accept_Language": "undefined"}, "", "zh"),
    ],
)
def test_13_the_link_is_chosen_by_language_media_type_and_context(
    server: Server, headers: dict[str, str], query: str, target: str
) -> None:
    answer = server.ask(f"/01/{server.brand}?linkType=gs1:instructions{query}", **headers)
    assert (answer.status, answer.location) == (307, f"{BRAND}/{target}")


@pytest.mark.parametrize("accept", ["undefined", "", "*/*", "text/*;q=nonsense", "a" * 500, ",,;q="])
def test_13_an_odd_accept_header_is_no_reason_to_refuse(server: Server, accept: str) -> None:
    assert server.ask(f"/01/{server.brand}", Accept=accept).location == f"{BRAND}/default"
    assert server.ask(f"/01/{server.plain}", Accept=accept).status == 200


# 14 -------------------------------------------------------------------------------------------------------------------


def test_14_every_link_type_stands_in_the_vocabulary(server: Server) -> None:
    known = {VOC + word for word in (*TYPES, "defaultLink", "defaultLinkMulti")}
    for path in THINGS:
        context = server.ask(f"{path.format(**vars(server))}?linkType=linkset").linkset
        assert {name for name in context if name not in ("anchor", "itemDescription")} <= known
    assert f"{VOC}defaultLinkMulti" in server.ask(f"/01/{server.brand}?linkType=linkset").linkset


# beyond the list ------------------------------------------------------------------------------------------------------


def test_a_host_that_nobody_trusts_is_named_before_it_is_opened(server: Server) -> None:
    answer = server.ask(f"/01/{server.brand}?linkType=gs1:socialMedia&x=%22%3E")
    assert answer.status == 307
    assert answer.location.startswith(f"{server.base}/leave/")
    for language, words in (("en", "You leave this service"), ("zh", "elsewhere.example.org")):
        page = server.ask(answer.location.removeprefix(server.base), Accept_Language=language)
        assert page.status == 200
        assert words in page.body
        assert 'href="https://elsewhere.example.org/we?a=b&amp;x=%22%3E#top"' in page.body
        assert 'rel="noopener noreferrer' in page.body
