"""`tallywatt simulate`: stand-ins for the outside world, each in a process of its own."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallywatt.entrypoints.cli.show import say_json
from tallywatt.entrypoints.cli.words import examples, group

if TYPE_CHECKING:
    from tallywatt.simulators.psp.server import Psp
    from tallywatt.simulators.site.plan import Fault

CARD = "SIMULATED"
SIMULATED_SECRET = "whsec_simulated"
"""Guards nothing but invented money."""
SIMULATED_HMAC_KEY = "5AFE" * 16
"""As above."""

simulate = group("simulate", "Stand-ins for the outside world.")


@simulate.command(
    "psp",
    **examples(
        "tallywatt simulate psp --port 4000 --state psp.jsonl",
        "tallywatt simulate psp --port 4000 --state psp.jsonl \\",
        "    --webhook http://127.0.0.1:8080/webhooks/stripe/$ACCOUNT \\",
        "    --fault latency,milliseconds=300 \\",
        "    --fault lost_answer,times=2,path=/capture",
    ),
)
def psp(
    state: Annotated[Path, typer.Option("--state", metavar="FILE", help="Its own append-only books.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where it listens; 0 takes a free one.")] = 4000,
    webhook: Annotated[str | None, typer.Option("--webhook", metavar="URL", help="Where it sends its events.")] = None,
    webhook_secret: Annotated[
        str,
        typer.Option("--webhook-secret", envvar="TALLYWATT_SIMULATED_WEBHOOK_SECRET", help="It signs them with it."),
    ] = SIMULATED_SECRET,
    adyen_webhook: Annotated[
        str | None,
        typer.Option("--adyen-webhook", metavar="URL", help="Where notifications of its Adyen accounts go."),
    ] = None,
    adyen_hmac_key: Annotated[
        str,
        typer.Option(
            "--adyen-hmac-key",
            envvar="TALLYWATT_SIMULATED_ADYEN_HMAC_KEY",
            help="It signs them with it: 64 hex digits.",
        ),
    ] = SIMULATED_HMAC_KEY,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", metavar="KIND[,SETTING=VALUE]", help="What goes wrong: latency, lost_answer, rate_limit …"
        ),
    ] = None,
) -> None:
    """Run a strict payment provider with a book of its own.

    It speaks like Stripe, like Mollie and like Adyen.

    A key of the form sk_test_... opens an account that speaks like Stripe, test_... like Mollie (at /v2), AQE... like Adyen
    (base URL .../checkout). Its money is invented, and it listens on 127.0.0.1 alone.
    """
    from tallywatt.simulators.psp import Options, run
    from tallywatt.simulators.psp.faults import parse_fault

    def ready(started: Psp) -> None:
        say_json({"listening": started.base_url, "state": str(state)})

    chosen = tuple(parse_fault(text) for text in faults or ())
    options = Options(
        port=port,
        state=state,
        webhook=webhook,
        webhook_secret=webhook_secret,
        adyen_webhook=adyen_webhook,
        adyen_hmac_key=adyen_hmac_key,
        faults=chosen,
    )
    run(options, ready)


@simulate.command(
    "site",
    **examples(
        "tallywatt simulate site --state site.jsonl --operator dundee --seconds 65",
        "tallywatt simulate site --state site.jsonl --operator dundee \\",
        "    --fault reconnect --fault resend --share 0.2",
        "tallywatt simulate site --state site.jsonl --operator dundee --stations",
    ),
)
def site(
    state: Annotated[Path, typer.Option("--state", metavar="FILE", help="Its own file of what its meters delivered.")],
    operator: Annotated[str, typer.Option("--operator", metavar="SLUG", help="Whose stations they are.")],
    gateway: Annotated[
        str, typer.Option("--gateway", metavar="URL", help="Where the stations connect.")
    ] = "ws://127.0.0.1:9000",
    door: Annotated[
        str, typer.Option("--door", metavar="URL", help="Where drivers without a card pay.")
    ] = "http://127.0.0.1:8080",
    sample: Annotated[
        Path | None, typer.Option("--sample", metavar="FILE", help="A normalised CSV; a day in Dundee if left out.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long the day takes.")] = 65,
    incidents: Annotated[bool, typer.Option("--incidents", help="With the five labelled incidents.")] = False,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="KIND", help="reconnect, resend, stop_before_start, offline; several times."),
    ] = None,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="To how many of the rows faults happen.")] = 0.1,
    seed: Annotated[str, typer.Option("--seed", help="Which rows that are.")] = "0",
    patience: Annotated[
        float | None,
        typer.Option("--patience", min=1, help="Seconds that stations and drivers go on when nobody answers."),
    ] = None,
    readers: Annotated[
        bool, typer.Option("--readers", help="Who has no contract pays at a card reader, where there is one.")
    ] = False,
    stations: Annotated[bool, typer.Option("--stations", help="Say what the platform must have, and end.")] = False,
) -> None:
    """Play a day of real sessions over OCPP 1.6 and 2.0.1. Says as JSON lines how it goes; ends with 1 if not all was told."""
    from dataclasses import replace

    import msgspec

    from tallywatt.simulators.site.plan import Faults
    from tallywatt.simulators.site.play import Options, prepare, run

    options = Options(
        state=state,
        operator=operator,
        gateway=gateway,
        door=door,
        sample=sample,
        seconds=seconds,
        incidents=incidents,
        at_readers=readers,
        faults=Faults(frozenset(_fault(name) for name in faults or ()), share, seed),
    )
    if patience is not None:
        answer_seconds = max(options.answer_seconds, patience / 10)
        options = replace(options, give_up_seconds=patience, driver_seconds=patience, answer_seconds=answer_seconds)
    if stations:
        say_json(msgspec.to_builtins(prepare(options)))
        return
    # Whoever stops the play by SIGTERM wants it closed in order, like by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not run(options).complete:
        raise typer.Exit(1)


@simulate.command(
    "station",
    **examples(
        "tallywatt simulate station ws://127.0.0.1:9000/ocpp/town/CP-2 \\",
        "    --key 00112233445566778899aabbccddeeff",
        "tallywatt simulate station ws://127.0.0.1:9000/ocpp/town/CP-2 \\",
        "    --key a-long-enough-key \\",
        "    --protocol ocpp2.0.1 --token 0424B50144886B --kwh 22 --minutes 45",
    ),
)
def station(
    url: Annotated[str, typer.Argument(help="ws://HOST:PORT/ocpp/OPERATOR/IDENTITY, as the console shows it.")],
    key: Annotated[str, typer.Option("--key", envvar="TALLYWATT_STATION_KEY", help="The station's key.")],
    protocol: Annotated[str, typer.Option("--protocol", help="ocpp1.6 or ocpp2.0.1.")] = "ocpp1.6",
    token: Annotated[str, typer.Option("--token", help="The card that is shown.")] = CARD,
    kwh: Annotated[float, typer.Option("--kwh", min=0, max=500, help="How much is charged.")] = 11.0,
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=1440, help="How long it takes by its own clock.")
    ] = 30,
    speed: Annotated[
        float, typer.Option("--speed", min=1, max=6000, help="How many of its seconds pass in one of yours.")
    ] = 60.0,
) -> None:
    """Connect one station, charge once, leave. Says each step as a JSON line."""
    import asyncio

    from tallywatt.kernel.errors import BadInput
    from tallywatt.simulators.site.single import V16, V201, Options, play
    from tallywatt.wiring import MachineClock

    if protocol not in {V16, V201}:
        msg = f"{protocol!r} is no protocol of this station; there are: {V16}, {V201}"
        raise BadInput(msg, code="simulator.unknown_protocol")
    options = Options(url, key, protocol, token, round(kwh * 1000), minutes, speed)
    asyncio.run(play(options, lambda **step: say_json(step), MachineClock().now()))


def _fault(name: str) -> Fault:
    from tallywatt.kernel.errors import BadInput
    from tallywatt.simulators.site.plan import Fault

    try:
        return Fault(name)
    except ValueError as error:
        msg = f"{name!r} is not a fault of a site; there are: {', '.join(Fault)}"
        raise BadInput(msg, code="simulator.unknown_fault") from error
