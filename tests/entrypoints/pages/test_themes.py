"""The two ways into the dark: what the system asks for and what a person chose are the same colours."""

from __future__ import annotations

import re

from tallywatt.entrypoints.pages.render import STATIC

PROPERTY = re.compile(r"([a-z-]+):\s*([^;]+);")


def block(style: str, selector: str) -> dict[str, str]:
    """What a rule sets."""
    body = style.split(f"{selector} {{", 1)[1].split("}", 1)[0]
    return dict(PROPERTY.findall(body))


def test_the_dark_that_is_chosen_is_the_dark_that_the_system_asks_for() -> None:
    """CSS cannot say it once; a colour that is changed in one place alone would be seen by half of all people."""
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    asked, chosen = block(style, ":root:not([data-theme])"), block(style, '[data-theme="dark"]')
    assert asked["color-scheme"] == "dark"
    assert len(asked) > 20
    assert asked == chosen


def test_the_dark_gives_a_value_to_nothing_that_the_light_does_not_have() -> None:
    """A name that was changed in the light alone would leave a dark value that nobody uses."""
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    light = block(style, ':root, [data-theme="light"]')
    assert set(block(style, '[data-theme="dark"]')) <= set(light)
