"""Parts that several suites use: no tests here."""
