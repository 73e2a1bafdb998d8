{{ peak_concurrency(ref('int_minecraft__network_session_days'), keys=['local_date']) }}
