from alembic import context

from lotseal.trace.db.migrations.run import run

run(context.config)
