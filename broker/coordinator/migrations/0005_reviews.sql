-- In which role a person at the agency reviews a request, by the agency's own deed; NULL: none is known of.
ALTER TABLE exchange ADD COLUMN reviewer TEXT;
