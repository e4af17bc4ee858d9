"""The pump: one task drains every socket of a lane, stamped by the kernel, before anything is parsed.

poller   which sockets are ready (epoll, kqueue or select behind one small protocol)
stamps   when bytes arrived: kernel receive stamps made monotonic, or when the pump saw them
drain    the loop: wait, read everything, then hand on
tls      TLS over bytes in memory, sans-IO
encoding compressed bodies, unfolded in bounded steps
exchange one HTTP/1.1 request and its response, sans-IO
dial     from an address to a connected socket, each step timed
connection one connection under the pump, with its TLS and its exchange
transport the pump as a transport under the httpx API
backend  a network backend that gives httpx's own transport stamps too
"""
