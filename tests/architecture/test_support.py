"""The ground that other tests stand on."""

from __future__ import annotations

import psycopg


def test_a_test_gets_an_empty_postgres_database_of_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        connection.execute("CREATE TABLE seen (id int)")
    assert tables == (0,)


def test_another_test_does_not_see_what_the_first_one_wrote(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)
