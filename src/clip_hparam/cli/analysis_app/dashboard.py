"""`clip-hparam dashboard`: serve the report on this computer while sweeps run."""

import argparse
import errno
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from clip_hparam.cli.analysis_app.outputs import rerun_overrides
from clip_hparam.cli.commands.command import UsageError
from clip_hparam.records.paths import DEFAULT_RUNS

if TYPE_CHECKING:
    from clip_hparam.analysis.report.live_page import LivePage

LOOPBACK, DEFAULT_PORT = "127.0.0.1", 8265
NAMES = (LOOPBACK, "localhost")
"""Names of this computer; requests to others come from pages of the web, and are refused."""


class DashboardServer(ThreadingHTTPServer):
    """Serve one page on the loopback interface; `port` 0 takes a free port."""

    daemon_threads = True

    def __init__(self, page: "LivePage", port: int) -> None:
        self.live_page = page
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def url(self) -> str:
        """Address that a browser opens."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    """Serve the page at GET / and its version at GET /version."""

    server: DashboardServer

    def do_GET(self) -> None:
        """Serve the page or its version; refuse any other request."""
        if self.headers.get("Host", "").partition(":")[0] not in NAMES:
            self.send_error(HTTPStatus.FORBIDDEN, "the dashboard answers on this computer only")
            return
        if self.path not in ("/", "/version"):
            self.send_error(HTTPStatus.NOT_FOUND, "there is one page: /")
            return
        page = self.server.live_page
        page.refresh()
        if self.path == "/version":
            self._send(page.version, "text/plain")
        else:
            self._send(page.page, "text/html")

    def _send(self, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: requests come every few seconds."""


def add_dashboard_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `dashboard`."""
    command.add_argument(
        "--runs", action="append", type=Path, help="folder of records (runs); repeatable"
    )
    command.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"port ({DEFAULT_PORT}); 0: any free one"
    )


def run_dashboard(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C.

    Raises:
        UsageError: another process uses the port.
    """
    from clip_hparam.analysis.report.live_page import LivePage  # lazy: matplotlib, 0.5 s

    page = LivePage(arguments.runs or [DEFAULT_RUNS], rerun_overrides)
    try:
        server = DashboardServer(page, arguments.port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UsageError(
            f"port {arguments.port} is not free: type --port 0 for any free port"
        ) from error
    with server:
        print(f"{server.url}  (Ctrl-C ends the dashboard)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port: type a number from 0 to 65535")
    return int(text)
