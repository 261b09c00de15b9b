"""print runs: carrier, output, own layouts, copies, and labels scanned back

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import UtcDateTime

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('label_sheet', sa.Column('carrier', sa.String(length=20), nullable=False, server_default='qr'))
    op.add_column('label_sheet', sa.Column('output', sa.String(length=10), nullable=False, server_default='pdf'))
    op.add_column('label_sheet', sa.Column('measures', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('label_sheet', sa.Column('fields', sa.String(length=100), nullable=True))
    op.add_column('label_sheet', sa.Column('copies', sa.Integer(), nullable=False, server_default='1'))
    op.add_column('label_sheet', sa.Column('dpi', sa.Integer(), nullable=True))
    op.add_column('label_sheet', sa.Column('made', sa.Integer(), nullable=True))
    op.add_column('label_sheet', sa.Column('made_at', UtcDateTime(), nullable=True))
    op.add_column('label_sheet', sa.Column('verification', sa.String(length=12), nullable=False, server_default='unverified'))
    op.add_column('label_sheet', sa.Column('round', sa.Integer(), nullable=False, server_default='1'))
    op.add_column('label_sheet', sa.Column('sample', sa.JSON(none_as_null=True), nullable=True))
    op.create_table('label_check',
    sa.Column('sheet_id', sa.Integer(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('said', sa.String(length=500), nullable=False),
    sa.Column('matched', sa.Boolean(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['sheet_id'], ['label_sheet.id'], name=op.f('fk_label_check_sheet_id_label_sheet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_label_check')),
    sa.UniqueConstraint('ref', name=op.f('uq_label_check_ref'))
    )
    op.create_index(op.f('ix_label_check_sheet_id'), 'label_check', ['sheet_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_label_check_sheet_id'), table_name='label_check')
    op.drop_table('label_check')
    for name in ('sample', 'round', 'verification', 'made_at', 'made', 'dpi', 'copies', 'fields', 'measures', 'output', 'carrier'):
        op.drop_column('label_sheet', name)
