"""Read a catalogue as CKAN's harvester for DCAT does, or a page as extruct does; write what they found as JSON."""

import json
import sys


def datasets(text, format_):
    """Return the datasets that ckanext-dcat makes of a catalogue."""
    from ckan.common import config

    config["ckan.site_url"] = "http://localhost"
    from ckanext.dcat.processors import RDFParser

    parser = RDFParser(profiles=["euro_dcat_ap_3"])
    parser.parse(text, format_)
    return list(parser.datasets())


def embedded(text):
    """Return the JSON-LD that extruct finds in a page."""
    import extruct

    return extruct.extract(text, syntaxes=["json-ld"], base_url="http://localhost/")["json-ld"]


kind = sys.argv[1]
text = sys.stdin.read()
json.dump(embedded(text) if kind == "page" else datasets(text, kind), sys.stdout)
