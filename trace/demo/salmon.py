"""Story B: salmon in a cold chain: a chain-of-custody certificate that ran out, a warm load, and a past use-by date."""

from __future__ import annotations

from .firms import CHAIN_BODY, HUDONG, NORDHAV
from .plan import At, BatchPlan, HoldPlan, Line, ProductPlan, ReportPlan, RunPlan, Story

GTIN = "09521322000017"

_SITE = {
    "place": "Fjordvik 2 海上养殖场 sea site",
    "region": "Eksempelfjord (demo)",
    "country": "NO",
    "latitude": "63.43",
    "longitude": "8.62",
    "producer": "Fjordvik Laks AS (demo)",
    "site": "沪上水产加工（演示）二号分割线",
    "unit": "pcs",
}


def _residues(number: str, sample: str, issued: int, sent: At, accepted: At | None) -> ReportPlan:
    return ReportPlan(
        number=number,
        laboratory=HUDONG,
        title_zh="检验报告",
        title_en="Test report",
        sample=sample,
        method="GB 31650 / GB 4789（示例 example）",
        issued=issued,
        expires=issued + 180,
        sent=sent,
        accepted=accepted,
        lines=(
            Line("孔雀石绿及隐色孔雀石绿 malachite green, sum", "不得检出", "未检出", "µg/kg", "GB/T 19857"),
            Line("恩诺沙星 enrofloxacin", "≤ 100", "< 2", "µg/kg", "GB 31656.1"),
            Line("总汞 mercury", "≤ 0.5", "0.04", "mg/kg", "GB 5009.17"),
            Line("组胺 histamine", "≤ 100", "6", "mg/kg", "GB 5009.208"),
            Line("菌落总数 aerobic plate count", "≤ 50000", "1200", "CFU/g", "GB 4789.2"),
            Line("沙门氏菌 Salmonella", "不得检出", "未检出", "/25 g", "GB 4789.4"),
            Line("单增李斯特菌 L. monocytogenes", "≤ 100", "< 10", "CFU/g", "GB 4789.30"),
        ),
    )


_CUSTODY = ReportPlan(
    number="ASC-C-DEMO-0001",
    laboratory=CHAIN_BODY,
    title_zh="产销监管链证书",
    title_en="Chain-of-custody certificate",
    sample="登记 entry C-0001（演示）",
    method="现场审核 on-site audit",
    issued=-370,
    expires=-5,
    sent=At(-9, "08:40"),
    accepted=At(-9, "13:25"),
    lines=(
        Line("批次可追溯率 lots traced", "≥ 99", "100", "%"),
        Line("未关闭的主要不符合项 open major findings", "≤ 0", "0"),
    ),
)
_HEALTH = ReportPlan(
    number="NO-HC-0000417-DEMO",
    laboratory=NORDHAV,
    title_zh="出口卫生证书附检验单",
    title_en="Export health certificate, test sheet",
    sample="WF-NO-1110（演示）",
    method="NMKL（示例 example）",
    issued=-12,
    expires=168,
    sent=At(-9, "08:30"),
    accepted=At(-9, "13:10"),
    lines=(
        Line("鱼体中心温度 core temperature", "≤ 4.0", "0.4", "°C"),
        Line("海虱（成熟雌虱）mature female sea lice", "≤ 0.5", "0.08", "/鱼 fish"),
        Line("Anisakis 幼虫 larvae", "not detected", "not detected", "/kg"),
    ),
)
_CUSTODY_NEW = ReportPlan(
    number="ASC-C-DEMO-0002",
    laboratory=CHAIN_BODY,
    title_zh="产销监管链证书",
    title_en="Chain-of-custody certificate",
    sample="登记 entry C-0002（演示）",
    method="现场审核 on-site audit",
    issued=-2,
    expires=363,
    sent=At(-1, "10:30"),
    lines=(
        Line("批次可追溯率 lots traced", "≥ 99", "99.6", "%"),
        Line("未关闭的主要不符合项 open major findings", "≤ 0", "0"),
    ),
)
_TRANSPORT = ReportPlan(
    number="HD-2026-11-T208",
    laboratory=HUDONG,
    title_zh="在途温度核查报告",
    title_en="Transport temperature check",
    sample="LOGGER 0208（演示）",
    method="记录仪每 10 分钟 logger, every 10 min",
    issued=-7,
    expires=None,
    sent=At(-7, "17:50"),
    accepted=At(-6, "09:20"),
    conclusion="fail",
    lines=(
        Line("最高温度 highest temperature", "≤ 4.0", "9.2", "°C"),
        Line("超温累计时间 time above the limit", "≤ 60", "220", "min"),
    ),
)

