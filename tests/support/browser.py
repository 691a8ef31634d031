"""Load pages in one Chromium, in frames of given widths, and return what a script in each posts."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT_SECONDS = 300.0
FRAMES = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">{frames}<script>
const seen = {{}}, frames = [...document.querySelectorAll("iframe")];
addEventListener("message", event => {{
  seen[frames.find(frame => frame.contentWindow === event.source).name] = JSON.parse(event.data);
  if (Object.keys(seen).length === frames.length)
    fetch("seen", {{ method: "POST", body: JSON.stringify(seen) }});
}});</script>"""
FRAME = '<iframe name="{name}" src="{name}" width="{width}" height="900" style="border:0"></iframe>'


class Seen(NamedTuple):
    """What each page posted, by its name, and the console output of all pages."""

    pages: dict[str, Any]
    console: list[str]


def browse(pages: Mapping[str, tuple[str, int]], script: str, folder: Path) -> Seen:
    """Return what `script` posts to the parent of each page; pages: name to page and width in px.

    A page of 390 px needs a frame, since a window of the browser itself is no narrower than 500.
    """
    frames = "".join(FRAME.format(name=name, width=width) for name, (_, width) in pages.items())
    texts = {"/": FRAMES.format(frames=frames)}
    for name, (page, _) in pages.items():
        texts[f"/{name}"] = page.replace("</html>", f"<script>{script}</script></html>")
    posted: Queue[dict[str, Any]] = Queue()
    with HTTPServer(("127.0.0.1", 0), _handler(texts, posted)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        command = [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1700,950",
            f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0",
            "--enable-logging=stderr", f"http://127.0.0.1:{server.server_address[1]}/",
        ]  # fmt: skip
        log = folder / "chromium.log"
        with log.open("w") as errors, subprocess.Popen(command, stderr=errors) as browser:
            try:
                found = posted.get(timeout=TIMEOUT_SECONDS)
            except Empty:
                raise TimeoutError(f"no page answered: {log.read_text()[-2_000:]}") from None
            finally:
                browser.terminate()
        server.shutdown()
    return Seen(found, [line for line in log.read_text().splitlines() if "CONSOLE" in line])


def _handler(texts: Mapping[str, str], posted: "Queue[Any]") -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = texts.get(self.path)
            self.send_response(404 if text is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((text or "").encode())

        def do_POST(self) -> None:
            posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    return Handler
