"""keys: where they live, why they were retired, revocation

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import UtcDateTime

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('signing_key', sa.Column('home', sa.String(length=10), nullable=False, server_default='file'))
    op.add_column('signing_key', sa.Column('token_uri', sa.String(length=300), nullable=True))
    op.add_column('signing_key', sa.Column('reason', sa.String(length=500), nullable=True))
    op.add_column('signing_key', sa.Column('revoked_at', UtcDateTime(), nullable=True))
    op.add_column('signing_key', sa.Column('revoked_reason', sa.String(length=500), nullable=True))


def downgrade() -> None:
    for name in ('revoked_reason', 'revoked_at', 'reason', 'token_uri', 'home'):
        op.drop_column('signing_key', name)
