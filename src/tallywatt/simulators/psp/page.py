"""Pure: the provider's hosted page, where a person picks a test card. No script, no image, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tallywatt.kernel.money import Money, currency
from tallywatt.simulators.psp.cards import CARDS, SHOWN_ON_PAGE

if TYPE_CHECKING:
    from tallywatt.simulators.psp.book import Object

SECURITY = (
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
)

_FRAME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #14213d; --quiet: #5b6579; --line: #d8dde6; --page: #f4f6fa; --card: #fff;
  --go: #3b5bdb }}
@media (prefers-color-scheme: dark) {{
:root {{ --ink: #eef1f7; --quiet: #9aa5b8; --line: #333c4d; --page: #12161f; --card: #1b212d; --go: #7c93f5 }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }}
main {{ width: 100%; max-width: 26rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 1rem; padding: 1.75rem }}
h1 {{ margin: 0; font-size: 2.25rem; letter-spacing: -.02em; font-variant-numeric: tabular-nums }}
p {{ margin: .25rem 0 1.25rem; color: var(--quiet) }}
.refused {{ color: #c92a2a; border-left: 3px solid; padding-left: .75rem }}
fieldset {{ border: 0; padding: 0; margin: 0 0 1.25rem }}
legend {{ font-weight: 600; margin-bottom: .5rem }}
label {{ display: flex; gap: .75rem; align-items: center; padding: .7rem .9rem; border: 1px solid var(--line);
  margin-top: -1px }}
label:has(:checked) {{ outline: 2px solid var(--go); outline-offset: -2px }}
label span {{ margin-left: auto; color: var(--quiet); font-variant-numeric: tabular-nums }}
button {{ width: 100%; min-height: 3rem; border: 0; border-radius: .6rem; background: var(--go); color: #fff; font: inherit;
  font-weight: 600; cursor: pointer }}
button:focus-visible, input:focus-visible, a:focus-visible {{ outline: 3px solid var(--ink); outline-offset: 2px }}
button.quiet {{ background: none; color: inherit; border: 1px solid var(--line); margin-top: .75rem }}
small {{ display: block; margin-top: 1.25rem; color: var(--quiet) }}
a {{ color: inherit }}
@media (prefers-color-scheme: dark) {{ button {{ color: #10131a }} .refused {{ color: #ff8787 }} }}
</style>
<main>
{body}
<small>A simulated payment provider. No money moves, and no card number is asked for.</small>
</main>
</html>
"""


def framed(title: str, body: str, *, again: bool = False) -> str:
    """A page around something; `again`: it is looked at again every two seconds, for what changes without its reader."""
    refresh = '<meta http-equiv="refresh" content="2">\n' if again else ""
    return _FRAME.format(title=escape(title), body=body, refresh=refresh)


def sum_of(minor: int, code: str) -> str:
    """A sum as people read it."""
    return str(Money(minor, currency(code.upper())))


def choose_card(session: Object, refused: str | None = None) -> str:
    """Pick a test card and pay."""
    said = f'<p class="refused" role="alert">{escape(refused)}</p>' if refused else ""
    cards = "".join(
        f'<label><input type="radio" name="card" value="{token}"{" checked" if place == 0 else ""}> '
        f"{escape(CARDS[token].label)} <span>&middot;&middot;&middot;&middot; {CARDS[token].last4}</span></label>"
        for place, token in enumerate(SHOWN_ON_PAGE)
    )
    held = session["_intent"].get("capture_method") == "manual"
    explained = "is held on your card; you pay only what you charge" if held else "will be paid"
    back = (
        f'<small><a href="{escape(session["cancel_url"])}">Cancel and go back</a></small>'
        if session["cancel_url"]
        else ""
    )
    body = f"""<h1>{_sum(session)}</h1>
<p>{escape(session["_title"])}<br>This {explained}.</p>
{said}<form method="post" action="/c/pay/{session["id"]}">
<fieldset><legend>Test card</legend>{cards}</fieldset>
<button>{"Hold" if held else "Pay"} {_sum(session)}</button>
</form>{back}"""
    return _FRAME.format(title=f"Pay {_sum(session)}", body=body, refresh="")


def approve(session: Object, token: str) -> str:
    """The driver's bank asks."""
    body = f"""<h1>Your bank asks</h1>
<p>Approve {_sum(session)} for {escape(session["_title"])}?</p>
<form method="post" action="/c/pay/{session["id"]}">
<input type="hidden" name="card" value="{escape(token)}">
<button name="approve" value="yes">Approve</button>
<button class="quiet" name="approve" value="no">Reject</button>
</form>"""
    return _FRAME.format(title="Approve the payment", body=body, refresh="")


def closed(session: Object) -> str:
    """Nothing more to do here."""
    done = session["status"] == "complete"
    said = "This payment is complete." if done else "This page can be paid no more. Go back and start again."
    return _FRAME.format(
        title="Payment", body=f"<h1>{'Thank you' if done else 'Too late'}</h1><p>{said}</p>", refresh=""
    )


def _sum(session: Object) -> str:
    return escape(str(Money(session["amount_total"], currency(session["currency"].upper()))))