MAIN = BatchPlan(
    gtin=GTIN,
    lot="SAL-2611-07",
    facts={
        **_SITE,
        "supplier_lot": "WF-NO-1110",
        "quantity": "3300",
        "inputs": (
            "WF-NO-1110：{day[-13]} 捕捞，{day[-12]} 宰杀，整鱼 1200 kg\n"
            "{day[-11]} 空运，{day[-10]} 清关：26 分钟、最高 5.1 °C（累计限 60 分钟）\n"
            "{day[-9]} 分割：3300 × 200 g = 660 kg，副产 520 kg，损耗 20 kg"
        ),
    },
    produced=-9,
    expires=2,
    added=At(-9, "08:10"),
    submitted=At(-9, "08:20"),
    released=At(-8, "07:30"),
    reports=(
        _residues("HD-2026-11-0311", "HD-S-0311（演示）", -9, At(-9, "18:30"), At(-8, "07:05")),
        _CUSTODY,
        _HEALTH,
        _CUSTODY_NEW,
    ),
    runs=(RunPlan("salmon", At(-8, "07:40"), 500),),
)
WARM = BatchPlan(
    gtin=GTIN,
    lot="SAL-2611-08",
    facts={**_SITE, "supplier_lot": "WF-NO-1112", "quantity": "1650", "inputs": "WF-NO-1112：整鱼 600 kg（演示）"},
    produced=-8,
    expires=3,
    added=At(-8, "08:00"),
    submitted=At(-8, "08:15"),
    reports=(_TRANSPORT, _residues("HD-2026-11-0324", "HD-S-0324（演示）", -6, At(-6, "08:15"), None)),
    runs=(
        RunPlan(
            "warm",
            At(-8, "09:00"),
            200,
            voided=(
                At(-6, "10:05"),
                "冷链超温，整批不予放行，标签作废（演示）。Too warm on the way; the lot is refused, labels withdrawn "
                "(demo).",
            ),
        ),
    ),
    events=(
        HoldPlan(
            At(-7, "18:05"),
            "运输途中超温 3 小时 40 分钟，最高 9.2 °C（演示）。",
            "Above 4 °C for 3 hours 40 minutes on the way, 9.2 °C at most (demo).",
        ),
    ),
)
PAST = BatchPlan(
    gtin=GTIN,
    lot="SAL-2610-24",
    facts={**_SITE, "supplier_lot": "WF-NO-1021", "quantity": "2750", "inputs": "WF-NO-1021：整鱼 1000 kg（演示）"},
    produced=-29,
    expires=-18,
    added=At(-29, "08:05"),
    submitted=At(-29, "08:20"),
    released=At(-28, "07:35"),
    reports=(_residues("HD-2026-10-0877", "HD-S-0877（演示）", -29, At(-29, "18:10"), At(-28, "07:10")),),
    runs=(RunPlan("past", At(-28, "07:50"), 300),),
)

STORY = Story(
    products=(
        ProductPlan(
            GTIN,
            "fjordvik",
            "fresh-fish",
            "挪威三文鱼柳（演示）",
            "Norwegian salmon fillet (demo)",
            "200 g 盒装 pack",
            "0–4 °C 冷藏，到期日前食用。收货时包装破损、漏气或温度异常：请勿食用，当天拍照联系，核实后退款。"
            "生鲜不适用 7 天无理由退货。\n"
            "客服：400-000-0002（演示），8:00–22:00。",
            "Keep at 0–4 °C and eat by the date on the pack. Pack damaged, leaking or warm on arrival: do not eat "
            "it, send a photo the same day; after the check you get your money back. Fresh food is excluded from the "
            "7-day return.\n"
            "Service: 400-000-0002 (demo), 8:00–22:00.",
            "salmon-pack",
        ),
    ),
    batches=(MAIN, WARM, PAST),
)
