{{ session_pieces(ref('int_minecraft__network_sessions'), carried=['network_session_id', 'player_id']) }}
