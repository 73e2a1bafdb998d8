"""Games that push events: a stream that follows from its recipe alone, what is true of it, and a sender.

It knows the contracts from their document, as games do, and imports nothing of what takes the events in.
"""
