"""What alembic runs for this store."""

from alembic import context

from lotseal.trace.db.migrations.run import run

run(context.config)
