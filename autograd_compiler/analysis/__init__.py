"""Facts about the IR: functions from IR to tables, which the passes ask.

Facts are returned, never attached to operations or variables.
"""
