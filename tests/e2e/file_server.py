"""A server of the files of a folder, for tests that download."""

import contextlib
import functools
import http.server
import ssl
import threading


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Knows neither Range nor ETag, but Last-Modified."""

    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def file_server(folder, certificate=None):
    """@param certificate  a PEM file with its key: https"""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
