"""`lotseal link` and the corrected numbers, typed as a person would."""

from __future__ import annotations

from pathlib import Path

from shells import GTIN, LOT, Shell

MANUAL = ("--link-type", "gs1:instructions", "--href", "https://www.example.cn/manual", "--title", "Manual")


def test_a_link_is_added_listed_and_removed(shop: Shell) -> None:
    made = shop.ok("link", "add", f"(01){GTIN}(10){LOT}", *MANUAL, "--languages", "zh,en", "--default")
    assert (made["of"], made["link_type"], made["is_default"]) == (f"/01/{GTIN}/10/{LOT}", "gs1:instructions", True)
    assert shop.ok("link", "list", "--of", GTIN)["total"] == 1
    assert shop.ok("link", "list", "--of", f"(01){GTIN}(10)OTHER")["total"] == 0
    assert shop.ok("link", "list", "--search", "manual")["links"] == [made]
    assert (
        shop.refused("link", "add", f"(01){GTIN}(10){LOT}", *MANUAL, "--languages", "zh,en")[0]["rule"] == "link.taken"
    )
    shop.ok("link", "remove", made["ref"])
    assert shop.refused("link", "remove", made["ref"])[0]["rule"] == "link.unknown"


def test_everything_that_is_wrong_is_said_at_once(shop: Shell) -> None:
    problems = shop.refused("link", "add", "123", "--href", "https://localhost/", "--link-type", "x")
    assert [one["field"] for one in problems] == ["of", "link_type", "href", "title"]


def test_a_table_is_checked_then_taken_whole_or_not_at_all(shop: Shell, tmp_path: Path) -> None:
    table = tmp_path / "links.csv"
    table.write_text(f"of,link_type,href,title\n{GTIN},pip,https://www.example.cn/1,One\n", encoding="utf-8-sig")
    assert shop.ok("link", "import", str(table), "--dry-run") == {"links": 1, "dry_run": True}
    assert shop.ok("link", "list")["total"] == 0
    assert shop.ok("link", "import", str(table)) == {"links": 1, "dry_run": False}
    with table.open("a") as file:
        file.write(f"{GTIN},pip,https://www.example.cn/2,\n")
    wrong = shop.refused("link", "import", str(table))
    assert [(one["field"], one["rule"]) for one in wrong] == [("rows-3.title", "text.missing")]
    assert shop.ok("link", "list")["total"] == 1


def test_hosts_are_trusted_by_name(shop: Shell) -> None:
    assert shop.ok("link", "trust", "WWW.example.cn")["host"] == "www.example.cn"
    assert [row["host"] for row in shop.ok("link", "hosts")["hosts"]] == ["www.example.cn"]
    assert shop.refused("link", "trust", "10.0.0.1")[0]["rule"] == "link.private"
    shop.ok("link", "distrust", "www.example.cn")
    assert shop.ok("link", "hosts")["total"] == 0


def test_a_corrected_number_keeps_every_printed_code(shop: Shell) -> None:
    [run, *_more] = shop.ok("codes", "list", GTIN, LOT)["runs"]
    code = shop.ok("codes", "list", "--run", run["run"])["codes"][0]
    assert shop.refused("batch", "renumber", GTIN, LOT, "NEW-1")[0]["field"] == "reason"
    assert shop.ok("batch", "renumber", GTIN, LOT, "NEW-1", "--reason", "typo")["lot"] == "NEW-1"
    assert shop.ok("product", "renumber", GTIN, "09521321000025", "--reason", "typo")["gtin"] == "09521321000025"
    assert shop.ok("codes", "check", code["link"])["state"] == "ok-first"
    assert shop.ok("batch", "show", GTIN, LOT)["lot"] == "NEW-1"
