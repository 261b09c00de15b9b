"""Every table of both stores, imported once so that their metadata is complete."""

from __future__ import annotations

from .accounts import models as accounts
from .batches import models as batches
from .certificates import models as certificates
from .credentials import models as credentials
from .db.base import Base, ScanBase
from .files import models as files
from .items import models as items
from .jobs import models as jobs
from .keys import models as keys
from .labels import models as labels
from .labs import models as labs
from .links import models as links
from .log import models as log
from .products import models as products
from .releases import models as releases
from .scans import models as scans
from .suppliers import models as suppliers

MODULES = (
    accounts, batches, certificates, credentials, files, items, jobs, keys, labels, labs, links, log, products,
    releases, scans, suppliers,
)  # fmt: skip
METADATA = {"main": Base.metadata, "scans": ScanBase.metadata}
