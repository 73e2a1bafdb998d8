-- servers that the newest pass did not sample since nobody answered, by node
with newest as (select max(pass_at) as pass_at from ops.sampling_passes)
select node_name as node, outcome, count(*) as servers, min(reason) as for_example, true as fails
from raw_pterodactyl.utilization_samples
where pass_at = (select pass_at from newest) and _pass_at = (select pass_at from newest)
    and outcome = any(%(unanswered)s)
group by node_name, outcome order by node_name, outcome
