{{ peak_concurrency(ref('int_minecraft__session_days'), keys=['server_uuid', 'local_date']) }}
