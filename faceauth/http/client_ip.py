"""The client's address: the network that rate limits count, and the one that events store."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from faceauth import conf

# Prefix lengths by IP version. A subscriber who has one address of an IPv6 /64 has all of them.
_RATE_LIMIT_PREFIXES = {4: 32, 6: 64}
# Long enough to show roughly where a user was, too short to identify them.
_STORED_PREFIXES = {4: 24, 6: 48}


def rate_limit_key(request: HttpRequest) -> str:
    """Return the client's rate-limit key: its IPv4 address or IPv6 /64."""
    return _masked(request, _RATE_LIMIT_PREFIXES) or "unknown"


def network(request: HttpRequest) -> str:
    """Return the client's network, a /24 or /48, or "" if its address is unknown."""
    return _masked(request, _STORED_PREFIXES)


def line(request: HttpRequest | None) -> tuple[str, str, str]:
    """Return where a request waits for its turn: its network and address, on no trusted device."""
    return (network(request), rate_limit_key(request), "") if request else ("", "", "")


def _masked(request: HttpRequest, prefixes: dict[int, int]) -> str:
    """Return the client's address, cut to the prefix length of its IP version."""
    address = _parsed(_forwarded(request)) or _parsed(request.META.get("REMOTE_ADDR", ""))
    if address is None:
        return ""
    packed, length = address.packed, prefixes[address.version]
    return str(ip_network((packed, length), strict=False))


def _forwarded(request: HttpRequest) -> str:
    """Return the address that the outermost trusted proxy saw.

    Each proxy appends the address that it was called from. Anyone can have written the addresses
    further left.
    """
    proxies = conf.get().TRUSTED_PROXIES or 0
    addresses = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return addresses[-proxies:][0].strip() if proxies > 0 else ""


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address as proxies write it; IPv4 addresses mapped to IPv6 become IPv4."""
    host = text.rpartition(":")[0] if text.count(":") == 1 else text  # some proxies add a port
    try:
        address = ip_address(host.partition("]")[0].removeprefix("["))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
