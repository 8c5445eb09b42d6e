-- A police force's record system in POLE shape: person, object, location, event. Plain ANSI types, so that the same
-- file makes the tables in SQLite and in PostgreSQL. Yes and no are 'Y' and 'N', as in the systems it stands for.

CREATE TABLE person (
    person_id VARCHAR(12) NOT NULL PRIMARY KEY,
    family_name VARCHAR(60) NOT NULL,
    given_names VARCHAR(80),
    date_of_birth DATE,
    sex CHAR(1) NOT NULL CHECK (sex IN ('F', 'M', 'U')),
    ethnicity VARCHAR(8),
    telephone VARCHAR(24),
    created_on DATE NOT NULL
);

CREATE TABLE person_alias (
    alias_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    alias_type VARCHAR(12) NOT NULL CHECK (alias_type IN ('alias', 'birth name', 'nickname')),
    family_name VARCHAR(60) NOT NULL,
    given_names VARCHAR(80),
    date_of_birth DATE
);

CREATE TABLE person_identifier (
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    identifier_type VARCHAR(8) NOT NULL CHECK (identifier_type IN ('PNC', 'CRO', 'CRN', 'NHS')),
    identifier_value VARCHAR(20) NOT NULL,
    PRIMARY KEY (person_id, identifier_type, identifier_value)
);

CREATE TABLE location (
    location_id VARCHAR(12) NOT NULL PRIMARY KEY,
    line_1 VARCHAR(80) NOT NULL,
    town VARCHAR(40) NOT NULL,
    postcode VARCHAR(8)
);

CREATE TABLE person_address (
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    location_id VARCHAR(12) NOT NULL REFERENCES location (location_id),
    address_type VARCHAR(12) NOT NULL CHECK (address_type IN ('home', 'previous', 'safe')),
    from_on DATE,
    to_on DATE,
    PRIMARY KEY (person_id, location_id)
);

CREATE TABLE event (
    event_id VARCHAR(12) NOT NULL PRIMARY KEY,
    reference VARCHAR(24) NOT NULL,
    event_type VARCHAR(60) NOT NULL,
    occurred_on DATE NOT NULL,
    location_id VARCHAR(12) REFERENCES location (location_id),
    outcome VARCHAR(80),
    domestic_abuse CHAR(1) NOT NULL CHECK (domestic_abuse IN ('Y', 'N')),
    children_present CHAR(1) NOT NULL CHECK (children_present IN ('Y', 'N')),
    summary VARCHAR(2000)
);

CREATE TABLE event_role (
    event_id VARCHAR(12) NOT NULL REFERENCES event (event_id),
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    role VARCHAR(8) NOT NULL CHECK (role IN ('victim', 'suspect', 'witness', 'subject')),
    PRIMARY KEY (event_id, person_id, role)
);

CREATE TABLE warning_marker (
    marker_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    marker_code CHAR(2) NOT NULL,
    description VARCHAR(200) NOT NULL,
    from_on DATE NOT NULL,
    to_on DATE
);

CREATE TABLE vulnerability_notice (
    notice_id VARCHAR(12) NOT NULL PRIMARY KEY,
    reference VARCHAR(24) NOT NULL,
    notice_type VARCHAR(4) NOT NULL CHECK (notice_type IN ('PPN', 'VIST')),
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    event_id VARCHAR(12) REFERENCES event (event_id),
    about VARCHAR(5) NOT NULL CHECK (about IN ('child', 'adult')),
    grade VARCHAR(6) NOT NULL CHECK (grade IN ('High', 'Medium', 'Low')),
    raised_on DATE NOT NULL,
    domestic_abuse CHAR(1) NOT NULL CHECK (domestic_abuse IN ('Y', 'N')),
    summary VARCHAR(2000)
);

CREATE TABLE missing_episode (
    episode_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    missing_from DATE NOT NULL,
    found_on DATE,
    risk_grade VARCHAR(6) NOT NULL CHECK (risk_grade IN ('High', 'Medium', 'Low')),
    return_interview CHAR(1) CHECK (return_interview IN ('Y', 'N'))
);

CREATE TABLE protection_power (
    power_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    used_on DATE NOT NULL,
    ended_on DATE,
    reason VARCHAR(400)
);

CREATE TABLE exploitation_flag (
    flag_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    exploitation_type VARCHAR(4) NOT NULL CHECK (exploitation_type IN ('CSE', 'CCE', 'RAD', 'MSHT', 'GANG')),
    level VARCHAR(6) NOT NULL CHECK (level IN ('High', 'Medium', 'Low')),
    flagged_on DATE NOT NULL,
    closed_on DATE
);

CREATE TABLE custody_record (
    custody_id VARCHAR(12) NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    event_id VARCHAR(12) REFERENCES event (event_id),
    arrested_on DATE NOT NULL,
    offence VARCHAR(120) NOT NULL,
    outcome VARCHAR(40) NOT NULL,
    bail_conditions VARCHAR(400)
);

CREATE TABLE disposal (
    disposal_id INTEGER NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    disposed_on DATE NOT NULL,
    offence VARCHAR(120) NOT NULL,
    disposal VARCHAR(120) NOT NULL,
    is_caution CHAR(1) NOT NULL CHECK (is_caution IN ('Y', 'N'))
);

CREATE TABLE intelligence (
    report_id VARCHAR(12) NOT NULL PRIMARY KEY,
    person_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    reported_on DATE NOT NULL,
    source_evaluation CHAR(1) NOT NULL CHECK (source_evaluation IN ('1', '2', '3')),
    information_assessment CHAR(1) NOT NULL CHECK (information_assessment IN ('A', 'B', 'C', 'D', 'E')),
    handling_code CHAR(1) NOT NULL CHECK (handling_code IN ('P', 'C')),
    handling_conditions VARCHAR(200),
    raw_text VARCHAR(2000) NOT NULL,
    sanitised_text VARCHAR(2000),
    sanitised_by VARCHAR(80)
);

CREATE TABLE da_assessment (
    assessment_id VARCHAR(12) NOT NULL PRIMARY KEY,
    event_id VARCHAR(12) NOT NULL REFERENCES event (event_id),
    victim_id VARCHAR(12) NOT NULL REFERENCES person (person_id),
    suspect_id VARCHAR(12) REFERENCES person (person_id),
    assessed_on DATE NOT NULL,
    dash_score INTEGER NOT NULL CHECK (dash_score BETWEEN 0 AND 27),
    dash_grade VARCHAR(8) NOT NULL CHECK (dash_grade IN ('High', 'Medium', 'Standard')),
    marac_on DATE,
    protective_order VARCHAR(20),
    operation_encompass CHAR(1) NOT NULL CHECK (operation_encompass IN ('Y', 'N'))
);

CREATE INDEX person_by_name ON person (family_name, date_of_birth);
CREATE INDEX person_by_birth ON person (date_of_birth);
CREATE INDEX alias_by_name ON person_alias (family_name);
CREATE INDEX identifier_by_value ON person_identifier (identifier_value);
CREATE INDEX role_by_person ON event_role (person_id);
CREATE INDEX notice_by_person ON vulnerability_notice (person_id);
