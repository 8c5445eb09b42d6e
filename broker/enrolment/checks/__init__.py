"""Whether the servers of the bus are safe; each finding says what to change, and nothing is changed here.

`reading` reads a configuration file and `configured` judges it; `running` asks the servers themselves; `probing` tries
them from outside with nothing in hand. Refuses to know why a setting is written as it is (`configuration`).
"""
