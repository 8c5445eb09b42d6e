"""The hard cases as probation knows them: the stepfather, a limited-access parent, an alias, and a rough spelling."""

from __future__ import annotations

from broker.demo.county import story
from broker.demo.county.probation_files import Files


def add_cases(files: Files) -> None:
    """Add every hard case that probation knows."""
    _add_stepfather(files)
    _add_limited_access(files)
    _add_alias(files)
    _add_duplicate(files)


def _add_stepfather(files: Files) -> None:
    """On licence to his mother's address; has told nobody that he lives with the family."""
    county, ago = files.county, files.ago
    man = county.case("family_stepfather")
    crn = files.person(man, supervised=True)
    # What he told probation is not where he lives: only the police and the school know that.
    files.resources["addresses"][crn].clear()
    files.address(
        crn, county.place_of(county.case("family_step_grandmother")), ago(story.RELEASED), notes="His mother's address."
    )
    files.offence(crn, ago(story.EARLIER_CONVICTION + 90), ago(story.EARLIER_CONVICTION), "Battery", violent=True)
    files.sentence(crn, ago(story.EARLIER_CONVICTION), "Community order", 12, "Months", active=False)
    files.offence(crn, ago(story.SENTENCED + 120), ago(story.SENTENCED), "Unlawful wounding s20", violent=True)
    files.sentence(crn, ago(story.SENTENCED), "Imprisonment", 24, "Months", active=True, custodial=True)
    files.licence(
        crn,
        ago(story.RELEASED),
        (
            ("Residence at a specific place", "To live permanently at an address approved by the supervising officer."),
            ("Disclosure of information", "To tell the supervising officer of any developing intimate relationship."),
            ("Contact with a person", "Not to have unsupervised contact with children under 16 without approval."),
        ),
    )
    files.rosh(
        crn,
        ago(story.RELEASED - 30),
        "HIGH",
        "HIGH",
        who="Partners and former partners; children of a household he joins.",
        nature="Physical violence when drunk: strangulation, punching. Children have stood between.",
    )
    files.register(crn, "RCCO", ago(story.RELEASED), "Not to live with children until assessed.")
    files.register(crn, "RVAD", ago(story.RELEASED))
    files.mappa(crn, 1, 2, ago(story.RELEASED), "Single-agency management; refer up if a new relationship is known.")
    files.plan(
        crn,
        ago(story.RELEASED - 35),
        "Says he is single and lives with his mother.",
        "Former partner has a non-molestation order. Any new partner to be told through MARAC.",
    )
    files.contact(
        crn, ago(12), "Office appointment", "Attended, complied", "Says all quiet at his mother's. Smelled of drink."
    )
    files.contact(
        crn, ago(5), "Home visit", "Failed to attend", "Mother said he was at work. No sign that he lives there."
    )


def _add_limited_access(files: Files) -> None:
    county, ago = files.county, files.ago
    man = county.case("lao_parent")
    crn = files.person(
        man,
        supervised=True,
        currentRestriction=True,
        restrictionMessage="This is a restricted record. Ask the named manager.",
        currentExclusion=True,
        exclusionMessage="You are excluded from viewing this record. A relative of the person works in the office.",
    )
    files.offence(crn, ago(3_100), ago(2_900), "Sexual activity with a child", sexual=True)
    files.sentence(crn, ago(2_900), "Imprisonment", 6, "Years", active=True, custodial=True)
    files.licence(crn, ago(700), (("Contact with a person", "Not to contact the victim, directly or indirectly."),))
    files.rosh(
        crn,
        ago(160),
        "HIGH",
        "VERY_HIGH",
        who="Girls aged 8 to 14, his own daughter among them.",
        nature="Sexual offending.",
    )
    files.register(crn, "RCCO", ago(700), "His daughter is ten; contact is supervised by the local authority.")
    files.register(crn, "AVIS", ago(700))
    files.mappa(crn, 2, 1, ago(700), "Level 2 while he lives with a child.")
    files.plan(crn, ago(150), "Lives with partner and daughter under a safety plan.", "Victim wants no contact.")


def _add_alias(files: Files) -> None:
    """Known to probation first by the name the police have as an alias."""
    man = files.county.case("alias_user")
    alias = {"firstName": man.given, "lastName": man.family, "middleName": None, "dateOfBirth": man.born_on.isoformat()}
    crn = files.person(man, supervised=False, firstName="Mark", middleName=None, lastName="Dobson", aliases=[alias])
    files.offence(crn, files.ago(500), files.ago(400), "Fraud by false representation")
    files.sentence(crn, files.ago(400), "Fine", 0, "Days", active=False)


def _add_duplicate(files: Files) -> None:
    man = files.county.case("duplicate_person")
    crn = files.person(man, supervised=True, firstName="Mohamed", middleName=None)
    files.offence(crn, files.ago(900), files.ago(820), "Possession of a bladed article", violent=True)
    files.sentence(crn, files.ago(820), "Community order", 18, "Months", active=True)
    files.rosh(
        crn, files.ago(800), "MEDIUM", "LOW", who="Members of the public.", nature="Carries a knife for protection."
    )
    files.register(crn, "WEAP", files.ago(820))
