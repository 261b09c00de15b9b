"""links, allowed hosts, former numbers; a run of codes keeps the numbers that it was printed with

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import UtcDateTime

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('link',
    sa.Column('anchor', sa.String(length=300), nullable=False),
    sa.Column('link_type', sa.String(length=60), nullable=False),
    sa.Column('href', sa.String(length=2000), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('languages', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('contexts', sa.String(length=200), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link')),
    sa.UniqueConstraint('ref', name=op.f('uq_link_ref'))
    )
    op.create_index(op.f('ix_link_anchor'), 'link', ['anchor'], unique=False)
    op.create_table('link_host',
    sa.Column('host', sa.String(length=260), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_host')),
    sa.UniqueConstraint('host', name=op.f('uq_link_host_host')),
    sa.UniqueConstraint('ref', name=op.f('uq_link_host_ref'))
    )
    op.create_table('former_gtin',
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('gtin', sa.String(length=14), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_former_gtin_product_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_former_gtin')),
    sa.UniqueConstraint('gtin', name=op.f('uq_former_gtin_gtin')),
    sa.UniqueConstraint('ref', name=op.f('uq_former_gtin_ref'))
    )
    op.create_index(op.f('ix_former_gtin_product_id'), 'former_gtin', ['product_id'], unique=False)
    op.create_table('former_lot',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('lot', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_former_lot_batch_id')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_former_lot_product_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_former_lot')),
    sa.UniqueConstraint('product_id', 'lot', name=op.f('uq_former_lot_product_id_lot')),
    sa.UniqueConstraint('ref', name=op.f('uq_former_lot_ref'))
    )
    op.create_index(op.f('ix_former_lot_batch_id'), 'former_lot', ['batch_id'], unique=False)

    # SQLite adds a column that must not be empty only with a default; the numbers of today fill it at once.
    op.add_column('code_run', sa.Column('gtin', sa.String(length=14), nullable=False, server_default=''))
    op.add_column('code_run', sa.Column('lot', sa.String(length=20), nullable=False, server_default=''))
    op.execute(
        "UPDATE code_run SET"
        " gtin = (SELECT product.gtin FROM batch JOIN product ON product.id = batch.product_id"
        " WHERE batch.id = code_run.batch_id),"
        " lot = (SELECT batch.lot FROM batch WHERE batch.id = code_run.batch_id)"
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.alter_column('code_run', 'gtin', server_default=None)
        op.alter_column('code_run', 'lot', server_default=None)


def downgrade() -> None:
    op.drop_column('code_run', 'lot')
    op.drop_column('code_run', 'gtin')
    op.drop_table('former_lot')
    op.drop_table('former_gtin')
    op.drop_table('link_host')
    op.drop_table('link')
