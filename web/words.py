"""The words of every state, in one place: what a reader is told, with which icon and in which tone.

Pages, the pattern page and the text output take them from here, so a state never has two wordings.
A headline has at most 14 Chinese characters. Tones: `ok`, `info`, `warn`, `bad`; only `bad` is set as a solid band.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ..trace.passport.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Words:
    """How one verdict is said: icon name, tone, headline, one or two plain sentences, and what to do next."""

    icon: str
    tone: str
    headline: LazyString
    body: LazyString
    next_steps: tuple[LazyString, ...] = ()
    also: LazyString | None = None
    """The headline where the state stands beside a graver one; None: the same headline."""


@dataclass(frozen=True)
class Label:
    """How a state of a batch, a certificate or a timeline step is said in one or two words."""

    icon: str
    tone: str
    text: LazyString


_COMPARE = _l("Compare the batch number and the date below with the pack in your hand.")
_KEEP_PACK = _l("Keep the pack and the receipt, and ask the shop where you bought it.")
_ADDRESS = _l("Check that the web address in your browser is the one printed at the foot of this page.")
_RETYPE = _l("Look at the code on the pack again and type it once more.")

VERDICTS: Final[Mapping[State, Words]] = MappingProxyType(
    {
        State.RECALLED: Words(
            "stop",
            "bad",
            _l("Product recall. Stop using it now."),
            _l("This batch has been recalled. Do not use, eat, sell or give away this product."),
        ),
        State.BAD_SIGNATURE: Words(
            "cross",
            "bad",
            _l("This code was not issued here"),
            _l("The content of the code and its signature do not agree. It may have been changed or forged."),
            (_ADDRESS, _l("Do not rely on what the pack says about its origin."), _KEEP_PACK),
        ),
        State.UNKNOWN: Words(
            "question",
            "warn",
            _l("No such code"),
            _l("There is no record that this code was ever issued."),
            (_RETYPE, _ADDRESS, _KEEP_PACK),
        ),
        State.UNKNOWN_LOT: Words(
            "question",
            "warn",
            _l("No such batch number"),
            _l("The product number is known, but there is no record of this batch number."),
            (_l("Compare the batch number with the pack, letter by letter, and type it once more."), _KEEP_PACK),
        ),
        State.VOIDED: Words(
            "ban",
            "bad",
            _l("This code has been withdrawn"),
            _l("It was taken out of use and should not be on a product that is sold as new."),
            (_KEEP_PACK,),
        ),
        State.HOLD: Words(
            "pause",
            "warn",
            _l("On hold. Not for sale."),
            _l("This batch is being looked into again. Until that is done it should not be sold."),
            (_l("If you have bought it, do not use it yet."), _KEEP_PACK),
        ),
        State.NOT_RELEASED: Words(
            "pause",
            "warn",
            _l("Not released for sale"),
            _l("This batch has not been released yet. Under the rules it should not be on sale."),
            (_l("If you have bought it, do not use it yet."), _KEEP_PACK),
        ),
        State.EXPIRED: Words(
            "clock",
            "warn",
            _l("Past its date"),
            _l("The product is past the date printed on its pack."),
            (_COMPARE, _KEEP_PACK),
        ),
        State.EVIDENCE_GAP: Words(
            "file-gap",
            "warn",
            _l("Record valid, report lapsed"),
            _l("An inspection report of this batch has expired or was withdrawn."),
            (_l("See below which report it is."), _COMPARE),
            _l("An inspection report has lapsed"),
        ),
        State.OK_AGAIN: Words(
            "check",
            "ok",
            _l("Record valid"),
            _l("This code was issued here for the batch below, and it has been looked up before."),
        ),
        State.OK_FIRST: Words(
            "check",
            "ok",
            _l("Record valid, first look-up"),
            _l("This code was issued here for the batch below."),
        ),
        State.BATCH_ONLY: Words(
            "stack",
            "info",
            _l("Batch facts, not this one item"),
            _l("This is what is known of the whole batch. It says nothing about the single item in your hand."),
            (_l("To check one item, scan its code or type its serial number."),),
        ),
        State.PRODUCT_ONLY: Words(
            "box",
            "info",
            _l("Product facts only"),
            _l("A barcode number names the product, not the batch and not the single item."),
        ),
        State.CANNOT_VERIFY: Words(
            "offline",
            "info",
            _l("Cannot be checked right now"),
            _l("Something in our service does not answer. This says nothing about the product."),
            (_l("Try again in a few minutes."), _l("Until then, go by what is printed on the pack.")),
        ),
    }
)

STANDINGS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "laboratory": Words(
            "check",
            "ok",
            _l("Signed by the laboratory"),
            _l(
                "The file carries the laboratory's digital signature, nothing was changed after it, and its "
                "certificate leads to one that was pinned here for this laboratory."
            ),
        ),
        "not-signed": Words(
            "file", "info", _l("Not signed"), _l("The file carries no digital signature. Many reports have none.")
        ),
        "impossible": Words(
            "file", "info", _l("No signature possible"), _l("The file is a picture; pictures carry no signatures.")
        ),
        "not-looked-at": Words(
            "question", "info", _l("Signature not looked at yet"), _l("The file came in before signatures were read.")
        ),
        "unreadable": Words(
            "question", "warn", _l("Signature cannot be read"), _l("There may be a signature, but it cannot be read.")
        ),
        "changed": Words(
            "cross",
            "bad",
            _l("Changed after signing"),
            _l("The file is not, or not only, what was signed. Ask the laboratory for the original."),
        ),
        "wrong": Words(
            "cross",
            "bad",
            _l("The signature does not fit"),
            _l("The signature was not made with the key of its certificate."),
        ),
        "not-pinned": Words(
            "question",
            "warn",
            _l("Signed, but the signer is not one we pinned"),
            _l(
                "The signature is right, but its certificate leads to none that was pinned here. "
                "Anybody can make such a signature under any name."
            ),
        ),
        "another": Words(
            "warn",
            "warn",
            _l("Signed, not by this laboratory"),
            _l("The signer is known here, but not for the laboratory that the report names."),
        ),
        "suspended": Words(
            "pause",
            "warn",
            _l("Signed, laboratory suspended"),
            _l("The signature is that of the laboratory, which is suspended here."),
        ),
        "not-in-force": Words(
            "clock",
            "warn",
            _l("Signed, certificate not in force"),
            _l("The signer's certificate had expired, or was not valid at the time that the signature names."),
        ),
        "not-proven": Words(
            "question",
            "warn",
            _l("Signed, signer not proven"),
            _l(
                "The signer's certificate is not meant for documents, or cannot be followed to one that is pinned here."
            ),
        ),
        "time-stamp": Words(
            "clock",
            "info",
            _l("Only a time stamp"),
            _l("A time stamp says when the file was there. It says nothing about who made it."),
        ),
    }
)
"""What the signatures of a report's file come to; the words of `certificates.signatures.Standing`."""

