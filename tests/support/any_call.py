"""A call of any method of the local API, also of one that no node declares."""

from types import SimpleNamespace


def any_call(method, **params):
    return SimpleNamespace(METHOD=method, params=params)
