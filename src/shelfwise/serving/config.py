"""Where the service listens and how much it lets one request ask for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from shelfwise.schema.options import Options

DEFAULT_K = 10


class ServeOptions(Options):
    """How a ranking is offered over HTTP."""

    host: str = "127.0.0.1"
    """Address to listen on; this machine's own only, because there are no keys yet."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    """Port to listen on; 0 takes any free one."""
    max_k: Annotated[int, Field(ge=DEFAULT_K)] = 100
    """Most items one answer may hold."""
    max_query_length: PositiveInt = 500
    """Longest query, in characters."""
    max_history: PositiveInt = 200
    """Most events of a visitor's past one request may carry."""
    max_body_bytes: PositiveInt = 256 * 1024
    """Larger request bodies are refused unread."""

    @field_validator("host")
    @classmethod
    def _this_machine_only(cls, host: str) -> str:
        if not is_loopback(host):
            raise ValueError(
                "only this machine's own address is allowed, because this version has no keys "
                "and whoever reaches the port may ask anything; use 127.0.0.1, ::1 or localhost"
            )
        return host


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine to itself and cannot be reached from elsewhere."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