FIVE_FACTS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "integrity": _l("Content as signed"),
        "signature": _l("Signature right"),
        "trust": _l("Signer known"),
        "coverage": _l("Whole file covered"),
        "later": _l("Nothing added later"),
    }
)
"""The five facts of a signature, each as a statement that holds or does not."""

FACT_WORDS: Final[Mapping[str, Mapping[str, LazyString]]] = MappingProxyType(
    {
        "integrity": {
            "intact": _l("Every byte that was signed is as it was."),
            "changed": _l("Something that was signed has been changed."),
            "unreadable": _l("This could not be read."),
        },
        "signature": {
            "right": _l("It was made with the key of its certificate."),
            "wrong": _l("It was not made with the key of its certificate."),
            "unreadable": _l("This could not be read."),
        },
        "trust": {
            "pinned": _l("The certificate leads to one that was pinned here, and was in force when the file came in."),
            "unknown-root": _l("The certificate leads to none that is pinned here."),
            "self-signed": _l("The signer made the certificate without any authority."),
            "expired": _l("A certificate had expired when the file came in."),
            "not-yet-valid": _l("The certificate was not yet valid when the file came in."),
            "claimed-time": _l("The signature names a time at which it cannot have been made."),
            "purpose": _l("The certificate is not meant for signing documents."),
            "weak": _l("The signature uses an algorithm that is no longer strong enough."),
            "time-stamp": _l("The time stamp in the signature is not from an authority that is pinned here."),
            "not-checked": _l("Not looked at, because the signature is wrong."),
            "unproven": _l("The certificate cannot be followed to one that is pinned here."),
            "unreadable": _l("This could not be read."),
        },
        "coverage": {
            "file": _l("It covers the whole file."),
            "revision": _l("It covers the whole file as it was when it was signed."),
            "part": _l("It covers only a part of the file."),
            "unreadable": _l("This could not be read."),
        },
        "later": {
            "nothing": _l("Nothing was added after it."),
            "archive": _l("Only data for checking it later was added, which no page shows."),
            "signatures": _l("Only further signatures were added, which no page shows."),
            "seen-signature": _l("A further signature was added that changes how a page looks."),
            "form": _l("Fields were filled in after it."),
            "changed": _l("The content was changed or more was added after it."),
            "unreadable": _l("This could not be read."),
        },
    }
)

