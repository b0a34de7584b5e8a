"""The list of problems: as complete as the code, told by a page of our own, and known wherever a test is told a problem."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.problems import DATA, MANUAL, data, manual, problems
from tallywatt.entrypoints.http.reference import known_problems
from tests.entrypoints.http.conftest import migrated_file, scene, sqlite_house_url

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene

__all__ = ["migrated_file", "scene", "sqlite_house_url"]


def test_the_list_is_what_the_code_raises() -> None:
    """A code that is raised and not listed fails here, and one that nobody raises: python -m docs.problems."""
    assert MANUAL.read_text(encoding="utf-8") == manual()
    assert DATA.read_text(encoding="utf-8") == data()


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    """In whole sentences, with a status that problems have."""
    found = problems()
    assert len(found) > 250
    for one in found:
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", one["code"]), one
        assert one["statuses"], one
        assert set(one["statuses"]) <= {400, 401, 403, 404, 405, 409, 412, 422, 429, 500, 503}, one
        assert one["meanings"], one
        assert one["remedies"], one
        assert all(text.endswith((".", "?")) for text in one["meanings"] + one["remedies"]), one


def test_a_problem_leads_to_its_line(scene: Scene) -> None:
    """By its `type`, for whoever reads it, with no credential at all."""
    client = scene.client()
    problem = client.get("/sessions").json()
    assert problem["type"] == "/problems#access.not_signed_in"
    page = client.get(problem["type"])
    assert page.status_code == 200
    assert 'id="access.not_signed_in"' in page.text
    for one in known_problems():
        assert page.text.count(f'<tr id="{one["code"]}">') == 1


def test_a_problem_is_told_in_the_language_that_is_asked_for(scene: Scene) -> None:
    """The code stays; the sentence that names the thing is there in English, too."""
    client, headers = scene.client(), scene.key("read")
    english = client.get("/customers/nobody", headers=headers)
    german = client.get("/customers/nobody", headers={**headers, "Accept-Language": "de-AT, en;q=0.5"})
    told = german.json()
    assert german.headers["content-language"] == "de"
    assert "content-language" not in english.headers
    assert (told["code"], told["status"]) == (english.json()["code"], 404)
    assert told["detail"] == "Diesen Kunden gibt es nicht"
    assert told["detail_en"] == english.json()["detail"] == "there is no such customer"
    unsaid = client.get("/operators/me?x=1", headers={**headers, "Accept-Language": "de"}).json()
    assert unsaid["code"] == "request.unknown_parameter"
    assert "unknown" not in unsaid["detail"]
    assert unsaid["detail_en"] == "there is no parameter 'x' here"
