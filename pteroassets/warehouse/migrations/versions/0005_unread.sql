-- Packed logs that are not unpacked here lie in the folder all the same. Run by 0005_unread.py.

alter table raw_minecraft.log_reads
    drop constraint log_reads_outcome_check,
    add constraint log_reads_outcome_check check (outcome in ('ok', 'unchanged', 'no_log_folder', 'not_minecraft',
        'suspended', 'installing', 'install_failed', 'restoring_backup', 'transferring', 'maintenance',
        'node_unreachable', 'rate_limited', 'gone', 'too_large', 'budget_spent', 'unreadable', 'error'));
