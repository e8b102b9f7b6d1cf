"""The vendor's platform in small: a stand-in for those who have no key yet, and the reference for every test.

`Platform` is the model: deterministic for a seed, free of HTTP, driven by the clock it is given. `Gateway` is its front
door (keys, limits, faults, envelopes) and still free of sockets. `server` puts both behind real HTTP.

What the vendor has not written down is chosen by a `Profile`. With `speed` N every duration of the vendor's world (how
long a link lives, how soon it is opened, how long an interview takes) is divided by N, while timestamps stay on the
real clock, so that a client which compares them with its own sees nothing odd. Durations and credits that are
*reported* are the undivided ones, as if the interview had taken its twenty minutes.
"""