ROOT_PURPOSES: Final[Mapping[str, LazyString]] = MappingProxyType(
    {"signing": _l("Signs reports"), "time-stamps": _l("Stamps the time")}
)
"""What a pinned certificate is trusted for; the words of `files.findings.Purpose`."""

BATCH_STATES: Final[Mapping[str, Label]] = MappingProxyType(
    {
        "draft": Label("pencil", "quiet", _l("Draft")),
        "awaiting-tests": Label("clock", "warn", _l("Awaiting tests")),
        "released": Label("check", "ok", _l("Released")),
        "held": Label("pause", "warn", _l("On hold")),
        "recalled": Label("stop", "bad", _l("Recalled")),
        "closed": Label("box", "quiet", _l("Closed")),
    }
)

CERTIFICATE_STATES: Final[Mapping[str, Label]] = MappingProxyType(
    {
        "submitted": Label("clock", "warn", _l("Submitted")),
        "accepted": Label("check", "ok", _l("Accepted")),
        "rejected": Label("cross", "bad", _l("Rejected")),
        "withdrawn": Label("ban", "bad", _l("Withdrawn")),
    }
)

STEP_KINDS: Final[Mapping[str, Label]] = MappingProxyType(
    {
        "origin": Label("pin", "quiet", _l("Origin")),
        "production": Label("box", "quiet", _l("Produced")),
        "input": Label("stack", "quiet", _l("Received as input")),
        "test": Label("file", "quiet", _l("Inspected")),
        "release": Label("check", "ok", _l("Released")),
        "expiry": Label("clock", "quiet", _l("Best before")),
        "hold": Label("pause", "warn", _l("Put on hold")),
        "recall": Label("stop", "bad", _l("Recalled")),
    }
)

DATED: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "produced_on": _l("Produced on"),
        "expires_on": _l("Best before"),
        "code": _l("Code issued"),
        "void": _l("Code withdrawn"),
        "number": _l("Number corrected"),
        "correction": _l("Facts corrected"),
        "hold": _l("Put on hold"),
        "recall": _l("Recalled"),
    }
)

FIELDS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "lot": _l("Batch number"),
        "supplier_lot": _l("Supplier's own batch number"),
        "produced_on": _l("Produced on"),
        "expires_on": _l("Best before"),
        "quantity": _l("Quantity"),
        "unit": _l("Unit"),
        "inputs": _l("Made from"),
        "origin": _l("Origin"),
        "place": _l("Place"),
        "region": _l("Region"),
        "country": _l("Country"),
        "producer": _l("Producer"),
        "site": _l("Site"),
        "certificate": _l("Inspection report"),
    }
)


