"""first schema

Revision ID: 0001
Revises: 
"""

import sqlalchemy as sa
from alembic import op

from lotseal.trace.db.base import Exact, UtcDateTime

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit_act',
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('act', sa.String(length=40), nullable=False),
    sa.Column('by_ref', sa.String(length=16), nullable=False),
    sa.Column('by_name', sa.String(length=200), nullable=False),
    sa.Column('subject', sa.String(length=120), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_act')),
    sa.UniqueConstraint('ref', name=op.f('uq_audit_act_ref'))
    )
    with op.batch_alter_table('audit_act', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_act_act'), ['act'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_act_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_act_subject'), ['subject'], unique=False)

    op.create_table('category',
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('name_zh', sa.String(length=100), nullable=False),
    sa.Column('name_en', sa.String(length=100), nullable=False),
    sa.Column('requires_lab_test', sa.Boolean(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_category')),
    sa.UniqueConstraint('code', name=op.f('uq_category_code')),
    sa.UniqueConstraint('ref', name=op.f('uq_category_ref'))
    )
    op.create_table('job',
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('run_after', UtcDateTime(), nullable=False),
    sa.Column('lease_until', UtcDateTime(), nullable=True),
    sa.Column('worker', sa.String(length=40), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.Column('said', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job')),
    sa.UniqueConstraint('ref', name=op.f('uq_job_ref'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index('ix_job_state_run_after', ['state', 'run_after'], unique=False)

    op.create_table('signing_key',
    sa.Column('kid', sa.String(length=43), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('letter', sa.String(length=1), nullable=True),
    sa.Column('public_jwk', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('retired_at', UtcDateTime(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signing_key')),
    sa.UniqueConstraint('kid', name=op.f('uq_signing_key_kid')),
    sa.UniqueConstraint('letter', name=op.f('uq_signing_key_letter')),
    sa.UniqueConstraint('ref', name=op.f('uq_signing_key_ref'))
    )
    op.create_table('stored_file',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=False),
    sa.Column('has_text_layer', sa.Boolean(), nullable=False),
    sa.Column('page_images', sa.JSON(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stored_file')),
    sa.UniqueConstraint('ref', name=op.f('uq_stored_file_ref')),
    sa.UniqueConstraint('sha256', name=op.f('uq_stored_file_sha256'))
    )
    op.create_table('supplier',
    sa.Column('name_zh', sa.String(length=200), nullable=False),
    sa.Column('name_en', sa.String(length=200), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('licence', sa.String(length=40), nullable=False),
    sa.Column('contact', sa.String(length=200), nullable=False),
    sa.Column('suspended_at', UtcDateTime(), nullable=True),
    sa.Column('suspended_reason', sa.String(length=500), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supplier')),
    sa.UniqueConstraint('ref', name=op.f('uq_supplier_ref'))
    )
    op.create_table('account',
    sa.Column('login', sa.String(length=120), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('supplier_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_account_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('login', name=op.f('uq_account_login')),
    sa.UniqueConstraint('ref', name=op.f('uq_account_ref'))
    )
    op.create_table('product',
    sa.Column('gtin', sa.String(length=14), nullable=False),
    sa.Column('name_zh', sa.String(length=200), nullable=False),
    sa.Column('name_en', sa.String(length=200), nullable=False),
    sa.Column('spec', sa.String(length=100), nullable=False),
    sa.Column('category_id', sa.Integer(), nullable=False),
    sa.Column('supplier_id', sa.Integer(), nullable=False),
    sa.Column('after_sales_zh', sa.Text(), nullable=False),
    sa.Column('after_sales_en', sa.Text(), nullable=False),
    sa.Column('picture', sa.String(length=64), nullable=True),
    sa.Column('picture_original', sa.String(length=64), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_product_category_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_product_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_product')),
    sa.UniqueConstraint('gtin', name=op.f('uq_product_gtin')),
    sa.UniqueConstraint('ref', name=op.f('uq_product_ref'))
    )
    with op.batch_alter_table('product', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_product_supplier_id'), ['supplier_id'], unique=False)

    op.create_table('batch',
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('supplier_id', sa.Integer(), nullable=False),
    sa.Column('lot', sa.String(length=20), nullable=False),
    sa.Column('supplier_lot', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('place', sa.String(length=200), nullable=False),
    sa.Column('region', sa.String(length=200), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('latitude', Exact(), nullable=True),
    sa.Column('longitude', Exact(), nullable=True),
    sa.Column('producer', sa.String(length=200), nullable=False),
    sa.Column('site', sa.String(length=200), nullable=False),
    sa.Column('produced_on', sa.Date(), nullable=True),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('quantity', Exact(), nullable=True),
    sa.Column('unit', sa.String(length=8), nullable=False),
    sa.Column('inputs', sa.Text(), nullable=False),
    sa.Column('hold_reason_zh', sa.String(length=500), nullable=False),
    sa.Column('hold_reason_en', sa.String(length=500), nullable=False),
    sa.Column('held_from', sa.String(length=20), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_batch_product_id')),
    sa.ForeignKeyConstraint(['supplier_id'], ['supplier.id'], name=op.f('fk_batch_supplier_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch')),
    sa.UniqueConstraint('product_id', 'lot', name=op.f('uq_batch_product_id_lot')),
    sa.UniqueConstraint('ref', name=op.f('uq_batch_ref'))
    )
    with op.batch_alter_table('batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batch_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_state'), ['state'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_supplier_id'), ['supplier_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_batch_supplier_lot'), ['supplier_lot'], unique=False)

    op.create_table('login_session',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('seen_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('browser', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_login_session_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_session')),
    sa.UniqueConstraint('ref', name=op.f('uq_login_session_ref')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_login_session_token_hash'))
    )
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_login_session_account_id'), ['account_id'], unique=False)

    op.create_table('batch_correction',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=40), nullable=False),
    sa.Column('before', sa.Text(), nullable=False),
    sa.Column('after', sa.Text(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_batch_correction_batch_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch_correction')),
    sa.UniqueConstraint('ref', name=op.f('uq_batch_correction_ref'))
    )
    with op.batch_alter_table('batch_correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batch_correction_batch_id'), ['batch_id'], unique=False)

    op.create_table('batch_state_change',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_batch_state_change_batch_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_batch_state_change')),
    sa.UniqueConstraint('ref', name=op.f('uq_batch_state_change_ref'))
    )
    with op.batch_alter_table('batch_state_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_batch_state_change_batch_id'), ['batch_id'], unique=False)

    op.create_table('certificate',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('file_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=60), nullable=False),
    sa.Column('laboratory', sa.String(length=200), nullable=False),
    sa.Column('accreditation', sa.String(length=100), nullable=False),
    sa.Column('sample', sa.String(length=200), nullable=False),
    sa.Column('method', sa.String(length=200), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('expires_on', sa.Date(), nullable=True),
    sa.Column('conclusion', sa.String(length=8), nullable=False),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('replaces_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('note', sa.String(length=500), nullable=False),
    sa.Column('submitted_at', UtcDateTime(), nullable=False),
    sa.Column('submitted_by', sa.String(length=200), nullable=False),
    sa.Column('submitted_by_ref', sa.String(length=16), nullable=False),
    sa.Column('reviewed_at', UtcDateTime(), nullable=True),
    sa.Column('reviewed_by', sa.String(length=200), nullable=False),
    sa.Column('withdrawn_at', UtcDateTime(), nullable=True),
    sa.Column('withdrawn_by', sa.String(length=200), nullable=False),
    sa.Column('withdrawn_reason', sa.String(length=500), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_certificate_batch_id')),
    sa.ForeignKeyConstraint(['file_id'], ['stored_file.id'], name=op.f('fk_certificate_file_id')),
    sa.ForeignKeyConstraint(['replaces_id'], ['certificate.id'], name=op.f('fk_certificate_replaces_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_certificate')),
    sa.UniqueConstraint('ref', name=op.f('uq_certificate_ref'))
    )
    with op.batch_alter_table('certificate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificate_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_certificate_file_id'), ['file_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_certificate_number'), ['number'], unique=False)
        batch_op.create_index(batch_op.f('ix_certificate_status'), ['status'], unique=False)

    op.create_table('code_run',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=True),
    sa.Column('tier', sa.String(length=1), nullable=False),
    sa.Column('short', sa.Boolean(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('issued', sa.Integer(), nullable=False),
    sa.Column('base', sa.String(length=200), nullable=False),
    sa.Column('kid', sa.String(length=43), nullable=True),
    sa.Column('letter', sa.String(length=1), nullable=True),
    sa.Column('tag_kid', sa.String(length=43), nullable=False),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_code_run_batch_id')),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_code_run_job_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_code_run')),
    sa.UniqueConstraint('ref', name=op.f('uq_code_run_ref'))
    )
    with op.batch_alter_table('code_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_code_run_batch_id'), ['batch_id'], unique=False)

    op.create_table('recall_notice',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('reason_zh', sa.String(length=500), nullable=False),
    sa.Column('reason_en', sa.String(length=500), nullable=False),
    sa.Column('remedy_zh', sa.String(length=500), nullable=False),
    sa.Column('remedy_en', sa.String(length=500), nullable=False),
    sa.Column('phone', sa.String(length=60), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_recall_notice_batch_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recall_notice')),
    sa.UniqueConstraint('batch_id', name=op.f('uq_recall_notice_batch_id')),
    sa.UniqueConstraint('ref', name=op.f('uq_recall_notice_ref'))
    )
    op.create_table('release',
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('kid', sa.String(length=43), nullable=False),
    sa.Column('signature', sa.LargeBinary(length=64), nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_release_batch_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_release')),
    sa.UniqueConstraint('batch_id', name=op.f('uq_release_batch_id')),
    sa.UniqueConstraint('ref', name=op.f('uq_release_ref'))
    )
    op.create_table('item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('serial', sa.String(length=20), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('signature', sa.LargeBinary(length=64), nullable=True),
    sa.Column('issued_at', UtcDateTime(), nullable=False),
    sa.Column('voided_at', UtcDateTime(), nullable=True),
    sa.Column('void_reason', sa.String(length=500), nullable=True),
    sa.Column('voided_by', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['batch_id'], ['batch.id'], name=op.f('fk_item_batch_id')),
    sa.ForeignKeyConstraint(['run_id'], ['code_run.id'], name=op.f('fk_item_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item')),
    sa.UniqueConstraint('serial', name=op.f('uq_item_serial'))
    )
    with op.batch_alter_table('item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_item_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_item_run_id'), ['run_id'], unique=False)

    op.create_table('label_sheet',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('job_id', sa.Integer(), nullable=True),
    sa.Column('layout', sa.String(length=20), nullable=False),
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('first', sa.Integer(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=True),
    sa.Column('added_at', UtcDateTime(), nullable=False),
    sa.Column('added_by', sa.String(length=200), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=16), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['job.id'], name=op.f('fk_label_sheet_job_id')),
    sa.ForeignKeyConstraint(['run_id'], ['code_run.id'], name=op.f('fk_label_sheet_run_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_label_sheet')),
    sa.UniqueConstraint('ref', name=op.f('uq_label_sheet_ref'))
    )
    with op.batch_alter_table('label_sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_label_sheet_run_id'), ['run_id'], unique=False)

    op.create_table('result_line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('certificate_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('parameter', sa.String(length=200), nullable=False),
    sa.Column('method', sa.String(length=200), nullable=False),
    sa.Column('limit', sa.String(length=100), nullable=False),
    sa.Column('result', sa.String(length=100), nullable=False),
    sa.Column('unit', sa.String(length=40), nullable=False),
    sa.Column('outcome', sa.String(length=10), nullable=False),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificate.id'], name=op.f('fk_result_line_certificate_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_line'))
    )
    with op.batch_alter_table('result_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_result_line_certificate_id'), ['certificate_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('result_line', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_result_line_certificate_id'))

    op.drop_table('result_line')
    with op.batch_alter_table('label_sheet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_label_sheet_run_id'))

    op.drop_table('label_sheet')
    with op.batch_alter_table('item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_item_run_id'))
        batch_op.drop_index(batch_op.f('ix_item_batch_id'))

    op.drop_table('item')
    op.drop_table('release')
    op.drop_table('recall_notice')
    with op.batch_alter_table('code_run', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_code_run_batch_id'))

    op.drop_table('code_run')
    with op.batch_alter_table('certificate', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_certificate_status'))
        batch_op.drop_index(batch_op.f('ix_certificate_number'))
        batch_op.drop_index(batch_op.f('ix_certificate_file_id'))
        batch_op.drop_index(batch_op.f('ix_certificate_batch_id'))

    op.drop_table('certificate')
    with op.batch_alter_table('batch_state_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_batch_state_change_batch_id'))

    op.drop_table('batch_state_change')
    with op.batch_alter_table('batch_correction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_batch_correction_batch_id'))

    op.drop_table('batch_correction')
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_login_session_account_id'))

    op.drop_table('login_session')
    with op.batch_alter_table('batch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_batch_supplier_lot'))
        batch_op.drop_index(batch_op.f('ix_batch_supplier_id'))
        batch_op.drop_index(batch_op.f('ix_batch_state'))
        batch_op.drop_index(batch_op.f('ix_batch_product_id'))

    op.drop_table('batch')
    with op.batch_alter_table('product', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_product_supplier_id'))

    op.drop_table('product')
    op.drop_table('account')
    op.drop_table('supplier')
    op.drop_table('stored_file')
    op.drop_table('signing_key')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index('ix_job_state_run_after')

    op.drop_table('job')
    op.drop_table('category')
    with op.batch_alter_table('audit_act', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_act_subject'))
        batch_op.drop_index(batch_op.f('ix_audit_act_at'))
        batch_op.drop_index(batch_op.f('ix_audit_act_act'))

    op.drop_table('audit_act')
