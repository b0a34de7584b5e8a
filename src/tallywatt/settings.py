"""Settings, from the environment: each starts with TALLYWATT_."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tallywatt.kernel.errors import BadInput

KEY_BYTES = 32


class Settings(BaseSettings):
    """What an installation may choose. Secrets are read from a file of the data directory unless the environment names them."""

    model_config = SettingsConfigDict(env_prefix="TALLYWATT_", env_file=None, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(
        default=Path("./data"), description="Where the SQLite file, the key and the control socket lie."
    )
    database_url: str | None = Field(
        default=None, description="sqlite:///FILE or postgresql://…; default: SQLite in the data directory."
    )
    http_host: str = Field(default="127.0.0.1", description="Address of the pages and the API.")
    http_port: int = Field(default=8080, description="Port of the pages and the API.")
    ocpp_host: str = Field(default="127.0.0.1", description="Address of the OCPP gateway.")
    ocpp_port: int = Field(default=9000, description="Port of the OCPP gateway.")
    ocpp_plain: bool = Field(default=True, description="Whether that port, without TLS, is opened.")
    ocpp_behind_tls: bool = Field(
        default=False, description="A proxy that ends TLS stands before that port: it counts as security profile 2."
    )
    ocpp_tls_port: int = Field(default=9001, description="Port of the OCPP gateway with TLS.")
    ocpp_tls_certificate: Path | None = Field(
        default=None, description="PEM with the gateway's certificate and its chain; opens the port with TLS."
    )
    ocpp_tls_key: Path | None = Field(default=None, description="PEM with its key; default: in the same file.")
    public_url: str | None = Field(
        default=None, description="How the pages are reached from outside; default: host and port."
    )
    master_key: str | None = Field(
        default=None,
        validation_alias=AliasChoices("TALLYWATT_MASTER_KEY", "TALLYWATT_INSTALLATION_KEY"),
        description="The key above all others, 64 hex digits; default: its file.",
    )
    master_key_file: Path | None = Field(
        default=None, description="Where that key is, or is made on the first start; default: in the data directory."
    )
    trusted_proxies: str = Field(
        default="", description="Addresses or networks whose X-Forwarded-For is believed, by commas; default: nobody's."
    )
    limit_keys: str = Field(default="1200/60", description="Requests in seconds of one API key.")
    limit_people: str = Field(default="1200/60", description="Likewise of one person who is signed in.")
    limit_pages: str = Field(default="1200/60", description="Of one address to the drivers' pages.")
    limit_sign_in: str = Field(default="30/60", description="Of one address to sign in, or to get a token.")
    limit_pay: str = Field(default="120/60", description="Of one address to begin payments.")
    limit_webhooks: str = Field(default="12000/60", description="Of one address with webhooks of providers.")
    limit_refused: str = Field(default="60/60", description="Of one address with credentials that are not valid.")
    smtp_url: str | None = Field(
        default=None, description="The mail server: smtp://user:password@host:587 or smtps://…:465; none: no letters."
    )
    smtp_sender: str | None = Field(default=None, description="From whom letters are: charging@example.org.")
    webhook_allow: str = Field(
        default="",
        description="Private hosts that may get webhooks and be identity providers, also over http: names, networks.",
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address on which Prometheus reads the measures.")
    metrics_port: int | None = Field(default=None, description="Port of the measures of each process; none if unset.")
    log_level: Literal["debug", "info", "warning"] = Field(
        default="info", description="debug tells of every job, with the id that leads from a frame to its invoice."
    )
    message_log_days: int = Field(
        default=30, ge=0, le=3650, description="Days that messages of stations stay in the log; 0: none is kept."
    )
    station_notice_days: int = Field(
        default=90, ge=1, le=3650, description="Days that what stations say on the side is kept: events, alarms."
    )
    quiet_session_hours: int = Field(
        default=24, ge=1, le=720, description="Hours without a word of a session after which its station is asked."
    )
    law_gate: Literal["show", "block"] = Field(
        default="show",
        description="block: a tariff is not assigned where a rule on prices forbids it; show: it is told, and goes through.",
    )
    workers: int = Field(default=4, ge=1, le=64, description="Threads that call payment providers.")

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'tallywatt.db').resolve()}"

    @property
    def base_url(self) -> str:
        """Where the pages are, without a slash at the end."""
        return (self.public_url or f"http://{self.http_host}:{self.http_port}").rstrip("/")

    @property
    def control_socket(self) -> Path:
        """Where the command line reaches the running server."""
        return self.data_dir / "control.sock"

    @property
    def key_file(self) -> Path:
        """Where the installation's own key is kept, unless the environment has it."""
        return self.master_key_file or self.data_dir / "installation.key"

    @property
    def next_key_file(self) -> Path:
        """Where the next master key waits while the present one is being replaced."""
        return self.key_file.with_name(f"{self.key_file.name}.next")

    def next_key(self) -> bytes:
        """The key that waits there."""
        return read_key(self.next_key_file.read_text(encoding="utf-8", errors="replace"), str(self.next_key_file))

    @property
    def unfinished_restore(self) -> Path:
        """There while a return from a backup goes on, or when it was broken off."""
        return self.data_dir / "restore.unfinished"

    def known_key(self) -> bytes | None:
        """The installation's own key, if there is one yet."""
        if self.master_key is not None:
            return read_key(self.master_key, "TALLYWATT_MASTER_KEY")
        if not self.key_file.exists():
            return None
        return read_key(self.key_file.read_text(encoding="utf-8", errors="replace"), str(self.key_file))

    def key(self) -> bytes:
        """The installation's own key, made on first use. It wraps all others: without it, sealed data is lost."""
        found = self.known_key()
        return found if found is not None else self.keep_key(secrets.token_bytes(KEY_BYTES))

    def keep_key(self, key: bytes) -> bytes:
        """Write a key to its file, unless another process was first; whichever key is there now."""
        self.key_file.parent.mkdir(parents=True, exist_ok=True)
        draft = write_key(self.key_file, key)
        # A link fails when another process was first; then its key counts.
        with suppress(FileExistsError):
            self.key_file.hardlink_to(draft)
        draft.unlink()
        return bytes.fromhex(self.key_file.read_text(encoding="ascii").strip())


def read_key(text: str, where: str) -> bytes:
    """A key of 64 hex digits, or what is wrong with it; the message does not repeat it."""
    digits = text.strip()
    if len(digits) != 2 * KEY_BYTES or not set(digits.lower()) <= set("0123456789abcdef"):
        msg = f"{where} does not hold a key of {2 * KEY_BYTES} hex digits"
        remedy = "bring back the right one from where you keep a copy; for a new installation: openssl rand -hex 32"
        raise BadInput(msg, code="keys.unreadable", remedy=remedy)
    return bytes.fromhex(digits)


def write_key(beside: Path, key: bytes) -> Path:
    """A draft of a key's file beside it, readable for its owner alone and safe on the disk."""
    draft = beside.with_suffix(f".{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as handle:
        handle.write(key.hex())
        handle.flush()
        os.fsync(handle.fileno())
    return draft
