"""Read a Pterodactyl panel: entities, consumption and log files.

Path of the data::

    panel --PanelClient--> JSON --application.read_estate---> Reading (one for each entity)
                                --utilization.sample_servers> SamplingPass (one sample for each server)
                                --files.list_logs-----------> ListedFile --files.fetch_file--> bytes

Every request passes `transport.PacedAdapter`, which counts it, keeps it within the panel's announced limit and turns
failures into the errors of `errors`. `privacy.Redactor` removes secrets before a record leaves this package.
"""
