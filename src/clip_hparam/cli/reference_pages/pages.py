"""The generated pages by the name of their file."""

from clip_hparam.cli.reference_pages.api_page import api_page
from clip_hparam.cli.reference_pages.command_page import command_page
from clip_hparam.cli.reference_pages.design_page import design_page
from clip_hparam.cli.reference_pages.environment_page import environment_page
from clip_hparam.cli.reference_pages.frame_page import frame_page
from clip_hparam.cli.reference_pages.knob_page import knob_page
from clip_hparam.cli.reference_pages.record_page import record_page


def generated_pages() -> dict[str, str]:
    """Return the text of each page of docs/reference."""
    return {
        "knobs.md": knob_page(),
        "designs.md": design_page(),
        "commands.md": command_page(),
        "record_schema.md": record_page(),
        "frame_schema.md": frame_page(),
        "environment.md": environment_page(),
        "api.md": api_page(),
    }
