-- servers that the newest pass did not sample since nobody answered, by node
select node_name as node, outcome, count(*) as servers, min(reason) as for_example, true as fails
from raw_pterodactyl.utilization_samples
where pass_at = (select max(pass_at) from raw_pterodactyl.utilization_samples) and outcome = any(%(unanswered)s)
group by node_name, outcome order by node_name, outcome
