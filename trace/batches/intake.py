"""From a form, a CSV row or a command line to the facts of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..codes.lot import read_lot
from ..countries import COUNTRIES
from ..errors import say
from ..intake import Intake
from .models import Unit


@dataclass(frozen=True)
class BatchDraft:
    lot: str
    supplier_lot: str
    place: str
    region: str
    country: str
    latitude: Decimal | None
    longitude: Decimal | None
    producer: str
    site: str
    produced_on: date | None
    expires_on: date | None
    quantity: Decimal | None
    unit: Unit
    inputs: str


def read_batch(raw: Mapping[str, str]) -> BatchDraft:
    """Only the lot is needed at first: a draft may be filled in later. What is given must be right.

    Raises `Invalid` naming every field that is wrong.
    """
    intake = Intake(raw)
    country = intake.country("country", COUNTRIES) if intake.given("country") else ""
    draft = BatchDraft(
        lot=intake.own("lot", read_lot, placeholder=""),
        supplier_lot=intake.text("supplier_lot", most=60, required=False),
        place=intake.text("place", most=100, required=False),
        region=intake.text("region", most=100, required=False),
        country=country,
        latitude=intake.number("latitude", required=False, low=Decimal(-90), high=Decimal(90)),
        longitude=intake.number("longitude", required=False, low=Decimal(-180), high=Decimal(180)),
        producer=intake.text("producer", most=100, required=False),
        site=intake.text("site", most=100, required=False),
        produced_on=intake.day("produced_on", required=False),
        expires_on=intake.day("expires_on", required=False),
        quantity=intake.number("quantity", required=False, low=Decimal(0), above=True),
        unit=intake.choice("unit", Unit, default=Unit.PIECES) if intake.given("unit") else Unit.PIECES,
        inputs=intake.text("inputs", most=2000, required=False, lines=True),
    )
    if draft.produced_on and draft.expires_on and draft.expires_on < draft.produced_on:
        intake.refuse(
            "expires_on",
            "date.before-production",
            say(
                "This is before the production date %(day)s. Correct one of the two.", day=draft.produced_on.isoformat()
            ),
        )
    latitude, longitude = intake.given("latitude"), intake.given("longitude")
    if bool(latitude) != bool(longitude):
        intake.refuse(
            "latitude" if longitude else "longitude",
            "coordinates.half",
            say("Give both latitude and longitude, or neither."),
        )
    intake.done()
    return draft
