"""The settings of a publication: where each comes from, what it may be, and what is said when it may not."""

from twingraph.settings.catalogue import Catalogue, Dumps, Place, Security
from twingraph.settings.layers import FILE_NAME
from twingraph.settings.publication import NOT_IN_FILE, Settings, load_settings, settings_from, settings_origins
from twingraph.settings.sections import (
    DEFAULT_GRAPH_NAME,
    Agent,
    CheckLimits,
    Derivation,
    Descriptions,
    EvidenceTerms,
    Files,
    Limits,
    Server,
)

__all__ = [
    "DEFAULT_GRAPH_NAME",
    "FILE_NAME",
    "NOT_IN_FILE",
    "Agent",
    "Catalogue",
    "CheckLimits",
    "Derivation",
    "Descriptions",
    "Dumps",
    "EvidenceTerms",
    "Files",
    "Limits",
    "Place",
    "Security",
    "Server",
    "Settings",
    "load_settings",
    "settings_from",
    "settings_origins",
]
