-- what the newest pass left unread, by the reason for it
select outcome, count(*) as reads, min(reason) as for_example, sum(size)::bigint as bytes, true as fails
from raw_minecraft.log_reads
where observed_at = (select max(observed_at) from raw_minecraft.log_reads) and outcome = any(%(unread)s)
group by outcome order by outcome
