"""DELETE of a customer: taken up at once, once a key, and by nobody but an administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.entrypoints.scene import Scene


def test_a_customer_is_forgotten_once(scene: Scene) -> None:
    """The answer carries ids alone; asked again with the same key it is the same."""
    client, headers = scene.client(), {**scene.key(), "Idempotency-Key": "one"}
    client.post("/customers", json={"reference": "Q-1", "name": "Zoe Quillfeather"}, headers=scene.key())

    first = client.delete("/customers/Q-1", headers=headers)
    again = client.delete("/customers/Q-1", headers=headers)

    assert (first.status_code, again.content) == (202, first.content)
    assert set(first.json()) == {"id", "customer_id", "state"}
    assert client.get("/customers/Q-1", headers=headers).status_code == 404
    assert client.delete("/customers/Q-1", headers=scene.key()).json()["code"] == "customers.not_found"
    assert "Quillfeather" not in client.get("/customers", headers=headers).text
