"""Disputes on the console: the day to answer by, and all evidence in one file that tells no secret."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from tallywatt.kernel.clock import Instant
from tallywatt.payments.dispute import DisputeState, ToldDispute
from tallywatt.workflows.take_dispute import TakeDispute, take_dispute

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def test_the_evidence_holds_session_price_and_payment_and_no_secret(scene: Scene) -> None:
    """What a bank asks for: who charged where, what was shown, what the meter said."""
    scene.wire().charge(10_000_000)
    scene.collect()
    session = scene.session()
    payment = scene.do(lambda work, key: work.payments.get(key), session["payments"][0]["id"])
    told = ToldDispute(
        "dp_1", DisputeState.OPEN, payment.captured_minor, payment.currency, payment.captured_minor, "fraudulent",
        Instant(1_795_248_000_000), Instant(1_795_852_800_000), payment.payment_id,
    )  # fmt: skip
    dispute = scene.do(take_dispute, TakeDispute(payment.account_id, told))
    assert dispute is not None
    client = scene.signed_in()

    page = client.get("/console/disputes").text
    answer = client.get(f"/console/disputes/{dispute.dispute_id}/evidence.zip")

    assert "Waits for an answer" in page
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist() if not name.endswith(".pdf")}
    assert {"README.txt", "dispute.json", "payment.json", "session.json"} <= set(files)
    assert json.loads(files["session.json"])["id"] == session["id"]
    assert session["driver_secret"] not in "".join(files.values())
    assert client.get("/console/disputes/nothing/evidence.zip").status_code == 404