def verdict(state: State | str) -> Words:
    """The words of one verdict state; raises ValueError for a word that is no state."""
    return VERDICTS[State(state)]


def state_label(state: str) -> Label:
    """The words of a batch or certificate state; raises KeyError for a state without words."""
    word = str(state)
    return BATCH_STATES[word] if word in BATCH_STATES else CERTIFICATE_STATES[word]


def step_label(kind: str) -> Label:
    """The words of a timeline step; raises KeyError for a kind without words."""
    return STEP_KINDS[str(kind)]


def dated_label(kind: str) -> LazyString:
    """What a dated line of the scan page is about; raises KeyError for a kind without words."""
    return DATED[kind]


def field_label(field: str) -> LazyString | str:
    """The name of a batch field in the reader's language; a field without a name is shown as it is stored."""
    return FIELDS.get(field, field)


def init_app(app: Flask) -> None:
    """Give the templates the words."""
    app.jinja_env.globals.update(
        verdict_words=verdict,
        state_label=state_label,
        step_label=step_label,
        dated_label=dated_label,
        field_label=field_label,
        form_label=form_label,
        reject_reason=reject_reason,
        credential_kind=credential_kind,
        revoke_reason=revoke_reason,
        act_label=act_label,
        role_label=role_label,
        purpose_label=purpose_label,
    )


FORM_FIELDS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "product": _l("Product"),
        "latitude": _l("Latitude"),
        "longitude": _l("Longitude"),
        "reason": _l("Reason"),
        "reason_zh": _l("Reason in Chinese"),
        "reason_en": _l("Reason in English"),
        "remedy_zh": _l("What to do, in Chinese"),
        "remedy_en": _l("What to do, in English"),
        "phone": _l("Phone"),
        "file": _l("Report file"),
        "number": _l("Report number"),
        "laboratory": _l("Laboratory"),
        "accreditation": _l("Accreditation number"),
        "sample": _l("Sample"),
        "method": _l("Method"),
        "issued_on": _l("Issued on"),
        "conclusion": _l("Conclusion of the laboratory"),
        "lines": _l("Results"),
        "parameter": _l("Item tested"),
        "limit": _l("Limit"),
        "result": _l("Result"),
        "note": _l("Note to the supplier"),
        "count": _l("How many"),
        "tier": _l("Kind of code"),
        "short": _l("Short form"),
        "serial": _l("Serial number"),
        "layout": _l("Sheet"),
        "output": _l("What to make"),
        "carrier": _l("Symbol"),
        "fields": _l("Text on the label"),
        "copies": _l("Copies of each label"),
        "dpi": _l("Dots per inch of the printer"),
        "page_width": _l("Width of the page, mm"),
        "page_height": _l("Height of the page, mm"),
        "columns": _l("Labels side by side"),
        "rows": _l("Labels below each other"),
        "label_width": _l("Width of a label, mm"),
        "label_height": _l("Height of a label, mm"),
        "left": _l("Left edge to the first label, mm"),
        "top": _l("Upper edge to the first label, mm"),
        "gap_x": _l("Gap between labels side by side, mm"),
        "gap_y": _l("Gap between labels below each other, mm"),
        "safe": _l("Margin inside the label, mm"),
        "photo": _l("Photo of the code"),
        "language": _l("Language of the labels"),
        "start": _l("First place on the sheet"),
        "first": _l("First code"),
        "name": _l("Name"),
        "name_zh": _l("Name in Chinese"),
        "name_en": _l("Name in English"),
        "licence": _l("Licence number"),
        "contact": _l("Contact"),
        "gtin": _l("GTIN"),
        "spec": _l("Specification"),
        "category": _l("Category"),
        "supplier": _l("Supplier"),
        "after_sales_zh": _l("After the purchase, in Chinese"),
        "after_sales_en": _l("After the purchase, in English"),
        "picture": _l("Picture"),
        "code": _l("Code"),
        "of": _l("Belongs to"),
        "link_type": _l("Link type"),
        "href": _l("Address"),
        "title": _l("Title"),
        "languages": _l("Languages"),
        "media_type": _l("Media type"),
        "contexts": _l("Contexts"),
        "is_default": _l("Default link"),
        "host": _l("Host"),
        "table": _l("Table"),
        "cma": _l("CMA number"),
        "cnas": _l("CNAS number"),
        "ilac": _l("Number of another scheme"),
        "valid_until": _l("Accredited until"),
        "root": _l("Certificate"),
        "purpose": _l("What it does"),
        "sha256": _l("SHA-256"),
        "compared": _l("Compared"),
        "login": _l("Account name"),
        "role": _l("Role"),
        "present": _l("Present password"),
        "password": _l("Password"),
        "again": _l("New password once more"),
    }
)
"""Names of form fields beyond those of a batch, for the list of what has to be mended."""

