"""Story C: infant formula: one lot waits for a review, one is on sale, one is recalled, and its sister is held."""

from __future__ import annotations

from .firms import HENGPU, HUDONG, MINJIAN
from .plan import (
    At,
    BatchPlan,
    HoldPlan,
    Laboratory,
    Line,
    ProductPlan,
    RecallPlan,
    Rejection,
    ReportPlan,
    RunPlan,
    Story,
)

GTIN = "09521323000016"

_SITE = {
    "place": "呼伦草原示例牧场 Example Pastures",
    "region": "内蒙古 Inner Mongolia",
    "country": "CN",
    "producer": "初禾乳业（演示）",
    "site": "初禾一厂 干混二线（演示）",
    "unit": "pcs",
}

_NUTRITION = (
    Line("能量 energy", "250–314", "280", "kJ/100 mL", "GB 10765"),
    Line("蛋白质 protein", "0.43–0.86", "0.52", "g/100 kJ", "GB 5009.5"),
    Line("脂肪 fat", "1.05–1.43", "1.22", "g/100 kJ", "GB 5009.6"),
    Line("亚油酸 linoleic acid", "0.07–0.33", "0.19", "g/100 kJ", "GB 5009.168"),
    Line("碳水化合物 carbohydrate", "2.2–3.3", "2.7", "g/100 kJ", "GB 10765"),
    Line("维生素 A vitamin A", "14–36", "22", "µg RE/100 kJ", "GB 5009.82"),
    Line("维生素 D vitamin D", "0.48–1.20", "0.72", "µg/100 kJ", "GB 5009.82"),
    Line("维生素 C vitamin C", "2.4–16.7", "5.1", "mg/100 kJ", "GB 5413.18"),
    Line("叶酸 folic acid", "2.9–12.0", "4.6", "µg/100 kJ", "GB 5009.211"),
    Line("钠 sodium", "7–14", "9", "mg/100 kJ", "GB 5009.91"),
    Line("钾 potassium", "17–43", "27", "mg/100 kJ", "GB 5009.91"),
    Line("钙 calcium", "12–35", "19", "mg/100 kJ", "GB 5009.92"),
    Line("铁 iron", "0.10–0.36", "0.21", "mg/100 kJ", "GB 5009.90"),
    Line("锌 zinc", "0.12–0.36", "0.20", "mg/100 kJ", "GB 5009.14"),
    Line("碘 iodine", "3.6–14.1", "7.0", "µg/100 kJ", "GB 5009.267"),
    Line("硒 selenium", "0.72–2.06", "1.10", "µg/100 kJ", "GB 5009.93"),
)
_MICROBIOLOGY = (
    Line("菌落总数 aerobic plate count", "≤ 1000", "< 10", "CFU/g", "GB 4789.2"),
    Line("大肠菌群 coliforms", "≤ 10", "< 10", "CFU/g", "GB 4789.3"),
    Line("金黄色葡萄球菌 S. aureus", "≤ 10", "< 10", "CFU/g", "GB 4789.10"),
    Line("克罗诺杆菌属 Cronobacter", "不得检出", "未检出", "/100 g", "GB 4789.40"),
    Line("沙门氏菌 Salmonella", "不得检出", "未检出", "/25 g", "GB 4789.4"),
)
_CONTAMINANTS = (
    Line("铅（以 Pb 计）lead", "≤ 0.08", "0.011", "mg/kg", "GB 5009.12"),
    Line("黄曲霉毒素 M1 aflatoxin M1", "≤ 0.5", "< 0.05", "µg/kg", "GB 5009.24"),
    Line("硝酸盐 nitrate", "≤ 100", "12", "mg/kg", "GB 5009.33"),
    Line("亚硝酸盐 nitrite", "≤ 2.0", "0.3", "mg/kg", "GB 5009.33"),
    Line("三聚氰胺 melamine", "≤ 1", "< 0.05", "mg/kg", "GB/T 22388"),
)
_KINDS = {
    "N": ("营养成分", "Nutrition", _NUTRITION),
    "M": ("微生物", "Microbiology", _MICROBIOLOGY),
    "C": ("污染物", "Contaminants", _CONTAMINANTS),
}


