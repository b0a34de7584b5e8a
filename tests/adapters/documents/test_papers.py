"""The PDF: all that must be on it is on it, the same document gives the same bytes, and no text is read as markup."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from tallywatt.adapters.documents.papers import FONTS, TypstPapers
from tallywatt.invoicing.paper import InvoiceDocument, PaperParty, PaperSite
from tallywatt.rating.read import read_tariff
from tests.invoicing.examples import a_document, a_long_stay, day_tariff


@pytest.fixture(scope="module")
def papers() -> TypstPapers:
    """One warm compiler, as the worker has it."""
    return TypstPapers()


def text_of(pdf: bytes) -> str:
    """All text, with lines and spaces made one space."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_an_invoice_prints_what_where_when_price_and_payment_in_this_order(papers: TypstPapers) -> None:
    """A paper that is searched, copied and read aloud must have its text, in reading order."""
    text = text_of(papers.pdf(a_document()))
    story = [
        "Invoice INV-2018-000123",
        "Driver D-0421",
        "VAT no. GB 000 0000 00",
        "Plugged in 3 h 40 min",
        "Greenmarket Multi-Storey",
        "GB*TWA*E51266*2",
        "15:12 BST",
        "10,234.567 kWh",
        "Delivered 15:12 to 17:00",
        "£5.36",
        "Idle time",
        "VAT 20% on £11.87",
        "Paid in full",
        "charging.dundee.example/s/7HQ2-MX4K",
    ]
    places = [text.find(part) for part in story]
    assert -1 not in places, dict(zip(story, places, strict=True))
    assert places == sorted(places)


def test_the_same_document_gives_the_same_bytes(papers: TypstPapers) -> None:
    """A paper that was hashed or signed can be made again."""
    document = a_document()
    once = papers.pdf(document)
    papers.pdf(a_document(a_long_stay()))
    assert papers.pdf(document) == once
    assert TypstPapers().pdf(document) == once


def test_the_file_is_archivable_a4_and_carries_its_fonts(papers: TypstPapers) -> None:
    """PDF/A-3b: it looks the same in ten years, and can carry an e-invoice."""
    pdf = papers.pdf(a_document())
    reader = PdfReader(BytesIO(pdf))
    page = reader.pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice INV-2018-000123"
    assert page._get_fonts()[1] == set(), "every font is inside the file"
    assert len(pdf) < 80_000


def test_a_long_invoice_repeats_its_head_and_numbers_its_pages(papers: TypstPapers) -> None:
    """Sixty lines over several pages: each page says what it belongs to."""
    pages = PdfReader(BytesIO(papers.pdf(a_document(a_long_stay())))).pages
    assert len(pages) >= 3
    for number, page in enumerate(pages, 1):
        text = " ".join(page.extract_text().split())
        assert f"Page {number} of {len(pages)}" in text
        assert "INV-2018-000123" in text
        assert number == len(pages) or "Quantity" in text
    assert "£79.44" in pages[-1].extract_text()


HOSTILE = '#panic("x") *bold* _it_ $a^2$ `raw` @label <tag> \\u{41} // no /* yes */ [a](b) "quoted" {{ }} = Heading'


def test_markup_in_names_is_printed_and_never_run(papers: TypstPapers) -> None:
    """A customer may call themselves anything; the paper prints it and does nothing else."""
    document = a_document(
        buyer=PaperParty(HOSTILE, (HOSTILE,), tax_id=HOSTILE),
        site=PaperSite(HOSTILE, (HOSTILE,), HOSTILE, connector=HOSTILE),
        link="https://x.example/#let(x)[y]",
    )
    text = text_of(papers.pdf(document)).replace("\N{ZERO WIDTH SPACE}", "")
    for part in ('#panic("x")', "*bold*", "$a^2$", "`raw`", "@label", "<tag>", "= Heading", "#let(x)[y]"):
        assert part in text


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        (a_document(tariff=day_tariff("EUR", "NO")), ["€17.59", "Amount without VAT"]),
        (
            a_document(
                tariff=read_tariff(
                    {
                        "id": "J",
                        "currency": "JPY",
                        "tax_included": "YES",
                        "elements": [{"price_components": [{"type": "ENERGY", "price": "58.3", "vat": 10}]}],
                    }
                ),
                buyer=None,
                payments=(),
            ),
            ["¥1,071", "¥58.3 / kWh", "To pay", "A driver without an account"],
        ),
        (
            a_document(seller=PaperParty("Stadtwerke Ελλάς Київ Łódź GmbH"), link=None),
            ["Stadtwerke Ελλάς Київ Łódź GmbH"],
        ),
        (
            replace(
                a_document(),
                seller=PaperParty("W" * 90),
                buyer=PaperParty("Wort " * 60),
                link="https://x.example/" + "y" * 180,
            ),
            ["Wort Wort"],
        ),
    ],
)
def test_currencies_scripts_and_long_names_find_their_place(
    papers: TypstPapers, document: InvoiceDocument, parts: list[str]
) -> None:
    """What does not fit wraps; nothing is lost."""
    text = text_of(papers.pdf(document))
    for part in parts:
        assert part in text


def test_several_threads_may_ask_at_once(papers: TypstPapers) -> None:
    """Workers print in parallel; each gets its own paper."""
    documents = [a_document(invoice={"number": f"INV-2018-{number:06d}"}) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(papers.pdf, documents))
    for document, pdf in zip(documents, made, strict=True):
        assert document.invoice.number in text_of(pdf)


def test_the_font_is_shipped_with_its_licence_and_is_small() -> None:
    """The paper must not depend on what is installed, and the package must stay light."""
    files = list(FONTS.iterdir())
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text().upper()
    assert sum(file.stat().st_size for file in files) < 1_500_000
