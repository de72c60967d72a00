# SPDX-License-Identifier: BSD-2-Clause
"""Gives back an array, each item of which an orchestrator makes a call of: the beginning of a film on unum."""
from . import events


def handler(event, _context):
    events.check_array(event)
    return event
