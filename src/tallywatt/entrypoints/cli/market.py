"""`tallywatt market-prices`: what energy costs in a market, slot by slot, for tariffs that follow it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallywatt.entrypoints.cli.desk import at_desk
from tallywatt.entrypoints.cli.reading import read_text
from tallywatt.entrypoints.cli.show import Column, clock_of, say, say_json, say_table
from tallywatt.entrypoints.cli.words import IN_A_TABLE, JsonFlag, LimitOption, OperatorOption, examples, group

market_prices = group("market-prices", "Prices of markets, which tariffs may follow.")
MarketOption = Annotated[
    str | None, typer.Option("--market", metavar="ZONE", help="The market's zone, as tariffs name it: DE-LU, GB.")
]


@market_prices.command(
    "import",
    **examples(
        "tallywatt market-prices import day-ahead.csv --market DE-LU \\",
        "    --minutes 15 --currency EUR",
        "tallywatt market-prices import prices.json",
        "tallywatt market-prices import - < prices.csv",
    ),
)
def bring(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON; - reads standard input.")],
    market: MarketOption = None,
    minutes: Annotated[int | None, typer.Option("--minutes", help="How long a slot is: 15 or 60.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Of the prices.")] = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring in prices of a market.

    Columns: starts_at (RFC 3339), per_mwh or per_kwh, and market, minutes and currency where they are not given as options.
    The same file again changes nothing; another price for a slot corrects it. Offers that were made keep their prices.
    """
    from tallywatt.market.read import read_prices
    from tallywatt.workflows.put_market_prices import PutMarketPrices, put_market_prices

    told = read_prices(read_text(file), market=market, minutes=minutes, code=currency)
    with at_desk(operator) as desk:
        put = desk.do(put_market_prices, PutMarketPrices(told))
    if as_json:
        say_json(put)
        return
    say(f"{put['new']} new, {put['same']} there already, {put['corrected']} corrected.")
    if put["gaps"]:
        say(f"{put['gaps']} slots between the first and the last have no price.")


@market_prices.command(
    "list", **examples("tallywatt market-prices list --market DE-LU", "tallywatt market-prices list --json")
)
def listing(
    market: MarketOption = None,
    limit: LimitOption = None,
    operator: OperatorOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Prices that are known, the newest slots first."""
    with at_desk(operator) as desk:
        rows = desk.ask(desk.views.market_prices, market, limit or (None if as_json else IN_A_TABLE))
    if as_json:
        say_json(rows)
        return
    zone = desk.operator.zone
    shown = [
        {
            **row,
            "starts": clock_of(row["starts_at"], zone),
            "price": f"{row['per_mwh']} {row['currency']}",
            "corrected": clock_of(row["changed_at"], zone),
        }
        for row in rows
    ]
    columns = (Column("market", "market"), Column("minutes", "minutes", right=True), Column("starts", "starts"))
    more = (Column("per MWh", "price", right=True), Column("corrected", "corrected"))
    say_table((*columns, *more), shown, empty="No prices yet. Bring them: tallywatt market-prices import FILE")
