"""A configuration read into a dataclass; a value of the wrong type is refused in a plain sentence."""

import re
from typing import Any

from omegaconf import BooleanNode, DictConfig, OmegaConf
from omegaconf.errors import ConfigKeyError, OmegaConfBaseException

from midiaug.errors import ConfigError

_KINDS = {
    "int": "a whole number",
    "Integer": "a whole number",
    "float": "a number",
    "Float": "a number",
    "bool": "true or false",
    "str": "text",
    "string": "text",
}
_OF_ONE_VALUE = (
    r"could not be converted to (\w+)$",
    r"is not a subclass of (\w+)\b",
    r"for field of type '(\w+)'",
    r"is not a valid (\w+)\b",
    r"Cannot convert '\w+' to (\w+)\b",
)
_LIST = "give a list of numbers in brackets, such as [-5,5]"
_GROUP = "give keys and values in braces, such as {key: 1}"


def typed(schema: type, config: DictConfig) -> Any:
    """The configuration as an object of the dataclass `schema`. Raises ConfigError for a key of the wrong type."""
    structured = OmegaConf.structured(schema)
    _check_kinds(structured, config)
    try:
        return OmegaConf.to_object(OmegaConf.merge(structured, config))
    except OmegaConfBaseException as error:
        key = str(error.full_key or error.key)
        if isinstance(error, ConfigKeyError):
            raise ConfigError(f"{key}: there is no such key; --help lists them all") from error
        raise ConfigError(f"{key}={_shown(config, key)}: {_advice(str(error).splitlines()[0])}") from error


def flat(node: Any, prefix: str = "") -> dict[str, Any]:
    """The values of a configuration by their keys with dots; an empty group is a value."""
    if not isinstance(node, dict) or not node:
        return {prefix: node} if prefix else {}
    parts = [flat(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in node.items()]
    return {key: value for part in parts for key, value in part.items()}


def _check_kinds(schema: DictConfig, config: DictConfig, prefix: str = "") -> None:
    """Raise ConfigError for no list or no group, which omegaconf refuses without the key, and for a number as truth."""
    for key in [key for key in config if key in schema]:
        wanted, given, name = schema._get_node(key), config._get_node(key), f"{prefix}{key!s}"
        if wanted is None or given is None or (wanted._is_optional() and given._is_none()):
            continue
        if (refusal := _refusal(wanted, given)) is not None:
            raise ConfigError(f"{name}={_shown(config, str(key))}: {refusal}")
        if isinstance(wanted, DictConfig) and isinstance(given, DictConfig):
            _check_kinds(wanted, given, f"{name}.")


def _refusal(wanted: Any, given: Any) -> str | None:
    for is_kind, advice in ((OmegaConf.is_list, _LIST), (OmegaConf.is_dict, _GROUP)):
        if is_kind(wanted) and not is_kind(given):
            return advice
    if isinstance(wanted, BooleanNode) and str(given._value()).isdigit():  # omegaconf takes any but 0 for true
        return f"give {_KINDS['bool']}"
    return None


def _shown(config: DictConfig, key: str) -> Any:
    try:
        value = OmegaConf.select(config, key)
    except OmegaConfBaseException:  # of a value that names another, as it was written
        group, _, name = key.rpartition(".")
        node: Any = (OmegaConf.select(config, group) if group else config)._get_node(name)
        return "?" if node is None else node._value()
    return "null" if value is None else value


def _advice(reason: str) -> str:
    for pattern in _OF_ONE_VALUE:
        found = re.search(pattern, reason)
        if found and found[1] in _KINDS:
            return f"give {_KINDS[found[1]]}"
    return reason[:1].lower() + reason[1:]