REJECT_REASONS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "unreadable": _l("The scan cannot be read"),
        "lot-differs": _l("The batch number differs"),
        "laboratory-out-of-scope": _l("Outside the laboratory's accreditation"),
        "laboratory-lapsed": _l("The accreditation had lapsed on the issue date"),
        "expired": _l("The report has expired"),
        "parameter-missing": _l("A required test is missing"),
        "conclusion-differs": _l("Conclusion and results do not agree"),
        "looks-altered": _l("The file looks altered"),
    }
)
"""Why a report was rejected; the words of `RejectReason`."""

CREDENTIAL_KINDS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "passport": _l("Signed record of the batch"),
        "inspection": _l("Signed record of the report"),
    }
)
"""What a credential speaks for; the words of `credentials.models.Kind`."""

REVOKE_REASONS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "recalled": _l("The batch was recalled"),
        "withdrawn": _l("The report was withdrawn"),
        "key-revoked": _l("The key that signed it was revoked; a new one was issued"),
    }
)
"""Why a credential was revoked; the words of `RevokeReason`."""

BATCH_ACTS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "batch:add": _l("Batch added"),
        "batch:change": _l("Batch changed"),
        "batch:submit": _l("Batch submitted"),
        "batch:release": _l("Batch released"),
        "batch:correct": _l("Batch corrected"),
        "batch:renumber": _l("Batch number corrected"),
        "batch:hold": _l("Put on hold"),
        "batch:hold-lift": _l("Hold lifted"),
        "batch:recall": _l("Recalled"),
        "batch:close": _l("Batch closed"),
        "certificate:submit": _l("Report uploaded"),
        "certificate:accept": _l("Report accepted"),
        "certificate:reject": _l("Report rejected"),
        "certificate:withdraw": _l("Report withdrawn"),
        "codes:issue": _l("Codes ordered"),
        "codes:commit": _l("Codes bound into the log"),
        "codes:void": _l("Codes voided"),
        "labels:print": _l("Labels ordered"),
        "labels:verify": _l("Labels scanned back"),
        "bundle:export": _l("Evidence taken along"),
        "credential:issue": _l("Signed record issued"),
        "credential:revoke": _l("Signed record revoked"),
    }
)
"""What was done to a batch, its reports and its codes; the words of `log.Act`."""


