"""The verifier that lies in each bundle, opened as a file: it says what `verify.py` says, and asks no network."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from browser.looking import DESKTOP, PATIENCE_MS, PHONE, Visitors, Witness, shoot, sign_in, violations
from browser.stage import Site
from ledger import REPORT, SERIALS, Ledger, a_story, high_s, repacked_with
from playwright.sync_api import Browser, FilePayload, Page

from lotseal.signing.canonical import canonical_json, sha256_hex
from lotseal.signing.verify import check, read_zip, write_zip

TOOL = Path(__file__).parents[2] / "static/verify/verify.html"


@pytest.fixture(scope="module")
def story() -> Ledger:
    return a_story()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    witness = Witness("file://")
    context = browser.new_context(locale="en-GB", viewport=DESKTOP)
    witness.watch(context)
    opened = context.new_page()
    opened.goto(TOOL.as_uri())
    yield opened
    context.close()
    assert witness.wrongs == []


def told(page: Page, bundle: bytes, policy: bytes | None = None) -> tuple[int, str]:
    """Exit status and rule, as the page shows them."""
    page.reload()
    if policy is not None:
        page.set_input_files("#policy", _file("policy", policy))
    page.set_input_files("#bundle", _file("bundle.zip", bundle))
    answer = page.locator("#answer[data-exit]")
    answer.wait_for(timeout=PATIENCE_MS)
    return int(answer.get_attribute("data-exit") or -1), answer.get_attribute("data-rule") or ""


def _file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def by_tool(bundle: bytes, policy: bytes | None = None) -> tuple[int, str]:
    report = check(bundle, policy)
    return report.exit, (report.refused or {"rule": ""})["rule"]


def test_a_sound_bundle_is_sound_here_too(page: Page, story: Ledger) -> None:
    for bundle in (story.bundle(), story.bundle("certificate", "z1"), story.bundle("item", SERIALS[0])):
        assert told(page, bundle, story.policy) == (0, "")
        assert page.locator("#answer").get_attribute("data-result") == "sound"
        facts = [one["rule"] for one in check(bundle, story.policy).facts]
        here = page.locator("#answer li:not(.note) .word").all_inner_texts()
        assert [one.replace("credential.revoked", "credential.signature") for one in here] == facts


def test_the_bundles_own_policy_is_named_as_such(page: Page, story: Ledger) -> None:
    assert told(page, story.bundle()) == (0, "")
    assert "policy taken from the bundle" in page.locator("#answer h2").first.inner_text()
    page.get_by_role("button", name="中文").click()
    assert "运营方自述" in page.locator("#answer h2").first.inner_text()


def tampered(story: Ledger) -> dict[str, bytes]:
    """A bundle for most ways to tamper, each packed anew by somebody who knows the form."""
    bundle = story.bundle("item", SERIALS[0])
    members = read_zip(bundle)
    item = f"items/{SERIALS[0]}.json"
    told = json.loads(members[item])
    first = next(name for name in members if name.startswith("contents/"))
    entry = first.replace("contents", "entries")
    late = a_story(until="accepted")
    late.enter("key:revoke", f"key:{late.credentials.kid}", "keys", role="credential")
    late.release([("YX-0417", REPORT)])
    ended = a_story(until="released")
    ended.enter("key:revoke", f"key:{ended.add_log_key()}", "keys", role="log")
    changes: dict[str, dict[str, bytes | None]] = {
        "content": {first: members[first].replace(b"ES256", b"ES384")},
        "entry": {entry: members[entry].replace(b'"seq":1', b'"seq":2')},
        "entry, well formed": {entry: canonical_json({**json.loads(members[entry]), "actor": "0" * 64})},
        "file": {f"files/{sha256_hex(REPORT)}": b"other"},
        "release": {"records/release.json": members["records/release.json"] + b" "},
        "signature": {"records/release.sig": bytes(63) + b"1"},
        "other spelling": {"records/release.sig": high_s(members["records/release.sig"])},
        "no release": {"records/release.json": None, "records/release.sig": None},
        "credential": {"credentials/v1.jwt": members["credentials/v2.jwt"]},
        "no status list": {"status/1.jwt": None},
        "item moved": {item: canonical_json({**told, "place": 2})},
        "item void": {item: canonical_json({**told, "state": "void"})},
        "item in no run": {item: canonical_json({**told, "run": "r9"})},
        "no item": {item: None},
        "checkpoint": {"checkpoint": members["checkpoint"].replace(b"\n\n", b"\nmore\n\n")},
        "no proof": {first.replace("contents", "proofs").replace("json", "tlog-proof"): None},
        "text": {first: b"\xff"},
    }
    made = {name: repacked_with(members, change) for name, change in changes.items()}
    made |= {"late signature": late.bundle(), "cut": bundle[:-3], "empty": b"", "no zip": b"hello"}
    made["log key has ended"] = ended.bundle()
    made["head"] = repacked_with(members, {}, checkpoint_size=3)
    made["hash"] = write_zip({**members, first: b"{}"})
    made["deep"] = write_zip({**members, "bundle.json": b'{"a":' * 100_000 + b"1" + b"}" * 100_000})
    return made


def test_both_tools_name_the_same_rule_for_each_attack(page: Page, story: Ledger) -> None:
    for name, bundle in tampered(story).items():
        policy = None if name in ("late signature", "log key has ended") else story.policy
        wanted = by_tool(bundle, policy)
        assert wanted[0] != 0, name
        assert told(page, bundle, policy) == wanted, name


def test_both_tools_agree_on_flipped_bytes(page: Page, story: Ledger) -> None:
    bundle = story.bundle("item", SERIALS[0])
    members, luck = read_zip(bundle), random.Random(5)
    for name in luck.sample(sorted(set(members) - {"bundle.json", "policy"}), 20):
        data = bytearray(members[name])
        data[luck.randrange(len(data))] ^= 1 << luck.randrange(8)
        changed = repacked_with(members, {name: bytes(data)})
        assert told(page, changed, story.policy)[0] == by_tool(changed, story.policy)[0] != 0, name


def test_a_policy_that_asks_for_more_is_not_met(page: Page, story: Ledger) -> None:
    other = Ledger(log=story.log)
    assert told(page, story.bundle(), other.policy) == (2, "policy.quorum") == by_tool(story.bundle(), other.policy)
    assert told(page, story.bundle(), b"nonsense") == (3, "policy.line")


def test_the_page_allows_itself_its_own_script_and_style_only() -> None:
    text = TOOL.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; base-uri 'none'; form-action 'none'")
    for kind in ("style", "script"):
        (inside,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1], f"the hash of the {kind} is sha256-{digest}"
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_it_can_be_used_by_everybody_and_looks_like_our_pages(browser: Browser, story: Ledger) -> None:
    for size, theme, name in ((PHONE, "light", "phone"), (DESKTOP, "light", "desktop"), (PHONE, "dark", "dark")):
        context = browser.new_context(locale="zh-CN", viewport=size, color_scheme=theme, bypass_csp=True)
        page = context.new_page()
        page.goto(TOOL.as_uri())
        assert told(page, story.bundle("item", SERIALS[0])) == (0, "")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert violations(page) == []
        shoot(page, f"verifier-{name}")
        assert told(page, tampered(story)["item void"])[0] == 1
        assert violations(page) == []
        shoot(page, f"verifier-{name}-tampered")
        context.close()


def test_an_auditor_takes_a_bundle_along_and_checks_it_at_home(
    visitors: Visitors, site: Site, page: Page, tmp_path: Path
) -> None:
    """From the desk of the running service to the page inside the bundle, which then needs no service."""
    desk = visitors.page()
    sign_in(desk, site.accounts("auditor")[0])
    desk.goto("/staff/batches?q=DHP261012A")
    desk.locator("main tbody a").first.click()
    with desk.expect_download() as taken:
        desk.locator('a[href^="/staff/evidence/batch/"]').click()
    bundle = Path(taken.value.path()).read_bytes()
    members = read_zip(bundle)
    (tmp_path / "verify.html").write_bytes(members["verify.html"])
    page.goto((tmp_path / "verify.html").as_uri())
    policy = urlopen(f"{site.origin}/log/policy").read()
    assert told(page, bundle, policy) == (0, "")
    assert by_tool(bundle, policy) == (0, "")
    assert "signature of the release, key in force" in page.locator("#answer").inner_text()
