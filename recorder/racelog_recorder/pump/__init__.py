"""The pump: one task drains every socket of a lane, stamped by the kernel, before anything is parsed.

poller   which sockets are ready (epoll, kqueue or select behind one small protocol)
stamps   when bytes arrived: kernel receive stamps made monotonic, or the read's own time
drain    the loop: wait, read everything, then hand on
exchange one HTTP/1.1 request and its response, sans-IO
transport the pump as a transport under the httpx API
"""