OFFICE_ACTS: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "account:add": _l("Account added"),
        "account:change": _l("Account changed"),
        "account:sign-in": _l("Signed in"),
        "account:sign-in-refused": _l("Sign-in refused"),
        "account:sign-out": _l("Signed out"),
        "account:sessions-revoke": _l("Sessions ended"),
        "account:read": _l("Account looked at"),
        "account:list": _l("Accounts looked at"),
        "log:read-actor": _l("Looked up who acted"),
        "log:read-acts": _l("Audit list looked at"),
        "supplier:add": _l("Supplier added"),
        "supplier:change": _l("Supplier changed"),
        "supplier:suspend": _l("Supplier suspended"),
        "supplier:resume": _l("Supplier resumed"),
        "laboratory:add": _l("Laboratory added"),
        "laboratory:change": _l("Laboratory changed"),
        "laboratory:suspend": _l("Laboratory suspended"),
        "laboratory:resume": _l("Laboratory resumed"),
        "laboratory:pin": _l("Certificate of a laboratory pinned"),
        "laboratory:unpin": _l("Certificate of a laboratory unpinned"),
        "category:add": _l("Category added"),
        "category:change": _l("Category changed"),
        "product:add": _l("Product added"),
        "product:change": _l("Product changed"),
        "product:picture": _l("Product picture changed"),
        "product:renumber": _l("GTIN corrected"),
        "link:add": _l("Link added"),
        "link:change": _l("Link changed"),
        "link:remove": _l("Link removed"),
        "link-host:allow": _l("Host trusted"),
        "link-host:refuse": _l("Host no longer trusted"),
        "status:publish": _l("Status list published"),
        "key:add": _l("Key added"),
        "key:retire": _l("Key retired"),
        "key:revoke": _l("Key revoked"),
    }
)
"""What was done to accounts, suppliers, products and keys; the words of `log.Act`."""

ROLES: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "admin": _l("Administrator"),
        "quality": _l("Quality"),
        "supplier": _l("Supplier"),
        "auditor": _l("Auditor"),
    }
)


KEY_ROLES: Final[Mapping[str, LazyString]] = MappingProxyType(
    {
        "item": _l("Item codes, signature (tier B)"),
        "tag": _l("Item codes, tag (tier A and B)"),
        "credential": _l("Releases and credentials"),
        "log": _l("Checkpoints of the log"),
        "status": _l("Status lists"),
        "root": _l("Endorses the key history"),
    }
)
"""What a key is for; `tag` is the secret among the keys of the role `item`."""

KEY_HOMES: Final[Mapping[str, LazyString]] = MappingProxyType(
    {"file": _l("File of the key folder"), "pkcs11": _l("PKCS#11 token"), "offline": _l("Off-line")}
)
"""Where the private half of a key lives."""

KEY_STATES: Final[Mapping[str, Label]] = MappingProxyType(
    {
        "current": Label("check", "ok", _l("In use")),
        "retired": Label("box", "quiet", _l("Retired")),
        "revoked": Label("stop", "bad", _l("Revoked")),
    }
)


def form_label(field: str) -> LazyString | str:
    """The name of a form field, also of one in a numbered line (`lines-0.limit`); empty when it has none."""
    head, _dot, column = field.partition(".")
    label = FIELDS.get(column or head) or FORM_FIELDS.get(column or head, "")
    if column and head.startswith("lines-"):
        return f"{_('Line %(number)s', number=int(head.removeprefix('lines-')) + 1)}, {label}"
    return label


def reject_reason(word: str) -> LazyString | str:
    """Why a report was rejected, in the reader's language."""
    return REJECT_REASONS.get(word, word)


def credential_kind(word: str) -> LazyString | str:
    """What a credential speaks for, in the reader's language."""
    return CREDENTIAL_KINDS.get(word, word)


def revoke_reason(word: str) -> LazyString | str:
    """Why a credential was revoked, in the reader's language."""
    return REVOKE_REASONS.get(word, word)


def act_label(act: str) -> LazyString | str:
    """What was done, in the reader's language; an act without words here is shown as it is stored."""
    return BATCH_ACTS.get(act) or OFFICE_ACTS.get(act, act)


def role_label(role: str) -> LazyString | str:
    """What an account may do, in one word."""
    return ROLES.get(role, role)


def standing(word: str) -> Words:
    """The words of what a file's signatures come to; raises KeyError for a word that is none."""
    return STANDINGS[str(word)]


def purpose_label(word: str) -> LazyString | str:
    """What a pinned certificate is trusted for."""
    return ROOT_PURPOSES.get(word, word)
