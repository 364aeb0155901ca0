"""Where a request comes from: the address that is counted, and the part of it that is kept."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

from faceauth import conf

# What one subscriber is given: who has one address of an IPv6 /64 has all of them.
_RATE_LIMIT_PREFIXES = {4: 32, 6: 64}
# What tells roughly where somebody was, and not who they were.
_STORED_PREFIXES = {4: 24, 6: 48}


def rate_limit_key(request: HttpRequest) -> str:
    """What stands for the visitor's connection; the same for a whole IPv6 /64."""
    return _masked(request, _RATE_LIMIT_PREFIXES) or "unknown"


def network(request: HttpRequest) -> str:
    """The network that the visitor's address lies in, a /24 or /48; "" where it is not known."""
    return _masked(request, _STORED_PREFIXES)


def _masked(request: HttpRequest, lengths: dict[int, int]) -> str:
    address = _parsed(_forwarded(request)) or _parsed(request.META.get("REMOTE_ADDR", ""))
    if address is None:
        return ""
    packed, length = address.packed, lengths[address.version]
    return str(ip_network((packed, length), strict=False))


def _forwarded(request: HttpRequest) -> str:
    """The address that the outermost of our own proxies saw: each appends the one it was asked
    from, and what stands further left anybody may have written.
    """
    proxies = conf.get().TRUSTED_PROXIES or 0
    addresses = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return addresses[-proxies:][0].strip() if proxies > 0 else ""


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    host = text.rpartition(":")[0] if text.count(":") == 1 else text  # some proxies add a port
    try:
        address = ip_address(host.partition("]")[0].removeprefix("["))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
