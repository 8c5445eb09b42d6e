"""A data subject's extract of the sharing log, made by the hub's information-governance lead on his own machine.

    person        whom it is for, and whether somebody named in a request is that person
    reading       the log and its addenda, a page at a time
    searching     the log's exchanges about that person, by the addenda that the lead's key opens
    draft         the file in which the lead decides, exchange by exchange, and what it decides
    page          what is handed out: text, and the same as JSON

The law's two tests stand between `searching` and `page` (UK GDPR Article 15; Data Protection Act 2018, Schedule 2
paragraphs 16 and 17, Schedule 3 Parts 2 to 5): nothing is made while one is undecided. No program but this one opens
an addendum for it, and the keeper of the log is told a count.
"""
