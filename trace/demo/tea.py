"""Story A: a tea batch with which everything is right, and the next one, still a draft."""

from __future__ import annotations

from .firms import MINJIAN, ORIGIN_OFFICE
from .plan import At, BatchPlan, Line, LinkPlan, ProductPlan, ReportPlan, RunPlan, Story

GTIN = "09521321000018"

_SITE = {
    "place": "武夷山 Wuyishan",
    "region": "福建 Fujian",
    "country": "CN",
    "latitude": "27.7566",
    "longitude": "118.0353",
    "producer": "武夷岩韵茶业（演示）",
    "site": "岩韵茶厂 一号罐装线（演示）",
}

_RESIDUES = ReportPlan(
    number="YX-2026-10-0417",
    laboratory=MINJIAN,
    title_zh="检验报告",
    title_en="Test report",
    sample="YP-26-10131（演示）",
    method="GB 2762 / GB 2763 / GB/T 8304（示例 example）",
    issued=-32,
    expires=333,
    sent=At(-32, "15:10"),
    accepted=At(-31, "09:40"),
    signed="laboratory",
    lines=(
        Line("铅（以 Pb 计）lead", "≤ 5.0", "0.9", "mg/kg", "GB 5009.12"),
        Line("联苯菊酯 bifenthrin", "≤ 5", "0.12", "mg/kg", "GB 23200.113"),
        Line("啶虫脒 acetamiprid", "≤ 10", "0.03", "mg/kg", "GB 23200.121"),
        Line("吡虫啉 imidacloprid", "≤ 0.5", "< 0.01", "mg/kg", "GB 23200.121"),
        Line("水分 moisture", "≤ 6.0", "5.2", "%", "GB 5009.3"),
        Line("总灰分 total ash", "≤ 6.5", "5.6", "%", "GB 5009.4"),
    ),
)
_ORIGIN_MARK = ReportPlan(
    number="GI-2025-0088-DEMO",
    laboratory=ORIGIN_OFFICE,
    title_zh="地理标志使用证",
    title_en="Certificate of use of an origin mark",
    sample="登记 REG-0088（演示）",
    method="用标登记 register entry",
    issued=-344,
    expires=21,
    sent=At(-40, "10:05"),
    accepted=At(-39, "11:30"),
    lines=(
        Line("本批用标数量 marked tins of this lot", "≤ 2000", "1590", "罐 tins"),
        Line("产地海拔 altitude of the gardens", "≥ 200", "340", "m"),
    ),
)
_EARLY_CHECK = ReportPlan(
    number="YX-2026-11-0530",
    laboratory=MINJIAN,
    title_zh="检验报告",
    title_en="Test report",
    sample="YP-26-11187（演示）",
    method="GB 5009.3 / GB 5009.4",
    issued=-3,
    expires=362,
    sent=At(-2, "16:45"),
    signed="stranger",
    lines=(
        Line("水分 moisture", "≤ 6.0", "5.8", "%", "GB 5009.3"),
        Line("总灰分 total ash", "≤ 6.5", "5.7", "%", "GB 5009.4"),
    ),
)

MAIN = BatchPlan(
    gtin=GTIN,
    lot="DHP261012A",
    facts={
        **_SITE,
        "supplier_lot": "PH-0918-175",
        "quantity": "1590",
        "unit": "pcs",
        "inputs": (
            "水仙 SX-260503：{day[-203]} 采摘，鲜叶 420 kg，岚谷坡（演示茶园）\n"
            "肉桂 RG-260506：{day[-200]} 采摘，鲜叶 380 kg，岚谷坡（演示茶园）\n"
            "初制毛茶 92 kg + 83 kg；{day[-65]} 拼配焙火，投料 175 kg，得 160 kg\n"
            "装罐 1590 × 100 g = 159 kg，留样 1 kg"
        ),
    },
    produced=-41,
    expires=688,
    added=At(-41, "17:30"),
    submitted=At(-40, "09:15"),
    released=At(-31, "10:20"),
    reports=(_ORIGIN_MARK, _RESIDUES),
    runs=(
        RunPlan("tea", At(-31, "10:45"), 600, tier="B"),
        RunPlan(
            "tea-damaged",
            At(-30, "14:00"),
            24,
            voided=(At(-29, "08:50"), "整版标签受潮，已销毁（演示）。Label sheet got wet, destroyed (demo)."),
        ),
    ),
)
DRAFT = BatchPlan(
    gtin=GTIN,
    lot="DHP261118B",
    facts={**_SITE, "supplier_lot": "PH-1102-090", "inputs": "水仙 SX-260503：余料 90 kg（演示）"},
    produced=-4,
    expires=None,
    added=At(-3, "11:20"),
    reports=(_EARLY_CHECK,),
)

STORY = Story(
    products=(
        ProductPlan(
            GTIN,
            "wuyi",
            "tea",
            "武夷山大红袍（演示）",
            "Wuyi Da Hong Pao oolong (demo)",
            "100 g 罐装 tin",
            "未开封可在签收后 7 天内无理由退货。罐体破损或漏气：签收后 48 小时内拍照联系，免费换货。\n"
            "客服：400-000-0001（演示），9:00–18:00。",
            "Unopened tins can be returned within 7 days of delivery, without a reason. Dented or leaking tin: send "
            "a photo within 48 hours of delivery and you get a new one free of charge.\n"
            "Service: 400-000-0001 (demo), 9:00–18:00.",
            "tea-tin",
            (
                LinkPlan("instructions", "https://www.example.com/dahongpao/zh", "冲泡方法（演示）", "zh"),
                LinkPlan("instructions", "https://www.example.com/dahongpao/en", "How to brew (demo)", "en"),
            ),
        ),
    ),
    batches=(MAIN, DRAFT),
)
