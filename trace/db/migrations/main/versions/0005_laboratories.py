"""laboratories with their pinned roots, and the signatures of stored files

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import UtcDateTime

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('laboratory',
    sa.Column('name_zh', sa.String(length=200), nullable=False),
    sa.Column('name_en', sa.String(length=200), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('cma', sa.String(length=100), nullable=False),
    sa.Column('cnas', sa.String(length=100), nullable=False),
    sa.Column('ilac', sa.String(length=100), nullable=False),
    sa.Column('valid_until', sa.Date(), nullable=True),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('suspended_at', UtcDateTime(), nullable=True),
    sa.Column('suspended_reason', sa.String(length=500), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_laboratory')),
    sa.UniqueConstraint('ref', name=op.f('uq_laboratory_ref'))
    )
    op.create_table('laboratory_number',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('laboratory_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=60), nullable=False),
    sa.ForeignKeyConstraint(['laboratory_id'], ['laboratory.id'], name=op.f('fk_laboratory_number_laboratory_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_laboratory_number')),
    sa.UniqueConstraint('number', name=op.f('uq_laboratory_number_number'))
    )
    op.create_index(op.f('ix_laboratory_number_laboratory_id'), 'laboratory_number', ['laboratory_id'], unique=False)
    op.create_table('laboratory_root',
    sa.Column('laboratory_id', sa.Integer(), nullable=False),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('der', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=500), nullable=False),
    sa.Column('not_after', UtcDateTime(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('removed_at', UtcDateTime(), nullable=True),
    sa.Column('removed_by', sa.String(length=200), nullable=False),
    sa.Column('removed_reason', sa.String(length=500), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['laboratory_id'], ['laboratory.id'], name=op.f('fk_laboratory_root_laboratory_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_laboratory_root')),
    sa.UniqueConstraint('ref', name=op.f('uq_laboratory_root_ref'))
    )
    op.create_index(op.f('ix_laboratory_root_laboratory_id'), 'laboratory_root', ['laboratory_id'], unique=False)
    op.create_index(op.f('ix_laboratory_root_sha256'), 'laboratory_root', ['sha256'], unique=False)
    op.add_column('stored_file', sa.Column('signatures', sa.JSON(none_as_null=True), nullable=True))
    # Written out, because both stores take it: moving the rows into a new table would break what points at them.
    op.execute(
        'ALTER TABLE certificate ADD COLUMN laboratory_id INTEGER '
        'CONSTRAINT fk_certificate_laboratory_id REFERENCES laboratory (id)'
    )
    op.create_index(op.f('ix_certificate_laboratory_id'), 'certificate', ['laboratory_id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_certificate_laboratory_id'), table_name='certificate')
    op.drop_column('certificate', 'laboratory_id')
    op.drop_column('stored_file', 'signatures')
    op.drop_index(op.f('ix_laboratory_root_sha256'), table_name='laboratory_root')
    op.drop_index(op.f('ix_laboratory_root_laboratory_id'), table_name='laboratory_root')
    op.drop_table('laboratory_root')
    op.drop_index(op.f('ix_laboratory_number_laboratory_id'), table_name='laboratory_number')
    op.drop_table('laboratory_number')
    op.drop_table('laboratory')
