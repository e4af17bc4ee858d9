"""Serve a GGUF with llama.cpp's own HTTP server until SIGTERM; prints ``listening URL`` when ready.

    python serve_llamacpp.py MODEL.gguf [--port 0] [--parallel 2] [--threads 1]

One thread by default: llama.cpp's threads spin on barriers, and on a shared two-core machine a second one that
loses its core stops them all.
"""

import argparse
import signal
import socket
import threading

import xllamacpp


def free_port() -> int:
    """Return a loopback port that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ctx", type=int, default=4096, help="total, shared by the slots")
    parser.add_argument("--alias", default="smollm2-135m-instruct-q4_1")
    options = parser.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.alias} if isinstance(params.model_alias, set) else options.alias
    params.hostnames = ["127.0.0.1"]
    params.port = options.port or free_port()
    params.n_parallel = options.parallel
    params.n_ctx = options.ctx
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    print("listening", server.listening_address, flush=True)  # noqa: T201 - the protocol with whoever started us
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    stop.wait()


if __name__ == "__main__":
    main()
