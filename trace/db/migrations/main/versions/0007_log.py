"""the log: entries, head, checkpoints, cosignatures, time stamps; acts and entries never change

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import UtcDateTime

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

# What a trigger refuses. The seal fills four columns once; only the personal document of an entry may be erased later.
NEVER_CHANGED = {
    'audit_act': 'FALSE',
    'log_checkpoint': 'FALSE',
    'log_entry': """
        (OLD.log_index IS NULL OR (
            NEW.log_index = OLD.log_index AND NEW.seq = OLD.seq AND NEW.envelope = OLD.envelope
            AND NEW.leaf_hash = OLD.leaf_hash))
        AND NEW.id = OLD.id AND NEW.chain = OLD.chain AND NEW.act = OLD.act AND NEW.at = OLD.at
        AND NEW.content = OLD.content AND NEW.actor_sha256 = OLD.actor_sha256
        AND COALESCE(NEW.key, '') = COALESCE(OLD.key, '')
        AND (NEW.actor IS NULL OR NEW.actor = OLD.actor)
    """,
}


def upgrade() -> None:
    op.add_column('code_run', sa.Column('frontier', sa.LargeBinary(), nullable=False, server_default=sa.text("''")))
    op.add_column('code_run', sa.Column('root', sa.String(length=64), nullable=True))
    op.create_table('log_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('chain', sa.String(length=80), nullable=False),
    sa.Column('act', sa.String(length=40), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('key', sa.String(length=43), nullable=True),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=True),
    sa.Column('actor_sha256', sa.String(length=64), nullable=False),
    sa.Column('log_index', sa.BigInteger(), nullable=True),
    sa.Column('seq', sa.Integer(), nullable=True),
    sa.Column('envelope', sa.Text(), nullable=True),
    sa.Column('leaf_hash', sa.LargeBinary(length=32), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_log_entry')),
    sa.UniqueConstraint('chain', 'seq', name=op.f('uq_log_entry_chain_seq')),
    sa.UniqueConstraint('log_index', name=op.f('uq_log_entry_log_index'))
    )
    op.create_table('log_term',
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('term', sa.String(length=120), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['log_entry.id'], name=op.f('fk_log_term_entry_id_log_entry')),
    sa.PrimaryKeyConstraint('entry_id', 'term', name=op.f('pk_log_term'))
    )
    op.create_index(op.f('ix_log_term_term'), 'log_term', ['term'], unique=False)
    op.create_table('log_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('origin', sa.String(length=200), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('keys', sa.Integer(), nullable=False),
    sa.Column('frontier', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_log_head'))
    )
    op.create_table('log_checkpoint',
    sa.Column('size', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('root', sa.LargeBinary(length=32), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('size', name=op.f('pk_log_checkpoint'))
    )
    op.create_table('log_cosignature',
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('witness', sa.String(length=200), nullable=False),
    sa.Column('line', sa.Text(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['size'], ['log_checkpoint.size'], name=op.f('fk_log_cosignature_size_log_checkpoint')),
    sa.PrimaryKeyConstraint('size', 'witness', name=op.f('pk_log_cosignature'))
    )
    op.create_table('log_timestamp',
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('authority', sa.String(length=200), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['size'], ['log_checkpoint.size'], name=op.f('fk_log_timestamp_size_log_checkpoint')),
    sa.PrimaryKeyConstraint('size', 'authority', name=op.f('pk_log_timestamp'))
    )
    for table, allowed in NEVER_CHANGED.items():
        guard(table, allowed)


def guard(table: str, allowed: str) -> None:
    """Rows of the table can be added, and changed only where `allowed` holds."""
    if op.get_bind().dialect.name == 'sqlite':
        when = '' if allowed == 'FALSE' else f'WHEN NOT COALESCE({allowed}, 0)'
        op.execute(f"CREATE TRIGGER {table}_keeps BEFORE UPDATE ON {table} {when} "
                   f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END")
        op.execute(f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} "
                   f"BEGIN SELECT RAISE(ABORT, '{table} is never deleted'); END")
        return
    op.execute(f"""
        CREATE FUNCTION {table}_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF COALESCE({allowed}, FALSE) THEN RETURN NEW; END IF;
            END IF;
            RAISE EXCEPTION '{table} is never changed or deleted';
        END $$""")
    op.execute(f"CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE ON {table} "
               f"FOR EACH ROW EXECUTE FUNCTION {table}_keeps()")


def downgrade() -> None:
    for table in NEVER_CHANGED:
        if op.get_bind().dialect.name == 'sqlite':
            op.execute(f'DROP TRIGGER {table}_keeps')
            op.execute(f'DROP TRIGGER {table}_stays')
        else:
            op.execute(f'DROP TRIGGER {table}_keeps ON {table}')
            op.execute(f'DROP FUNCTION {table}_keeps()')
    op.drop_table('log_timestamp')
    op.drop_table('log_cosignature')
    op.drop_table('log_checkpoint')
    op.drop_table('log_head')
    op.drop_index(op.f('ix_log_term_term'), table_name='log_term')
    op.drop_table('log_term')
    op.drop_table('log_entry')
    op.drop_column('code_run', 'root')
    op.drop_column('code_run', 'frontier')