def _report(
    kind: str,
    lot: str,
    issued: int,
    sent: At,
    accepted: At | None = None,
    *,
    laboratory: Laboratory = HUDONG,
    mark: str = "",
    rejected: Rejection | None = None,
    replaces: str = "",
) -> ReportPlan:
    name_zh, name_en, lines = _KINDS[kind]
    return ReportPlan(
        number=f"CH-{lot[4:]}-{kind}{mark}",
        laboratory=laboratory,
        title_zh=f"{name_zh}检验报告",
        title_en=f"Test report: {name_en}",
        sample=f"CH-S-{lot[4:]}-{kind}（演示）",
        method="GB 10765（示例 example）",
        issued=issued,
        expires=issued + 365,
        sent=sent,
        accepted=accepted,
        rejected=rejected,
        replaces=replaces,
        reviewed_by="reviewer2" if kind == "M" else "quality",
        lines=lines,
    )


def _all_accepted(lot: str, produced: int) -> tuple[ReportPlan, ...]:
    sent = produced + 12
    return tuple(
        _report(
            kind,
            lot,
            produced + 11,
            At(sent, f"{9 + place}:20".zfill(5)),
            At(sent + 1, f"{13 + place}:05"),
            laboratory=laboratory,
        )
        for place, (kind, laboratory) in enumerate((("N", HUDONG), ("M", HUDONG), ("C", MINJIAN)))
    )


