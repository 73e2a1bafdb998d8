"""Read events that games push: bytes of a request in, events and refusals out.

Path of the data::

    body of a request --envelope.read_events--> Event | Refusal --collector--> raw_events

What each type of event has is said once, in `contracts`; the schemas that games read are made of it by `schema`.
"""
