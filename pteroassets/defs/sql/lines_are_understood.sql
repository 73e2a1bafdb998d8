-- each server's three newest files against the thirty before; with fewer than 200 lines a share means nothing
with

numbered as (
    select
        server_uuid, software, layout, path,
        lines_understood + lines_ignored as known,
        parsed_lines - lines_continuation as lines,
        row_number() over (partition by server_uuid order by is_live desc, first_line_at desc nulls last) as number
    from raw_minecraft.log_files
    where parser_version is not null and outcome = any(%(timed)s) and parsed_lines > 0
),

counted as (
    select
        server_uuid,
        sum(known) filter (where number <= 3)::float as newest_known,
        sum(lines) filter (where number <= 3) as newest_lines,
        sum(known) filter (where number > 3)::float as earlier_known,
        sum(lines) filter (where number > 3) as earlier_lines,
        max(path) filter (where number = 1) as path,
        max(software) filter (where number = 1) as software,
        max(layout) filter (where number = 1) as layout
    from numbered where number <= 33 group by server_uuid
),

shares as (
    select
        *,
        newest_known / newest_lines as newest,
        case when earlier_lines >= 200 then earlier_known / earlier_lines end as earlier
    from counted where newest_lines >= 200
)

select
    server_uuid::text as server,
    path as file,
    software,
    layout,
    round(newest::numeric, 4)::float as share_of_newest_lines,
    round(earlier::numeric, 4)::float as share_of_earlier_lines,
    -- hardly any, or a quarter less than before
    newest < 0.01 or coalesce(newest < earlier * 0.75, false) as fails
from shares order by server_uuid
