-- What customers may read, and which servers are whose. Run by 0020_customers.py.

-- dbt makes a view in it beside each mart that is offered; what a view shows hangs on who asks. So everybody may select
-- from the views, and only who gets usage of the schema reaches them.
create schema customer;
alter default privileges in schema customer grant select on tables to public;

-- One row for each login and user of the panel whose servers it may see.
create table ops.customer_logins (
    role_name name not null,
    owner_uuid uuid not null,               -- of the user in the panel
    primary key (role_name, owner_uuid)
);

-- The servers of each login, by the panel's newest list: who gives a server away loses it with the next reading. Only
-- what is still listed counts, since a user's id may be another user's after the panel was set up anew.
create view ops.customer_servers as
select
    logins.role_name,
    servers.uuid as server_uuid
from ops.customer_logins as logins
inner join raw_pterodactyl.users as users
    on logins.owner_uuid = users.uuid and users.valid_to is null and users.is_active
inner join raw_pterodactyl.servers as servers
    on users.id = (servers.record ->> 'user')::bigint and servers.valid_to is null and servers.is_active;
