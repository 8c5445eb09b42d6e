-- Officers who must not see an enquiry (R29): whoever stands here is to the desk as if the enquiry did not exist.

CREATE TABLE enquiry_conflict (
    enquiry TEXT NOT NULL REFERENCES enquiry (id),
    officer TEXT NOT NULL,
    PRIMARY KEY (enquiry, officer)
) STRICT, WITHOUT ROWID;
