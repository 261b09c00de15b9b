"""No spelling of a target leads to a place that nobody wanted."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from makers import rules

from lotseal.trace.errors import Invalid
from lotseal.trace.links.targets import read_target


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("https://www.example.cn", "https://www.example.cn/"),
        (" HTTPS://WWW.Example.CN:443/A?b=c#d ", "https://www.example.cn/A?b=c#d"),
        ("http://example.cn:8080/", "http://example.cn:8080/"),
        ("https://xn--fiqs8s.cn/说明", "https://xn--fiqs8s.cn/%E8%AF%B4%E6%98%8E"),
        ("https://8.8.8.8/x", "https://8.8.8.8/x"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("/report/abc?x=1", "/report/abc?x=1"),
        ("/", "/"),
    ],
)
def test_a_public_address_has_one_spelling(text: str, spelling: str) -> None:
    assert read_target(text) == spelling
    assert read_target(spelling) == spelling


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("javascript:alert(1)", "link.scheme"),
        ("JavaScript://www.example.cn/%0aalert(1)", "link.scheme"),
        ("data:text/html,x", "link.scheme"),
        ("ftp://example.cn/", "link.scheme"),
        ("www.example.cn", "link.scheme"),
        ("https://", "link.host"),
        ("https:///x", "link.host"),
        ("https:example.cn", "link.host"),
        ("https://intranet/", "link.host"),
        ("https://127.1/", "link.host"),
        ("https://0x7f.1/", "link.host"),
        ("https://2130706433/", "link.host"),
        ("https://017700000001/", "link.host"),
        ("https://127.0.0.1./", "link.host"),
        ("https://127.0.0.1/", "link.private"),
        ("https://10.1.2.3/", "link.private"),
        ("https://192.168.0.1/", "link.private"),
        ("https://172.16.0.1/", "link.private"),
        ("https://169.254.169.254/latest/meta-data", "link.private"),
        ("https://100.64.0.1/", "link.private"),
        ("https://0.0.0.0/", "link.private"),
        ("https://224.0.0.1/", "link.private"),
        ("https://[::1]/", "link.private"),
        ("https://[fe80::1]/", "link.private"),
        ("https://[fc00::1]/", "link.private"),
        ("https://[::ffff:127.0.0.1]/", "link.private"),
        ("https://[::ffff:8.8.8.8]/", "link.private"),
        ("https://[2002:7f00:1::]/", "link.private"),
        ("https://[64:ff9b::7f00:1]/", "link.private"),
        ("https://localhost/", "link.private"),
        ("https://a.localhost/", "link.private"),
        ("https://printer.local/", "link.private"),
        ("https://user:pass@example.cn/", "link.user"),
        ("https://www.example.cn@evil.example/", "link.user"),
        ("https://www.example.cn\\@evil.example/", "link.control"),
        ("https://www.example.cn/\r\nSet-Cookie:x=1", "link.control"),
        ("https://www.exa\tmple.cn/", "link.control"),
        ("https://www.example.cn/%zz", "link.characters"),
        ("https://www.example.cn/<b>", "link.characters"),
        ("https://例子.cn/", "link.host-letters"),
        ("https://www.example.cn:99999/", "link.port"),
        ("https://www.example.cn:0/", "link.port"),
        ("//evil.example/", "link.path"),
        ("/\\evil.example", "link.control"),
        ("/\t/evil.example", "link.control"),
        ("https://www.example.cn/" + "a" * 2000, "link.too-long"),
    ],
)
def test_what_leads_elsewhere_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Invalid) as error:
        read_target(text)
    assert rules(error) == [("href", rule)]


_PIECES = st.sampled_from(
    ["https://", "http://", "//", "/", "\\", "@", ":", "javascript:", "127.0.0.1", "[::1]", "localhost", "example.cn",
     "evil.example", "%2f", "%00", "\r\n", "\t", " ", "?", "#", ".", "0x7f", "１２７.0.0.1", "。", "a", "-", "_"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=8).map("".join), st.from_regex(r"https?://.{1,40}")))
@example("https:/\\evil.example")
@example("https://example.cn／@evil.example/")
def test_a_target_is_a_path_of_ours_or_names_a_public_host_plainly(text: str) -> None:
    try:
        target = read_target(text)
    except Invalid:
        return
    assert target.isascii()
    assert target.isprintable()
    assert not set(target) & set(' \\<>"')
    assert read_target(target) == target
    if target.startswith("/"):
        assert not target.startswith("//")
        return
    # What a browser takes for the host: everything up to the next slash, question mark or hash.
    found = re.match(r"https?://([^/?#]+)/", target.replace("?", "/?").replace("#", "/#") + "/")
    assert found
    assert "@" not in found[1]
    assert found[1] == urlsplit(target).netloc
    host = urlsplit(target).hostname or ""
    if re.fullmatch(r"[0-9.]+", host) or ":" in host:
        assert ipaddress.ip_address(host).is_global
    else:
        assert re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", host)
