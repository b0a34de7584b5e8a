"""What may be asked for over the control socket: workflows by name, each with the class of its command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tallywatt.workflows.accept_dispute import AskAccept, ask_accept
from tallywatt.workflows.add_customer import AddCustomer, AddToken, add_customer, add_token
from tallywatt.workflows.add_location import AddLocation, add_location
from tallywatt.workflows.add_operator import AddOperator, add_operator
from tallywatt.workflows.add_person import AddPerson, add_person
from tallywatt.workflows.add_provider_account import AddProviderAccount, add_provider_account
from tallywatt.workflows.add_station import AddStation, AdoptStation, add_station, adopt_station
from tallywatt.workflows.add_webhook_endpoint import AddWebhookEndpoint, add_webhook_endpoint
from tallywatt.workflows.ask_rest import WaiveRest, waive_rest
from tallywatt.workflows.bring_session import BringSession, bring_session
from tallywatt.workflows.certify import (
    AskCertificate,
    PutAuthority,
    RevokeCertificate,
    ask_certificate,
    put_authority,
    revoke_certificate,
)
from tallywatt.workflows.change_station import ChangeEvse, ChangeStation, change_evse, change_station
from tallywatt.workflows.change_webhook_endpoint import (
    DisableWebhookEndpoint,
    EnableWebhookEndpoint,
    RemoveWebhookEndpoint,
    disable_webhook_endpoint,
    enable_webhook_endpoint,
    remove_webhook_endpoint,
)
from tallywatt.workflows.check_station import AllowSetting, AskCheck, allow_setting, ask_check
from tallywatt.workflows.command_station import CommandStation
from tallywatt.workflows.correct_prices import (
    DiscardCorrection,
    OpenCorrection,
    OrderCorrection,
    discard_correction,
    open_correction,
    order_correction,
)
from tallywatt.workflows.create_api_key import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from tallywatt.workflows.end_debits import CancelBatch, TakeStatuses, cancel_batch, take_statuses
from tallywatt.workflows.end_restoration import EndRestoration, end_restoration
from tallywatt.workflows.erase_customer import EraseCustomer, erase_customer
from tallywatt.workflows.import_rows import take_customer, take_session, take_station, take_token
from tallywatt.workflows.invite_person import InvitePerson, invite_person
from tallywatt.workflows.keep_circle import AddCircle, JoinCircle, LeaveCircle, add_circle, join_circle, leave_circle
from tallywatt.workflows.keep_limit import SetLimit, set_limit
from tallywatt.workflows.keep_local_list import SwitchLists, SyncList, send_changes, send_list_anew, switch_lists
from tallywatt.workflows.keep_mandate import (
    ResumeMandate,
    RevokeMandate,
    SetCreditor,
    SignMandate,
    resume_mandate,
    revoke_mandate,
    set_creditor,
    sign_mandate,
)
from tallywatt.workflows.keep_method import KeepMethod, keep_method
from tallywatt.workflows.keep_own_account import (
    AllowInvoice,
    EndInvoice,
    OpenBalance,
    allow_invoice,
    end_invoice,
    open_balance,
)
from tallywatt.workflows.keep_reader import AddReader, RemoveReader, add_reader, remove_reader
from tallywatt.workflows.keep_tariff import KeepTariffs, ask_tariffs, clear_tariffs
from tallywatt.workflows.move_profile import MoveProfile, WatchProfile, give_profile_up, move_profile
from tallywatt.workflows.note_defence import NoteDefence, note_defence
from tallywatt.workflows.order_station import order_station
from tallywatt.workflows.pay_out_balance import PayOutBalance, pay_out_balance
from tallywatt.workflows.prepare_debits import (
    GiveBatch,
    PrepareDebits,
    collection_day,
    give_batch,
    prepare_debits,
)
from tallywatt.workflows.put_market_prices import PutMarketPrices, put_market_prices
from tallywatt.workflows.put_rule import EndRule, PutProfile, PutRule, end_rule, put_profile, put_rule
from tallywatt.workflows.put_secret import PutSecret, RemoveSecret, put_secret, remove_secret
from tallywatt.workflows.put_tariff import AssignTariff, PutTariff, assign_tariff, put_tariff
from tallywatt.workflows.read_settlements import EndReading, OrderReading, end_reading, order_reading
from tallywatt.workflows.receive_transfer import ReceiveTransfer, receive_transfer
from tallywatt.workflows.recount_sums import RecountSums, recount_sums
from tallywatt.workflows.register_meter_key import (
    EndMeterKey,
    RegisterMeterKey,
    end_meter_key,
    register_meter_key,
)
from tallywatt.workflows.replace_key import ReplaceKey, give_key_up, replace_key
from tallywatt.workflows.replay_webhook import (
    ReplayDelivery,
    ReplaySince,
    TryWebhook,
    replay_delivery,
    replay_since,
    try_webhook,
)
from tallywatt.workflows.reserve import CancelReservation, Reserve, cancel_reservation, reserve
from tallywatt.workflows.resolve_difference import ResolveDifference, resolve_difference
from tallywatt.workflows.resolve_inbox import ResolveItem, resolve_item
from tallywatt.workflows.retry_job import RetryJob, retry_job
from tallywatt.workflows.rotate_api_key import RotateApiKey, rotate_api_key
from tallywatt.workflows.rotate_webhook_secret import RotateWebhookSecret, rotate_webhook_secret
from tallywatt.workflows.set_money_limit import SetMoneyLimit, set_money_limit
from tallywatt.workflows.set_offline import SetOffline, set_offline
from tallywatt.workflows.show_price import SetDisplay, set_display
from tallywatt.workflows.show_web_code import SetWebCode, set_web_code
from tallywatt.workflows.sign_in import AddConsoleLink, add_console_link
from tallywatt.workflows.switch_captures import SwitchCaptures, switch_captures
from tallywatt.workflows.take_file import take_file
from tallywatt.workflows.take_found import TakeFound, take_found
from tallywatt.workflows.take_report import (
    NoteReport,
    SetReportAccess,
    TakeTold,
    note_report,
    set_report_access,
    take_told,
)
from tallywatt.workflows.take_settlement import TakeSettlement, take_settlement
from tallywatt.workflows.take_statement import DecideBankLine, TakeStatement, decide_bank_line, take_statement
from tallywatt.workflows.undo_bank_line import UndoBankLine, undo_bank_line
from tallywatt.workflows.use_coupon import AddCoupon, EndCoupon, add_coupon, end_coupon
from tallywatt.workflows.work_off import WorkOffAll, work_off_all

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Allowed:
    """A workflow that the owner of the data directory may run."""

    workflow: Callable[..., Any]
    command_type: type

    def command(self, data: Any) -> Any:
        """The command of JSON-like data; msgspec.ValidationError when it does not fit."""
        return msgspec.convert(data, self.command_type)


def _allowed(*pairs: tuple[Callable[..., Any], type]) -> dict[str, Allowed]:
    return {workflow.__name__: Allowed(workflow, command_type) for workflow, command_type in pairs}


ALLOWED = _allowed(
    (add_circle, AddCircle),
    (add_console_link, AddConsoleLink),
    (add_coupon, AddCoupon),
    (open_balance, OpenBalance),
    (set_creditor, SetCreditor),
    (sign_mandate, SignMandate),
    (revoke_mandate, RevokeMandate),
    (resume_mandate, ResumeMandate),
    (prepare_debits, PrepareDebits),
    (collection_day, PrepareDebits),
    (give_batch, GiveBatch),
    (cancel_batch, CancelBatch),
    (take_statuses, TakeStatuses),
    (allow_invoice, AllowInvoice),
    (end_invoice, EndInvoice),
    (pay_out_balance, PayOutBalance),
    (receive_transfer, ReceiveTransfer),
    (add_customer, AddCustomer),
    (add_location, AddLocation),
    (add_operator, AddOperator),
    (add_person, AddPerson),
    (add_provider_account, AddProviderAccount),
    (add_station, AddStation),
    (add_token, AddToken),
    (add_webhook_endpoint, AddWebhookEndpoint),
    (adopt_station, AdoptStation),
    (ask_certificate, AskCertificate),
    (set_web_code, SetWebCode),
    (assign_tariff, AssignTariff),
    (bring_session, BringSession),
    (change_evse, ChangeEvse),
    (change_station, ChangeStation),
    (discard_correction, DiscardCorrection),
    (waive_rest, WaiveRest),
    (open_correction, OpenCorrection),
    (order_correction, OrderCorrection),
    (create_api_key, CreateApiKey),
    (disable_webhook_endpoint, DisableWebhookEndpoint),
    (enable_webhook_endpoint, EnableWebhookEndpoint),
    (end_coupon, EndCoupon),
    (end_meter_key, EndMeterKey),
    (end_restoration, EndRestoration),
    (erase_customer, EraseCustomer),
    (invite_person, InvitePerson),
    (join_circle, JoinCircle),
    (keep_method, KeepMethod),
    (leave_circle, LeaveCircle),
    (put_authority, PutAuthority),
    (put_market_prices, PutMarketPrices),
    (order_reading, OrderReading),
    (order_station, CommandStation),
    (put_secret, PutSecret),
    (put_tariff, PutTariff),
    (recount_sums, RecountSums),
    (register_meter_key, RegisterMeterKey),
    (remove_secret, RemoveSecret),
    (remove_webhook_endpoint, RemoveWebhookEndpoint),
    (replay_delivery, ReplayDelivery),
    (replay_since, ReplaySince),
    (resolve_difference, ResolveDifference),
    (resolve_item, ResolveItem),
    (work_off_all, WorkOffAll),
    (ask_check, AskCheck),
    (allow_setting, AllowSetting),
    (switch_lists, SwitchLists),
    (add_reader, AddReader),
    (remove_reader, RemoveReader),
    (replace_key, ReplaceKey),
    (give_key_up, ReplaceKey),
    (send_list_anew, SyncList),
    (send_changes, SyncList),
    (reserve, Reserve),
    (cancel_reservation, CancelReservation),
    (set_display, SetDisplay),
    (set_offline, SetOffline),
    (ask_tariffs, KeepTariffs),
    (clear_tariffs, KeepTariffs),
    (move_profile, MoveProfile),
    (give_profile_up, WatchProfile),
    (set_limit, SetLimit),
    (put_rule, PutRule),
    (end_rule, EndRule),
    (put_profile, PutProfile),
    (retry_job, RetryJob),
    (revoke_api_key, RevokeApiKey),
    (revoke_certificate, RevokeCertificate),
    (rotate_api_key, RotateApiKey),
    (rotate_webhook_secret, RotateWebhookSecret),
    (set_money_limit, SetMoneyLimit),
    (set_report_access, SetReportAccess),
    (switch_captures, SwitchCaptures),
    (note_report, NoteReport),
    (note_defence, NoteDefence),
    (ask_accept, AskAccept),
    (take_statement, TakeStatement),
    (decide_bank_line, DecideBankLine),
    (undo_bank_line, UndoBankLine),
    (end_reading, EndReading),
    (take_file, TakeSettlement),
    (take_settlement, TakeSettlement),
    (take_told, TakeTold),
    (take_customer, AddCustomer),
    (take_found, TakeFound),
    (take_session, BringSession),
    (take_station, AddStation),
    (take_token, AddToken),
    (try_webhook, TryWebhook),
)
