"""XMP that no longer tells of what is not there, beside exiftool's reading of it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from upscale.pictures.metadata import xmp

PACKET = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.1.2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
    xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
    xmlns:Container="http://ns.google.com/photos/1.0/container/"
    xmlns:Item="http://ns.google.com/photos/1.0/container/item/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmpNote:HasExtendedXMP="A5B0" hdrgm:Version="1.0" GCamera:MotionPhoto="1"
    GCamera:MicroVideoOffset="4711" GCamera:SpecialTypeID="kept" tiff:Orientation="6">
   <dc:subject><rdf:Bag><rdf:li>Sch\xc3\xb6n &amp; gut</rdf:li></rdf:Bag></dc:subject>
   <Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item
     Item:Mime="image/jpeg" Item:Semantic="GainMap"/></rdf:li></rdf:Seq></Container:Directory>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def read_by_exiftool(path: Path, packet: bytes) -> dict[str, object]:
    path.write_bytes(packet)
    command = ["exiftool", "-json", "-n", "-XMP:all", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]
    return {name: value for name, value in found.items() if name != "SourceFile"}


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs exiftool")
def test_what_is_not_there_is_no_longer_said(tmp_path: Path) -> None:
    before = read_by_exiftool(tmp_path / "before.xmp", PACKET)
    after = read_by_exiftool(tmp_path / "after.xmp", xmp.for_output(PACKET))
    gone = {"HasExtendedXMP", "Version", "MotionPhoto", "MicroVideoOffset"}
    gone |= {"DirectoryItemMime", "DirectoryItemSemantic"}
    assert before.keys() - after.keys() == gone
    assert before["Orientation"] == 6
    assert after == {name: before[name] for name in after} | {"Orientation": 1}
    assert {"Subject", "SpecialTypeID", "XMPToolkit"} <= after.keys()


def test_prefixes_and_the_packet_stay() -> None:
    made = xmp.for_output(PACKET)
    assert made.startswith(PACKET[: PACKET.index(b"<x:xmpmeta")])
    assert made.endswith(b'</x:xmpmeta>\n<?xpacket end="w"?>')
    assert b"<dc:subject>" in made


def test_what_says_nothing_of_it_stays_byte_for_byte() -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF  other = "1" /></x:xmpmeta>\n   '
    assert xmp.for_output(packet) == packet


def test_zeros_around_it_go_and_others_are_an_error() -> None:
    """In a GIF a zero byte would end it, and what follows would be taken for blocks."""
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF  other = "1" /></x:xmpmeta>'
    assert xmp.for_output(packet + b"\0\0") == packet
    with pytest.raises(ValueError, match="zero"):
        xmp.for_output(packet.replace(b"1", b"\0"))


@pytest.mark.parametrize("packet", [b"", b"text", b"<x:xmpmeta>", b"<rdf:RDF>"])
def test_what_is_not_xmp_is_an_error(packet: bytes) -> None:
    with pytest.raises(ValueError, match="RDF"):
        xmp.for_output(packet)


def test_xml_that_breaks_off_is_an_error() -> None:
    with pytest.raises(ValueError, match="damaged"):
        xmp.for_output(PACKET.replace(b"</dc:subject>", b""))


@pytest.mark.parametrize("number", range(1, 9))
def test_the_orientation_is_found_as_attribute_and_as_element(number: int) -> None:
    digit = str(number).encode()
    assert xmp.orientation(PACKET.replace(b'tation="6"', b'tation="' + digit + b'"')) == number
    element = b"<rdf:RDF><tiff:Orientation>" + digit + b"</tiff:Orientation></rdf:RDF>"
    assert xmp.orientation(element) == number
    assert xmp.orientation(xmp.for_output(element)) == 1


def test_no_orientation_or_an_odd_one_is_upright() -> None:
    assert xmp.orientation(b"<rdf:RDF/>") == 1
    assert xmp.orientation(b'<rdf:RDF tiff:Orientation="9"/>') == 1