WAITING = BatchPlan(
    gtin=GTIN,
    lot="IF20261105",
    facts={
        **_SITE,
        "supplier_lot": "CH-2611-05",
        "quantity": "1200",
        "inputs": "基粉 BP-2610 1050 kg；预混料 PM-0447 30 kg（演示）",
    },
    produced=-17,
    expires=713,
    added=At(-17, "16:00"),
    submitted=At(-16, "09:10"),
    reports=(
        _report("N", "IF20261105", -7, At(-6, "09:20"), At(-5, "10:15")),
        _report("C", "IF20261105", -7, At(-6, "09:35"), At(-5, "10:40"), laboratory=MINJIAN),
        _report(
            "M",
            "IF20261105",
            -8,
            At(-6, "09:50"),
            laboratory=HENGPU,
            rejected=Rejection(
                At(-5, "11:20"),
                "laboratory-lapsed",
                "实验室资质在签发日已过期，请由在有效期内的实验室重新检验（演示）。The laboratory's accreditation had "
                "lapsed on the day of issue; please have it tested again by a laboratory that holds one (demo).",
            ),
        ),
        _report("M", "IF20261105", -2, At(-1, "14:30"), mark="2", replaces="CH-261105-M"),
    ),
    runs=(RunPlan("formula-waiting", At(-15, "10:00"), 400),),
)
ON_SALE = BatchPlan(
    gtin=GTIN,
    lot="IF20260901",
    facts={
        **_SITE,
        "supplier_lot": "CH-2609-01",
        "quantity": "1200",
        "inputs": "基粉 BP-2608 1050 kg；预混料 PM-0431 30 kg（演示）",
    },
    produced=-82,
    expires=648,
    added=At(-82, "15:30"),
    submitted=At(-81, "09:00"),
    released=At(-67, "10:30"),
    reports=_all_accepted("IF20260901", -82),
    runs=(RunPlan("formula", At(-67, "11:00"), 700, tier="B"),),
)
RECALLED = BatchPlan(
    gtin=GTIN,
    lot="IF20260715",
    facts={
        **_SITE,
        "supplier_lot": "CH-2607-15",
        "quantity": "1200",
        "inputs": "基粉 BP-2607 1050 kg；预混料 PM-0402 30 kg（演示）",
    },
    produced=-130,
    expires=600,
    added=At(-130, "15:10"),
    submitted=At(-129, "09:05"),
    released=At(-115, "10:10"),
    reports=(
        *_all_accepted("IF20260715", -130),
        ReportPlan(
            number="HD-2026-11-R715",
            laboratory=HUDONG,
            title_zh="留样复检报告",
            title_en="Retained sample, repeated test",
            sample="RS-0715（演示）",
            method="GB 4789.40",
            issued=-2,
            expires=None,
            sent=At(-2, "09:10"),
            accepted=At(-2, "09:40"),
            conclusion="fail",
            sent_by="quality",
            reviewed_by="reviewer2",
            lines=(
                Line("克罗诺杆菌属 Cronobacter", "不得检出", "1", "/100 g", "GB 4789.40"),
                Line("沙门氏菌 Salmonella", "不得检出", "未检出", "/25 g", "GB 4789.4"),
            ),
        ),
    ),
    runs=(RunPlan("formula-recalled", At(-115, "10:30"), 400),),
    events=(
        HoldPlan(
            At(-2, "09:12"),
            "留样复检发现异常，核查中，暂停销售（演示）。",
            "A retained sample did not pass its repeated test; selling is stopped during the check (demo).",
        ),
        RecallPlan(
            At(-2, "15:40"),
            "留样复检检出克罗诺杆菌属。婴儿食用可能引起败血症或脑膜炎，危及生命（演示）。",
            "Cronobacter was found in a retained sample. In infants it can cause blood poisoning or meningitis, "
            "which can be fatal (demo).",
            "立即停止食用，不要转送他人。保留罐体，拨打下方电话办理退货和全额退款，无需购物凭证。婴儿发热、拒奶或嗜睡，"
            "立即就医并告知医生本批号。",
            "Stop feeding it at once and do not pass it on. Keep the can and call the number below to return it for "
            "a full refund; no receipt is needed. If your baby has a fever, will not feed or is drowsy, see a doctor "
            "at once and name this lot.",
            "400-000-0003（演示 demo），24 h",
        ),
    ),
)
SISTER = BatchPlan(
    gtin=GTIN,
    lot="IF20260716",
    facts={
        **_SITE,
        "supplier_lot": "CH-2607-16",
        "quantity": "1200",
        "inputs": "基粉 BP-2607 1040 kg；预混料 PM-0402 30 kg（演示）",
    },
    produced=-129,
    expires=601,
    added=At(-129, "16:10"),
    submitted=At(-128, "09:05"),
    reports=(
        _report("N", "IF20260716", -118, At(-117, "09:20"), At(-116, "13:00")),
        _report("C", "IF20260716", -4, At(-3, "09:20"), laboratory=MINJIAN),
        _report("M", "IF20260716", -4, At(-3, "09:40")),
    ),
    runs=(RunPlan("formula-sister", At(-127, "10:00"), 150),),
    events=(
        HoldPlan(
            At(-2, "09:20"),
            "与被召回批次 IF20260715 使用同一基粉 BP-2607，预防性冻结（演示）。",
            "Made from the same base powder BP-2607 as the recalled lot IF20260715; held as a precaution (demo).",
        ),
    ),
)

STORY = Story(
    products=(
        ProductPlan(
            GTIN,
            "chuhe",
            "infant-formula",
            "初禾婴儿配方奶粉 1 段（演示）",
            "Chuhe infant formula stage 1 (demo)",
            "900 g 罐装 can",
            "未开封可在签收后 15 天内退货。开罐后发现结块、异味或异物：停止食用，保留罐体与罐底批号，"
            "联系客服免费取回检验。\n"
            "婴儿身体不适请先就医。客服：400-000-0003（演示），24 小时。",
            "Unopened cans can be returned within 15 days of delivery. Lumps, odd smell or anything foreign in an "
            "opened can: stop feeding, keep the can with its lot number, and call; we fetch it for testing free of "
            "charge.\n"
            "If your baby is unwell, see a doctor first. Service: 400-000-0003 (demo), 24 hours.",
            "milk-can",
        ),
    ),
    batches=(WAITING, ON_SALE, RECALLED, SISTER),
)
