"""The files of the report's page: all of them are used, and the library is the released one."""

import hashlib
import re

from clip_hparam.analysis.report.page.assets import DATA, LIBRARY, SCRIPTS, read_assets


def test_each_script_is_part_of_the_page() -> None:
    assert sorted(SCRIPTS) == sorted(path.stem for path in (DATA / "page").glob("*.js"))
    assert all(
        (DATA / "page" / f"{name}.js").read_text() in read_assets().script for name in SCRIPTS
    )


def test_scripts_insert_no_markup() -> None:
    """Text from records becomes text nodes, so no markup of a label is interpreted."""
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", read_assets().script
    )


def test_library_is_the_released_file_with_its_licence() -> None:
    readme = (DATA / "README.md").read_text()
    content = (DATA / "echarts" / "echarts.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in readme
    (version,) = re.findall(r't\.version="([\d.]+)",t\.zr', content.decode())
    assert f"ECharts {version}" in LIBRARY
    assert f"ECharts {version}" in readme
    assert "Apache License" in (DATA / "echarts" / "LICENSE").read_text()
    assert "ECharts" in (DATA / "echarts" / "NOTICE").read_text()
