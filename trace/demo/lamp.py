"""Story D: a desk lamp with a warranty: one lot corrected after release, one held, and an old one whose key is away."""

from __future__ import annotations

from .firms import HUAGUANG
from .plan import At, BatchPlan, ClosePlan, CorrectionPlan, HoldPlan, Line, ProductPlan, ReportPlan, RunPlan, Story

GTIN = "09521324000015"

_SITE = {
    "place": "示例光电园 Example Light Park",
    "region": "广东 Guangdong",
    "country": "CN",
    "producer": "明澈光电（演示）",
    "site": "三号装配线（演示）",
    "unit": "pcs",
}
_SAFETY = (
    Line("绝缘电阻 insulation resistance", "≥ 4", "> 100", "MΩ", "GB 7000.1"),
    Line("泄漏电流 leakage current", "≤ 0.5", "0.08", "mA", "GB 7000.1"),
    Line("外壳温升 case temperature rise", "≤ 45", "27.5", "K", "GB 7000.204"),
    Line("闪烁百分比 percent flicker at 100 Hz", "≤ 3.2", "1.1", "%", "IEEE 1789"),
    Line("视网膜蓝光危害 blue-light hazard", "≤ 100", "21", "W/(m²·sr)", "GB/T 20145"),
)
_SAMPLING = (
    Line("抽样 80 件中的缺陷数 defects in 80 lamps", "≤ 2", "1", "件 lamps", "GB/T 2828.1"),
    Line("输入功率 input power", "7.2–8.8", "7.9", "W"),
    Line("相关色温 colour temperature", "3800–4200", "3980", "K"),
)


def _report(
    number: str, title: tuple[str, str], lines: tuple[Line, ...], issued: int, sent: At, accepted: At | None
) -> ReportPlan:
    return ReportPlan(
        number=number,
        laboratory=HUAGUANG,
        title_zh=title[0],
        title_en=title[1],
        sample=f"HG-S-{number[-4:]}（演示）",
        method="GB 7000.1 / GB 7000.204（示例 example）",
        issued=issued,
        expires=issued + 730,
        sent=sent,
        accepted=accepted,
        lines=lines,
    )


_TYPE = ("型式试验报告", "Type test report")
_INCOMING = ("到货抽样检验报告", "Incoming sampling report")

RELEASED = BatchPlan(
    gtin=GTIN,
    lot="LED2640",
    facts={
        **_SITE,
        "supplier_lot": "MC-40-1",
        "quantity": "600",
        "inputs": "驱动板 DRV-2638 600 件；灯珠 LB-2635（演示）",
    },
    produced=-50,
    expires=3600,
    added=At(-50, "17:00"),
    submitted=At(-49, "09:00"),
    released=At(-40, "14:20"),
    reports=(
        _report("HG-2026-T-2640", _TYPE, _SAFETY, -44, At(-43, "10:00"), At(-42, "09:30")),
        _report("HG-2026-S-2640", _INCOMING, _SAMPLING, -42, At(-41, "15:00"), At(-40, "13:50")),
    ),
    runs=(RunPlan("lamp", At(-40, "15:00"), 400),),
    events=(
        CorrectionPlan(
            At(-20, "11:10"),
            {"site": "四号装配线（演示）"},
            "供应商更正：本批实际在四号线装配，检验与数量不变（演示）。The supplier corrects: this lot was assembled "
            "on line 4; tests and quantity are unchanged (demo).",
        ),
    ),
)
HELD = BatchPlan(
    gtin=GTIN,
    lot="LED2641",
    facts={
        **_SITE,
        "supplier_lot": "MC-41-1",
        "quantity": "600",
        "inputs": "驱动板 DRV-2638 600 件；灯珠 LB-2636（演示）",
    },
    produced=-44,
    expires=3600,
    added=At(-44, "17:00"),
    submitted=At(-43, "09:00"),
    released=At(-34, "10:40"),
    reports=(
        _report("HG-2026-S-2641", _INCOMING, _SAMPLING, -36, At(-36, "15:00"), At(-34, "10:00")),
        _report("HG-2026-F-2641", ("频闪复测报告", "Flicker, repeated test"), _SAFETY[3:4], -2, At(-1, "16:10"), None),
    ),
    runs=(RunPlan("lamp-held", At(-34, "11:00"), 200),),
    events=(
        HoldPlan(
            At(-3, "10:25"),
            "收到 3 起闪烁反馈，同一驱动板批次 DRV-2638，复测中（演示）。",
            "Three reports of flicker on the same driver lot DRV-2638; it is being tested again (demo).",
        ),
    ),
)
KEY_AWAY = BatchPlan(
    gtin=GTIN,
    lot="LED2612",
    facts={**_SITE, "supplier_lot": "MC-12-1", "quantity": "300", "inputs": "驱动板 DRV-2609 300 件（演示）"},
    produced=-235,
    expires=3400,
    added=At(-235, "17:00"),
    submitted=At(-234, "09:00"),
    released=At(-228, "10:00"),
    reports=(_report("HG-2026-S-2612", _INCOMING, _SAMPLING, -230, At(-229, "10:00"), At(-228, "09:30")),),
    runs=(RunPlan("key-away", At(-228, "11:00"), 60),),
    events=(ClosePlan(At(-60, "17:00"), "全部售出，记录封存（演示）。Sold out, the record is closed (demo)."),),
)

HONEY = ProductPlan(
    "09521325000014",
    "shanye",
    "honey",
    "山野椴树蜜（演示）",
    "Linden honey (demo)",
    "500 g 瓶装 jar",
    "未开封可在签收后 7 天内无理由退货。低温结晶属正常现象，温水化开即可。客服：400-000-0005（演示）。",
    "Unopened jars can be returned within 7 days of delivery. Honey crystallises when cold; warm water makes it "
    "liquid again. Service: 400-000-0005 (demo).",
)

STORY = Story(
    products=(
        ProductPlan(
            GTIN,
            "mingche",
            "lighting",
            "明澈 LED 台灯 8 W（演示）",
            "Mingche LED desk lamp 8 W (demo)",
            "8 W · 4000 K · 1 台 lamp",
            "自激活之日起质保 24 个月：非人为损坏免费维修或更换，往返运费由我们承担。"
            "签收后 30 天内可退货（附件齐全）。\n"
            "维修或退换请报包装上的序列号。客服：400-000-0004（演示），9:00–21:00。",
            "24 months of warranty from activation: faults that you did not cause are mended or the lamp is replaced "
            "free of charge, and we pay both ways. Complete lamps can be returned within 30 days of delivery.\n"
            "Please name the serial on the pack. Service: 400-000-0004 (demo), 9:00–21:00.",
            "desk-lamp",
        ),
        HONEY,
    ),
    batches=(KEY_AWAY, RELEASED, HELD),
)
