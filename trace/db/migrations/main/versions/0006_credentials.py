"""credentials of batches and reports, and the lists of revoked ones

Revision ID: 0006
Revises: 0005
"""

import secrets

import sqlalchemy as sa
from alembic import op

from lotseal.trace import clock
from lotseal.trace.db.base import REF_ALPHABET, UtcDateTime

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

LIVING_PASSPORT = sa.text('certificate_id IS NULL AND revoked_at IS NULL')
LIVING_INSPECTION = sa.text('certificate_id IS NOT NULL AND revoked_at IS NULL')


def upgrade() -> None:
    op.create_table('credential',
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('certificate_id', sa.Integer(), nullable=True),
    sa.Column('jwt', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('kid', sa.String(length=43), nullable=False),
    sa.Column('list_number', sa.Integer(), nullable=False),
    sa.Column('status_index', sa.Integer(), nullable=False),
    sa.Column('issued_at', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_credential_batch_id_batch')),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificate.id'], name=op.f('fk_credential_certificate_id_certificate')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credential')),
    sa.UniqueConstraint('list_number', 'status_index', name=op.f('uq_credential_list_number_status_index')),
    sa.UniqueConstraint('ref', name=op.f('uq_credential_ref'))
    )
    op.create_index(op.f('ix_credential_batch_id'), 'credential', ['batch_id'], unique=False)
    op.create_index(op.f('ix_credential_certificate_id'), 'credential', ['certificate_id'], unique=False)
    op.create_index(op.f('ix_credential_sha256'), 'credential', ['sha256'], unique=False)
    op.create_index('uq_credential_living_passport', 'credential', ['batch_id'], unique=True, sqlite_where=LIVING_PASSPORT, postgresql_where=LIVING_PASSPORT)
    op.create_index('uq_credential_living_inspection', 'credential', ['certificate_id'], unique=True, sqlite_where=LIVING_INSPECTION, postgresql_where=LIVING_INSPECTION)
    op.create_table('status_list',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('bits', sa.LargeBinary(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('jwt', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('kid', sa.String(length=43), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_status_list')),
    sa.UniqueConstraint('number', name=op.f('uq_status_list_number')),
    sa.UniqueConstraint('ref', name=op.f('uq_status_list_ref'))
    )
    order_credentials_of_what_is_there()


def order_credentials_of_what_is_there() -> None:
    """The worker issues them: a migration has no keys."""
    batch = sa.table('batch', sa.column('id'), sa.column('ref'))
    certificate = sa.table('certificate', sa.column('batch_id'), sa.column('status'))
    release = sa.table('release', sa.column('batch_id'))
    job = sa.table(
        'job', sa.column('ref'), sa.column('kind'), sa.column('payload', sa.JSON()), sa.column('state'),
        sa.column('attempts'), sa.column('run_after', UtcDateTime()), sa.column('worker'), sa.column('done'),
        sa.column('total'), sa.column('error'), sa.column('added_at', UtcDateTime()), sa.column('added_by'),
    )
    ids = sa.select(release.c.batch_id).union(sa.select(certificate.c.batch_id).where(certificate.c.status == 'accepted'))
    refs = op.get_bind().scalars(sa.select(batch.c.ref).where(batch.c.id.in_(ids)).order_by(batch.c.id)).all()
    now = clock.now()
    if refs:
        op.bulk_insert(job, [
            {
                'ref': ''.join(secrets.choice(REF_ALPHABET) for _ in range(16)), 'kind': 'credentials',
                'payload': {'batch': ref}, 'state': 'queued', 'attempts': 0, 'run_after': now, 'worker': '', 'done': 0,
                'total': 1, 'error': '', 'added_at': now, 'added_by': 'lotseal migrate',
            }
            for ref in refs
        ])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM job WHERE kind = 'credentials'"))
    op.drop_table('status_list')
    op.drop_table('credential')
