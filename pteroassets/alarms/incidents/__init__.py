"""Incidents: one for each root cause, opened, updated and closed, instead of one alarm for each symptom.

Path of the data::

    warehouse --reading--> Readings --findings--> Finding --lifecycle--> State, Change --messages--> Message --> outbox

Everything between reading and outbox is a pure function of the state before, the readings of an instant and the rules.
The passes and ``pteroassets incidents replay`` therefore run the same code (decision 39).
"""
