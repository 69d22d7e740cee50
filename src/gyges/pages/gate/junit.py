"""A gate's outcome as a JUnit file, the format that every build server reads: a suite for each model, a test case for each line."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from gyges.analysis.gate import GateResult
from gyges.errors import UserError
from gyges.files import write_whole
from gyges.pages.gate.gate_report import GateLine, GateReport

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold; a model's name can have any."""


def write_junit(report: GateReport, path: Path) -> Path:
    """Write the file; what cannot be read counts as skipped.

    Raises:
        UserError: the file cannot be written.
    """
    groups: dict[str, list[GateLine]] = {}
    for line in report.lines:
        groups.setdefault(line.group, []).append(line)
    root = ET.Element("testsuites", name=_plain(report.title))
    for group, lines in groups.items():
        root.append(_suite(group, lines))
    try:
        return write_whole(path, ET.tostring(root, encoding="unicode", xml_declaration=True))
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror}", "Choose another --junit") from None


def _suite(group: str, lines: list[GateLine]) -> ET.Element:
    counted = {result: str(sum(line.result is result for line in lines)) for result in GateResult}
    suite = ET.Element(
        "testsuite", name=_plain(group), tests=str(len(lines)), failures=counted[GateResult.FAILED], errors="0",
        skipped=counted[GateResult.UNKNOWN],
    )  # fmt: skip
    for line in lines:
        case = ET.SubElement(suite, "testcase", classname=_plain(group), name=_plain(line.name))
        if line.result is GateResult.FAILED:
            ET.SubElement(case, "failure", message=_plain(line.text)).text = _plain(line.text)
        elif line.result is GateResult.UNKNOWN:
            ET.SubElement(case, "skipped", message=_plain(line.text))
        else:
            ET.SubElement(case, "system-out").text = _plain(line.text)
    return suite


def _plain(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
