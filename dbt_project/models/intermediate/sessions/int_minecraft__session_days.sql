{{ session_pieces(ref('int_minecraft__sessions'), carried=['session_id', 'server_uuid', 'player_id', 'is_proxy']) }}
